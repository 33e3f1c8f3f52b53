"""The drill: back up data and files, destroy every volume, restore, and find everything as before.

Also what must not happen: accepting a bad backup, or restoring over existing data. The tests
build on each other, in the order of this file.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import api, harness
from tests.e2e.api import expect
from tests.e2e.harness import Client, Stack, say, wait_for

# of its own, because its releases are made up
TAG = f"{harness.IMAGE_TAG}-backups"
NEWER = f"{TAG}-newer"
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

    def python(self, program: str, *, service: str = "backup", check: bool = True) -> str:
        entry = ("--entrypoint", "python3", service, "-c", program)
        return self.stack.compose("run", "--rm", "--no-deps", "-T", *entry, check=check).stdout

    def sql(self, statement: str, database: str = "todo_db") -> str:
        asked = ("psql", "-h", "127.0.0.1", "-U", "todo_user", "-d", database, "-Atc", statement)
        return self.stack.execute("db", *asked).stdout.strip()

    def media(self) -> str:
        return self.stack.execute("backend", "sh", "-c", SUMS).stdout

    def seen(self, person: Client) -> dict[str, Any]:
        return {page: expect(person.get(page), 200) for page in PAGES}

    def set(self, **values: str) -> None:
        path = self.stack.checkout / str(self.stack.env_file)
        kept = [line for line in path.read_text().splitlines() if line.split("=")[0] not in values]
        path.write_text("\n".join([*kept, *(f"{name}={value}" for name, value in values.items() if value)]) + "\n")


@pytest.fixture(scope="module")
def site(checkout: Path) -> Iterator[Site]:
    stack = harness.deployed(checkout, "prod", tag=TAG)
    with harness.standing(stack):
        say(f"the stack was up after {stack.up('--build'):.0f} s")
        yield Site(stack)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backups") / "backup.tar"


def test_the_service_makes_and_verifies_its_first_backup_by_itself(site: Site) -> None:
    wait_for("the first backup", lambda: '"backup.created"' in site.stack.logs("backup"), interval=1)
    (event,) = [line for line in site.stack.logs("backup").splitlines() if '"backup.created"' in line]
    assert json.loads(event)["verified_at"]
    wait_for("its health", lambda: site.stack.health("backup") == "healthy")
    client = site.client()
    # it is recorded after the line, and an answer of readiness is kept for a second
    age = wait_for("its age", lambda: api.ready(client)["details"]["backup_age_seconds"])
    assert age < 3600
    scrape = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/metrics').read().decode())"
    token = re.search(r"^METRICS_TOKEN=(.*)$", (site.stack.checkout / str(site.stack.env_file)).read_text(), re.M)
    if token:
        request = f"u.Request('http://127.0.0.1:8000/metrics', headers={{'Authorization': 'Bearer {token[1]}'}})"
        scrape = scrape.replace("'http://127.0.0.1:8000/metrics'", request)
    texts = [site.stack.execute("backend", "python", "-c", scrape).stdout for _ in range(3)]
    moments = {line for text in texts for line in text.splitlines() if line.startswith("todo_backup_last_success")}
    assert len(moments) == 1  # whichever worker answered


def test_a_backup_is_made_verified_and_copied_to_a_file(site: Site, file: Path) -> None:
    alice = site.people["alice"] = api.register(site.client())
    bob = site.people["bob"] = api.register(site.client())
    for number in range(20):
        expect(alice.post("/api/v1/tasks", {"title": f"Task {number}", "description": "ü\n'\"\\ \u2028" * 9}), 201)
    expect(bob.post("/api/v1/labels", {"name": "bob's"}), 201)
    site.stack.execute("backend", "python", "-c", PLANT)
    site.before = {name: site.seen(person) for name, person in site.people.items()} | {"media": site.media()}

    done = site.result_of("backup", "--label", "drill", "--verify", "--to", str(file))

    assert re.fullmatch(r"\d{8}T\d{6}Z-drill", done["name"])
    assert done["verified_at"]
    assert (done["media_files"], done["notes"]) == (5, ["link: a link, skipped"])
    assert len(done["proved"]) == 3
    assert file.stat().st_size > 1_000_000
    assert file.stat().st_mode & 0o777 == 0o600
    assert done["name"] in site.command("backup", "--list").stdout


def test_a_restore_over_data_is_refused(site: Site, file: Path) -> None:
    said = site.refused("restore", str(file))
    assert "prod holds data: accounts_" in said
    assert "--replace" in said
    assert site.seen(site.people["alice"]) == site.before["alice"]


@pytest.mark.parametrize("part", ["database.dump", "media.tar", "manifest.json"])
def test_a_damaged_backup_is_found(site: Site, part: str) -> None:
    name = site.result_of("backup", "--label", "damaged")["name"]
    where = f"/backups/{name}/{part}"
    flip = "f.seek(-99, 2); byte = f.read(1); f.seek(-99, 2); f.write(bytes([byte[0] ^ 1]))"
    site.python(f"f = open({where!r}, 'r+b'); {flip}")
    said = site.refused("verify", name)
    assert "damaged" in said or "cannot be read" in said or "manifest" in said
    site.python(f"import shutil; shutil.rmtree('/backups/{name}')")


def test_a_killed_backup_is_none_and_the_next_one_sweeps_it_up(site: Site) -> None:
    names = site.result_of("backup", "--list")["backups"]
    lock = ("psql", "-h", "127.0.0.1", "-U", "todo_user", "-d", "todo_db", "-c")
    statement = "BEGIN; LOCK TABLE todos_task; SELECT pg_sleep(3600)"
    site.stack.compose("exec", "-d", "db", *lock, statement)
    held = "SELECT mode FROM pg_locks WHERE relation = 'todos_task'::regclass AND granted"
    wait_for("the lock", lambda: "AccessExclusiveLock" in site.sql(held))
    running = site.stack.compose("run", "-d", "--no-deps", "backup", "backup").stdout.split()[-1]
    partial = ("sh", "-c", "ls -d /backups/.partial-*")
    wait_for("a backup in the making", lambda: site.stack.execute("backup", *partial, check=False).returncode == 0)
    harness.run("docker", "rm", "--force", running)
    assert site.stack.execute("backup", *partial, check=False).returncode == 0
    assert site.result_of("backup", "--list")["backups"] == names
    site.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'")

    site.result_of("backup", "--label", "after-the-killed-one")

    assert site.stack.execute("backup", *partial, check=False).returncode != 0


def test_a_full_disk_is_a_clear_error_and_leaves_nothing_behind(site: Site) -> None:
    password = re.search(r"^POSTGRES_PASSWORD=(.*)$", (site.stack.checkout / "envs/prod.env").read_text(), re.M)
    assert password
    done = harness.run(
        *("docker", "run", "--rm", "--network", f"{site.stack.project}_database", "--read-only", "--tmpfs", "/tmp"),  # noqa: S108 - of the container
        *("--tmpfs", "/backups:size=128k,uid=10001,gid=10001", "--env", f"POSTGRES_PASSWORD={password[1]}"),
        *(
            "--entrypoint",
            "sh",
            f"todo-backup:{TAG}",
            "-c",
            "python3 -m backup backup; echo exit $?; ls -A /backups",
        ),
    )
    assert "the disk is full" in done.stdout
    assert done.stdout.split()[-3:] == ["exit", "1", ".lock"]
    assert "Traceback" not in done.stderr


def test_everything_is_as_it_was_after_every_volume_was_destroyed(site: Site, file: Path) -> None:
    site.stack.destroy()
    volumes = harness.run("docker", "volume", "ls", "-q", "--filter", f"name={site.stack.project}_").stdout
    assert volumes.strip() == ""
    say(f"an empty stack was up after {site.stack.up():.0f} s")
    client = site.client()
    assert client.get("/api/v1/me", **site.people["alice"].headers).status == 401

    said = site.refused("restore", str(file))  # empty, but in use
    assert "others are connected" in said
    assert "todo_user" in said

    started = time.monotonic()
    done = site.result_of("restore", str(file), "--replace")
    say(f"the restore took {time.monotonic() - started:.0f} s")
    assert done["restored"].endswith("-drill")
    assert done["safety_backup"] is None  # nothing was there
    client = site.client()
    for name, person in site.people.items():
        site.people[name] = Client(client.host, client.port, client.tls, person.headers)
        assert site.seen(site.people[name]) == site.before[name]
    assert site.media() == site.before["media"]
    assert api.ready(client)["status"] == "ok"
    expect(site.people["alice"].post("/api/v1/tasks", {"title": "After the restore"}), 201)
    owners = site.sql("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    assert (
        owners
        == site.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'todo_db'")
        == "todo_user"
    )


def test_a_restored_database_claims_no_backup_until_one_is_made(site: Site) -> None:
    moments = site.sql("SELECT count(*) FROM ops_backuprun WHERE name LIKE '%-drill'")
    assert moments == "0"
    wait_for("the timer's own", lambda: site.sql("SELECT count(*) FROM ops_backuprun") != "0")


def test_a_restore_is_taken_back_and_what_it_replaced_is_dropped(site: Site) -> None:
    alice, media = site.people["alice"], site.media()
    newest = site.seen(alice)
    name = site.result_of("backup", "--label", "now")["name"]
    site.stack.execute("backend", "sh", "-c", "echo later >media/later.txt")
    with_later = site.media()

    done = site.result_of("restore", name, "--replace")
    safety = done["safety_backup"]
    assert safety.endswith("-before-restore")
    assert site.seen(alice) == newest
    assert site.media() == media

    site.result_of("restore", "--undo")
    assert site.media() == with_later
    assert site.seen(alice) == newest

    assert len(site.result_of("restore", "--drop-old")["dropped"]) >= 1
    assert site.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'todo_db_%'") == "0"
    assert "todo-restore" not in site.stack.execute("backend", "ls", "-A", "media").stdout
    assert site.media() == with_later


def test_a_restore_that_was_killed_before_it_was_decided_leaves_the_old_data(site: Site) -> None:
    newest = site.result_of("backup", "--list")["backups"][-1]["name"]
    before = site.media()
    site.stack.compose("run", "--rm", "--no-deps", "-T", "restore", "prepare", newest)
    assert site.sql("SELECT count(*) FROM pg_database WHERE datname = 'todo_db_restoring'") == "1"
    assert site.seen(site.people["alice"])
    site.result_of("restore", "--drop-old")  # any next call
    assert site.sql("SELECT count(*) FROM pg_database WHERE datname = 'todo_db_restoring'") == "0"
    assert site.media() == before


def test_a_restore_that_was_killed_after_it_was_decided_is_finished_by_the_next_call(site: Site) -> None:
    site.stack.execute("backend", "sh", "-c", "echo marked >media/marked.txt")
    name = site.result_of("backup", "--label", "marked")["name"]
    marked = site.media()
    site.stack.execute("backend", "rm", "media/marked.txt")
    site.stack.compose("run", "--rm", "--no-deps", "-T", "restore", "prepare", name)
    site.stack.compose("stop", "backend", "worker", "backup")
    killed = (
        "import os, backup.restoration as r, backup.__main__ as m; r.Target._swap_media = lambda *_: os._exit(9); "
    )
    run = "import sys; sys.argv = ['backup', 'swap']; m.main()"
    site.python(killed + run, service="restore", check=False)
    assert site.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'todo_db_before_%'", "postgres") == "1"
    done = site.command("restore", "--drop-old")
    assert "an interrupted restore was finished" in done.stderr
    site.stack.compose("start", "backend", "worker", "backup")
    api.ready(site.client())
    assert site.media() == marked


def test_encrypted_with_age_and_opened_with_the_identity_alone(site: Site, tmp_path: Path) -> None:
    made = site.stack.compose("run", "--rm", "--no-deps", "-T", "--entrypoint", "age-keygen", "backup")
    identity = tmp_path / "identity.txt"
    identity.write_text(made.stdout)
    recipient = re.search(r"public key: (age1\w+)", made.stdout)
    assert recipient
    site.set(BACKUP_AGE_RECIPIENT=recipient[1])

    done = site.result_of("backup", "--label", "age", "--verify")

    assert (done["encrypted_for"], len(done["proved"])) == (recipient[1], 3)
    assert site.python(f"print(open('/backups/{done['name']}/media.tar.age', 'rb').read(21))").startswith(
        "b'age-encr"
    )
    unproved = site.result_of("verify", done["name"])
    assert (len(unproved["proved"]), len(unproved["unproved"])) == (1, 1)
    assert "identity" in site.refused("restore", done["name"], "--replace", "--no-safety-backup")
    assert len(site.result_of("verify", done["name"], "--identity", str(identity))["proved"]) == 3
    before = site.seen(site.people["alice"])
    options = ("--replace", "--no-safety-backup", "--drop-old")
    site.result_of("restore", done["name"], "--identity", str(identity), *options)
    assert site.seen(site.people["alice"]) == before
    site.set(BACKUP_AGE_RECIPIENT="")


def test_encrypted_with_gpg(site: Site, tmp_path: Path) -> None:
    generate = (
        "gpg --batch --quiet --homedir /tmp --passphrase '' --quick-gen-key drill future-default default never"
        " && gpg --batch --homedir /tmp --export drill | base64 -w0 && echo && gpg --batch --homedir /tmp"
        " --export-secret-keys --armor drill"
    )
    made = site.stack.compose("run", "--rm", "--no-deps", "-T", "--entrypoint", "sh", "backup", "-c", generate)
    public, _, secret = made.stdout.partition("\n")
    (tmp_path / "secret.asc").write_text(secret)
    site.set(BACKUP_GPG_RECIPIENT=public)

    done = site.result_of("backup", "--label", "gpg", "--verify")

    assert re.fullmatch(r"[0-9A-F]{40}", done["encrypted_for"])
    assert len(site.result_of("verify", done["name"])["unproved"]) == 1
    assert len(site.result_of("verify", done["name"], "--identity", str(tmp_path / "secret.asc"))["proved"]) == 3
    site.set(BACKUP_GPG_RECIPIENT="")


def test_copied_to_a_bucket_and_brought_back_from_it(site: Site, checkout: Path) -> None:
    server = f"{site.stack.project}-s3"
    source = (checkout / "backend/tests/e2e/fake_s3.py").read_text()
    harness.run(
        *("docker", "run", "--detach", "--rm", "--name", server, "--network", f"{site.stack.project}_default"),
        *("--network-alias", "s3", "python:3.11-slim", "python", "-c", source, "9000"),
    )
    try:
        listens = "import socket; socket.create_connection(('127.0.0.1', 9000))"
        wait_for(
            "the bucket", lambda: not harness.run("docker", "exec", server, "python", "-c", listens).returncode
        )
        site.set(
            BACKUP_S3_URL="s3://the-bucket/prod",
            BACKUP_S3_ENDPOINT="http://s3:9000",
            BACKUP_S3_ACCESS_KEY_ID="the-key",
            BACKUP_S3_SECRET_ACCESS_KEY="the-secret-of-the-bucket",
        )
        done = site.result_of("backup", "--label", "bucket", "--verify")
        assert done["copied_to_s3"] is True
        site.python(f"import shutil; shutil.rmtree('/backups/{done['name']}')")
        (listed,) = [each for each in site.result_of("backup", "--list")["backups"] if each["name"] == done["name"]]
        assert listed["places"] == ["s3"]
        assert len(site.result_of("verify", done["name"])["proved"]) == 3
        site.set(BACKUP_S3_ACCESS_KEY_ID="another")
        said = site.refused("backup", "--verify")
        assert "S3: " in said
        assert "the-secret-of-the-bucket" not in said
    finally:
        harness.run("docker", "rm", "--force", server)
        site.set(
            **dict.fromkeys(
                (f"BACKUP_S3_{name}" for name in ("URL", "ENDPOINT", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY")), ""
            )
        )


@pytest.fixture
def newer(site: Site, tmp_path: Path) -> str:
    """Build the image of a release with one more migration."""
    (tmp_path / "0002_newer.py").write_text(
        "from django.db import migrations, models\n\n\n"
        "class Migration(migrations.Migration):\n"
        "    dependencies = [('ops', '0001_backup_run')]\n"
        "    operations = [migrations.CreateModel('Newer', fields=[('id', models.AutoField(primary_key=True))])]\n"
    )
    (tmp_path / "Dockerfile").write_text(
        f"FROM todo-backend:{TAG}\nCOPY 0002_newer.py /app/todo_project/ops/migrations/0002_newer.py\n"
    )
    harness.run("docker", "build", "--quiet", "--tag", f"todo-backend:{NEWER}", str(tmp_path))
    for image in ("todo-backup", "todo-proxy"):
        harness.run("docker", "tag", f"{image}:{TAG}", f"{image}:{NEWER}")
    return NEWER


def test_an_old_backup_becomes_a_newer_release_and_never_the_other_way(site: Site, newer: str) -> None:
    old = site.result_of("backup", "--label", "old")["name"]
    before = site.seen(site.people["alice"])
    site.set(IMAGE_TAG=newer)
    site.stack.up()
    new = site.result_of("backup", "--label", "new")["name"]

    site.result_of("restore", old, "--replace", "--no-safety-backup")

    assert site.seen(site.people["alice"]) == before
    assert site.sql("SELECT count(*) FROM django_migrations WHERE name = '0002_newer'") == "1"
    site.set(IMAGE_TAG=TAG)
    said = site.refused("restore", new, "--replace", "--no-safety-backup")
    assert "from a newer release" in said
    assert "ops.0002_newer" in said


def test_no_log_holds_a_secret(site: Site) -> None:
    said = site.stack.logs("backup")
    for line in (site.stack.checkout / str(site.stack.env_file)).read_text().splitlines():
        name, _, value = line.partition("=")
        if name in ("POSTGRES_PASSWORD", "SECRET_KEY"):
            assert value not in said
