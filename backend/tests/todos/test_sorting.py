"""Sorted lists: their order compared with Python's, pages while rows change, cursors and errors."""

from __future__ import annotations

import base64
import datetime as dt
import uuid
import zoneinfo
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from tests.conftest import Person
from tests.todos.stories import make_project, make_task, pointers, post_task, share
from tests.todos.test_filters import filters, matches, tasks  # noqa: F401 - `tasks` is a fixture
from todo_project.accounts.models import User
from todo_project.db.rows import uuid7
from todo_project.todos.models import Task
from todo_project.todos.models.filtering.syntax import Filter, format_filter

# in some of these, a day begins at 1:00 when the clocks change
ZONES = ("UTC", "Pacific/Auckland", "America/Santiago", "Africa/Cairo", "America/St_Johns")
MOMENTS = ("due", "start", "deadline")
KEYS = (*MOMENTS, "priority", "position", "title", "created_at", "updated_at", "completed_at")
UTC = dt.UTC

# around midnight in these zones, and where the clocks of two of them change
instants = st.sampled_from(
    [
        dt.datetime(2026, 9, 6, 3, 59, 59, 999_999, UTC),
        dt.datetime(2026, 9, 6, 4, 0, tzinfo=UTC),
        *(dt.datetime(2026, 9, 6, hour, tzinfo=UTC) for hour in (0, 12, 21)),
        *(dt.datetime(2026, 4, 24, hour, tzinfo=UTC) for hour in (2, 11, 12, 21, 22)),
    ]
)
days = st.sampled_from([dt.date(2026, *day) for day in ((4, 23), (4, 24), (4, 25), (9, 5), (9, 6))])
maybe_instants = st.none() | instants
moments = st.none() | instants | days
rows = st.fixed_dictionaries(
    {
        **dict.fromkeys(MOMENTS, moments),
        "place": st.sampled_from(["own", "shared", "strange"]),
        "priority": st.integers(0, 4),
        "position": st.sampled_from(["a1", "b1", "b11", "z9"]),
        "title": st.sampled_from(["a", "B", "b", "b 2", "Ä", "ä", "é", "e\u0301", "ﬀ", "😀", "買"]),
        "created_at": instants,
        "updated_at": instants,
        "completed_at": maybe_instants,
        "is_trashed": st.sampled_from([False, False, False, True]),
    }
)
orders = (
    st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True)
    .filter(lambda names: len({*MOMENTS, "completed_at"} & {*names}) <= 2)
    .flatmap(lambda names: st.tuples(*(st.sampled_from([name, f"-{name}"]) for name in names)))
)


def columns(row: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a generated row."""
    found = {
        name: row[name] for name in ("priority", "position", "title", "created_at", "updated_at", "completed_at")
    }
    for name in MOMENTS:
        is_time = isinstance(row[name], dt.datetime)
        found |= {f"{name}_date": None if is_time else row[name], f"{name}_at": row[name] if is_time else None}
    return found | {"deleted_at": row["updated_at"] if row["is_trashed"] else None}


def in_order(found: list[Task], order: tuple[str, ...], zone: str) -> list[str]:
    """Return the ids of tasks in an order, as somebody would sort them by hand."""

    def key(task: Task, name: str) -> Any:
        if name not in MOMENTS:
            return getattr(task, name)
        day, at = getattr(task, f"{name}_date"), getattr(task, f"{name}_at")
        if at is not None:  # a task of a whole day stands after those at a time of that day
            return at.astimezone(zoneinfo.ZoneInfo(zone)).date(), 0, at
        return day and (day, 1, at)

    found = sorted(found, key=lambda task: task.id, reverse=order[-1].startswith("-"))
    for each in reversed(order):
        name = each.removeprefix("-")
        given = [task for task in found if key(task, name) is not None]
        given.sort(key=lambda task, name=name: key(task, name), reverse=each != name)  # type: ignore[misc]
        found = given + [task for task in found if key(task, name) is None]
    return [str(task.id) for task in found]


class Places:
    """Where generated tasks lie: in Alice's Inbox, in a project that Bob shares with her, and in another of his."""

    def __init__(self, alice: Person, bob: Person) -> None:
        self.alice = alice
        shared, strange = make_project(bob), make_project(bob)
        share(shared, alice)
        inbox = alice.api.get("/projects?limit=1").json()["results"][0]
        self._of = {"own": (alice, inbox), "shared": (bob, shared), "strange": (bob, strange)}

    def task(self, row: dict[str, Any]) -> Task:
        """Return a task that is not saved."""
        who, project = self._of[row["place"]]
        return Task(owner=who.user, project_id=project["id"], **columns(row))

    def fill(self, given: list[dict[str, Any]]) -> None:
        """Replace all tasks."""
        Task.objects.all().delete()
        Task.objects.bulk_create(self.task(row) for row in given)

    def seen(self) -> list[Task]:
        """Return the tasks that Alice sees."""
        return list(Task.objects.visible_to(self.alice.user.pk).alive())

    def pages(self, order: tuple[str, ...], limit: int, more: str = "") -> Iterator[list[str]]:
        """Yield the ids of each page."""
        cursor = ""
        while True:
            answer = self.alice.api.get(f"/tasks?sort={','.join(order)}&limit={limit}{more}{cursor}")
            assert answer.status_code == 200, answer.json()
            yield [row["id"] for row in answer.json()["results"]]
            if answer.json()["next_cursor"] is None:
                return
            cursor = f"&cursor={answer.json()['next_cursor']}"


@pytest.fixture
def places(alice: Person, bob: Person) -> Places:
    return Places(alice, bob)


def settings(examples: int) -> Any:
    return hypothesis.settings(
        max_examples=examples, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
    )


@settings(80)
@hypothesis.given(
    given=st.lists(rows, max_size=14), order=orders, zone=st.sampled_from(ZONES), limit=st.integers(1, 15)
)
def test_pages_are_sorted_as_python_sorts(
    places: Places, given: list[dict[str, Any]], order: tuple[str, ...], zone: str, limit: int
) -> None:
    User.objects.filter(id=places.alice.user.pk).update(time_zone=zone)
    places.fill(given)
    expected = in_order(places.seen(), order, zone)
    found = list(places.pages(order, limit))
    assert [each for page in found for each in page] == expected
    assert all(len(page) == limit for page in found[:-1])


@settings(60)
@hypothesis.given(
    given=st.lists(rows, min_size=4, max_size=10),
    order=orders,
    limit=st.integers(1, 4),
    writes=st.lists(
        st.tuples(st.sampled_from(["insert", "change", "delete"]), rows, st.integers(0, 99)), max_size=8
    ),
)
def test_what_does_not_change_comes_once_while_other_rows_do(
    places: Places,
    given: list[dict[str, Any]],
    order: tuple[str, ...],
    limit: int,
    writes: list[tuple[str, dict[str, Any], int]],
) -> None:
    places.fill(given)
    before = in_order(places.seen(), order, places.alice.user.time_zone)
    changed: set[str] = set()
    found: list[str] = []
    for page in places.pages(order, limit):
        found += page
        for kind, row, number in (writes.pop() for _ in writes[:1]):
            if kind == "insert":
                places.task(row).save()
                continue
            hit = sorted(Task.objects.all(), key=lambda task: task.id)[number % Task.objects.count()]
            changed.add(str(hit.id))
            Task.objects.filter(id=hit.id).update(
                **columns(row | {"is_trashed": kind == "delete" or row["is_trashed"]})
            )
    assert [each for each in found if each in before and each not in changed] == [
        each for each in before if each not in changed
    ]


@settings(60)
@hypothesis.given(filter_=filters, order=orders, limit=st.integers(1, 60))
def test_filters_and_orders_go_together(tasks: Any, filter_: Filter, order: tuple[str, ...], limit: int) -> None:  # noqa: F811 - the fixture
    alice, everything, names = tasks
    ids = {row["id"] for row in everything if matches(filter_, row, names)}
    held = [task for task in Task.objects.all() if str(task.id) in ids]
    places = Places.__new__(Places)
    places.alice = alice
    pages = places.pages(order, limit, f"&filter={quote(format_filter(filter_))}")
    assert [each for page in pages for each in page] == in_order(held, order, alice.user.time_zone)


def test_parameters_narrow_a_sorted_list(alice: Person) -> None:
    project = make_project(alice)
    inside = [post_task(alice, title=title, project_id=project["id"])["id"] for title in "cab"]
    post_task(alice, title="b")
    alice.api.post(f"/tasks/{inside[0]}/complete")
    alice.api.delete(f"/tasks/{inside[1]}")
    for more, expected in (
        ("", [2, 0]),
        ("&is_completed=false", [2]),
        ("&is_completed=true", [0]),
        ("&include_deleted=true", [1, 2, 0]),
    ):
        answer = alice.api.get(f"/tasks?project_id={project['id']}&sort=title{more}").json()
        assert [row["id"] for row in answer["results"]] == [inside[each] for each in expected]


def test_an_unchanged_page_is_304(alice: Person) -> None:
    task = post_task(alice)
    first = alice.api.get("/tasks?sort=due")
    held = {"If-None-Match": first["ETag"]}
    assert alice.api.get("/tasks?sort=due", headers=held).status_code == 304
    alice.api.patch(f"/tasks/{task['id']}", {"title": "New"})
    assert alice.api.get("/tasks?sort=due", headers=held).status_code == 200


@pytest.mark.parametrize(
    ("query", "code", "detail"),
    [
        ("sort=", "blank", ""),
        ("sort=dew", "unknown_key", "Did you mean 'due'? Use due, start, deadline, priority, position, title,"),
        ("sort=zzz", "unknown_key", "'zzz' is no key to sort by. Use due,"),
        ("sort=due,,title", "unknown_key", "'' is no key"),
        ("sort=--due", "unknown_key", "Use due,"),
        ("sort=%2Bdue", "unknown_key", "Did you mean 'due'?"),
        ("sort=due,title,-due", "repeated", "'due' is listed twice."),
        ("sort=due,start,deadline,title,priority,position", "too_many", "at most 5 keys"),
        ("sort=due,start,completed_at", "too_many", "at most 2 of due, start, deadline, completed_at."),
        ("sort=due%00", "null_characters_not_allowed", ""),
        ("sort=" + "d" * 201, "max_length", ""),
        ("sort=due&updated_since=2026-01-01T00:00:00Z", "conflict", "Leave out `sort`"),
        ("sort=due&sort=title", "repeated", "Send this parameter once."),
    ],
)
def test_a_wrong_sort_says_what_to_do(alice: Person, query: str, code: str, detail: str) -> None:
    answer = alice.api.get(f"/tasks?{query}")
    assert pointers(answer) == ["/sort"]
    (error,) = answer.json()["errors"]
    assert error["code"] == code
    assert detail in error["detail"]


def test_spaces_between_keys_are_no_error(alice: Person) -> None:
    assert alice.api.get("/tasks?sort=due,%20-title").status_code == 200


def cursor_of(alice: Person, query: str) -> str:
    found = alice.api.get(f"/tasks?limit=1&{query}").json()["next_cursor"]
    assert found is not None
    return str(found)


def test_a_cursor_belongs_to_its_list(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    for title in "ab":
        post_task(alice, title=title, due={"date": "2026-11-30"}, project_id=project["id"])
    lists = [
        "",
        "sort=due",
        "sort=-due",
        "sort=due,title",
        "sort=created_at",
        "sort=due&filter=is:open",
        "sort=due&filter=no:label",
        "sort=due&is_completed=false",
        "sort=due&include_deleted=true",
        f"sort=due&project_id={project['id']}",
    ]
    cursors = {each: cursor_of(alice, each) for each in lists}
    for list_ in lists:
        for other, cursor in cursors.items():
            answer = alice.api.get(f"/tasks?{list_}&cursor={cursor}")
            if other == list_:
                assert len(answer.json()["results"]) == 1
            elif "sort" in list_ + other:
                assert answer.json()["errors"][0]["code"] == "invalid_cursor", (list_, other)
    assert bob.api.get(f"/tasks?sort=due&cursor={cursors['sort=due']}").json()["results"] == []
    for more in ("limit=200", "expand=project"):  # do not change which list it is
        assert alice.api.get(f"/tasks?sort=due&{more}&cursor={cursors['sort=due']}").status_code == 200


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=10),
    st.just("a\0b"),
    st.binary(max_size=10),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from([dt.datetime.min.replace(tzinfo=UTC), dt.datetime.max.replace(tzinfo=UTC)]),
    st.sampled_from(["0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]),
    st.uuids(),
    st.just([]),
    st.just({}),
)
SORT = "due,priority,title,-start"


@settings(150)
@hypothesis.given(values=st.lists(anything, min_size=7, max_size=7), kept=st.sets(st.integers(0, 6)))
def test_a_forged_cursor_is_refused_or_harmless(
    forgeries: tuple[Person, list[Any]], values: list[Any], kept: set[int]
) -> None:
    alice, real = forgeries
    forged = [real[0], *(real[1 + n] if n in kept else value for n, value in enumerate(values))]
    cursor = base64.urlsafe_b64encode(msgspec.msgpack.encode(forged)).decode().rstrip("=")
    answer = alice.api.get(f"/tasks?sort={SORT}&cursor={cursor}")
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert answer.json()["errors"][0]["code"] == "invalid_cursor"


@pytest.fixture
def forgeries(alice: Person) -> tuple[Person, list[Any]]:
    """Alice, in a zone where the first time of all is on the day before, and the values of a real cursor."""
    alice.user.time_zone = "America/Lima"
    alice.user.save()
    for n in range(2):
        post_task(alice, due={"date": "2026-11-30"}, start={"at": "2026-11-30T09:00:00Z"}, title=f"{n}")
    cursor = cursor_of(alice, f"sort={SORT}")
    return alice, msgspec.msgpack.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))


@pytest.mark.parametrize("cursor", ["", "x", "kA", "wA", "3f____8", "WyJhIl0", "a" * 4001, quote("é")])
def test_another_text_is_no_cursor(alice: Person, cursor: str) -> None:
    answer = alice.api.get(f"/tasks?sort=due&cursor={cursor}")
    assert pointers(answer) == ["/cursor"]


def test_the_longest_title_fits_into_a_cursor(alice: Person) -> None:
    ids = [post_task(alice, title="😀" * 499 + end)["id"] for end in "ab"]
    cursor = cursor_of(alice, "sort=title")
    rest = alice.api.get(f"/tasks?sort=title&cursor={cursor}").json()
    assert [row["id"] for row in rest["results"]] == ids[1:]


def test_the_first_and_the_last_day_there_is(alice: Person) -> None:
    for zone in ("America/Lima", "Pacific/Auckland"):
        alice.user.time_zone = zone
        alice.user.save()
        Task.objects.all().delete()
        project_id = uuid.UUID(make_project(alice)["id"])
        for columns_ in (
            *({"due_date": day} for day in (dt.date.min, dt.date(1, 1, 2), dt.date(9999, 12, 30), dt.date.max)),
            {"due_at": dt.datetime.min.replace(tzinfo=UTC)},
            {"due_at": dt.datetime(9999, 12, 31, 23, tzinfo=UTC)},
            {},
        ):
            make_task(alice, id=uuid7(), project_id=project_id, **columns_)
        walks = []
        for sort in ("due", "-due"):
            found, cursor = [], ""
            while cursor is not None:
                page = alice.api.get(f"/tasks?sort={sort}&limit=1{cursor and f'&cursor={cursor}'}").json()
                found += [row["due"] for row in page["results"]]
                cursor = page["next_cursor"]
            walks.append(found)
        assert len(walks[0]) == 7
        assert walks[0][-1] is walks[1][-1] is None
        assert walks[0][:-1] == walks[1][-2::-1]
