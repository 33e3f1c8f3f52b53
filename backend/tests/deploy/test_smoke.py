"""deploy/release: the tests of a release, against this very application, and what they do about wrong answers."""

from __future__ import annotations

import io
import json
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from host.console import Console, Failure
from host.stack import Stack
from release import account as accounts
from release import strangers, watch
from release.account import Account
from release.person import Person, ask
from release.replicas import Container, _described
from release.site import Answer

from tests.deploy.conftest import Docker
from tests.deploy.test_release_moves import described
from todo_project.accounts.services import release_accounts


class Application:
    """The application, which answers some requests otherwise than it should."""

    name = "to a test"

    def __init__(self, spoil: Callable[[str, str, Answer], Answer] = lambda method, path, answer: answer) -> None:
        self._client = Client(raise_request_exception=False)
        self._spoil = spoil
        self.asked: list[tuple[str, str]] = []

    def send(self, method: str, path: str, headers: Mapping[str, str], body: str | None) -> Answer:
        given = dict(headers)
        kind = given.pop("Content-Type", "application/json")
        response = self._client.generic(method, path, (body or "").encode(), kind, headers=given)
        self.asked.append((method, path))
        named = {name.lower(): value for name, value in response.items()}
        return self._spoil(method, path, Answer(response.status_code, named, response.getvalue().decode()))


@pytest.fixture
def account(db: None) -> Account:
    """Return a new account for a test."""
    return Account(*release_accounts.create(now=timezone.now()))


def use(site: Application, account: Account) -> None:
    person = Person(site, account)
    person.log_in()
    person.use_everything()
    person.log_out()


def test_a_release_that_works_passes(account: Account) -> None:
    site = Application()
    use(site, account)

    written = {path.split("/")[3] for method, path in site.asked if method != "GET"}
    assert written == {
        *("auth", "projects", "sections", "labels", "tasks", "imports", "tokens", "comments", "filters"),
        "notifications",
    }
    assert ("POST", "/api/v1/tasks/quick") in site.asked
    assert any(path.startswith("/api/v1/search?") for _, path in site.asked)
    assert account.password not in repr(account)
    assert account.token not in repr(account)


def test_an_image_of_before_is_asked_for_nothing_that_it_lacks(account: Account) -> None:
    newer = ("comments", "search", "filters", "tasks/quick", "notifications")

    def without(method: str, path: str, answer: Answer) -> Answer:
        if path == "/api/openapi.json":
            kept = {name: {} for name in answer.json()["paths"] if not name.startswith(tuple(map(prefixed, newer)))}
            return Answer(200, answer.headers, json.dumps({"paths": kept}))
        return answer

    def prefixed(name: str) -> str:
        return f"/api/v1/{name}"

    site = Application(without)
    use(site, account)
    assert not [path for _, path in site.asked if path.startswith(tuple(map(prefixed, newer)))]


@pytest.mark.parametrize(("path", "old", "says"), [
    ("/api/v1/search?", '"kind":"task"', r"found \[\('x', "),
    ("/api/v1/tasks?filter=", '"results":[{', r"found \[\] instead of the new task"),
])  # fmt: skip
def test_a_wrong_list_is_found(account: Account, path: str, old: str, says: str) -> None:
    new = '"kind":"x"' if "kind" in old else '"results":[],"x":[{'

    def spoil(method: str, asked: str, answer: Answer) -> Answer:
        is_meant = asked.startswith(path)
        return Answer(answer.status, answer.headers, answer.text.replace(old, new)) if is_meant else answer

    with pytest.raises(Failure, match=says):
        use(Application(spoil), account)


def fails(method: str, beginning: str) -> Callable[[str, str, Answer], Answer]:
    """Answer such requests with 500."""

    def spoil(asked: str, path: str, answer: Answer) -> Answer:
        return Answer(500, {}, "") if asked == method and path.startswith(f"/api/v1{beginning}") else answer

    return spoil


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/tasks?"),
    ("GET", "/tasks/"),
    ("POST", "/tasks"),
    ("PATCH", "/tasks/"),
    ("DELETE", "/tasks/"),
    ("POST", "/projects"),
    ("GET", "/projects?"),
    ("PATCH", "/sections/"),
    ("GET", "/labels?"),
    ("POST", "/imports/ics"),
    ("POST", "/tokens"),
    ("POST", "/auth/login"),
    ("POST", "/comments"),
    ("GET", "/comments?"),
    ("GET", "/search"),
    ("POST", "/filters"),
    ("PATCH", "/filters/"),
    ("GET", "/tasks?filter="),
    ("POST", "/tasks/quick"),
    ("GET", "/notifications"),
    ("POST", "/notifications/read"),
])  # fmt: skip
def test_a_request_that_fails_is_named(account: Account, method: str, path: str) -> None:
    with pytest.raises(Failure, match=f"the smoke test to a test failed: {method} /api/v1.* returned 500"):
        use(Application(fails(method, path)), account)


@pytest.mark.parametrize(("method", "ending", "old", "new", "says"), [
    ("POST", "/complete", '"completed_at":"20', '"completed_at":null,"x":"', "shows completed_at None"),
    ("PATCH", "", ", new", "", "shows {'name': .* instead of {'name': .*, new'}"),
    ("GET", "?limit=200", '"results":[{', '"results":[],"x":[{', "lacks an object that was just created"),
    ("GET", "/me", "{", "[", "did not return an object"),
    ("GET", "/notifications/count", '"unread":0', '"unread":1', "shows {'unread': 1} instead of {'unread': 0}"),
    ("POST", "/tasks/quick", '"title":"Water the plants"', '"title":"Water"', "shows {'title': 'Water'}"),
])  # fmt: skip
def test_a_wrong_answer_with_the_right_status_is_found(
    account: Account, method: str, ending: str, old: str, new: str, says: str
) -> None:
    def spoil(asked: str, path: str, answer: Answer) -> Answer:
        is_meant = asked == method and path.endswith(ending)
        return Answer(answer.status, answer.headers, answer.text.replace(old, new)) if is_meant else answer

    with pytest.raises(Failure, match=says):
        use(Application(spoil), account)


def test_a_low_limit_on_requests_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    answers = iter([Answer(429, {"retry-after": "7"}, ""), Answer(200, {}, "{}")])

    class Limited(Application):
        def send(self, method: str, path: str, headers: Mapping[str, str], body: str | None) -> Answer:
            return next(answers)

    assert ask(Limited(), "GET", "/api/v1/me", 200).status == 200
    assert waited == [7.0]


def logged(*statuses: int) -> str:
    """Return the proxy's log with these responses, and another line."""
    lines = [json.dumps({"msg": "handled request", "status": status}) for status in statuses]
    return "\n".join([*lines, json.dumps({"msg": "certificate renewed"}), '"handled request" cut off'])


@pytest.mark.parametrize(("before", "after", "rises"), [
    ([200], [500, 200, 500, 502], True),
    ([200], [500, 500, *[200] * 9], False),  # two can be chance
    ([], [404, 401, 429], False),
    ([500, 200], [500, 500, 500, 200, 200, 200], False),  # no more than before
    ([200] * 99 + [500], [500] * 3 + [200] * 97, True),
])  # fmt: skip
def test_a_rise_of_errors_is_found(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, before: list[int], after: list[int], rises: bool
) -> None:
    switched = time.time() - 100
    stack.set_values({"RELEASE_WATCH_SECONDS": "60"})

    def run(self: Stack, *command: str, **options: Any) -> Any:
        if command[1] == "ps":
            return subprocess.CompletedProcess(command, 0, "proxy", "")
        if command[1] == "inspect":
            return subprocess.CompletedProcess(command, 0, json.dumps([described("proxy")]), "")
        since, until = (float(command[command.index(word) + 1]) for word in ("--since", "--until"))
        if since < switched - 10 < until - 0.001:
            pytest.fail("what the maintenance page answered is counted")
        is_before = until < switched
        return subprocess.CompletedProcess(command, 0, logged(*(before if is_before else after)), "")

    monkeypatch.setattr(Stack, "run", run)
    if not rises:
        watch.watch(stack, Console(), began=switched - 10, switched=switched)
        return
    with pytest.raises(Failure, match=f"{sum(each >= 500 for each in after)} of {len(after)} responses"):
        watch.watch(stack, Console(), began=switched - 10, switched=switched)


def test_the_watch_can_be_switched_off(stack: Stack, docker: Docker) -> None:
    stack.set_values({"RELEASE_WATCH_SECONDS": "0"})
    watch.watch(stack, Console(), began=time.time(), switched=time.time())
    assert docker.asked == []


def test_the_account_is_made_by_the_first_image_that_can_and_removed_there(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def run(self: Stack, *command: str, **options: Any) -> Any:
        asked.append(f"{command[2]} {command[-1]}")
        if command[2] == "new":
            return subprocess.CompletedProcess(command, 1, "", "Unknown command: 'release_account'")
        made = json.dumps({"email": "a@release-test.invalid", "password": "p", "address": "2001:db8::1"})
        return subprocess.CompletedProcess(command, 0, made, "")

    monkeypatch.setattr(Stack, "run", run)
    replicas = [replica(name) for name in ("new", "old")]
    with accounts.borrowed(stack, Console(), replicas) as account:
        assert account is not None
    with accounts.borrowed(stack, Console(), replicas[:1]) as account:
        assert account is None

    assert asked == ["new create", "old create", "old remove", "new create"]


def replica(name: str) -> Container:
    return _described(described(name))


def test_an_account_that_cannot_be_made_fails_the_test_of_the_release(stack: Stack, docker: Docker) -> None:
    docker.answers["docker exec"] = 1

    refused = pytest.raises(Failure, match="could not be created in new")
    with refused, accounts.borrowed(stack, Console(), [replica("new")]):
        pytest.fail("tested")


def beside(project: str, image: str = "todo-backend:one", env: str = "prod") -> str:
    """Return what `docker inspect` prints for a backend of another stack."""
    labels = {"com.docker.compose.project": project}
    return json.dumps([{"Config": {"Labels": labels, "Image": image, "Env": [f"DJANGO_ENV={env}"]}}])


def test_a_second_stack_of_an_environment_is_not_made_silently(
    stack: Stack, docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.answers |= {"docker ps --quiet": "1", "docker inspect": beside("todo-shop"), "docker volume inspect": 1}
    monkeypatch.setattr("sys.stdin", io.StringIO())  # no terminal

    with pytest.raises(Failure, match="run here with the same DJANGO_ENV: todo-shop") as refused:
        strangers.confirm(stack, is_meant=False)
    assert "--new-stack" in refused.value.hint

    strangers.confirm(stack, is_meant=True)


@pytest.mark.parametrize("answers", [
    {"docker inspect": beside("todo-staging", env="staging")},
    {"docker inspect": beside("shop", image="shop-backend:1")},
    {"docker inspect": beside("todo-prod")},
    {"docker inspect": beside("todo-shop"), "docker ps --all": "1"},
    {"docker inspect": beside("todo-shop"), "docker volume ls": "todo-prod_postgres_data"},
    {"docker inspect": beside("todo-shop"), "docker volume inspect todo-prod_records": "[]"},
])  # fmt: skip
def test_nothing_is_asked_about_other_environments_other_applications_and_ones_own(
    stack: Stack, docker: Docker, answers: dict[str, str]
) -> None:
    docker.answers |= {"docker ps --quiet": "1", **answers}
    docker.answers.setdefault("docker volume inspect", 1)
    strangers.confirm(stack, is_meant=False)
