"""deploy/release/rotate: a new secret reaches everybody, a killed command is finished, no secret is shown."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from host.console import Console, Failure
from host.stack import Stack
from release import reporting, rotating
from release.releasing import Options
from release.rotating import Rotation
from release.rotations import mark
from release.scram import verifier

from tests.deploy.conftest import Kept

OLD = "an-old-key-of-more-than-fifty-characters-0123456789abcdef"
PASSWORD = "a-secret-of-some-length"
NAMES = {"secret-key": "SECRET_KEY", "database-password": "POSTGRES_PASSWORD"}


class Died(BaseException):
    """The process was killed."""


class Server(Stack):
    """A simulated stack: the values that each container got at each start, and the passwords of the roles."""

    def __init__(self, repository: Path) -> None:
        super().__init__("prod", repository=repository)
        self.set_values({"SECRET_KEY": OLD})
        self.verifiers = {"todo_user": verifier(PASSWORD), "todo_user_b": verifier(PASSWORD)}
        self.seen: list[dict[str, str]] = []
        self.commands_to_live = 1000
        self.refusal: Failure | None = None

    def compose(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Simulate docker compose."""
        self._live()
        secrets = [value for value in (PASSWORD, *self.values.values()) if len(value) > 20]
        assert not any(secret in argument for secret in secrets for argument in arguments)
        if arguments[0] == "ps":
            return subprocess.CompletedProcess(arguments, 0, "backend-1\n" if self.seen else "", "")
        if "sh" in arguments:
            if not self.lets_in(arguments[-1], options["given"].strip()):
                return subprocess.CompletedProcess(
                    arguments, 2, "", f'password authentication failed for user "{arguments[-1]}"'
                )
        elif given := options.get("given"):
            assert "log_statement" in given
            role, new = _altered(given)
            self.verifiers[role] = new
        return subprocess.CompletedProcess(arguments, 0, "", "")

    def run(self, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Simulate docker inspect."""
        assert command[-1] == "backend-1", command
        listed = "".join(f"{name}={value}\n" for name, value in self.seen[-1].items())
        return subprocess.CompletedProcess(command, 0, listed, "")

    def release(self, tag: str, options: Options) -> None:
        """Simulate a release: replace every container."""
        self._live()
        if self.refusal:
            raise self.refusal
        assert (tag, options) == ("one", Options(without_backup=True, keep_proxy=True))
        self.seen.append(self.values)

    def lets_in(self, role: str, password: str) -> bool:
        """Return whether a password is the one behind the verifier of a role."""
        salt = base64.b64decode(self.verifiers[role].split("$")[1].partition(":")[2])
        return self.verifiers[role] == verifier(password, salt=salt)

    def _live(self) -> None:
        self.commands_to_live -= 1
        if not self.commands_to_live:
            raise Died


def _altered(statement: str) -> tuple[str, str]:
    found = re.search(r"ALTER ROLE (\w+) PASSWORD '(SCRAM-SHA-256[^']+)'", statement)
    assert found, statement
    return found[1], found[2]


class Releases:
    """Stands in for release.releasing.Releasing."""

    def __init__(self, server: Server, console: Console) -> None:
        self.server = server

    def recover(self) -> str:
        return ""

    def run(self, kind: str, tag: str, options: Options) -> None:
        self.server.release(tag, options)


@pytest.fixture
def server(repository: Path) -> Server:
    return Server(repository)


@pytest.fixture
def rotation(server: Server, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> Rotation:
    monkeypatch.setattr(rotating, "Releasing", Releases)
    monkeypatch.setattr("release.rotations.Records", lambda stack, name: kept)
    return Rotation(server, Console())


def journal(kept: Kept) -> list[dict[str, Any]]:
    return [json.loads(line) for line in kept.text.splitlines()]


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
        self, server: Server, rotation: Rotation, kept: Kept, monkeypatch: pytest.MonkeyPatch, renewals: int
    ) -> None:
        redeploy = Rotation.redeploy

        def die(self: Rotation, name: str) -> None:
            if len(server.seen) == renewals:
                raise Died
            redeploy(self, name)

        with monkeypatch.context() as patched:
            patched.setattr(Rotation, "redeploy", die)
            with pytest.raises(Died):
                rotating.rotate_key(rotation)
        with pytest.raises(Failure, match="unfinished"):
            rotating.retire_keys(rotation)
        begun = {*keys(server.values)}

        rotating.rotate_key(rotation)
        assert {*keys(server.values)} == begun
        assert server.values["SECRET_KEY"] != OLD
        assert server.seen[-1]["SECRET_KEY"] == server.values["SECRET_KEY"]
        assert [line["step"] for line in journal(kept)] == ["began", "switched", "done"]

    def test_of_a_command_that_was_killed_before_it_wrote_it_is_drawn_again(
        self, server: Server, rotation: Rotation, kept: Kept
    ) -> None:
        rotation.journal.add("secret-key", "began", new=mark("a key that nobody has"))
        rotating.rotate_key(rotation)
        assert len(keys(server.values)) == 2
        assert journal(kept)[-1]["step"] == "done"

    def test_that_is_kept_elsewhere_is_not_replaced_here(self, server: Server, rotation: Rotation) -> None:
        server.set_values({"SECRET_KEY": None})
        with pytest.raises(Failure, match="SECRET_KEY is not in"):
            rotating.rotate_key(rotation)


def in_use(server: Server) -> tuple[str, str]:
    return server.values.get("POSTGRES_ROLE", "todo_user"), server.values["POSTGRES_PASSWORD"]


class TestThePassword:
    def test_is_given_to_the_idle_role_first_and_then_to_both(
        self, server: Server, rotation: Rotation, kept: Kept
    ) -> None:
        during: list[bool] = []

        def look(name: str) -> None:
            during.append(server.lets_in("todo_user", PASSWORD) and server.lets_in(*in_use(server)))

        rotation.redeploy = look  # type: ignore[method-assign]
        rotating.rotate_password(rotation)

        role, password = in_use(server)
        assert during == [True]
        assert (role, password != PASSWORD) == ("todo_user_b", True)
        assert server.lets_in("todo_user", password)
        assert server.lets_in("todo_user_b", password)
        assert [line["step"] for line in journal(kept)] == ["began", "switched", "done"]

    def test_returns_to_the_first_role_at_the_second_time(self, server: Server, rotation: Rotation) -> None:
        rotating.rotate_password(rotation)
        rotating.rotate_password(rotation)
        assert [values["POSTGRES_ROLE"] for values in server.seen] == ["todo_user_b", "todo_user"]
        assert server.lets_in("todo_user_b", server.values["POSTGRES_PASSWORD"])

    @pytest.mark.parametrize("lived", range(1, 9))
    def test_of_a_killed_command_is_finished_by_the_next(
        self, server: Server, rotation: Rotation, kept: Kept, lived: int
    ) -> None:
        server.commands_to_live = lived
        with pytest.raises(Died):
            rotating.rotate_password(rotation)
        running = server.seen[-1] if server.seen else {"POSTGRES_PASSWORD": PASSWORD}
        assert server.lets_in(running.get("POSTGRES_ROLE", "todo_user"), running["POSTGRES_PASSWORD"])
        begun = in_use(server)

        server.commands_to_live = 1000
        rotating.rotate_password(rotation)
        role, password = in_use(server)
        assert role == "todo_user_b"
        assert begun in {("todo_user", PASSWORD), (role, password)}
        assert not server.lets_in("todo_user", PASSWORD)
        assert server.lets_in("todo_user", password)
        assert server.lets_in("todo_user_b", password)
        assert server.seen[-1]["POSTGRES_PASSWORD"] == password
        assert journal(kept)[-1]["step"] == "done"

    def test_that_was_changed_in_the_file_alone_is_given_to_the_database(
        self, server: Server, rotation: Rotation
    ) -> None:
        server.set_values({"POSTGRES_PASSWORD": "another-one-of-some-length"})
        rotating.rotate_password(rotation)
        assert in_use(server) == ("todo_user_b", "another-one-of-some-length")
        assert server.lets_in("todo_user", "another-one-of-some-length")
        assert server.lets_in("todo_user_b", "another-one-of-some-length")

    def test_reaches_the_urls_that_name_the_service(self, server: Server, rotation: Rotation) -> None:
        before = f"postgres://todo_user:{PASSWORD}@"
        server.set_values(
            {
                "DATABASE_URL": f"{before}pooler:6432/todo_db?disable_server_side_cursors=true",
                "DATABASE_DIRECT_URL": f"{before}db:5432/todo_db",
                "DATABASE_REPLICA_URL": f"{before}replica:5432/todo_db",
            }
        )
        rotating.rotate_password(rotation)
        after = f"postgres://todo_user_b:{server.values['POSTGRES_PASSWORD']}@"
        assert server.values["DATABASE_URL"] == f"{after}pooler:6432/todo_db?disable_server_side_cursors=true"
        assert server.values["DATABASE_DIRECT_URL"] == f"{after}db:5432/todo_db"
        assert server.values["DATABASE_REPLICA_URL"] == f"{after}replica:5432/todo_db"

    @pytest.mark.parametrize(
        "values",
        [
            {"DATABASE_URL": "postgres://x:y@elsewhere/z"},
            {"DATABASE_URL_FILE": "/run/secrets/database_url"},
            {"DATABASE_DIRECT_URL": "postgres://todo_user:y@db/todo_db"},
            {"DATABASE_DIRECT_URL_FILE": "/run/secrets/database_direct_url"},
            {"DATABASE_REPLICA_URL": "postgres://reader:y@replica/todo_db"},
        ],
    )
    def test_of_an_application_with_a_url_of_its_own_is_not_changed(
        self, server: Server, rotation: Rotation, values: dict[str, str]
    ) -> None:
        server.set_values(dict(values))
        with pytest.raises(Failure, match=f"{next(iter(values))} names a database with a password of its own"):
            rotating.rotate_password(rotation)
        assert server.lets_in("todo_user_b", PASSWORD)
        assert server.seen == []

    def answering(self, server: Server, monkeypatch: pytest.MonkeyPatch, stderr: str) -> None:
        monkeypatch.setattr(server, "compose", lambda *_, **__: subprocess.CompletedProcess((), 1, "", stderr))

    def test_is_not_touched_while_the_database_is_away(
        self, server: Server, rotation: Rotation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.answering(server, monkeypatch, 'service "db" is not running')
        with pytest.raises(Failure, match="does not answer"):
            rotating.rotate_password(rotation)
        assert server.values["POSTGRES_PASSWORD"] == PASSWORD

    def test_of_a_volume_of_an_older_release_waits_for_the_next_release(
        self, server: Server, rotation: Rotation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.answering(server, monkeypatch, 'FATAL:  role "postgres" does not exist')
        with pytest.raises(Failure, match="still the superuser") as refused:
            rotating.rotate_password(rotation)
        assert refused.value.hint.endswith("deploy/release/deploy prod")


@pytest.mark.parametrize("rotate", [rotating.rotate_key, rotating.rotate_password])
class TestAnotherCheckout:
    """It shares the journal, but has an env file of its own."""

    @pytest.fixture
    def elsewhere(self, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Rotation:
        other = tmp_path_factory.mktemp("clone")
        (other / "envs").mkdir()
        shutil.copy(server.env_file, other / "envs/prod.env")
        theirs = Server(other)
        theirs.verifiers, theirs.seen = server.verifiers, server.seen
        return Rotation(theirs, Console())

    def test_with_the_old_secret_is_refused_after_a_rotation(
        self, server: Server, rotation: Rotation, elsewhere: Rotation, rotate: Any
    ) -> None:
        rotate(rotation)
        before, verifiers = elsewhere.stack.values, dict(server.verifiers)

        with pytest.raises(Failure, match="is out of date") as refused:
            rotate(elsewhere)

        assert "copy the env file" in refused.value.hint
        assert elsewhere.stack.values == before
        assert server.verifiers == verifiers

    def test_finishes_an_unfinished_rotation_with_the_copied_env_file(
        self, server: Server, rotation: Rotation, elsewhere: Rotation, rotate: Any, kept: Kept
    ) -> None:
        server.refusal = Failure("the new replicas did not start", "see their log")
        with pytest.raises(Failure, match="did not start"):
            rotate(rotation)
        shutil.copy(server.env_file, elsewhere.stack.env_file)

        rotate(elsewhere)

        assert [line["step"] for line in journal(kept)] == ["began", "switched", "done"]
        assert mark(server.seen[-1][NAMES[journal(kept)[0]["secret"]]]) == journal(kept)[0]["new"]

    def test_may_replace_a_secret_that_no_container_has_got(
        self, server: Server, rotation: Rotation, elsewhere: Rotation, rotate: Any, kept: Kept
    ) -> None:
        server.refusal = Failure("the new replicas did not start", "see their log")
        with pytest.raises(Failure, match="did not start"):
            rotate(rotation)

        rotate(elsewhere)

        assert journal(kept)[-1]["step"] == "done"


def test_no_secret_is_in_the_journal(server: Server, rotation: Rotation, kept: Kept) -> None:
    rotating.rotate_key(rotation)
    rotating.rotate_password(rotation)
    secrets = [*keys(server.values), server.values["POSTGRES_PASSWORD"], PASSWORD]
    assert [secret for secret in secrets if secret in kept.text] == []


def test_a_line_that_was_cut_short_says_nothing(rotation: Rotation, kept: Kept) -> None:
    rotation.journal.add("secret-key", "began", new="x")
    kept.text += '{"secret": "secret-k'
    begun = rotation.journal.unfinished("secret-key")
    assert begun is not None
    assert begun["new"] == "x"


@pytest.fixture
def command(
    server: Server, rotation: Rotation, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    monkeypatch.setattr(rotating, "Stack", lambda env: server)
    monkeypatch.setattr(rotating, "Records", lambda stack, name: kept)
    return lambda secret: rotating.main(["prod", secret])


def test_a_release_that_fails_says_its_next_step_once(
    server: Server, command: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    server.refusal = Failure("the new replicas did not start", "see their log")
    with pytest.raises(SystemExit):
        command("secret-key")
    said = capsys.readouterr().err
    assert said.count("the new replicas did not start") == 1
    assert said.count("next: ") == said.count("see their log") == 1


def test_status_shows_a_rotation_that_is_unfinished(
    server: Server, rotation: Rotation, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.refusal = Failure("the new replicas did not start", "see their log")
    with pytest.raises(Failure):
        rotating.rotate_key(rotation)
    assert [line["secret"] for line in reporting.unfinished_rotations(server)] == ["secret-key"]
    server.refusal = None
    rotating.rotate_key(rotation)
    assert reporting.unfinished_rotations(server) == []


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
