"""Keep backups in a restic repository: incremental, deduplicated, encrypted if there is a password.

A backup is one snapshot of two folders, the database's dump and the media, so the two belong together. Its first
tag is its name. The snapshots of the archive (archive.py) are in the same repository, with other tags.
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from . import manifest
from .report import Failure, of_program

DAMAGED = "this backup is damaged: do not rely on it; make a new one and verify the earlier ones"
_PATIENCE = 30
# for reading: the lock of a restic that was killed would stop the removal of old backups for half an hour
_NO_LOCK = "--no-lock"
_INCOMPLETE, _MISSING, _WRONG_PASSWORD = 3, 10, 12  # exit statuses of restic


@dataclass(frozen=True)
class Repository:
    """A repository and the password that opens it; without one it is not encrypted.

    `elsewhere` are the variables with which restic reaches one that is not on the volume.
    """

    url: str
    password: str | None
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def backup(self, folders: Sequence[Path], tags: Sequence[str], *, host: str) -> tuple["Snapshot", list[str]]:
        """Store folders as one snapshot; return it, and notes on files that could not be read."""
        self.prepare()
        words = ["--json", "--quiet", "--group-by=paths", "--host", host, *(f"--tag={tag}" for tag in tags)]
        done = self._call("backup", *words, f"--exclude={folders[-1]}/.todo-restore-*", *map(str, folders))
        if done.returncode not in (0, _INCOMPLETE):
            raise failure("backup", done.returncode, done.stderr)
        errors = [each for each in _objects(done.stderr) if "error" in each]
        summary = _objects(done.stdout)[-1]
        made = Snapshot(self, {"id": summary["snapshot_id"], "tags": tags, "paths": folders, "summary": summary})
        return made, [f"{ascii(each['item'])[1:-1]}: {each['error']['message']}" for each in errors]

    def snapshots(self) -> list["Snapshot"]:
        """Return all snapshots, oldest first; none if there is no repository yet. A damaged one is left out."""
        try:  # restic itself waits for a quarter of an hour for a repository that is away
            done = self._call("snapshots", _NO_LOCK, "--json", timeout=_PATIENCE if self.elsewhere else None)
        except subprocess.TimeoutExpired:
            cause = f"the other repository did not answer within {_PATIENCE} s"
            raise Failure(cause, "check BACKUP_REPOSITORY and its host") from None
        if done.returncode == _MISSING:
            return []
        if done.returncode:
            raise failure("snapshots", done.returncode, done.stderr)
        found = json.loads(done.stdout.splitlines()[-1])
        return [Snapshot(self, each) for each in sorted(found, key=lambda each: str(each["time"]))]

    def backups(self) -> list["Snapshot"]:
        """Return the snapshots that are backups, by their names."""
        return sorted((each for each in self.snapshots() if each.name), key=lambda each: each.name)

    def copy_to(self, other: "Repository", *ids: str) -> None:
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
            unprotected = replace(self, password=None)
            unprotected.run("key", "passwd", "--new-password-file=/dev/stdin", given=self.password)

    def run(self, *words: str, hint: str | None = None, given: str = "") -> str:
        """Run restic and return its output, or raise Failure. `given` becomes its input."""
        done = self._call(*words, given=given)
        if done.returncode:
            raise failure(words[0], done.returncode, done.stderr, hint)
        return done.stdout

    def _call(self, *words: str, given: str = "", timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        cache = "--cleanup-cache" if self.elsewhere else "--no-cache"
        command = ["restic", cache, *([] if self.password else ["--insecure-no-password"]), *words]
        secret = {"RESTIC_PASSWORD": self.password, "RESTIC_FROM_PASSWORD": self.password} if self.password else {}
        env = {**os.environ, **self.elsewhere, **secret, "RESTIC_REPOSITORY": self.url}
        options: dict[str, Any] = {"capture_output": True, "errors": "replace", "timeout": timeout}
        return subprocess.run(command, env=env, input=given, check=False, **options)


class Snapshot:
    """One snapshot. `name` is empty unless it is a backup.

    `data` is the folder with the dump or with the server's files, `other` the media or the log.
    """

    def __init__(self, place: Repository, told: Mapping[str, Any]) -> None:
        summary, paths = told.get("summary") or {}, [str(path) for path in told["paths"]]
        self.place = place
        self.id = str(told["id"])
        self.tags = dict(tag.partition("=")[::2] for tag in told.get("tags") or [])
        self.name = next((tag for tag in self.tags if manifest.NAME.fullmatch(tag)), "")
        self.data = next((path for path in paths if Path(path).name in ("new", "base")), paths[0])
        self.other = next((path for path in paths if path != self.data), self.data)
        self.bytes = int(summary.get("total_bytes_processed", 0))
        self.added = int(summary.get("data_added_packed", 0))
        self.media_files = int(summary.get("total_files_processed", 0)) - 2  # without the dump and the manifest

    def manifest(self) -> dict[str, Any]:
        """Return the manifest beside the dump."""
        return manifest.parse(self.dump(f"{self.data}/{manifest.FILE}"))

    def dump(self, path: str, *words: str) -> str:
        """Return the content of a file; with `--target FILE`, write it or the tar of a folder there."""
        return self.place.run("dump", _NO_LOCK, self.id, path, *words, hint=DAMAGED)

    def restore(self, path: str, target: Path, *words: str) -> None:
        """Write a folder of the snapshot to a folder."""
        self.place.run("restore", _NO_LOCK, f"{self.id}:{path}", "--target", str(target), *words, hint=DAMAGED)


def failure(command: str, code: int, output: str, hint: str | None = None) -> Failure:
    """Return the failure of a restic command; `hint` is what to do if the command does not tell."""
    if code == _WRONG_PASSWORD:
        return Failure(
            "the repository does not open with BACKUP_PASSWORD",
            "set BACKUP_PASSWORD to the password of that time, or give a file with it: --identity FILE",
        )
    told = [str(each.get("message") or each.get("error")) for each in _objects(output)]
    said = of_program(f"restic {command}", code, "\n".join(told) or output)
    return Failure(said.cause, hint or said.hint)


def _objects(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]
