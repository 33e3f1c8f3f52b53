"""A stack that has lost its database, its disk or its version, and gets its data back.

The tests build on each other, in the order of this file.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import harness
from tests.e2e.backups import OLD, TAGS, Site, encrypt, places, production, runbook
from tests.e2e.harness import say, wait_for
from tests.ownership import FOREIGN

# of its own, because its releases are made up
TAG = f"{harness.IMAGE_TAG}-recovery"
NEWER = f"{TAG}-newer"


@pytest.fixture(scope="module")
def site(checkout: Path) -> Iterator[Site]:
    with production(checkout, TAG) as site:
        site.wait_for_daily_run()
        site.populate()
        site.result_of("backup", "--label", "populated")
        yield site


def test_a_lost_database_comes_back_with_what_was_written_up_to_the_loss(site: Site) -> None:
    """Destroy the database's volume under load. What had reached the archive is there; the rest is counted."""
    alice, written, done = site.people["alice"], [], threading.Event()

    def write() -> None:
        while not done.is_set():
            answer = alice.post("/api/v1/tasks", {"title": "Under load"})
            if answer.status == 201:
                written.append(answer.json()["id"])

    def write_until_the_end() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            write()

    threads = [threading.Thread(target=write_until_the_end) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_for("writes", lambda: len(written) > 30)
    archived = len(written)
    position = site.sql("SELECT pg_current_wal_lsn()")
    behind = f"SELECT flush_lsn >= '{position}' FROM pg_stat_replication"  # noqa: S608 - of the test
    wait_for("the archive", lambda: site.sql(behind) == "t")
    harness.run("docker", "kill", site.stack.containers("db")[0]["Id"])
    lost = time.monotonic()
    done.set()
    for thread in threads:
        thread.join()
    site.stack.compose("down", "--timeout", "5")
    harness.run("docker", "volume", "rm", f"{site.stack.project}_postgres_data")
    site.stack.up()

    site.result_of("restore", "--to", "latest", "--replace", "--no-safety-backup")

    there = set(site.sql("SELECT id FROM todos_task WHERE title = 'Under load'").split())
    missing = [each for each in written if each not in there]
    say(f"{len(missing)} of {len(written)} writes missing, {time.monotonic() - lost:.0f} s after the loss")
    assert not set(written[:archived]) - there
    assert site.stack.execute("backend", "ls", "media").stdout.split()


def test_the_moment_before_a_mistake_comes_back(site: Site) -> None:
    wait_for(
        "a copy of the new server's files", lambda: site.stack.execute("backup", *TAGS).stdout.count('"base"') > 1
    )
    before = site.seen(site.people["alice"])
    # a commit after the moment, and the archive has it: recovery then stops between the two
    moment = site.sql("SELECT date_trunc('seconds', clock_timestamp()) + interval '1 second'")
    wait_for("that moment", lambda: site.sql(f"SELECT clock_timestamp() > '{moment}'") == "t")
    site.sql("UPDATE todos_task SET title = 'A mistake'")
    assert site.seen(site.people["alice"]) != before
    site.stack.execute("backend", "sh", "-c", "rm media/attachments/a/one.bin; echo newer >media/newer.txt")

    done = site.result_of("restore", "--to", moment, "--replace", "--no-safety-backup", "--drop-old")

    assert "-at-" in done["restored"]
    assert site.seen(site.people["alice"]) == before
    media = site.stack.execute("backend", "sh", "-c", "ls media/attachments/a media/newer.txt").stdout
    assert "one.bin" in media  # from the backup before
    assert "newer.txt" in media


def test_a_backup_of_a_release_before_restic_is_restored(site: Site, tmp_path: Path) -> None:
    old = Path(__file__).with_name("backup-format-1.tar")
    assert len(site.result_of("verify", str(old))["proved"]) == 2
    made = site.stack.compose("run", "--rm", "--no-deps", "-T", "--entrypoint", "age-keygen", "backup").stdout
    identity = tmp_path / "identity.txt"
    identity.write_text(made)
    recipient = re.search(r"public key: (age1\w+)", made)
    assert recipient
    folder, encrypted = tmp_path / "old", tmp_path / "encrypted.tar"
    with tarfile.open(old) as archive:
        archive.extractall(folder, filter="data")
    encrypt(site, folder, recipient[1])
    with tarfile.open(encrypted, "w") as archive:
        archive.add(folder / OLD, OLD)
    said = site.refused("verify", str(encrypted))
    assert "give the secret key: --identity FILE" in said
    assert len(site.result_of("verify", str(encrypted), "--identity", str(identity))["proved"]) == 2

    site.result_of("restore", str(encrypted), "--identity", str(identity), "--replace", "--no-safety-backup")

    assert site.sql("SELECT count(*) FROM todos_task WHERE title LIKE 'Old task %'") == "5"
    assert (
        site.stack.execute("backend", "cat", "media/two words.txt", "media/attachments/a/one.txt").stdout
        == "twoone"
    )
    site.result_of("restore", "--undo")
    site.result_of("restore", "--drop-old")


def test_copied_elsewhere_and_brought_back_from_there(site: Site, checkout: Path) -> None:
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
        name = site.result_of("backup", "--label", "bucket")["name"]
        site.stack.compose("up", "-d", "--no-deps", "--wait", "backup")
        wait_for("the copy", lambda: places(site, name) == ["volume", "remote"], interval=2)
        site.stack.compose("stop", "backup")
        site.python("import os; os.rename('/backups/repository', '/backups/away')")
        assert places(site, name) == ["remote"]
        assert len(site.result_of("verify", name)["proved"]) == 2
        site.python("import os; os.rename('/backups/away', '/backups/repository')")
        site.set(BACKUP_S3_ACCESS_KEY_ID="another")
        listed = site.result_of("backup", "--list")
        assert name in [each["name"] for each in listed["backups"]]
        assert "remote: " in listed["notes"][0]
        assert "the-secret-of-the-bucket" not in str(listed)
        assert len(site.result_of("verify", name)["proved"]) == 2
    finally:
        harness.run("docker", "rm", "--force", server)
        site.set(
            **dict.fromkeys(
                (f"BACKUP_S3_{name}" for name in ("URL", "ENDPOINT", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY")), ""
            )
        )
        site.stack.compose("up", "-d", "--no-deps", "backup")


@pytest.fixture(scope="module")
def elsewhere(site: Site) -> Iterator[None]:
    """Run a host `elsewhere` with sshd and a rest-server, which the service may use as the runbook says."""
    create_key, scan_host = runbook(
        site, "Keep copies elsewhere", until="deploy/host/compose prod exec backup sh -c 'ssh-keyscan"
    )
    key = harness.run("sh", "-c", create_key, cwd=site.stack.checkout).stdout.strip()
    folder, name = Path(__file__).with_name("elsewhere"), f"{site.stack.project}-elsewhere"
    harness.run("docker", "build", "--quiet", "--tag", name, str(folder))
    harness.run(
        *("docker", "run", "--detach", "--rm", "--name", name, "--network", f"{site.stack.project}_default"),
        *("--network-alias", "elsewhere", "--env", f"KEY={key}", name),
    )
    try:
        scan = scan_host.replace("HOST", "elsewhere")
        wait_for("its fingerprint", lambda: "ssh-" in harness.run("sh", "-c", scan, cwd=site.stack.checkout).stdout)
        yield
    finally:
        harness.run("docker", "rm", "--force", name)
        harness.run("docker", "rmi", name)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    "url", ["sftp:root@elsewhere:/srv/sftp", "rest:http://todo:the-password@elsewhere:8080/"], ids=["sftp", "rest"]
)
def test_a_backup_is_copied_and_restored_over(site: Site, url: str) -> None:
    before = site.seen(site.people["alice"])
    name = site.result_of("backup", "--label", "copied")["name"]
    site.set(BACKUP_REPOSITORY=url)
    site.stack.compose("up", "-d", "--no-deps", "--wait", "backup")
    try:
        wait_for("the copy", lambda: places(site, name) == ["volume", "remote"], interval=1)
        site.sql("UPDATE todos_task SET title = 'A mistake'")
        site.stack.compose("stop", "backup")
        site.python("import os; os.rename('/backups/repository', '/backups/away')")
        site.result_of("restore", name, "--replace", "--no-safety-backup", "--drop-old")
        assert site.seen(site.people["alice"]) == before
        assert "the-password" not in site.stack.logs("backup")
    finally:
        site.python("import os; os.rename('/backups/away', '/backups/repository')", check=False)
        site.set(BACKUP_REPOSITORY="")
        site.stack.compose("up", "-d", "--no-deps", "backup")


def test_the_upgrade_of_postgresql_moves_the_data_as_printed(site: Site) -> None:
    """Type the runbook, with two servers of the same version. `deploy`, which follows, has tests of its own."""
    site.stack.compose("up", "-d", "--wait", "backup")
    before, media = site.seen(site.people["alice"]), site.media()
    commands = runbook(site, "A new major version of PostgreSQL", until="deploy/backup/restore")
    try:
        for command in commands[:-1]:
            harness.run("sh", "-c", command, cwd=site.stack.checkout)
        (name,) = (each for each in site.names() if each.endswith("-before-upgrade"))
        harness.run("sh", "-c", commands[-1].replace("NAME", name), cwd=site.stack.checkout)
        assert "CREATE ROLE todo_user_b" in (site.stack.checkout / "envs/roles.sql").read_text()
        assert site.people["alice"].get("/api/v1/me").status == 503
        site.stack.up()
        site.stack.execute("proxy", "rm", "/config/closed")
        assert site.seen(site.people["alice"]) == before
        assert site.media() == media
        assert site.sql(FOREIGN) == "0"
    finally:
        harness.run("docker", "volume", "rm", "--force", f"{site.stack.project}_postgres_data_old", check=False)
    site.result_of("restore", "--drop-old")


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
    site.assert_no_secret_in_logs()
