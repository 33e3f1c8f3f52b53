"""The errors of filters: what is wrong, where, and what to do."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.conftest import Person
from tests.todos.stories import make_project
from todo_project.todos.models.filtering.syntax import CONDITIONS_MAX, LENGTH_MAX


@pytest.mark.parametrize(
    ("text", "code", "detail"),
    [
        ("", "blank", ""),
        ("due<", "syntax", "At character 5, the filter ends. Expected a word or words in quotes."),
        ("due:today priority:3", "syntax", "At character 11, there is 'priority'. Expected & or the end or |."),
        ("milk", "syntax", "title:milk"),
        ("projet:Home", "unknown_field", "Did you mean 'project'?"),
        ("project:Hme", "unknown_project", "Did you mean 'Home'?"),
        ("label:x", "unknown_label", "At character 1, there is no label named 'x'."),
        ("overdue & label:x", "unknown_label", "At character 11, there is no label named 'x'."),
        ("overdue & is:x", "unknown_value", "At character 11, there is no value of is named 'x'."),
        ("section:x", "unknown_section", ""),
        ("is:opn", "unknown_value", "Did you mean 'open'?"),
        ("no:zzz", "unknown_value", "Use one of: assignee, completed"),
        ("due<soon", "invalid_date", "'soon' is not a date."),
        ("due<2026-02-30", "invalid_date", "out of range"),
        ("due<10000-01-01", "invalid_date", "is not a date"),
        ("due<9999-12-31+1d", "invalid_date", "out of range"),
        ("due<today+9999y", "invalid_date", "out of range"),
        ("due<today+1h", "invalid_date", "hours are added to a day"),
        ("due:now", "invalid_operator", "single instant"),
        ("priority>5", "invalid_choice", "Use 0 to 4"),
        ("priority:0007", "invalid_choice", "Use 0 to 4"),
        ("priority:01", "invalid_choice", "Use 0 to 4"),
        ("priority:³", "invalid_choice", "Use 0 to 4"),
        ("priority:" + "9" * 900, "invalid_choice", "Use 0 to 4"),
        ("project<Home", "invalid_operator", "Use :, = or !=."),
        ('title:""', "blank", "'title' needs a value. Write one after title:."),
        ('description:""', "blank", "write no:description."),
        ("due:tomorow", "invalid_date", "'tomorow' is not a date. Did you mean 'tomorrow'?"),
        ("due:Tody+1d", "invalid_date", "Did you mean 'today'?"),
        ("due>nw", "invalid_date", "Did you mean 'now'?"),
        ("due<today+7", "invalid_date", "'today+7' is not a date. After today, write steps such as +7d"),
        ("due<today+99999d", "invalid_date", "a number of at most four digits"),
        ('due<"Now + 2h"', "invalid_date", "After now, write steps such as +7d, without spaces"),
        ("due<２０２６-11-30", "invalid_date", "is not a date. Use today, "),
        ("due<today+７d", "invalid_date", "After today, write steps"),
        ('due="2026-11-30T09:00"', "invalid_operator", "single instant"),
        ("overdue:today", "invalid_operator", "'overdue' takes no operator and no value. Write overdue"),
        (
            "title:a" + "&title:a" * CONDITIONS_MAX,
            "too_complex",
            "At character 400, the filter has more than 50 conditions.",
        ),
        (
            "(" * 60 + "overdue" + ")" * 60,
            "too_complex",
            "At character 51, the filter has more than 50 parentheses",
        ),
        ('title:"(!&|" & ' + "!" * 60 + "overdue", "too_complex", "At character 66, "),
        ("a" * (LENGTH_MAX + 1), "max_length", ""),
        ("title:\0", "null_characters_not_allowed", ""),
    ],
)
def test_a_wrong_filter_says_what_to_do(alice: Person, text: str, code: str, detail: str) -> None:
    make_project(alice, name="Home")
    answer = alice.api.get(f"/tasks?filter={quote(text)}")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/filter", code)
    assert detail in error["detail"]


@pytest.mark.parametrize(
    "text",
    [
        "due:2026-02-30",
        "due:soon",
        "due:today+1h",
        "due:now",
        "priority:9",
        "project>x",
        'project:""',
        "label:x",
        "nothing:x",
        "milk",
        "overdue:today",
        "is:x",
        "assignee<me",
    ],
)
def test_an_error_of_a_condition_says_where_it_is(alice: Person, text: str) -> None:
    answer = alice.api.get(f"/tasks?filter={quote(f'is:open & !({text})')}")
    assert answer.json()["errors"][0]["detail"].startswith("At character 13, ")


def test_a_strangers_names_are_unknown(alice: Person, mallory: Person) -> None:
    make_project(alice, name="Secret plan")
    theirs = mallory.api.get('/tasks?filter=project:"Secret plan"').json()
    none = mallory.api.get('/tasks?filter=project:"Secret plen"').json()
    assert theirs["errors"][0]["detail"].replace("plan", "") == none["errors"][0]["detail"].replace("plen", "")
