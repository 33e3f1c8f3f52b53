"""Go back to the release before, or stay on the maintenance page where there is no way back.

After a migration that the old code cannot run with, the way back is the backup that was made while nothing wrote.
Before the switch it loses nothing, so it is restored at once. After the switch it would lose what people have
written since, so a person decides: `rollback` restores it, `deploy` brings code that runs on the new schema.
"""

from __future__ import annotations

from contextlib import suppress

from host.console import Console, Failure
from host.stack import Stack
from host.subcommand import result_of

from . import images, preflight, smoke
from .account import borrowed
from .journal import Journal, Release
from .replicas import Container, containers
from .rolling import Rolling


class Closed(Failure):
    """There is no way back that loses nothing: the site shows its maintenance page until a person decides."""


class Undoing:
    """Undo releases of one stack. Each step may be repeated, so that a killed undo can."""

    def __init__(self, stack: Stack, console: Console, journal: Journal, rolling: Rolling) -> None:
        self.stack = stack
        self.console = console
        self.journal = journal
        self.rolling = rolling

    def undo(self, release: Release, reason: str, *, may_lose: bool = False) -> str:
        """Restore the previous release; return in words what serves then.

        Raise Closed if that would lose data and `may_lose` is not set, or if it is impossible.
        """
        has_changed = release.reached("stop", "start")
        if release.previous_tag is None:
            says = self._stop_what_failed(release, has_changed)
        elif has_changed:
            with self.console.step(f"restoring {release.previous_tag}"):
                self._prepare_data(release, may_lose=may_lose)
                says = self._go_back(release)
        elif release.reached("migrate"):
            says = self._tested(release, containers(self.stack, "backend"))
        else:
            says = f"nothing was changed; {release.previous_tag} is still in place"
        with suppress(Failure):  # a full disk: the next command undoes it once more, which changes nothing
            self.journal.ended(release, "undone" if has_changed else "refused", error=reason)
        return says

    def is_way_back_closed(self, release: Release) -> bool:
        """Return whether the database has migrated to a schema that the previous release cannot run with."""
        if not release.record.get("incompatible") or not release.reached("migrate"):
            return False
        try:
            plan = preflight.migrations(self.stack, self.stack.variant(release.record["values"]))
        except Failure:
            return True  # nobody knows
        return list(plan.pending) != list(release.record["migrations"])

    def _stop_what_failed(self, release: Release, has_changed: bool) -> str:
        if has_changed:
            self.rolling.stop()
            self.stack.set_values(release.record["values_before"])
        return "nothing was serving before, and nothing serves now"

    def _prepare_data(self, release: Release, *, may_lose: bool) -> None:
        """Restore the backup if the old code cannot run with the data; raise Closed if that needs a decision."""
        if not self.is_way_back_closed(release):
            return
        backup = release.record.get("backup_name")
        if not backup or (release.reached("switch") and not may_lose):
            self.rolling.stop()
            raise self._closed(release, backup)
        self.rolling.stop()
        self.rolling.clear(release.record["old"])
        self.stack.set_values(release.record["values_before"])
        with self.console.step(f"restoring the backup {backup}"):
            result_of(self.stack, "backup/restore", backup, "--replace", "--no-safety-backup")
        self.console.note(f"  what {release.tag} had made of the data is kept until "
                          f"deploy/backup/restore {self.stack.env} --drop-old")  # fmt: skip

    def _closed(self, release: Release, backup: str | None) -> Closed:
        self.journal.learned(release, closed=True)
        forward = f"deploy code that runs on it: deploy/release/deploy {self.stack.env} --image TAG"
        cause = (
            f"the site shows its maintenance page, and backend and worker are stopped: {release.previous_tag} "
            f"cannot run on the schema that {release.tag} migrated to"
        )
        if backup is None:
            return Closed(f"{cause}, and no backup was made before", forward)
        return Closed(
            f"{cause}, and the backup {backup} lacks what was written since the switch",
            f"{forward}; or restore that backup and lose what was written since: "
            f"deploy/release/rollback {self.stack.env}",
        )

    def _go_back(self, release: Release) -> str:
        old = release.record["old"]
        self.stack.set_values(release.record["values_before"])
        self.rolling.restart(old)
        ready = self.rolling.start(old)
        if release.reached("stop"):  # nothing is served: a test must pass before that changes
            with borrowed(self.stack, self.console, ready) as account:
                smoke.test_replicas(self.stack, self._previous(release), ready, account)
        self.rolling.switch(ready)
        self.rolling.retire([each.id for each in ready])
        if release.reached("stop", "worker"):
            self.rolling.replace_worker()
        if release.reached("proxy"):
            self.rolling.update_proxy()
            self.rolling.replace_others()
        return self._tested(release, ready)

    def _tested(self, release: Release, replicas: list[Container]) -> str:
        """Test the site through the proxy; return in words whether the previous release serves."""
        try:
            with borrowed(self.stack, self.console, replicas) as account:
                smoke.test_site(self.stack, self._previous(release), account)
        except Failure as error:
            return f"{release.previous_tag} is back in place, but it does not work either: {error.cause}"
        return f"{release.previous_tag} serves: it passed the smoke test through the proxy"

    def _previous(self, release: Release) -> images.Image:
        image = images.find(self.stack, release.record["previous_image"])
        if image is None:
            raise Failure(
                f"the image of {release.previous_tag} is not on this host any more", "build it again or load it"
            )
        return image
