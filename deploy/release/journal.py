"""Record every release of a stack: one JSON line per event, synced to disk before the next step."""

from __future__ import annotations

import getpass
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Protocol

from host.console import Failure
from host.records import Records
from host.stack import Stack

NAME = "releases.jsonl"
SUCCEEDED = "succeeded"


@dataclass
class Release:
    """One release as read from the journal."""

    record: dict[str, Any]
    done: list[str] = field(default_factory=list)
    step: str = ""
    outcome: str = ""

    @property
    def id(self) -> str:
        return str(self.record["release"])

    @property
    def tag(self) -> str:
        return str(self.record["tag"])

    def reached(self, *steps: str) -> bool:
        """Return whether one of these steps has begun."""
        return bool({*self.done, self.step}.intersection(steps))

    @property
    def previous_tag(self) -> str | None:
        """The tag that served before, if any."""
        return self.record.get("previous_tag")


class Store(Protocol):
    """Where the lines are kept: host.records.Records."""

    def read(self) -> str:
        """Return all lines."""

    def append(self, line: str) -> None:
        """Add a line and wait until it is on the disk."""


class Journal:
    """The file `releases.jsonl` in the stack's records."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    def of(cls, stack: Stack) -> Journal:
        """Return the journal of a stack."""
        return cls(Records(stack, NAME))

    def releases(self) -> list[Release]:
        """Return all releases, oldest first. Skip lines that a crash or a full disk cut short."""
        found: dict[str, Release] = {}
        for event in self._events():
            name = event["release"]
            if event["event"] == "began":
                found[name] = Release(record={**event, "began_at": event["at"]})
            elif name in found:
                _apply(found[name], event)
        return list(found.values())

    def unfinished(self) -> Release | None:
        """Return the last release if it never ended because its process was killed."""
        known = self.releases()
        return known[-1] if known and not known[-1].outcome else None

    def began(self, **details: Any) -> Release:
        """Record the start of a release and who started it."""
        name = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}-{secrets.token_hex(8)}"
        who = f"{os.environ.get('SUDO_USER') or getpass.getuser()}@{socket.gethostname()}"
        event = self._append(name, "began", {"who": who, **details})
        return Release(record={**event, "began_at": event["at"]})

    @contextmanager
    def step(self, release: Release, name: str) -> Iterator[None]:
        """Record the start of a step and whether it succeeded."""
        _apply(release, self._append(release.id, "step", {"step": name, "state": "began"}))
        start = time.monotonic()
        try:
            yield
        except BaseException:
            with suppress(Failure):
                self._append(release.id, "step", {"step": name, "state": "failed"})
            raise
        event = {"step": name, "state": "done", "seconds": round(time.monotonic() - start, 1)}
        _apply(release, self._append(release.id, "step", event))

    def learned(self, release: Release, **details: Any) -> None:
        """Add details to a release."""
        _apply(release, self._append(release.id, "learned", details))

    def ended(self, release: Release, outcome: str, **details: Any) -> None:
        """Record the end of a release."""
        began = datetime.fromisoformat(release.record["began_at"])
        seconds = round((datetime.now(timezone.utc) - began).total_seconds(), 1)
        _apply(release, self._append(release.id, "ended", {"outcome": outcome, "seconds": seconds, **details}))

    def _append(self, name: str, event: str, details: Mapping[str, Any]) -> dict[str, Any]:
        line = {
            "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "release": name,
            "event": event,
            **details,
        }
        self._store.append(json.dumps(line))
        return line

    def _events(self) -> Iterator[dict[str, Any]]:
        for text in self._store.read().splitlines():
            try:
                event = json.loads(text)
            except ValueError:
                continue
            if isinstance(event, dict) and {"release", "event", "at"} <= event.keys():
                yield event


def _apply(release: Release, event: Mapping[str, Any]) -> None:
    if event["event"] == "step":
        release.step = event["step"]
        if event["state"] == "done":
            release.done.append(event["step"])
        return
    details = {name: value for name, value in event.items() if name not in {"at", "release", "event", "outcome"}}
    release.record.update(details)
    if event["event"] == "ended":
        release.outcome = event["outcome"]
        release.record["ended_at"] = event["at"]
