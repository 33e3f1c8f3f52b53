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
        ("due<today+７", "invalid_date", "After today, write steps"),
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


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("due:today AND is:open", "At character 11, there is 'AND'. Expected & or the end or |. For and, write &"),
        ("is:open && overdue", "At character 10, there is '&'. Expected ! or ( or a word. For and, write &"),
        ("is:open 或 overdue", "At character 9, there is '或'. Expected & or the end or |. For or, write |"),
        ("is:open & NOT overdue", "At character 15, there is 'overdue'."),
        ("is:open & NOT overdue", "For not, write ! before a condition."),
        ("not (is:open)", "For not, write ! before a condition."),
        (
            "priority==3",
            "At character 10, there is '='. Expected a word or words in quotes. To compare, write = once.",
        ),
        ("priority<>3", "For not equal, write !=."),
        ("priority=>3", "Write >= or <=."),
        ("priority≥3", "such as priority>=3"),
        (
            "label: & overdue",
            "At character 8, there is '&'. Expected a word or words in quotes. Write the value here",
        ),
        ("is:", "At character 4, the filter ends. Expected a word or words in quotes. Write the value here"),
        (
            ":Home",
            "At character 1, there is ':'. Expected ! or ( or a word. Write a field, such as title, before it.",
        ),
        ("is:open &", "Write a condition, such as overdue, before it."),
        ("(is:open", "At character 9, the filter ends. Expected ). Close the parentheses that are open."),
        ("is:open)", "At character 8, there is ')'. Expected the end. Remove it, or open a parenthesis before it."),
        ('project:"Home', "At character 9, there is '\"Home'."),
        ("project:“Home", "Put a quote at the end of what begins here."),
        ("project:'Summer house'", "Write \" around it, not '."),
        (
            "project:Summer house",
            "At character 16, there is 'house'. Expected & or the end or |. Put names with spaces",
        ),
        ("project:家（旧）", "At character 10, there is '('."),
        ("due today", "Between a field and its value, write an operator, such as due:today."),
        ("due<today + 7d", "At character 11, there is '+'. Expected & or the end or |. Write dates without spaces"),
        ("due<2026-11-30T09:00", 'Put a time in quotes, such as "2026-11-30T09:00".'),
        ("p1", "such as priority:4"),
        ("#home", "such as project:home"),
        ("明天", "such as due:tomorrow"),
        ("完成", "such as is:done"),
        ("label", "such as no:label"),
        ("tag:urgent", "At character 1, there is no field named 'tag'. Did you mean 'label'?"),
        ("优先级:3", "Did you mean 'priority'?"),
        ("is:completed", "Did you mean 'done'?"),
        ("no:tag", "Did you mean 'label'?"),
        ("due:12/25", "Write the year, the month and the day, such as 2026-11-30."),
        ("due:25.12.2026", "Write the year, the month and the day"),
        ("due:2026/12/25", "At character 1, '2026/12/25' is not a date. Write 2026-12-25."),
        ("due:2026年2月3日", "Write 2026-02-03."),
        ("due:2026/02/30", "Use today, "),
        ("due:20261225", "Write 2026-12-25."),
        ("due<friday", "Weekdays are not known."),
        ("due:周五", "Weekdays are not known."),
        ('due:"this month"', "For a range, write two conditions"),
        ("due:后天", "Did you mean 'today+2d'?"),
        ("due<7days", "Count from today or now, such as today+7d."),
        ("due:none", "write no: and the field"),
        ('due<"2026-11-30 09:00"', "Write a T between the day and the time"),
        ('due<"2026-11-30T09:00+01:00"', "Leave the offset out"),
    ],
)
def test_an_error_says_what_to_write_instead(alice: Person, text: str, detail: str) -> None:
    make_project(alice, name="Home")
    answer = alice.api.get(f"/tasks?filter={quote(text)}")
    assert answer.status_code == 400
    assert detail in answer.json()["errors"][0]["detail"]


def test_a_strangers_names_are_unknown(alice: Person, mallory: Person) -> None:
    make_project(alice, name="Secret plan")
    theirs = mallory.api.get('/tasks?filter=project:"Secret plan"').json()
    none = mallory.api.get('/tasks?filter=project:"Secret plen"').json()
    assert theirs["errors"][0]["detail"].replace("plan", "") == none["errors"][0]["detail"].replace("plen", "")
