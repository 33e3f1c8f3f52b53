"""Keep backups in a restic repository: incremental, deduplicated, encrypted if there is a password.

A backup is one snapshot of two folders, the database's dump and the media, so the two belong together. Its first
tag is its name. The snapshots of the archive (archive.py) are in the same repository, with other tags.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .environment import Settings
from .failures import Failure, of_program
from .manifest import NAME

DAMAGED = "this backup is damaged: do not rely on it; make a new one and verify the earlier ones"
_PATIENCE = 30
# for reading: the lock of a restic that was killed would stop the removal of old backups for half an hour
_NO_LOCK = "--no-lock"
_INCOMPLETE, _MISSING, _LOCKED, _WRONG_PASSWORD = 3, 10, 11, 12  # exit statuses of restic


@dataclass(frozen=True)
class Repository:
    """A repository and the password that opens it; without one it is not encrypted."""

    url: str
    password: str | None
    environment: Mapping[str, str] = field(default_factory=dict)
    cache: Path | None = None

    def backup(self, folders: Sequence[Path], tags: Sequence[str], *, host: str) -> tuple[Snapshot, list[str]]:
        """Store folders as one snapshot; return it, and notes on files that could not be read."""
        words = ["backup", "--json", "--quiet", "--host", host, *(f"--tag={tag}" for tag in tags)]
        words += [f"--exclude={folders[-1]}/.todo-restore-*", *map(str, folders)]
        done = self._call(*words)
        if done.returncode in (_MISSING, _WRONG_PASSWORD):
            self.prepare()
            done = self._call(*words)
        told = _objects(done.stdout + done.stderr)
        if done.returncode not in (0, _INCOMPLETE):
            raise failure("backup", done.returncode, done.stderr)
        notes = [f"{ascii(each['item'])[1:-1]}: {each['error']['message']}" for each in told if "error" in each]
        (summary,) = (each for each in told if each.get("message_type") == "summary")
        found = {"id": summary["snapshot_id"], "tags": tags, "paths": folders, "summary": summary}
        return Snapshot(self, found), notes

    def snapshots(self) -> list[Snapshot]:
        """Return all snapshots, oldest first; none if there is no repository yet. A damaged one is left out."""
        try:  # restic itself waits for a quarter of an hour for a repository that is away
            done = self._call("snapshots", _NO_LOCK, "--json", timeout=_PATIENCE if self.cache else None)
        except subprocess.TimeoutExpired:
            raise Failure(
                f"the other repository did not answer within {_PATIENCE} s", "check BACKUP_REPOSITORY and its host"
            ) from None
        if done.returncode == _MISSING:
            return []
        found = [line for line in done.stdout.splitlines() if line.startswith("[")]
        if not found:
            raise failure("snapshots", done.returncode, done.stderr or done.stdout)
        return [Snapshot(self, each) for each in sorted(json.loads(found[-1]), key=lambda each: str(each["time"]))]

    def backups(self) -> list[Snapshot]:
        """Return the snapshots that are backups, by their names."""
        return sorted((each for each in self.snapshots() if each.name), key=lambda each: each.name)

    def copy_to(self, other: Repository, *ids: str) -> None:
        """Copy the snapshots that the other repository lacks; both have the same password."""
        source = ["--from-repo", self.url, *([] if self.password else ["--from-insecure-no-password"])]
        other.prepare(*source, "--copy-chunker-params")
        other.run("copy", *source, *ids)

    def prepare(self, *words: str) -> None:
        """Create the repository if there is none; give one without a password the password that is set now."""
        done = self._call("cat", "config")
        if done.returncode == _MISSING:
            self.run("init", *words)
        elif done.returncode == _WRONG_PASSWORD and self.password:
            self._add_password(done)
        elif done.returncode:
            raise failure("cat", done.returncode, done.stderr)

    def _add_password(self, refused: subprocess.CompletedProcess[str]) -> None:
        unprotected = Repository(self.url, None, self.environment, self.cache)
        if unprotected._call("cat", "config").returncode:
            raise failure("cat", refused.returncode, refused.stderr)
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self.password or "")
            file.flush()
            unprotected.run("key", "add", "--new-password-file", file.name)
        for key in json.loads(self.run("key", "list", "--json")):
            if not key["current"]:
                self.run("key", "remove", key["id"])

    def run(self, *words: str) -> str:
        """Run restic and return its output, or raise Failure."""
        done = self._call(*words)
        if done.returncode:
            raise failure(words[0], done.returncode, done.stderr or done.stdout)
        return done.stdout

    def _call(self, *words: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        command, environment = self.command(*words)
        return subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )

    def command(self, *words: str) -> tuple[list[str], dict[str, str]]:
        """Return a restic command and the environment to run it in."""
        cache = ["--cache-dir", str(self.cache), "--cleanup-cache"] if self.cache else ["--no-cache"]
        secret = {"RESTIC_PASSWORD": self.password, "RESTIC_FROM_PASSWORD": self.password} if self.password else {}
        return (
            ["restic", *cache, *([] if self.password else ["--insecure-no-password"]), *words],
            {**os.environ, **self.environment, **secret, "RESTIC_REPOSITORY": self.url},
        )


class Snapshot:
    """One snapshot. `name` is empty unless it is a backup.

    `data` is the folder with the dump or with the server's files, `other` the media or the log.
    """

    def __init__(self, place: Repository, told: Mapping[str, Any]) -> None:
        summary, paths = told.get("summary") or {}, [str(path) for path in told["paths"]]
        self.place = place
        self.id = str(told["id"])
        self.tags = dict(tag.partition("=")[::2] for tag in told.get("tags") or [])
        self.name = next((tag for tag in self.tags if NAME.fullmatch(tag)), "")
        self.data = next((path for path in paths if Path(path).name in ("new", "base")), paths[0])
        self.other = next((path for path in paths if path != self.data), self.data)
        self.bytes = int(summary.get("total_bytes_processed", 0))
        self.added = int(summary.get("data_added_packed", 0))
        self.files = int(summary.get("total_files_processed", 0))

    def read(self, name: str) -> bytes:
        """Return the content of a small file."""
        source = self.stream(f"{self.data}/{name}")
        content: bytes = source.output.read()
        source.finish()
        return content

    def stream(self, path: str, *words: str) -> Stream:
        """Read a file, or with `--archive tar` a folder."""
        return Stream(*self.place.command("dump", _NO_LOCK, self.id, path, *words))

    def restore(self, path: str, target: Path, *words: str) -> None:
        """Write a folder of the snapshot to a folder."""
        self.place.run("restore", _NO_LOCK, f"{self.id}:{path}", "--target", str(target), *words)


class Stream:
    """The output of a restic that is still running."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open until the end
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors
        )
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        self.output = self._process.stdout

    def finish(self) -> None:
        """Read what is left; raise Failure if restic failed."""
        while self.output.read(1 << 20):
            pass
        if self._process.wait():
            self._errors.seek(0)
            said = self._errors.read().decode("utf-8", "replace")
            raise Failure(failure("dump", self._process.returncode, said).cause, DAMAGED)


def failure(command: str, code: int, output: str) -> Failure:
    """Return the failure of a restic command."""
    said = of_program(f"restic {command}", code, _readable(output))
    if code == _WRONG_PASSWORD:
        return Failure(
            "the repository does not open with BACKUP_PASSWORD",
            "set BACKUP_PASSWORD to the password of that time, or give a file with it: --identity FILE",
        )
    if code == _LOCKED:
        return Failure(said.cause, "another command works on the repository: wait for it, then try again")
    return said


def _readable(output: str) -> str:
    told = [str(each.get("message") or each.get("error", each)) for each in _objects(output)]
    return "\n".join([*(line for line in output.splitlines() if not line.startswith("{")), *told])


def _objects(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def local(settings: Settings) -> Repository:
    """Return the repository on the volume."""
    return Repository(str(settings.root / "repository"), settings.password)


def remote(settings: Settings) -> Repository | None:
    """Return the repository elsewhere, if there is one."""
    found, cache = settings.remote, settings.root / ".cache"
    return Repository(found.url, settings.password, found.environment, cache) if found else None
