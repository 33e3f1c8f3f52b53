"""The filter language: its syntax, its meaning compared with a plain evaluator, and its errors."""

from __future__ import annotations

import datetime as dt
import unicodedata
import zoneinfo
from typing import Any
from urllib.parse import quote

import hypothesis
import pytest
import time_machine
from hypothesis import strategies as st

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, post_task, share
from todo_project.errors import InvalidInput
from todo_project.todos.models.filtering.syntax import (
    CONDITIONS_MAX,
    All,
    AnyOf,
    Condition,
    Filter,
    Not,
    format_filter,
    parse,
)

# 2026-11-30 09:30 in the zone of the tests, where the day begins at 11:00 UTC of the day before
NOW = dt.datetime(2026, 11, 29, 20, 30, tzinfo=dt.UTC)
ZONE = zoneinfo.ZoneInfo("Pacific/Auckland")
TODAY = dt.date(2026, 11, 30)


def matches(filter_: Filter, task: dict[str, Any], names: dict[str, dict[str, str]]) -> bool:
    """Evaluate a filter on a task as the API returned it; `names` maps the ids of projects and so on to names."""
    match filter_:
        case Not():
            return not matches(filter_.filter, task, names)
        case All():
            return all(matches(each, task, names) for each in filter_.filters)
        case AnyOf():
            return any(matches(each, task, names) for each in filter_.filters)
    found = _condition(filter_, task, names)
    return not found if filter_.operator == "!=" else found


def _condition(condition: Condition, task: dict[str, Any], names: dict[str, dict[str, str]]) -> bool:
    field, value = condition.field, condition.value
    if field in ("title", "description"):
        text = task[field].lower()
        return value.lower() in text if condition.operator == ":" else text == value.lower()
    if field == "priority":
        return _compare(task["priority"], condition.operator, int(value))
    if field in ("project", "section", "label"):
        ids = task["labels"] if field == "label" else [task[f"{field}_id"]]
        return value.lower() in [names[field].get(each, "").lower() for each in ids]
    if field in ("overdue", "is"):
        return _is(value or field, task)
    if field == "no":
        return not task[{"label": "labels", "parent": "parent_id", "section": "section_id"}.get(value, value)]
    return _date(condition, task)


def _is(state: str, task: dict[str, Any]) -> bool:
    overdue = task["completed_at"] is None and _date(Condition("due", "<", "now"), task)
    return {
        "open": task["completed_at"] is None,
        "done": task["completed_at"] is not None,
        "recurring": task["recurrence"] is not None,
        "subtask": task["parent_id"] is not None,
        "shared": False,
        "overdue": overdue,
    }[state]


def _date(condition: Condition, task: dict[str, Any]) -> bool:
    moment = task[condition.field] if condition.field in ("due", "start", "deadline") else None
    if condition.field in ("completed", "created"):
        at = task[f"{condition.field}_at"]
        moment = at and {"at": at}
    if not moment:
        return False
    value = DATES[condition.value]
    if "date" in moment:
        own, other = dt.date.fromisoformat(moment["date"]), value
        if isinstance(value, dt.datetime):  # a day is over, or it is not
            return (own < TODAY) == (condition.operator in ("<", "<="))
        return _compare(own, condition.operator, other)
    at = dt.datetime.fromisoformat(moment["at"])
    return _compare(at if isinstance(value, dt.datetime) else at.astimezone(ZONE).date(), condition.operator, value)


def _compare(own: Any, operator: str, other: Any) -> bool:
    return bool(
        {
            "<": own < other,
            "<=": own <= other,
            ">": own > other,
            ">=": own >= other,
        }.get(operator, own == other)
    )


DATES: dict[str, Any] = {
    "now": NOW,
    "today": TODAY,
    "tomorrow": TODAY + dt.timedelta(days=1),
    "yesterday": TODAY - dt.timedelta(days=1),
    "today+1w": TODAY + dt.timedelta(days=7),
    "2026-12-31-1m": TODAY,
    "2027-01-01": dt.date(2027, 1, 1),
}
OPERATORS = (":", "=", "!=", "<", "<=", ">", ">=")


def conditions() -> st.SearchStrategy[Filter]:
    def of(field: str, values: Any, operators: Any = (":", "=", "!=")) -> st.SearchStrategy[Filter]:
        return st.builds(Condition, st.just(field), st.sampled_from(operators), st.sampled_from(values))

    days = [value for value in DATES if value != "now"]
    times = ("due", "start", "deadline", "completed", "created")
    return st.one_of(
        of("title", ["milk", "MILK", "Buy milk", "x"]),
        of("description", ["fresh", "no such text"]),
        of("priority", list("01234"), OPERATORS),
        of("project", ["Home", "work", "Inbox"]),
        of("section", ["Kitchen"]),
        of("label", ["Urgent", "two words"]),
        of("is", ["open", "done", "recurring", "subtask", "overdue", "shared"]),
        of(
            "no",
            ["due", "start", "deadline", "section", "parent", "priority", "description", "recurrence", "label"],
        ),
        *(of(name, days, OPERATORS) for name in times),
        *(of(name, ["now"], ("<", "<=", ">", ">=")) for name in times),
        st.just(Condition("overdue")),
    )


filters = st.recursive(
    conditions(),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        *(
            st.lists(inner, min_size=2, max_size=3).map(lambda each, kind=kind: kind(tuple(each)))
            for kind in (All, AnyOf)
        ),
    ),
    max_leaves=6,
)


@pytest.fixture
def tasks(alice: Person) -> Any:
    """Tasks of all kinds, and the names of what they are in."""
    with time_machine.travel(NOW, tick=False):
        alice.user.time_zone = str(ZONE)
        alice.user.save()
        home, work = make_project(alice, name="Home"), make_project(alice, name="Work")
        kitchen = make_section(alice, home, name="Kitchen")
        labels = [make(alice, "labels", name=name) for name in ("urgent", "Two Words")]
        moments = [
            None,
            *({"date": f"2026-{day}"} for day in ("11-29", "11-30", "12-01", "12-07")),
            *(
                {"at": f"2026-{at}Z"}
                for at in ("11-29T10:59:59", "11-29T11:00:00", "11-29T20:30:00", "11-30T11:00:00")
            ),
        ]
        for number, moment in enumerate(moments * 2):
            body: dict[str, Any] = {
                "title": ("Buy milk", "Call", "milk the cow")[number % 3],
                "description": "fresh" if number % 4 == 0 else "",
                "priority": number % 5,
                "labels": [label["id"] for label in labels[: number % 3]],
                "due": moment,
                "start": moments[-number % 9] if number < 9 else None,
                "deadline": moments[number % 5],
            }
            body |= {"section_id": kitchen["id"]} if number % 5 == 1 else {}
            body |= {"project_id": (home if number % 2 else work)["id"]} if number % 5 > 2 else {}
            if moment and number > 9:
                body["recurrence"] = {"rule": "FREQ=DAILY", "mode": "schedule"}
            task = post_task(alice, **body)
            if number % 4 == 1:
                alice.api.post(f"/tasks/{task['id']}/complete")
            if number % 6 == 0:
                post_task(alice, title="Open the fridge", parent_id=task["id"])
        everything = alice.api.get("/tasks?limit=200").json()["results"]
        inbox = next(row for row in alice.api.get("/projects").json()["results"] if row["is_inbox"])
        names = {
            "project": {row["id"]: row["name"] for row in (home, work, inbox)},
            "section": {kitchen["id"]: "Kitchen"},
            "label": {row["id"]: row["name"] for row in labels},
        }
        yield alice, everything, names


def listed(person: Person, text: str, **more: Any) -> list[str]:
    """Return the ids of the tasks that match, from all pages."""
    found: list[str] = []
    cursor = ""
    while True:
        extra = "".join(f"&{name}={value}" for name, value in more.items())
        answer = person.api.get(f"/tasks?filter={quote(text)}{extra}{cursor}")
        assert answer.status_code == 200, answer.json()
        found += [row["id"] for row in answer.json()["results"]]
        if answer.json()["next_cursor"] is None:
            return found
        cursor = f"&cursor={answer.json()['next_cursor']}"


@hypothesis.given(filter_=filters)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], max_examples=200)
def test_the_database_agrees_with_the_evaluator(tasks: Any, filter_: Filter) -> None:
    alice, everything, names = tasks
    expected = [row["id"] for row in everything if matches(filter_, row, names)]
    assert listed(alice, format_filter(filter_), limit=200) == expected


@hypothesis.given(filter_=filters)
def test_a_formatted_filter_parses_to_the_same(filter_: Filter) -> None:
    assert parse(format_filter(filter_)) == filter_


@hypothesis.given(value=st.text(min_size=1, max_size=50))
def test_any_value_can_be_quoted(value: str) -> None:
    assert parse(format_filter(Condition("title", ":", value))) == Condition("title", ":", value)


@pytest.mark.parametrize(
    ("text", "narrow"),
    [
        ("project：Home＆label：急", "project:Home & label:急"),
        ("（is：open｜overdue）＆！label：急", "(is:open | overdue) & !label:急"),
        ("priority＞＝3", "priority>=3"),
        ("priority！＝3", "priority!=3"),
        ("project：“Summer house”", 'project:"Summer house"'),
        ("project：＂Summer house＂", 'project:"Summer house"'),
        ("title:“完成！（旧）”", 'title:"完成！（旧）"'),
        ('title:"a＆b"', 'title:"a＆b"'),
        ("is:open\u3000&\u3000overdue", "is:open & overdue"),
    ],
)
def test_operators_and_quotes_may_be_full_width(text: str, narrow: str) -> None:
    assert format_filter(parse(text)) == narrow
    assert parse(text) == parse(narrow)


@pytest.mark.parametrize("text", ["priority:３", "due<２０２６-11-30", "due<today＋７d", "due<2026－11－30"])
def test_numbers_and_dates_may_be_full_width(alice: Person, text: str) -> None:
    narrow = unicodedata.normalize("NFKC", text)
    post_task(alice, title="dig", priority=3, due={"date": "2020-11-29"})
    assert listed(alice, text) == listed(alice, narrow) != []


@hypothesis.given(text=st.text(alphabet=st.sampled_from('ab:<>=!&|()" \\'), max_size=60))
def test_any_text_parses_or_is_an_error_with_a_position(text: str) -> None:
    try:
        parsed = parse(text)
    except InvalidInput as error:
        refused = error.pointer == "/filter" and error.detail.startswith(("At character", "A filter has at most"))
    else:
        refused = False
        assert parse(format_filter(parsed)) == parsed
    assert refused == (not _parses(text))


def _parses(text: str) -> bool:
    try:
        parse(text)
    except InvalidInput:
        return False
    return True


def test_pages_of_a_filter(tasks: Any) -> None:
    alice, everything, _ = tasks
    for limit in (1, 3):
        assert listed(alice, "is:open | is:done", limit=limit) == [row["id"] for row in everything]
    assert listed(alice, "title:milk", limit=2) == [row["id"] for row in everything if "milk" in row["title"]]


def test_not_equal_is_the_opposite_of_equal(alice: Person) -> None:
    milk, buy, eggs = (
        post_task(alice, title=title, description=text)["id"]
        for title, text in (("Milk", "cow"), ("Buy milk", "milk"), ("eggs", "brown cow"))
    )
    for text, expected in (
        ("title:milk", [milk, buy]),
        ("!title:milk", [eggs]),
        ("title=milk", [milk]),
        ("title!=milk", [buy, eggs]),
        ("description!=cow", [buy, eggs]),
        ("text=milk", [milk, buy]),
        ("text!=milk", [eggs]),
        ("text!=cow", [buy, eggs]),
    ):
        assert listed(alice, text) == expected, text


@pytest.mark.parametrize(
    "text", ["title:éco", 'title="ÉCOLE 10%_\\\\x"', "title:СЧЁТ | title:école", 'title:"%_\\\\X"', "text:10%"]
)
def test_texts_ignore_the_case_of_all_letters(alice: Person, text: str) -> None:
    task = post_task(alice, title="École 10%_\\x")
    post_task(alice, title="ecole 10 %x\\x")
    assert [row["id"] for row in alice.api.get(f"/tasks?filter={quote(text)}").json()["results"]] == [task["id"]]


@pytest.mark.parametrize(("stored", "written"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_names_are_found_however_accents_are_encoded(alice: Person, stored: Any, written: Any) -> None:
    name = unicodedata.normalize(stored, "Née")
    project, label = make_project(alice, name=name), make(alice, "labels", name=name)
    section = make_section(alice, project, name=name)
    task = post_task(alice, project_id=project["id"], section_id=section["id"], labels=[label["id"]])
    for field in ("project", "in", "section", "label"):
        assert listed(alice, f"{field}:{unicodedata.normalize(written, 'NÉE')}") == [task["id"]]


def test_in_reaches_sub_projects_and_a_name_may_fit_several(alice: Person) -> None:
    home = make_project(alice, name="Home")
    garden = make_project(alice, name="Garden", parent_id=home["id"])
    other = make_project(alice, name="garden")
    ids = [post_task(alice, project_id=project["id"])["id"] for project in (home, garden, other)]
    assert listed(alice, "project:home") == ids[:1]
    assert listed(alice, "in:home") == ids[:2]
    assert listed(alice, "project:Garden") == ids[1:]


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "UTC", "America/Lima"])
def test_the_last_day_is_a_day(alice: Person, zone: str) -> None:
    alice.user.time_zone = zone
    alice.user.save()
    last, before = (post_task(alice, due={"date": f"9999-12-{day}"})["id"] for day in (31, 30))
    for operator, expected in (
        (":", [last]),
        (">", []),
        (">=", [last]),
        ("<=", [last, before]),
        ("<", [before]),
        ("!=", [before]),
    ):
        assert listed(alice, f"due{operator}9999-12-31") == expected


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "America/Lima"])
def test_the_first_day_is_a_day(alice: Person, zone: str) -> None:
    alice.user.time_zone = zone
    alice.user.save()
    first, second = (post_task(alice, due={"date": f"0001-01-{day}"})["id"] for day in ("01", "02"))
    timed = post_task(alice, due={"at": "2026-11-30T09:00:00Z"})["id"]
    for operator, expected in (
        ("=", [first]),
        (">", [second, timed]),
        (">=", [first, second, timed]),
        ("<=", [first]),
        ("<", []),
        ("!=", [second, timed]),
    ):
        assert listed(alice, f"due{operator}0001-01-01") == expected


def test_a_label_in_the_trash_is_unknown(alice: Person) -> None:
    label = make(alice, "labels", name="gone")
    post_task(alice, labels=[label["id"]])
    assert len(listed(alice, "label:gone")) == 1
    alice.api.delete(f"/labels/{label['id']}")
    assert alice.api.get("/tasks?filter=label:gone").status_code == 400
    assert len(listed(alice, "no:label")) == 1


def test_a_filter_of_the_largest_size_runs(alice: Person) -> None:
    post_task(alice, title="a")
    text = "!" * 50 + "title:a" + " & title:a" * (CONDITIONS_MAX - 1)
    assert len(listed(alice, text)) == 1


def test_assignees(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob)
    both = [str(alice.user.pk), str(bob.user.pk)]
    hers, his, nobodys = (
        post_task(alice, project_id=project["id"], assignees=each)["id"] for each in (both[:1], both[1:], [])
    )
    assert listed(alice, "assignee:me") == [hers]
    assert listed(bob, "assignee:ME") == [his]
    assert listed(alice, "assignee:Bob@example.org") == [his]
    assert listed(alice, "assignee!=me") == [his, nobodys]
    assert listed(alice, "no:assignee") == [nobodys]
    assert listed(alice, "assignee:nobody@example.org") == []
    assert alice.api.get(f"/tasks?filter={quote('assignee<me')}").status_code == 400
