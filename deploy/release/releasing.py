"""Run the steps of a release in order, and undo them if one fails.

An interrupted release is finished if its smoke test had passed, and undone otherwise.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from host.console import Console, Failure
from host.stack import REPOSITORY, Stack

from . import images, preflight, smoke
from .journal import SUCCEEDED, Journal, Release
from .replicas import containers
from .rolling import Rolling

SHOWN = 5
COMMITTED = "smoke"  # once this step is done, only a rollback leads back
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
        self.journal = Journal(stack.state)
        self.rolling = Rolling(stack, console)

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
        if not finish:
            self.undo(release, "interrupted")
            return "undone"
        try:
            return self._settle(release)
        except (Failure, OSError) as error:
            self.console.note(f"{release.tag} can be neither finished nor undone: {error}")
            self.journal.ended(release, "abandoned", error=str(error))
            return "abandoned"

    def _settle(self, release: Release) -> str:
        if COMMITTED not in release.done:
            self.undo(release, "interrupted")
            return "undone"
        with self.console.step(f"finishing {release.tag}"):
            ready = self.rolling.start(release.record["new"])
            self.rolling.switch(ready)
            self.journal.learned(release, new=[each.id for each in ready])
            self._complete(release)
        return "finished"

    def undo(self, release: Release, reason: str) -> None:
        """Restore the previous release."""
        has_changed = release.reached("stop", "start")
        if has_changed and release.previous_tag is None:
            self.stack.set_values(release.record["values_before"])
        elif has_changed:
            with self.console.step(f"restoring {release.previous_tag}"):
                self._go_back(release)
        with suppress(OSError):  # a full disk: the next command undoes it once more, which changes nothing
            self.journal.ended(release, "undone" if has_changed else "refused", error=reason)

    def _go_back(self, release: Release) -> None:
        old = release.record["old"]
        self.stack.set_values(release.record["values_before"])
        self.rolling.restart(old)
        ready = self.rolling.start(old)
        self.rolling.switch(ready)
        self.rolling.retire([each.id for each in ready])
        if release.reached("stop", "worker"):
            self.rolling.replace_worker()
        if release.reached("proxy"):
            self.rolling.update_proxy()
            self.rolling.replace_others()

    def _plan(self, tag: str, options: Options) -> dict[str, Any]:
        """Return what serves now, which an undo needs, and the values that the release will get."""
        running = [each for each in containers(self.stack, "backend") if each.state == "running"]
        serving = [each for each in running if each.serves] or running
        values, slot = self.stack.values, self.rolling.slot(serving)
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
        stop = bool(plan.incompatible) and release.previous_tag is not None
        if stop and not options.allow_downtime:
            raise Failure(
                f"{release.previous_tag} cannot run on the new schema:\n  " + "\n  ".join(plan.incompatible),
                "split the change into two releases, or accept an interruption with --allow-downtime",
            )
        if not options.without_backup:
            self._back_up(release, database)
        if stop:
            with self._step(release, "stop", "stopping the old release, which cannot run on the new schema"):
                self.rolling.stop()
        if plan.pending:
            with self._step(release, "migrate", "migrating"):
                command = ("manage.py", "migrate_locked", "--lock-timeout", MIGRATION_LOCK_SECONDS)
                preflight.in_image(self.stack, self.stack.variant(release.record["values"]), *command, timeout=None)
        self.journal.learned(release, migration_head=preflight.migration_head(self.stack))

    def _back_up(self, release: Release, database: preflight.Database) -> None:
        if not self.stack.has_own_database:
            self.console.note(
                "  DATABASE_URL names an external database, so no backup is made: back it up where it runs"
            )
        elif not database.is_empty:
            command = (sys.executable, str(REPOSITORY / "deploy" / "backup" / "backup"), self.stack.env)
            options = ("--label", f"before-{release.tag}", "--verify", "--json")
            with self._step(release, "backup", "making and verifying a backup"):
                done = self.stack.run(*command, *options, check=False, timeout=None)
                if done.returncode:
                    raise _failed_backup(done.stdout, done.stderr)

    def _roll(self, release: Release, image: images.Image) -> None:
        """Start the new release, switch the proxy to it and test it; the old one is still there."""
        with self._step(release, "start", f"starting {self.rolling.replicas} of {release.tag}"):
            # The env file first: the next `docker compose up` would recreate containers with other values.
            self.stack.set_values(release.record["values"])
            ready = self.rolling.start()
            self.journal.learned(release, new=[each.id for each in ready])
        with self._step(release, "worker", "replacing the worker once its jobs are done"):
            self.rolling.replace_worker()
        with self._step(release, "switch", "switching the proxy to the new replicas"):
            self.rolling.switch(ready)
        with self._step(release, COMMITTED, "testing the site through the proxy"):
            smoke.test(self.stack, image)

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
            self.undo(release, reason.cause)
        except (Failure, OSError) as second:
            raise Failure(
                f"{reason.cause}\nand restoring the old release failed: {second}",
                f"fix the second error, then try again: deploy/release/rollback {self.stack.env}",
            ) from error
        serving = f"{release.previous_tag} serves" if release.previous_tag else "nothing was serving before"
        raise Failure(f"{reason.cause}\n{serving}", reason.hint) from error


def _facts(image: images.Image) -> dict[str, Any]:
    return {"image": image.id, "digests": image.digests, "revision": image.revision}


def _failed_backup(result: str, output: str) -> Failure:
    """Return the error of the backup with its own next step."""
    with suppress(ValueError, KeyError):
        failed = json.loads(result)
        return Failure(f"the backup failed: {failed['error']}", failed["next"])
    return Failure(f"the backup failed:\n{output.strip()}", "fix the error above, then run the command again")


def _reason(error: BaseException) -> str:
    return "interrupted" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"


def catch_signals() -> None:
    """Turn SIGINT, SIGTERM and SIGHUP into KeyboardInterrupt, once: the undo that follows is not interrupted."""
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(number: int, frame: object) -> None:
        for each in wanted:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in wanted:
        signal.signal(each, interrupt)
