"""This will carry a release from the first look to the end, and back when a step fails.

The rule for what was interrupted: once the smoke test has passed, a release is finished; before that it is undone.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from host.console import Console, Refused
from host.stack import REPOSITORY, Stack

from . import images, preflight, smoke
from .journal import SUCCEEDED, Journal, Release
from .replicas import containers
from .rolling import Rolling

SHOWN = 5
COMMITTED = "smoke"  # the step after which there is no way back but a rollback
MIGRATION_LOCK_SECONDS = "5"  # the requests that queue behind a waiting migration wait as long


@dataclass(frozen=True)
class Options:
    """What a person may ask for."""

    allow_downtime: bool = False
    without_backup: bool = False
    keep_proxy: bool = False
    expected_image: str = ""


class Releasing:
    """The steps of deploy and rollback on one environment."""

    def __init__(self, stack: Stack, console: Console) -> None:
        self.stack = stack
        self.console = console
        self.journal = Journal(stack.state)
        self.rolling = Rolling(stack, console)

    def run(self, kind: str, tag: str, options: Options) -> Release:
        """This will bring a release to serve; raises Refused with the old one serving."""
        image = images.need(self.stack, tag)
        if options.expected_image and image.id != options.expected_image:
            raise Refused(
                f"todo-backend:{tag} is {image.id}, and {options.expected_image} was asked for",
                "it was built again under the same tag meanwhile; deploy what you tested",
            )
        release = self.journal.began(kind=kind, tag=tag, **_described(image), **self._plan(tag, options))
        try:
            self._prepare(release, options)
            self._roll(release, image)
            self._complete(release)
        except (Refused, OSError, ValueError, KeyError, KeyboardInterrupt) as error:
            self._give_way(release, error)
        return release

    def recover(self, *, finish: bool = True) -> str:
        """This will finish or undo what a killed command has left, and say what there was.

        With `finish`, another release is about to follow: what can be neither finished nor undone is left to it.
        """
        release = self.journal.unfinished()
        if release is None:
            return ""
        self.console.note(
            f"{release.facts['kind']} {release.tag} was interrupted at the step {release.step or 'begin'}"
        )
        if not finish:
            self.undo(release, "interrupted")
            return "undone"
        try:
            return self._settle(release)
        except (Refused, OSError) as error:
            self.console.note(f"{release.tag} can be neither finished nor undone: {error}")
            self.journal.ended(release, "abandoned", error=str(error))
            return "abandoned"

    def _settle(self, release: Release) -> str:
        if COMMITTED not in release.done:
            self.undo(release, "interrupted")
            return "undone"
        with self.console.step(f"finishing {release.tag}"):
            ready = self.rolling.start(release.facts["new"])
            self.rolling.switch(ready)
            self.journal.learned(release, new=[each.id for each in ready])
            self._complete(release)
        return "finished"

    def undo(self, release: Release, reason: str) -> None:
        """This will have the previous release serve as if this one had not been."""
        has_changed = release.reached("stop", "start")
        if has_changed and release.previous_tag is None:
            self.stack.set_values(release.facts["values_before"])
        elif has_changed:
            with self.console.step(f"going back to {release.previous_tag}"):
                self._go_back(release)
        with suppress(OSError):  # a full disk; the next call goes back once more, which changes nothing
            self.journal.ended(release, "undone" if has_changed else "refused", error=reason)

    def _go_back(self, release: Release) -> None:
        old = release.facts["old"]
        self.stack.set_values(release.facts["values_before"])
        self.rolling.wake(old)
        ready = self.rolling.start(old)
        self.rolling.switch(ready)
        self.rolling.retire([each.id for each in ready])
        if release.reached("stop", "worker"):
            self.rolling.work()
        if release.reached("proxy"):
            self.rolling.replace_proxy()
            self.rolling.follow()

    def _plan(self, tag: str, options: Options) -> dict[str, Any]:
        """Return what serves now, as an undo needs it, and the values with which the release will serve."""
        running = [each for each in containers(self.stack, "backend") if each.state == "running"]
        serving = [each for each in running if each.serves] or running
        values, slot = self.stack.values, self.rolling.slot(serving)
        before = {name: values.get(name) for name in ("IMAGE_TAG", "PROXY_TAG", "BACKEND_SLOT")}
        previous = serving and images.keep(self.stack, f"{images.BACKEND}:{self.stack.tag}", serving[-1].image)
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
        """This will look at everything, secure the data and migrate; the old release serves on."""
        with self._step(release, "preflight", "preflight"):
            preflight.compose_version(self.stack)
            preflight.readable(self.stack)
            preflight.proxy(self.stack)
            database = preflight.database(self.stack)
            preflight.room(self.stack, database.size, self.rolling.replicas)
            preflight.configuration(self.stack, self.stack.variant(release.facts["values"]))
        if release.facts["kind"] == "rollback":
            self.journal.learned(release, migration_head=preflight.migration_head(self.stack))
            return  # the old release runs on the new schema, so there is nothing to migrate and nothing to lose
        with self._step(release, "plan", "migrations"):
            plan = preflight.migrations(self.stack, self.stack.variant(release.facts["values"]))
            shown = ", ".join(plan.pending[:SHOWN]) + (" …" if len(plan.pending) > SHOWN else "")
            self.console.note(f"  {len(plan.pending)} pending: {shown}" if shown else "  none is pending")
            self.journal.learned(release, migrations=plan.pending, incompatible=bool(plan.incompatible))
        stop = bool(plan.incompatible) and release.previous_tag is not None
        if stop and not options.allow_downtime:
            raise Refused(
                f"{release.previous_tag} cannot run on the new schema:\n  " + "\n  ".join(plan.incompatible),
                "split the change over two releases, or accept an interruption with --allow-downtime",
            )
        if not options.without_backup:
            self._back_up(release, database)
        if stop:
            with self._step(release, "stop", "stopping the old release, which the new schema would break"):
                self.rolling.pause()
        if plan.pending:
            with self._step(release, "migrate", "migration"):
                command = ("manage.py", "migrate_locked", "--lock-timeout", MIGRATION_LOCK_SECONDS)
                preflight.in_image(self.stack, self.stack.variant(release.facts["values"]), *command, timeout=None)
        self.journal.learned(release, migration_head=preflight.migration_head(self.stack))

    def _back_up(self, release: Release, database: preflight.Database) -> None:
        if not self.stack.has_own_database:
            self.console.note("  DATABASE_URL names a database elsewhere: no backup of it is made from here")
        elif not database.is_empty:
            command = (sys.executable, str(REPOSITORY / "deploy" / "backup" / "backup"), self.stack.env)
            options = ("--label", f"before-{release.tag}", "--verify", "--json")
            with self._step(release, "backup", "backup and its verification"):
                told = self.stack.run(*command, *options, check=False, timeout=None)
                if told.returncode:
                    raise _failed_backup(told.stdout, told.stderr)

    def _roll(self, release: Release, image: images.Image) -> None:
        """This will have the new release answer, with the old one still there."""
        with self._step(release, "start", f"starting {self.rolling.replicas} of {release.tag}"):
            # Containers see the whole env file: what was started with other values than it has, the next
            # `docker compose up` would recreate.
            self.stack.set_values(release.facts["values"])
            ready = self.rolling.start()
            self.journal.learned(release, new=[each.id for each in ready])
        with self._step(release, "worker", "worker: finishing its jobs, then replaced"):
            self.rolling.work()
        with self._step(release, "switch", "switching the proxy over"):
            self.rolling.switch(ready)
        with self._step(release, COMMITTED, "smoke test through the proxy"):
            smoke.test(self.stack, image)

    def _complete(self, release: Release) -> None:
        """This will make the new release the only one."""
        with self._step(release, "retire", "retiring the old replicas"):
            self.rolling.retire(release.facts["new"])
        with self._step(release, "proxy", "proxy"):
            seconds = self.rolling.replace_proxy()
            told = (
                "is the same" if seconds is None else f"replaced; nobody was answered for at most {seconds:.1f} s"
            )
            self.console.note(f"  {told}")
        with self._step(release, "follow", "other services"):
            self.rolling.follow()
        self.journal.ended(release, SUCCEEDED, proxy_away_seconds=seconds and round(seconds, 1))

    def _give_way(self, release: Release, error: BaseException) -> None:
        """This will undo a release and raise why it was."""
        reason = error if isinstance(error, Refused) else Refused(_told(error), "see above, then repeat")
        try:
            self.undo(release, reason.cause)
        except (Refused, OSError) as trouble:
            raise Refused(
                f"{reason.cause}\nand going back failed: {trouble}",
                f"deploy/release/rollback {self.stack.env} goes back once more",
            ) from error
        serving = f"{release.previous_tag} serves" if release.previous_tag else "nothing served before"
        raise Refused(f"{reason.cause}\n{serving}", reason.hint) from error


def _described(image: images.Image) -> dict[str, Any]:
    return {"image": image.id, "digests": image.digests, "revision": image.revision}


def _failed_backup(result: str, said: str) -> Refused:
    """Return the backup's own error with its own next step."""
    with suppress(ValueError, KeyError):
        facts = json.loads(result)
        return Refused(f"the backup failed: {facts['error']}", facts["next"])
    return Refused(f"the backup failed:\n{said.strip()}", "mend what it says, then repeat")


def _told(error: BaseException) -> str:
    return "interrupted" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"


def catch_signals() -> None:
    """This will make a signal or a lost terminal an error like another; while it is undone, further ones wait."""
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(number: int, frame: object) -> None:
        for each in wanted:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in wanted:
        signal.signal(each, interrupt)
