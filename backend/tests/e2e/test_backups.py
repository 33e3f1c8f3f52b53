"""The drill: back up data and files, destroy every volume, restore, and find everything as before.

Also what must not happen: accepting a bad backup, or restoring over existing data. The tests build on each other,
in the order of this file.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import api, harness
from tests.e2e.api import expect
from tests.e2e.backups import MISSING, ROOT, TAGS, Site, damaged, production
from tests.e2e.harness import Client, say, wait_for

TAG = f"{harness.IMAGE_TAG}-backups"


@pytest.fixture(scope="module")
def site(checkout: Path) -> Iterator[Site]:
    with production(checkout, TAG) as site:
        yield site


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backups") / "backup.tar"


def test_the_service_makes_and_verifies_its_first_backup_by_itself(site: Site) -> None:
    wait_for("the first backup", lambda: '"backup.created"' in site.stack.logs("backup"), interval=1)
    (event,) = [line for line in site.stack.logs("backup").splitlines() if '"backup.created"' in line]
    assert json.loads(event)["verified_at"]
    site.wait_for_daily_run()
    assert "base" in site.stack.execute("backup", *TAGS).stdout
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
    site.populate()
    site.before = {name: site.seen(person) for name, person in site.people.items()} | {"media": site.media()}

    done = site.result_of("backup", "--label", "drill", "--verify", "--to", str(file))

    assert re.fullmatch(r"\d{8}T\d{6}Z-drill", done["name"])
    assert done["verified_at"]
    assert (done["media_files"], done["notes"]) == (5, [])
    assert len(done["proved"]) == 2
    assert file.stat().st_size > 1_000_000
    assert file.stat().st_mode & 0o777 == 0o600
    assert done["name"] in site.command("backup", "--list").stdout


def test_a_backup_after_a_new_file_writes_that_file(site: Site) -> None:
    plant = "import random; open('media/new.bin', 'wb').write(random.randbytes(1_000_000))"
    site.stack.execute("backend", "python", "-c", plant)
    done = site.result_of("backup")
    assert done["bytes"] > 2_000_000
    assert 1_000_000 < done["added_bytes"] < 1_300_000
    site.stack.execute("backend", "rm", "media/new.bin")


def test_a_restore_over_data_is_refused(site: Site, file: Path) -> None:
    said = site.refused("restore", str(file))
    assert re.search(r"prod is in use: \d+ rows in accounts_user; \d+ entries in the media; connected: ", said)
    assert "--replace" in said
    assert site.seen(site.people["alice"]) == site.before["alice"]


@pytest.mark.parametrize(
    ("folder", "entry"),
    [
        ("/app/media", "attachments"),
        ("/app/media/attachments/a", "one.bin"),
        ("/backups/.making-backup/new", "database.dump"),
        ("/backups/.making-backup/new", "manifest.json"),
    ],
)
def test_a_damaged_backup_is_found(site: Site, folder: str, entry: str) -> None:
    (newest,) = [name for name in site.names() if name.endswith("-drill")]
    with damaged(site, newest, folder, entry):
        said = site.refused("verify", newest)
        assert "this backup is damaged" in said
    assert len(site.result_of("verify", newest)["proved"]) == 2


def test_the_file_that_is_given_is_what_is_verified(site: Site, file: Path, tmp_path: Path) -> None:
    (newest,) = [name for name in site.names() if name.endswith("-drill")]
    with damaged(site, newest, "/app/media", "attachments"):
        assert site.result_of("verify", str(file))["name"] == newest
    cut = tmp_path / "cut.tar"
    cut.write_bytes(file.read_bytes()[:-100_000])
    said = site.refused("verify", str(cut))
    assert "not all of it" in said


def test_a_damaged_entry_of_the_list_does_not_hide_the_others(site: Site) -> None:
    names, entry = site.names(), f"/backups/repository/snapshots/{'0' * 64}"
    site.stack.execute("backup", "sh", "-c", f"printf damaged >{entry}")
    assert site.names() == names
    site.stack.execute("backup", "rm", entry)


def test_backups_that_are_gone_are_not_reported_and_a_new_one_is_made(site: Site) -> None:
    names = site.names()
    site.stack.execute("backup", "sh", "-c", "cd /backups && mkdir away && mv repository/snapshots/* away")
    wait_for("records that say so", lambda: site.sql(MISSING) != "0")
    wait_for("a new backup", lambda: site.sql("SELECT count(*) FROM ops_backuprun WHERE outcome = 'ok'") == "1")
    site.stack.execute("backup", "sh", "-c", "cd /backups && mv away/* repository/snapshots && rmdir away")
    assert set(site.names()) > set(names)


def test_a_killed_backup_is_none_and_the_next_one_sweeps_it_up(site: Site) -> None:
    names = site.names()
    lock = ("psql", "-h", "127.0.0.1", "-U", "todo_user", "-d", "todo_db", "-c")
    statement = "BEGIN; LOCK TABLE todos_task; SELECT pg_sleep(3600)"
    site.stack.compose("exec", "-d", "db", *lock, statement)
    held = "SELECT mode FROM pg_locks WHERE relation = 'todos_task'::regclass AND granted"
    wait_for("the lock", lambda: "AccessExclusiveLock" in site.sql(held))
    running = site.stack.compose("run", "-d", "--no-deps", "backup", "backup").stdout.split()[-1]
    partial = ("sh", "-c", "ls -d /backups/.making-backup")
    wait_for("a backup in the making", lambda: site.stack.execute("backup", *partial, check=False).returncode == 0)
    harness.run("docker", "rm", "--force", running)
    assert site.stack.execute("backup", *partial, check=False).returncode == 0
    assert site.names() == names
    site.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'")

    site.result_of("backup", "--label", "after-the-killed-one")

    assert site.stack.execute("backup", *partial, check=False).returncode != 0


# restic waits for what comes through the pipe, and has its lock meanwhile
_KILLED = """
cd /backups; export RESTIC_PASSWORD=$BACKUP_PASSWORD; mkfifo .pipe
restic --no-cache -r repository backup --stdin <.pipe & exec 3>.pipe
until [ "$(ls -A repository/locks)" ]; do sleep 0.1; done
kill -9 $!; wait; rm .pipe; ls -A repository/locks
"""


def test_the_lock_of_a_killed_restic_does_not_stop_the_daily_run(site: Site) -> None:
    assert site.stack.execute("backup", "bash", "-c", _KILLED).stdout.strip()
    site.stack.execute("backup", "python3", "-m", "backup", "daily")


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
    assert "no space left on device" in done.stdout.lower()
    assert done.stdout.split()[-3:] == ["exit", "1", ".lock"]
    assert "Traceback" not in done.stderr


def test_backups_and_certificates_outlive_down_with_volumes(site: Site) -> None:
    names, root = site.names(), site.stack.execute("proxy", "cat", ROOT).stdout
    site.stack.compose("down", "--volumes", "--timeout", "5")
    left = harness.run("docker", "volume", "ls", "-q", "--filter", f"name={site.stack.project}_").stdout.split()
    assert sorted(left) == [f"{site.stack.project}_{name}" for name in harness.OUTLIVING]
    say(f"an empty stack was up after {site.stack.up():.0f} s")
    assert set(site.names()) >= set(names)
    assert site.stack.execute("proxy", "cat", ROOT).stdout == root


def test_everything_is_as_it_was_after_every_volume_was_destroyed(site: Site, file: Path) -> None:
    site.stack.destroy()
    volumes = harness.run("docker", "volume", "ls", "-q", "--filter", f"name={site.stack.project}_").stdout
    assert volumes.strip() == ""
    say(f"an empty stack was up after {site.up_by_make():.0f} s")
    client = site.client()
    assert client.get("/api/v1/me", **site.people["alice"].headers).status == 401

    said = site.refused("restore", str(file))  # empty, but in use
    assert re.search(r"prod is in use: connected: .* as todo_user", said)

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


def test_a_restored_database_has_the_locale_of_the_one_in_use(site: Site) -> None:
    columns = "encoding, datlocprovider, datcollate, datctype, datlocale"
    for locale in (
        "LOCALE_PROVIDER icu ICU_LOCALE 'da' LC_COLLATE 'C.utf8' LC_CTYPE 'C.utf8'",
        "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'",
    ):
        site.sql(f"CREATE DATABASE locale_source TEMPLATE template0 {locale}")
        site.python(
            "import dataclasses; from backup import database as d; "
            "d.create(dataclasses.replace(d.in_use(), name='locale_source'), 'locale_copy')"
        )
        query = f"SELECT DISTINCT {columns} FROM pg_database WHERE datname LIKE 'locale_%'"  # noqa: S608 - of the test
        assert len(site.sql(query).splitlines()) == 1
        assert site.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'locale_%'") == "2"
        for name in ("locale_source", "locale_copy"):
            site.sql(f"DROP DATABASE {name}")


def test_a_restore_that_is_refused_leaves_a_stopped_stack_stopped(site: Site) -> None:
    site.stack.compose("stop", "--timeout", "5")
    assert "there is no backup 'nope'" in site.refused("restore", "nope")
    assert site.stack.compose("ps", "--services", "--status", "running").stdout.split() == []
    site.stack.compose("start", "backup")


def test_no_log_holds_a_secret(site: Site) -> None:
    site.assert_no_secret_in_logs()
