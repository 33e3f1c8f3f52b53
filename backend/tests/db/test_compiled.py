"""Compiled queries send the same SQL as the ORM, for the same values."""

from __future__ import annotations

import datetime as dt
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from todo_project.accounts.services import verification
from todo_project.db import compiled
from todo_project.db.compiled import CompiledCondition, CompiledObjects, CompiledQuery
from todo_project.db.rows import uuid7
from todo_project.todos.models import Label, Task, TaskLabel
from todo_project.todos.services import completion, locks, ordering, task_labels

pytestmark = pytest.mark.django_db
ID = models.UUIDField()


def sent(run: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        run()
    return [query["sql"] for query in captured]


def test_a_compiled_query_sends_what_the_orm_sends() -> None:
    owner, first, second = uuid7(), uuid7(), uuid7()

    def build(owner_id: Any, ids: Any, limit: int) -> Any:
        return (
            Label.objects.visible_to(owner_id).filter(id__in=ids).order_by("id").values_list("id", "name")[:limit]
        )

    query = CompiledQuery(build, {"owner_id": ID, "ids": ID})
    for ids, limit in (([first], 5), ([first, second], 5), ([second, first], 7)):
        expected = sent(lambda ids=ids, limit=limit: list(build(owner, ids, limit)))
        assert (
            sent(lambda ids=ids, limit=limit: query.rows({"owner_id": owner, "ids": ids}, limit=limit)) == expected
        )


@pytest.mark.postgres  # SQLite has no limit for a small integer
def test_many_values_leave_room_for_a_small_integer() -> None:
    query = CompiledQuery(
        lambda ids, priority: Task.objects.filter(id__in=ids, priority=priority).values_list("id"),
        {"ids": ID, "priority": models.PositiveSmallIntegerField()},
    )
    assert query.rows({"ids": [uuid7() for _ in range(2_000)], "priority": 1}) == []


def test_two_kinds_of_texts_are_told_apart() -> None:
    query = CompiledQuery(
        lambda name, text: Task.objects.filter(title=name, description=text).values_list("id"),
        {"name": models.CharField(), "text": models.TextField()},
    )
    expected = sent(lambda: list(Task.objects.filter(title="a", description="b").values_list("id")))
    assert sent(lambda: query.rows({"name": "a", "text": "b"})) == expected


def test_compiled_objects_are_as_the_orm_gives_them(alice: Any) -> None:
    label = alice.api.post("/labels", {"name": "home"}).json()["id"]
    alice.api.post("/tasks", {"title": "x", "labels": [label], "due": {"date": "2027-01-01"}})
    objects = CompiledObjects(
        Task,
        lambda owner_id: Task.objects.visible_to(owner_id).with_label_ids(),
        {"owner_id": ID},
        annotations=("label_ids",),
    )
    [made], [expected] = objects.all(owner_id=alice.user.pk), Task.objects.with_label_ids()
    assert {**made.__dict__, "_state": None} == {**expected.__dict__, "_state": None}
    assert not made._state.adding


def test_a_compiled_update_sends_what_the_orm_sends(alice: Any) -> None:
    task = Task.objects.get(id=alice.api.post("/tasks", {"title": "x"}).json()["id"])
    now = timezone.now()
    values = {"completed_at": now, "updated_at": now, "version": F("version") + 1}
    with transaction.atomic():
        expected = sent(lambda: Task.objects.filter(id=task.id, version=task.version).update(**values))
        transaction.set_rollback(True)
    assert sent(lambda: completion._save_if_unchanged(task, now)) == expected
    task.refresh_from_db()
    assert (task.version, task.completed_at, task.updated_at) == (2, now, now)


def test_a_compiled_update_says_that_no_row_has_changed() -> None:
    assert completion._COMPLETE.run(row_id=uuid7(), version=1, now=timezone.now()) == 0


def test_a_value_that_the_query_does_not_use_is_an_error() -> None:
    query = CompiledQuery(lambda owner_id: Label.objects.values_list("id"), {"owner_id": ID})
    with pytest.raises(LookupError, match="owner_id"):
        query.rows({"owner_id": uuid7()})


def test_memory_is_bounded_whatever_clients_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_PLANS_MAX", 3)
    query = CompiledQuery(lambda limit: Label.objects.order_by("id").values_list("id")[:limit], {})
    for limit in range(1, 10):
        assert query.rows({}, limit=limit) == []
        assert len(query._plans) <= 3


OWNER, OTHER, NOW = uuid7(), uuid7(), timezone.now()
COMPILED: dict[str, tuple[CompiledQuery, dict[str, Any]]] = {
    "inbox": (locks._LOCK_INBOX, {"user_id": OWNER}),
    "project": (locks._LOCK_NAMED, {"user_id": OWNER, "project_id": OTHER}),
    "last": (ordering._LAST_OUTSIDE_SECTIONS, {"project_id": OTHER}),
    "last in section": (ordering._LAST_IN_SECTION, {"project_id": OTHER, "section_id": OWNER}),
    "links": (locks._LINKS, {"task_id": OTHER}),
    "labels": (task_labels._USABLE, {"user_id": OWNER, "project_id": OTHER, "ids": [OTHER, OWNER, OTHER]}),
}


@pytest.mark.parametrize("name", COMPILED)
def test_every_compiled_query_is_what_the_orm_would_send_today(name: str) -> None:
    query, values = COMPILED[name]
    built = query._build(**values)
    if name == "labels":  # the ORM sends a repeated id once
        assert sorted(query.rows(values)) == sorted(built)
    else:
        assert sent(lambda: query.rows(values)) == sent(lambda: list(built))


def test_a_revoked_token_stops_at_once(alice: Any) -> None:
    assert alice.api.get("/tasks").status_code == 200
    verification.verify(alice.token)
    alice.user.tokens.update(revoked_at=timezone.now() - dt.timedelta(seconds=1))
    assert verification.verify(alice.token) is None
    assert alice.api.get("/tasks").status_code == 401


def listed(owner_id: Any, *, condition: Any = None, limit: int = 5) -> Any:
    rows = Label.objects.visible_to(owner_id)
    return (rows if condition is None else rows.filter(condition)).order_by("id").values_list("id")[:limit]


@pytest.mark.parametrize(
    "condition",
    [
        Q(name="home"),
        Q(name="home") | ~Q(color="%s"),
        ~Q(name__icontains="100% o'clock ('condition' = %s)"),
        Q(Exists(TaskLabel.objects.filter(label=OuterRef("pk")))),
        Q(owner_id__in=[uuid7(), uuid7()]),
        Q(id__in=[]),
        ~Q(id__in=[]),
    ],
)
def test_a_condition_finds_what_the_orm_finds(alice: Any, condition: Q) -> None:
    owner = alice.user.pk
    for name in ("home", "work"):
        alice.api.post("/labels", {"name": name})
    query = CompiledQuery(listed, {"owner_id": ID})
    values = {"owner_id": owner}
    for _ in range(2):  # compiles, and then uses what was compiled
        assert query.rows(values, condition=condition) == list(listed(owner, condition=condition))
    assert len(query.rows(values)) == 2


def test_threads_keep_plans_at_the_same_time() -> None:
    query, plan = CompiledQuery(listed, {"owner_id": ID}), SimpleNamespace(parameters=())

    def keep(thread: int) -> None:
        for number in range(20_000):
            query._keep((thread, number), plan)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            assert [*threads.map(keep, range(8))] == [None] * 8  # raises what a thread raised
    finally:
        sys.setswitchinterval(interval)
    assert len(query._plans) == compiled._PLANS_MAX


def test_a_condition_cannot_join_tables() -> None:
    query = CompiledQuery(listed, {"owner_id": ID})
    with pytest.raises(LookupError, match="use Exists"):
        query.rows({"owner_id": uuid7()}, condition=Q(task_labels__task__title="x"))


def test_a_compiled_condition_finds_what_the_orm_finds(alice: Any) -> None:
    owner = alice.user.pk
    for name in ("home", "work", "garden"):
        alice.api.post("/labels", {"name": name})
    condition = CompiledCondition(Label, lambda *, name: Q(name=name) | Q(color="%s"), {"name": models.CharField()})
    query = CompiledQuery(listed, {"owner_id": ID})
    for name in ("home", "work", "nowhere", "home"):
        found = query.rows({"owner_id": owner}, condition=condition.given({"name": name}))
        assert found == list(listed(owner, condition=Q(name=name)))
    assert len(condition._plans) == 1


def test_a_compiled_condition_may_leave_values_out(alice: Any) -> None:
    alice.api.post("/labels", {"name": "home"})
    query = CompiledQuery(listed, {"owner_id": ID})

    def build(*, name: Any) -> Q:
        return (Q(id__in=[]) & Q(name=name)) | Q(name="home")

    condition = CompiledCondition(Label, build, {"name": models.CharField()})
    assert len(query.rows({"owner_id": alice.user.pk}, condition=condition.given({"name": "x"}))) == 1
