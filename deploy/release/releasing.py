"""Run the steps of a release in order, and undo them if one fails.

An interrupted release is finished if it had passed its tests, and undone otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from host import volumes
from host.console import Console, Failure
from host.stack import Stack
from host.subcommand import result_of

from . import images, preflight, rotations, smoke
from .account import borrowed
from .journal import SUCCEEDED, Journal, Release
from .replicas import containers
from .rolling import Rolling
from .undoing import Closed, Undoing
from .watch import watch

SHOWN = 5
MIGRATION_LOCK_SECONDS = "5"  # requests that queue behind a waiting migration wait as long


@dataclass(frozen=True)
class Options:
    """The options of the command line."""

    allow_downtime: bool = False
    without_backup: bool = False
    keep_proxy: bool = False
    expected_image: str = ""


class Releasing:
    """Run deploy and rollback on one environment."""

    def __init__(self, stack: Stack, console: Console) -> None:
        self.stack = stack
        self.console = console
        self.journal = Journal.of(stack)
        self.rolling = Rolling(stack, console)
        self.undoing = Undoing(stack, console, self.journal, self.rolling)

    def run(self, kind: str, tag: str, options: Options) -> Release:
        """Deploy a release. If it fails, restore the old one and raise Failure."""
        image = images.require(self.stack, tag)
        if options.expected_image and image.id != options.expected_image:
            raise Failure(
                f"todo-backend:{tag} is now {image.id}, but {options.expected_image} was asked for",
                "the tag has been built again since then: test the new image, then deploy that",
            )
        release = self.journal.began(kind=kind, tag=tag, **_facts(image), **self._plan(tag, options))
        try:
            self._prepare(release, options)
            self._roll(release, image)
            self._complete(release)
        except (Failure, OSError, ValueError, KeyError, KeyboardInterrupt) as error:
            self._undo_and_raise(release, error)
        return release

    def recover(self, *, finish: bool = True) -> str:
        """Finish or undo an interrupted release, and return which.

        With `finish`, another release follows, so one that can be neither finished nor undone is abandoned to it.
        """
        release = self.journal.unfinished()
        if release is None:
            return ""
        self.console.note(
            f"the {release.record['kind']} of {release.tag} was interrupted at the step {release.step or 'begin'}"
        )
        is_passed = finish and self._has_passed(release)
        self._check_env_file(release.record["values" if is_passed else "values_before"])
        if not finish:
            self.console.note(self.undoing.undo(release, "interrupted", may_lose=True))
            return "undone"
        try:
            if is_passed:
                self._finish(release)
                return "finished"
            self.console.note(self.undoing.undo(release, "interrupted"))
        except (Failure, OSError) as error:
            self.console.note(f"{release.tag} can be neither finished nor undone: {error}")
            self.journal.ended(release, "abandoned", error=str(error))
            return "abandoned"
        return "undone"

    def _has_passed(self, release: Release) -> bool:
        """Return whether to finish an interrupted release: it passed its tests, or serves and has no way back."""
        if release.reached("retire"):
            return True
        is_serving = release.reached("switch") and not release.record.get("closed")
        return is_serving and self.undoing.is_way_back_closed(release)

    def _check_env_file(self, values: dict[str, str | None]) -> None:
        """Raise Failure if the release to recover would not start with the env file as it is now."""
        preflight.compose_version(self.stack)
        preflight.readable(self.stack)
        tag = values.get("IMAGE_TAG") or self.stack.tag
        if images.find(self.stack, f"{images.BACKEND}:{tag}"):
            preflight.configuration(self.stack, self.stack.variant({**values, "IMAGE_TAG": tag}))

    def _finish(self, release: Release) -> None:
        with self.console.step(f"finishing {release.tag}"):
            image = images.require(self.stack, release.tag)
            ready = self.rolling.start(release.record["new"])
            with borrowed(self.stack, self.console, ready) as account:
                smoke.test_replicas(self.stack, image, ready, account)
                self.rolling.switch(ready)
                smoke.test_site(self.stack, image, account)
            self.journal.learned(release, new=[each.id for each in ready])
            self._complete(release)

    def _plan(self, tag: str, options: Options) -> dict[str, Any]:
        """Return what serves now, which an undo needs, and the values that the release will get."""
        running = [each for each in containers(self.stack, "backend") if each.state == "running"]
        healthy = [each for each in running if each.serves] or running
        values, slot = self.stack.values, self.rolling.slot(healthy)
        # with those that a probe has just missed: the proxy sends requests to all of the slot
        serving = [each for each in running if each in healthy or f"backend-{slot}" in each.aliases]
        before = {name: values.get(name) for name in ("IMAGE_TAG", "PROXY_TAG", "BACKEND_SLOT")}
        previous = serving and images.keep_tag(self.stack, f"{images.BACKEND}:{self.stack.tag}", serving[-1].image)
        if previous and previous != self.stack.tag:
            before["IMAGE_TAG"] = previous
        return {
            "backup": not options.without_backup,
            "old": [each.id for each in serving],
            "previous_tag": previous or None,
            "previous_image": serving[-1].image if serving else None,
            "values_before": before,
            "values": {
                "IMAGE_TAG": tag,
                "PROXY_TAG": self.rolling.choose_proxy(tag, keep=options.keep_proxy),
                "BACKEND_SLOT": "b" if slot == "a" else "a",
            },
        }

    @contextmanager
    def _step(self, release: Release, name: str, shown: str) -> Iterator[None]:
        with self.console.step(shown), self.journal.step(release, name):
            yield

    def _prepare(self, release: Release, options: Options) -> None:
        """Check the host, back up and migrate. The old release keeps serving."""
        with self._step(release, "preflight", "preflight"):
            preflight.compose_version(self.stack)
            preflight.readable(self.stack)
            preflight.proxy(self.stack)
            for secret in rotations.VARIABLES:
                rotations.require_current(self.stack, secret)
            volumes.keep(self.stack, self.console)
            database = preflight.database(self.stack)
            preflight.free_space(self.stack, database.size, self.rolling.replicas)
            preflight.configuration(self.stack, self.stack.variant(release.record["values"]))
        if release.record["kind"] == "rollback":
            self.journal.learned(release, migration_head=preflight.migration_head(self.stack))
            return  # the old code runs on the new schema: nothing to migrate, nothing to back up
        with self._step(release, "plan", "checking the migrations"):
            plan = preflight.migrations(self.stack, self.stack.variant(release.record["values"]))
            shown = ", ".join(plan.pending[:SHOWN]) + (" …" if len(plan.pending) > SHOWN else "")
            self.console.note(f"  {len(plan.pending)} pending: {shown}" if shown else "  none pending")
            self.journal.learned(release, migrations=plan.pending, incompatible=bool(plan.incompatible))
        if plan.incompatible and release.previous_tag is not None:
            self._need_the_word(release, plan, options)
            with self._step(release, "stop", "stopping the old release, which cannot run on the new schema"):
                self.rolling.stop()
        if not options.without_backup:  # of everything: with the old release stopped, nothing is written after it
            self._back_up(release, database)
        if plan.pending:
            with self._step(release, "migrate", "migrating"):
                command = ("manage.py", "migrate_locked", "--lock-timeout", MIGRATION_LOCK_SECONDS)
                preflight.in_image(self.stack, self.stack.variant(release.record["values"]), *command, timeout=None)
        self.journal.learned(release, migration_head=preflight.migration_head(self.stack))

    def _need_the_word(self, release: Release, plan: preflight.Plan, options: Options) -> None:
        """Raise Failure unless the operator accepts the interruption, and that code alone does not lead back."""
        previous, reasons = release.previous_tag, "\n  ".join(plan.incompatible)
        if not options.allow_downtime:
            raise Failure(
                f"{previous} cannot run on the new schema:\n  {reasons}",
                "split the change into two releases, or accept an interruption with --allow-downtime; from the "
                "migration on, the only way back is the backup that is made while the service is stopped",
            )
        if not options.without_backup and not self.stack.has_own_database:
            raise Failure(
                f"{previous} cannot run on the new schema, and there would be no way back, because DATABASE_URL "
                f"names an external database, which is not backed up here:\n  {reasons}",
                "stop the service, back the database up where it runs, then add --without-backup",
            )
        self.console.note(
            f"  there is no way back from the migration, because no backup is made: if {release.tag} fails, the "
            "site stays on its maintenance page"
            if options.without_backup
            else "  from the migration on, the way back is the backup: it is restored by itself until the switch; "
            "after that, the site stays on its maintenance page until you decide"
        )

    def _back_up(self, release: Release, database: preflight.Database) -> None:
        if not self.stack.has_own_database:
            self.console.note(
                "  DATABASE_URL names an external database, so no backup is made: back it up where it runs"
            )
        elif not database.is_empty:
            with self._step(release, "backup", "making and verifying a backup"):
                done = result_of(self.stack, "backup/backup", "--label", f"before-{release.tag}", "--verify")
                self.journal.learned(release, backup_name=done["name"])

    def _roll(self, release: Release, image: images.Image) -> None:
        """Start the new release, test it, switch the proxy to it and watch it; the old one is still there."""
        with self._step(release, "start", f"starting {self.rolling.replicas} of {release.tag}"):
            ready = self.rolling.start(extra=self.stack.variant(release.record["values"]))
            self.journal.learned(release, new=[each.id for each in ready])
        old = [each for each in containers(self.stack, "backend") if each.id in release.record["old"]]
        with borrowed(self.stack, self.console, [*ready, *old]) as account:
            with self._step(release, "test", "testing the new replicas"):
                smoke.test_replicas(self.stack, image, ready, account)
            with self._step(release, "worker", "replacing the worker once its jobs are done"):
                # Not before the test: until then, a `docker compose up` by hand brings the old release back.
                self.stack.set_values(release.record["values"])
                self.rolling.replace_worker()
            with self._step(release, "switch", "switching the proxy to the new replicas"):
                switched = time.time()
                self.rolling.switch(ready)
            with self._step(release, "smoke", "testing the site through the proxy"):
                smoke.test_site(self.stack, image, account)
        if release.previous_tag is not None:  # there is something to go back to
            with self._step(release, "watch", "watching the responses"):
                began = datetime.fromisoformat(release.record["began_at"]).timestamp()
                watch(self.stack, self.console, began=began, switched=switched)

    def _complete(self, release: Release) -> None:
        """Remove the old release and update the proxy and the other services."""
        with self._step(release, "retire", "removing the old replicas"):
            self.rolling.retire(release.record["new"])
        with self._step(release, "proxy", "updating the proxy"):
            seconds = self.rolling.update_proxy()
            done = (
                "not interrupted"
                if seconds is None
                else f"replaced; it was unreachable for at most {seconds:.1f} s"
            )
            self.console.note(f"  {done}")
        with self._step(release, "follow", "updating the other services"):
            self.rolling.replace_others()
        self.journal.ended(release, SUCCEEDED, proxy_away_seconds=seconds and round(seconds, 1))

    def _undo_and_raise(self, release: Release, error: BaseException) -> None:
        """Undo a release and raise the reason as Failure."""
        reason = (
            error
            if isinstance(error, Failure)
            else Failure(_reason(error), "fix the error above, then run the command again")
        )
        try:
            says = self.undoing.undo(release, reason.cause)
        except Closed as closed:
            raise Failure(f"{reason.cause}\n{closed.cause}", closed.hint) from error
        except (Failure, OSError) as second:
            raise Failure(
                f"{reason.cause}\nand restoring the old release failed: {second}",
                f"fix the second error, then try again: deploy/release/rollback {self.stack.env}",
            ) from error
        raise Failure(f"{reason.cause}\n{says}", reason.hint) from error


def _facts(image: images.Image) -> dict[str, Any]:
    return {"image": image.id, "digests": image.digests, "revision": image.revision}


def _reason(error: BaseException) -> str:
    return "interrupted" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"
