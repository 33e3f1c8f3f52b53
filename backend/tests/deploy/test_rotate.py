"""deploy/release/rotate: a new secret reaches everybody, a killed command is finished, no secret is shown."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from host.console import Console, Failure
from host.stack import Stack
from release import rotating
from release.rotating import Rotation
from release.rotations import mark
from release.scram import verifier

OLD = "an-old-key-of-more-than-fifty-characters-0123456789abcdef"
PASSWORD = "a-secret-of-some-length"


class Died(BaseException):
    """The process was killed."""


class Server(Stack):
    """A simulated stack: the values that each container got at each start, and the database's password."""

    def __init__(self, repository: Path) -> None:
        super().__init__("prod", repository=repository)
        self.set_values({"SECRET_KEY": OLD})
        self.password = PASSWORD
        self.seen: list[dict[str, str]] = []
        self.dies_at = ""

    def compose(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Simulate docker compose."""
        if self.dies_at and self.dies_at in arguments:
            self.dies_at = ""
            raise Died
        secrets = [value for value in (self.password, *self.values.values()) if len(value) > 20]
        assert not any(secret in argument for secret in secrets for argument in arguments)
        return self._ask(arguments, options["given"])

    def run(self, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Simulate a release: replace every container. Nothing else runs here."""
        if self.dies_at == "deploy":
            self.dies_at = ""
            raise Died
        assert command[:4] == (f"{self.repository}/deploy/release/deploy", "prod", "--image", "one")
        self.seen.append(self.values)
        return subprocess.CompletedProcess(command, 0, "", "backup stays as it is")

    def _ask(self, arguments: tuple[str, ...], given: str) -> subprocess.CompletedProcess[str]:
        if "sh" not in arguments:
            assert "log_statement" in given
            assert self.values["POSTGRES_PASSWORD"] not in given
            self.password = self.values["POSTGRES_PASSWORD"]
        elif given.strip() != self.password:
            return subprocess.CompletedProcess(
                arguments, 2, "", 'password authentication failed for user "todo_user"'
            )
        return subprocess.CompletedProcess(arguments, 0, "1", "")


@pytest.fixture
def server(repository: Path) -> Server:
    return Server(repository)


@pytest.fixture
def rotation(server: Server) -> Rotation:
    return Rotation(server, Console())


def journal(server: Server) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (server.state / "rotations.jsonl").read_text().splitlines()]


def keys(values: dict[str, str]) -> list[str]:
    return [values["SECRET_KEY"], *values.get("SECRET_KEY_FALLBACKS", "").split(",")]


class TestTheKey:
    def test_is_known_to_every_replica_before_one_signs_with_it(self, server: Server, rotation: Rotation) -> None:
        rotating.rotate_key(rotation)

        learnt, signing = server.seen
        new = signing["SECRET_KEY"]
        assert len(new) > 50
        assert keys(learnt) == [OLD, new]
        assert keys(signing) == [new, OLD]

    def test_keeps_the_former_ones_until_they_are_retired(self, server: Server, rotation: Rotation) -> None:
        rotating.rotate_key(rotation)
        rotating.rotate_key(rotation)
        assert len(keys(server.values)) == 3
        assert keys(server.values)[2] == OLD

        newest = server.values["SECRET_KEY"]
        rotating.retire_keys(rotation)
        assert server.values["SECRET_KEY"] == newest
        assert "SECRET_KEY_FALLBACKS" not in server.values
        assert "SECRET_KEY_FALLBACKS" not in server.seen[-1]

    @pytest.mark.parametrize("renewals", [0, 1])
    def test_of_a_killed_command_is_finished_and_not_replaced(
        self, server: Server, rotation: Rotation, monkeypatch: pytest.MonkeyPatch, renewals: int
    ) -> None:
        redeploy = Rotation.redeploy

        def die(self: Rotation, name: str) -> None:
            if len(server.seen) == renewals:
                raise Died
            redeploy(self, name)

        monkeypatch.setattr(Rotation, "redeploy", die)
        with pytest.raises(Died):
            rotating.rotate_key(rotation)
        monkeypatch.undo()
        with pytest.raises(Failure, match="unfinished"):
            rotating.retire_keys(rotation)
        begun = {*keys(server.values)}

        rotating.rotate_key(rotation)
        assert {*keys(server.values)} == begun
        assert server.values["SECRET_KEY"] != OLD
        assert server.seen[-1]["SECRET_KEY"] == server.values["SECRET_KEY"]
        assert [line["step"] for line in journal(server)] == ["began", "switched", "done"]

    def test_of_a_command_that_was_killed_before_it_wrote_it_is_drawn_again(
        self, server: Server, rotation: Rotation
    ) -> None:
        rotation.journal.add("secret-key", "began", new=mark("a key that nobody has"))
        rotating.rotate_key(rotation)
        assert len(keys(server.values)) == 2
        assert journal(server)[-1]["step"] == "done"

    def test_that_is_kept_elsewhere_is_not_replaced_here(self, server: Server, rotation: Rotation) -> None:
        server.set_values({"SECRET_KEY": None})
        with pytest.raises(Failure, match="SECRET_KEY is not in"):
            rotating.rotate_key(rotation)


class TestThePassword:
    def test_reaches_the_file_the_database_and_the_containers(self, server: Server, rotation: Rotation) -> None:
        rotating.rotate_password(rotation)

        assert server.password == server.values["POSTGRES_PASSWORD"] == server.seen[-1]["POSTGRES_PASSWORD"]
        assert server.password != PASSWORD
        assert [line["step"] for line in journal(server)] == ["began", "switched", "done"]

    @pytest.mark.parametrize("dies_at", ["psql", "deploy"])
    def test_of_a_killed_command_is_the_one_that_comes_to_hold(
        self, server: Server, rotation: Rotation, dies_at: str
    ) -> None:
        server.dies_at = dies_at
        with pytest.raises(Died):
            rotating.rotate_password(rotation)
        begun = server.values["POSTGRES_PASSWORD"]
        assert (server.password == begun) == (dies_at == "deploy")

        rotating.rotate_password(rotation)
        assert server.password == server.values["POSTGRES_PASSWORD"] == begun
        assert journal(server)[-1]["step"] == "done"

    def test_a_service_that_the_release_left_alone_is_reported(
        self, rotation: Rotation, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rotating.rotate_password(rotation)
        assert "backup stays as it is" in capsys.readouterr().err

    def test_that_was_changed_in_the_file_alone_is_given_to_the_database(
        self, server: Server, rotation: Rotation
    ) -> None:
        server.set_values({"POSTGRES_PASSWORD": "another-one-of-some-length"})
        rotating.rotate_password(rotation)
        assert server.password == server.values["POSTGRES_PASSWORD"] == "another-one-of-some-length"

    @pytest.mark.parametrize(
        "values",
        [
            {"DATABASE_URL": "postgres://x:y@elsewhere/z"},
            {"DATABASE_URL_FILE": "/run/secrets/database_url"},
            {"DATABASE_DIRECT_URL": "postgres://todo_user:y@db/todo_db"},
            {"DATABASE_DIRECT_URL_FILE": "/run/secrets/database_direct_url"},
        ],
    )
    def test_of_an_application_with_a_url_of_its_own_is_not_changed(
        self, server: Server, rotation: Rotation, values: dict[str, str]
    ) -> None:
        server.set_values(dict(values))
        with pytest.raises(Failure, match=f"{next(iter(values))} names a database with a password of its own"):
            rotating.rotate_password(rotation)
        assert server.password == PASSWORD
        assert server.seen == []

    def test_is_not_touched_while_the_database_is_away(
        self, server: Server, rotation: Rotation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        away = subprocess.CompletedProcess((), 1, "", 'service "db" is not running')
        monkeypatch.setattr(server, "compose", lambda *_, **__: away)
        with pytest.raises(Failure, match="does not answer"):
            rotating.rotate_password(rotation)
        assert server.values["POSTGRES_PASSWORD"] == PASSWORD


def test_no_secret_is_in_the_journal(server: Server, rotation: Rotation) -> None:
    rotating.rotate_key(rotation)
    rotating.rotate_password(rotation)
    journal = (server.state / "rotations.jsonl").read_text()
    secrets = [*keys(server.values), server.password, PASSWORD]
    assert [secret for secret in secrets if secret in journal] == []
    assert (server.state / "rotations.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_line_that_was_cut_short_says_nothing(server: Server, rotation: Rotation) -> None:
    rotation.journal.add("secret-key", "began", new="x")
    with rotation.journal.path.open("a") as file:
        file.write('{"secret": "secret-k')
    begun = rotation.journal.unfinished("secret-key")
    assert begun is not None
    assert begun["new"] == "x"


def test_only_keys_are_retired(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        rotating.main(["prod", "database-password", "--retire"])
    assert ended.value.code == 2
    assert "--retire works with secret-key only" in capsys.readouterr().err


@pytest.mark.postgres
def test_the_database_lets_in_whoever_has_the_password_behind_a_verifier(transactional_db: None) -> None:
    given = connection.settings_dict
    address = {"host": given["HOST"], "port": given["PORT"], "dbname": given["NAME"], "user": "rotated"}
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE rotated LOGIN PASSWORD '{verifier('the-right-one')}'")
    try:
        psycopg.connect(**address, password="the-right-one").close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(**address, password="the-wrong-one")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP ROLE rotated")
