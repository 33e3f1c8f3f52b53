"""Identifiers that sort by time."""

from __future__ import annotations

import time
import uuid

import time_machine
from django.db import connection
from django.utils import timezone

from todo_project.db.rows import uuid7
from todo_project.todos.models import Task


def test_version_and_variant_are_those_of_rfc_9562():
    for _ in range(1000):
        made = uuid7()
        assert made.version == 7
        assert made.variant == uuid.RFC_4122


def test_the_first_48_bits_are_the_milliseconds():
    before = time.time_ns() // 1_000_000
    made = uuid7().int >> 80
    assert before <= made <= time.time_ns() // 1_000_000


def test_a_later_one_sorts_after_an_earlier_one():
    made = []
    for microsecond in range(0, 5000, 7):
        with time_machine.travel(1_780_000_000 + microsecond / 1_000_000, tick=False):
            made.append(uuid7())
    assert made == sorted(made)
    assert [str(each) for each in made] == sorted(str(each) for each in made)


def test_no_two_are_the_same():
    with time_machine.travel(1_780_000_000, tick=False):
        assert len({uuid7() for _ in range(10_000)}) == 10_000


def test_the_next_page_begins_at_its_key_however_many_rows_changed_at_once(db: None) -> None:
    following = Task.objects.owned_by(uuid7()).after_change(timezone.now(), uuid7()).order_by("updated_at", "id")
    assert '("todos_task"."updated_at", "todos_task"."id") > (' in str(following.query)
    if connection.vendor == "sqlite":
        assert "task_changes (owner_id=? AND (updated_at,id)>(?,?))" in following.explain()
