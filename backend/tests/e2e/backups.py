"""The operator of a stack whose backups are tested: commands, data, and damage."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e import api, harness
from tests.e2e.api import expect
from tests.e2e.harness import Client, Stack, say, wait_for

ROOT = "/data/caddy/pki/authorities/local/root.crt"
TAGS = (
    "sh",
    "-c",
    "RESTIC_PASSWORD=$BACKUP_PASSWORD restic --no-cache --no-lock -r /backups/repository snapshots --json",
)
PAGES = ("/api/v1/me", "/api/v1/tasks?limit=200", "/api/v1/projects", "/api/v1/labels", "/api/v1/sections")
# names that a shell, a tar or a checksum list could trip over
PLANT = r"""
import os, pathlib, random
random.seed(7)
names = (b"attachments/a/one.bin", b"attachments/two\nlines.txt", b"attachments/\xff\xfe", b"-rf", "ü".encode())
for name in names:
    path = os.path.join(b"media", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "wb").write(random.randbytes(200_000))
os.symlink("/etc/passwd", "media/link")
"""
FILES = "find . -type f -not -path './.todo-restore-*' -print0"
MISSING = "SELECT count(*) FROM ops_backuprun WHERE detail = 'no longer on the volume'"
SUMS = f"cd media && {FILES} | sort -z | xargs -0 sha256sum -z | sha256sum"


@dataclass
class Site:
    """The stack, its data, and its operator's commands."""

    stack: Stack
    people: dict[str, Client] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)

    def client(self) -> Client:
        return api.site(self.stack, int(self.stack.variables["HTTPS_PORT"]))

    def command(self, command: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        path = self.stack.checkout / "deploy/backup" / command
        return harness.run(sys.executable, str(path), "prod", *arguments, check=check)

    def result_of(self, command: str, *arguments: str) -> dict[str, Any]:
        return dict(json.loads(self.command(command, *arguments, "--json").stdout))

    def refused(self, command: str, *arguments: str) -> str:
        done = self.command(command, *arguments, check=False)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "error: " in done.stderr
        assert "next: " in done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def up_by_make(self) -> float:
        """Start it with the command that creates the volumes which outlive it."""
        start = time.monotonic()
        harness.run("make", "up", "ENV=prod", cwd=self.stack.checkout)
        return time.monotonic() - start

    def names(self) -> list[str]:
        return [each["name"] for each in self.result_of("backup", "--list")["backups"]]

    def python(self, program: str, *, service: str = "backup", check: bool = True) -> str:
        entry = ("--entrypoint", "python3", service, "-c", program)
        return self.stack.compose("run", "--rm", "--no-deps", "-T", *entry, check=check).stdout

    def sql(self, statement: str, database: str = "todo_db") -> str:
        asked = ("psql", "-h", "127.0.0.1", "-U", "todo_user", "-d", database, "-Atc", statement)
        return self.stack.execute("db", *asked).stdout.strip()

    def media(self) -> str:
        return self.stack.execute("backend", "sh", "-c", SUMS).stdout

    def populate(self) -> None:
        """Give two people tasks and labels, and the application some media."""
        alice = self.people["alice"] = api.register(self.client())
        bob = self.people["bob"] = api.register(self.client())
        for number in range(20):
            expect(
                alice.post("/api/v1/tasks", {"title": f"Task {number}", "description": "ü\n'\"\\ \u2028" * 9}), 201
            )
        expect(bob.post("/api/v1/labels", {"name": "bob's"}), 201)
        self.stack.execute("backend", "python", "-c", PLANT)

    def wait_for_daily_run(self) -> None:
        """Wait until the first one is over: the backup, and the copy of the server's files."""
        ended = '"event": "backup.daily_run_ended", "outcome": "ok"'
        wait_for("the daily run", lambda: ended in self.stack.logs("backup"), interval=1)

    def assert_no_secret_in_logs(self) -> None:
        said = self.stack.logs("backup")
        for line in (self.stack.checkout / str(self.stack.env_file)).read_text().splitlines():
            name, _, value = line.partition("=")
            if name in ("POSTGRES_PASSWORD", "SECRET_KEY", "BACKUP_PASSWORD"):
                assert value not in said

    def seen(self, person: Client) -> dict[str, Any]:
        return {page: expect(person.get(page), 200) for page in PAGES}

    def set(self, **values: str) -> None:
        path = self.stack.checkout / str(self.stack.env_file)
        kept = [line for line in path.read_text().splitlines() if line.split("=")[0] not in values]
        path.write_text("\n".join([*kept, *(f"{name}={value}" for name, value in values.items() if value)]) + "\n")


@contextmanager
def production(checkout: Path, tag: str) -> Iterator[Site]:
    """Yield a production stack of images with that tag."""
    stack = harness.deployed(checkout, "prod", tag=tag)
    with harness.standing(stack):
        say(f"the stack was up after {stack.up('--build'):.0f} s")
        yield Site(stack)


# prints the pack with a folder's or a file's blob, and the position of the blob's middle
LOCATE = """
import json, os, subprocess, sys
os.environ |= {"RESTIC_PASSWORD": os.environ["BACKUP_PASSWORD"], "RESTIC_REPOSITORY": "/backups/repository"}
def restic(*words):
    return subprocess.check_output(["restic", "--no-cache", "--no-lock", *words], text=True)
name, folder, entry = sys.argv[1:]
(snapshot,) = json.loads(restic("snapshots", "--json", "--tag", name))
nodes = json.loads(restic("cat", "tree", snapshot["id"] + ":" + folder))["nodes"]
(node,) = (each for each in nodes if each["name"] == entry)
wanted = node.get("subtree") or node["content"][0]
indexes = [json.loads(restic("cat", "index", each)) for each in restic("list", "index").split()]
packs = [pack for each in indexes for pack in each["packs"]]
((pack, blob),) = ((pack["id"], blob) for pack in packs for blob in pack["blobs"] if blob["id"] == wanted)
print(f"/backups/repository/data/{pack[:2]}/{pack}", blob["offset"] + blob["length"] // 2)
"""
FLIP = """
import os, sys
os.chmod(sys.argv[1], 0o600)
with open(sys.argv[1], "r+b") as file:
    file.seek(int(sys.argv[2]))
    byte = file.read(1)[0]
    file.seek(-1, 1)
    file.write(bytes([byte ^ 1]))
"""


@contextmanager
def damaged(site: Site, name: str, folder: str, entry: str) -> Iterator[None]:
    """Flip one bit of what the repository has of a folder or a file, and flip it back."""
    place = site.stack.execute("backup", "python3", "-c", LOCATE, name, folder, entry).stdout.split()
    site.stack.execute("backup", "python3", "-c", FLIP, *place)
    try:
        yield
    finally:
        site.stack.execute("backup", "python3", "-c", FLIP, *place)


OLD = "20261129T192900Z-format-1"


def encrypt(site: Site, folder: Path, recipient: str) -> None:
    """Turn a backup of format 1 into one that was encrypted with age."""
    manifest = json.loads((folder / OLD / "manifest.json").read_text())
    for part in list(manifest["parts"]):
        plain = folder / OLD / part
        secret = plain.with_name(f"{part}.age")
        entry = ("--entrypoint", "age", "backup", "--encrypt", "--recipient", recipient)
        command = ("docker", "compose", "--env-file", "envs/prod.env", "run", "--rm", "--no-deps", "-T", *entry)
        with open(plain, "rb") as source, open(secret, "wb") as target:
            subprocess.run(
                command,
                cwd=site.stack.checkout,
                env=harness.environment(COMPOSE_PROJECT_NAME=site.stack.project),
                stdin=source,
                stdout=target,
                stderr=subprocess.DEVNULL,
                check=True,
            )
        plain.unlink()
        del manifest["parts"][part]
        digest = hashlib.sha256(secret.read_bytes()).hexdigest()
        manifest["parts"][secret.name] = {"bytes": secret.stat().st_size, "sha256": digest}
    (folder / OLD / "manifest.json").write_text(json.dumps(manifest))


def places(site: Site, name: str) -> list[str]:
    (found,) = [each for each in site.result_of("backup", "--list")["backups"] if each["name"] == name]
    return list(found["places"])


def runbook(site: Site, section: str, *, until: str) -> list[str]:
    """Return the commands of a section of the operations page, up to one of them, for this stack."""
    text = (site.stack.checkout / "docs/operations.md").read_text().partition(f"### {section}\n")[2]
    blocks = re.findall(r"^```sh\n(.*?)^```", text.partition("\n### ")[0], re.M | re.S)
    lines = [line.replace("todo-prod", site.stack.project) for block in blocks for line in block.splitlines()]
    last = next(number for number, line in enumerate(lines) if line.startswith(until))
    return lines[: last + 1]
