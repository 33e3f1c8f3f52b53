"""Rows that a release before left behind are mended before the constraints come."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any
from unittest import mock

import pytest
from django.core.management import call_command
from django.core.management.sql import emit_pre_migrate_signal
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import TransactionTestCase
from django.utils import timezone

from todo_project.todos.models import TaskLabel

BEFORE = [("todos", "0002_task_open")]
AFTER = [("todos", "0005_indexes")]


class Earlier(TransactionTestCase):
    """A database with the schema of an earlier release."""

    before = BEFORE
    after = AFTER

    def setUp(self) -> None:
        # as the command migrate does: the triggers of SQLite, which name columns, are dropped
        emit_pre_migrate_signal(verbosity=0, interactive=False, db="default")
        executor = MigrationExecutor(connection)
        executor.migrate(self.before)
        apps = executor.loader.project_state([*self.before, *_users(executor)]).apps
        self.model = lambda name: apps.get_model("accounts" if name == "User" else "todos", name)
        self.owner = self.model("User").objects.create(
            email="alice@example.org", created_at=timezone.now(), updated_at=timezone.now()
        )
        self.inbox = self.make("Project", name="Inbox", is_inbox=True)
        self.garden, self.house = self.make("Project", name="Garden"), self.make("Project", name="House")

    def tearDown(self) -> None:
        call_command("migrate", verbosity=0)

    def make(self, kind: str, **values: Any) -> Any:
        now = timezone.now()
        if kind != "Label":
            values = {"position": "i1", **values}
        return self.model(kind).objects.create(owner=self.owner, created_at=now, updated_at=now, **values)

    def migrate(self, to: list[tuple[str, str]] | None = None) -> None:
        MigrationExecutor(connection).migrate(to or self.after)

    def found(self, row: Any) -> Any:
        return type(row).objects.get(id=row.id)


class TestMendingRows(Earlier):
    def test_rows_are_mended(self) -> None:
        """Go there and back once for all stories, because that takes seconds."""
        stories = {each: getattr(self, each)() for each in ("repaired", "places", "values", "positions", "uids")}
        for story in stories.values():
            next(story)
        self.migrate()
        for name, story in stories.items():
            with self.subTest(name):
                assert next(story, None) is None

    def repaired(self) -> Iterator[None]:
        """What is repaired meanwhile is kept."""
        module: Any = import_module("todo_project.todos.migrations.0003_mend_rows")
        batches, tasks = module.batches, self.model("Task").objects
        task = self.make("Task", project=self.garden, title="")

        def repaired_meanwhile(rows: Any) -> Any:
            for ids in batches(rows):
                tasks.filter(id__in=ids).update(title="Dig")
                yield ids

        with mock.patch.object(module, "batches", repaired_meanwhile):
            module.update(tasks.filter(title=""), title="Untitled")
            tasks.update(title="")
            module.change(tasks.filter(title=""), lambda row: {"title": "Untitled"})
        yield
        assert (self.found(task).title, self.found(task).version) == ("Dig", 1)

    def places(self) -> Iterator[None]:
        now = timezone.now()
        gone = self.make("Project", name="Gone", deleted_at=now)
        section = self.make("Section", project=self.garden, name="Spring")
        trashed = self.make("Section", project=self.garden, name="Autumn", deleted_at=now)
        task = lambda **values: self.make("Task", title="Dig", **{"project": self.garden, **values})  # noqa: E731
        dead = task(deleted_at=now)
        parent = task(section=section)
        below_dead, elsewhere, other_project = (
            task(parent=dead),
            task(parent=parent),
            task(parent=parent, project=self.house, section=None),
        )
        good = task(parent=parent, section=section)
        in_trashed_section, in_wrong_section = task(section=trashed), task(project=self.house, section=section)
        lost = task(project=gone, uid="a")
        sub_project = self.make("Project", name="Sub", parent=gone)
        lost_section = self.make("Section", project=gone, name="Lost")
        yield
        for orphan in (below_dead, elsewhere, other_project):
            assert self.found(orphan).parent_id is None
            assert self.found(orphan).version > 1
        assert self.found(good).parent_id == parent.id
        for row in (in_trashed_section, in_wrong_section):
            assert self.found(row).section_id is None
        assert self.found(lost).project_id == self.inbox.id
        assert self.found(sub_project).parent_id is None
        assert self.found(lost_section).deleted_at == now

    def values(self) -> Iterator[None]:
        archived = self.inbox
        archived.is_archived = True
        archived.save()
        project = self.make("Project", name="", color="banana", position="z0")
        label, named = (
            self.make("Label", name="", color="#ABCDEF"),
            self.make("Label", name="home", color="#abcdef"),
        )
        task = self.make("Task", project=self.garden, title="", recurrence_mode="schedule", position="Z\n")
        yield
        mended = self.found(project)
        assert (mended.name, mended.color, mended.position[-1] != "0", mended.version > 1) == (
            "Untitled",
            "",
            True,
            True,
        )
        assert self.found(label).color == "#abcdef"
        assert self.found(label).name.startswith("Untitled")
        assert self.found(named).version == 1
        assert (self.found(task).title, self.found(task).recurrence_mode) == ("Untitled", "")
        assert not self.found(archived).is_archived

    def positions(self) -> Iterator[None]:
        tasks, project = self.model("Task").objects, self.make("Project", name="Many")
        now = timezone.now()
        values = {"owner": self.owner, "project": project, "position": "i1", "created_at": now, "updated_at": now}
        tied = tasks.bulk_create(tasks.model(title=str(n), **values) for n in range(1100))
        last = self.make("Task", project=project, title="last", position="i2")
        yield
        ordered = list(tasks.filter(project=project).order_by("position").values_list("id", "position"))
        assert [id_ for id_, _ in ordered] == [row.id for row in [*tied, last]]
        assert len({position for _, position in ordered}) == 1101
        assert self.found(tied[0]).version == self.found(last).version == 1

    def uids(self) -> Iterator[None]:
        """A task out of the trash keeps its uid, unless the Inbox has it."""
        now = timezone.now()
        gone = [self.make("Project", name="Gone", deleted_at=now) for _ in range(2)]
        self.make("Task", project=self.inbox, title="Dig", uid="taken")
        self.make("Task", project=self.inbox, title="Dig", uid="trashed", deleted_at=now)
        lost = [
            self.make("Task", project=project, title="Dig", uid=uid)
            for project, uid in zip([*gone, *gone], ["taken", "twice", "twice", "trashed"], strict=False)
        ]
        yield
        assert [self.found(task).project_id for task in lost] == [self.inbox.id] * 4
        assert [self.found(task).uid for task in lost] == ["", "twice", "", "trashed"]

    @pytest.mark.postgres
    def test_what_the_release_before_writes_between_the_migrations(self) -> None:
        self.migrate([("todos", "0003_mend_rows")])
        rows = [
            self.make("Project", name="", color="banana", position="z0"),
            self.make("Section", project=self.garden, name="", position="Z"),
            self.make("Label", name="", color="#ABCDEF"),
            self.make("Task", project=self.garden, title="", recurrence_mode="schedule", position=""),
        ]
        self.inbox.is_archived, self.inbox.color, self.inbox.name = True, "red", ""
        self.inbox.save()
        self.migrate()
        assert [self.found(row).version for row in [*rows, self.inbox]] == [2] * 5


class TestMissingParents(Earlier):
    before = [("todos", "0009_task_missing_parent_uid")]
    after = [("todos", "0010_task_missing_parent")]

    def test_the_parents_that_components_name_are_found(self) -> None:
        parent = self.make("Task", title="Dig", project=self.garden)
        named = {
            "RELATED-TO:p": "p",
            "related-to;reltype=parent: p ": "p",
            "RELATED-TO;RELTYPE=CHILD:c\r\nRELATED-TO:p": "p",
            "RELATED-TO;RELTYPE=SIBLING:s": "",
            "SUMMARY:RELATED-TO:p": "",
            "RELATED-TO:" + "p" * 300: "",
        }
        tasks = {
            lines: self.make("Task", title="Dig", project=self.garden, ical=f"BEGIN:VTODO\r\n{lines}\r\nEND:VTODO")
            for lines in named
        }
        child = self.make("Task", title="Dig", project=self.garden, parent=parent, ical="RELATED-TO:p")
        self.migrate()
        assert {lines: self.found(row).missing_parent_uid for lines, row in tasks.items()} == named
        assert self.found(child).missing_parent_uid == ""


class TestProjectsOfLabels(Earlier):
    before = [("todos", "0024_change_in_order")]
    after = [("todos", "0026_keep_task_label_project")]

    def test_labels_have_the_projects_of_their_tasks(self) -> None:
        tasks = [self.make("Task", title="Dig", project=each) for each in (self.garden, self.house)]
        label = self.make("Label", name="home")
        self.model("TaskLabel").objects.bulk_create(
            self.model("TaskLabel")(task=each, label=label) for each in tasks
        )
        self.migrate()
        call_command("migrate", verbosity=0)
        links = TaskLabel.objects.order_by("id")
        assert list(links.values_list("task_id", "project_id")) == [(each.id, each.project_id) for each in tasks]
        # and from then on, whoever writes
        tasks[0].project = self.house
        tasks[0].save()
        self.model("TaskLabel").objects.filter(task=tasks[1]).delete()
        self.model("TaskLabel").objects.create(task=tasks[1], label=label)
        assert set(links.values_list("project_id", flat=True)) == {self.house.id}


def _users(executor: MigrationExecutor) -> list[tuple[str, str]]:
    return [node for node in executor.loader.graph.leaf_nodes() if node[0] == "accounts"]
