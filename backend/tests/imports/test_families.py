"""Subtasks in files: parents before or after their children, and where they may be."""

from __future__ import annotations

import pytest

from tests.imports.calendars import calendar, todo
from tests.imports.stories import counts, imported, task
from tests.todos.stories import make_section, updated
from todo_project.imports.services import writing
from todo_project.todos.models import Task

pytestmark = pytest.mark.django_db


class TestFamilies:
    def test_a_parent_may_come_later_in_the_file(self, alice):
        imported(alice, calendar(todo("RELATED-TO:p", uid="c"), todo("RELATED-TO:g", uid="p"), todo(uid="g")))
        assert task(alice, "c")["parent_id"] == task(alice, "p")["id"]
        assert task(alice, "p")["parent_id"] == task(alice, "g")["id"]

    def test_a_parent_may_be_in_the_project_already_and_gives_its_section(self, alice):
        imported(alice, calendar(todo(uid="p")))
        parent = task(alice, "p")
        section = alice.api.post("/sections", {"name": "Soon", "project_id": parent["project_id"]}).json()["id"]
        assert alice.api.patch(f"/tasks/{parent['id']}", {"section_id": section}).status_code == 200
        report = imported(alice, calendar(todo("RELATED-TO:p", uid="c"), todo("RELATED-TO:c", uid="d")))
        assert report["unsupported"] == []
        assert task(alice, "c")["parent_id"] == parent["id"]
        assert [task(alice, uid)["section_id"] for uid in ("c", "d")] == [section, section]

    @pytest.mark.parametrize("again", [False, True])
    def test_a_parent_may_come_with_a_later_file(self, alice, again):
        report = imported(alice, calendar(todo("RELATED-TO:p", uid="c")))
        assert [each["property"] for each in report["unsupported"]] == ["RELATED-TO"]
        if again:
            assert counts(imported(alice, calendar(todo("RELATED-TO:p", uid="c")))) == (0, 0, 1)
        imported(alice, calendar(todo(uid="p")))
        assert task(alice, "c")["parent_id"] == task(alice, "p")["id"]

    def test_only_the_newest_tasks_without_a_parent_are_searched(self, alice, monkeypatch):
        monkeypatch.setattr(writing, "MAX_ORPHANS", 1)
        imported(alice, calendar(todo("RELATED-TO:p", uid="older"), todo("RELATED-TO:p", uid="newer")))
        imported(alice, calendar(todo(uid="p")))
        assert task(alice, "older")["parent_id"] is None
        assert task(alice, "newer")["parent_id"] == task(alice, "p")["id"]

    def test_a_parent_that_is_no_longer_named_is_not_waited_for(self, alice):
        imported(alice, calendar(todo("RELATED-TO:p", uid="c"), todo("RELATED-TO:q", uid="d")))
        imported(alice, calendar(todo(uid="c"), todo("RELATED-TO:r", uid="d")))
        imported(alice, calendar(*[todo(uid=uid) for uid in "pqr"]))
        assert task(alice, "c")["parent_id"] is None
        assert task(alice, "d")["parent_id"] == task(alice, "r")["id"]
        assert set(Task.objects.values_list("missing_parent_uid", flat=True)) == {""}

    def test_a_changed_parent_moves_the_task(self, alice):
        imported(alice, calendar(todo(uid="p"), todo(uid="q"), todo("RELATED-TO:p", uid="c")))
        imported(alice, calendar(todo("RELATED-TO:q", uid="c")))
        assert task(alice, "c")["parent_id"] == task(alice, "q")["id"]
        imported(alice, calendar(todo(uid="c")))
        assert task(alice, "c")["parent_id"] is None
        report = imported(alice, calendar(todo("RELATED-TO:nowhere", uid="c")))
        assert [each["property"] for each in report["unsupported"]] == ["RELATED-TO"]

    def test_a_circle_is_opened_and_named(self, alice):
        data = calendar(*[todo(f"RELATED-TO:{above}", uid=uid) for uid, above in ("ab", "bc", "ca")])
        report = imported(alice, data)
        assert report["created"] == 3
        assert [each["property"] for each in report["unsupported"]] == ["RELATED-TO"]
        report = imported(alice, calendar(todo("RELATED-TO:a", uid="b", summary="Changed")))
        assert counts(report) == (0, 1, 0)

    def test_what_nests_too_deep_begins_anew_and_is_named(self, alice):
        report = imported(
            alice, calendar(*[todo(f"RELATED-TO:{n + 1}", uid=f"{n}") for n in range(25)], todo(uid="25"))
        )
        assert report["created"] == 26
        assert [each["property"] for each in report["unsupported"]] == ["RELATED-TO"] * 2
        for number in (0, 15, 16, 24):
            assert alice.api.patch(f"/tasks/{task(alice, str(number))['id']}", {"title": "x"}).status_code == 200

    def test_tasks_of_two_files_nest_no_deeper_than_those_of_one(self, alice):
        imported(alice, calendar(*[todo(f"RELATED-TO:{n + 1}", uid=f"{n}") for n in range(9)], todo(uid="9")))
        report = imported(alice, calendar(todo("RELATED-TO:0", uid="x"), todo("RELATED-TO:1", uid="y")))
        assert [(each["uid"], each["property"]) for each in report["unsupported"]] == [("x", "RELATED-TO")]
        assert task(alice, "y")["parent_id"] == task(alice, "1")["id"]
        report = imported(alice, calendar(todo("RELATED-TO:0", uid="y")))
        assert [(each["uid"], each["property"]) for each in report["unsupported"]] == [("y", "RELATED-TO")]
        assert task(alice, "y")["parent_id"] == task(alice, "1")["id"]


class TestPlaces:
    """A subtask is in its parent's project and section, and never under something in the trash."""

    @pytest.fixture
    def garden(self, alice):
        return alice.api.post("/projects", {"name": "Garden"}).json()["id"]

    def test_another_parent_takes_the_whole_family_to_its_section(self, alice):
        imported(alice, calendar(todo(uid="p"), todo(uid="c"), todo("RELATED-TO:c", uid="g")))
        parent = task(alice, "p")
        section = make_section(alice, {"id": parent["project_id"]})["id"]
        alice.api.patch(f"/tasks/{parent['id']}", {"section_id": section})
        grandchild = task(alice, "g")
        assert counts(imported(alice, calendar(todo("RELATED-TO:p", uid="c")))) == (0, 1, 0)
        assert [task(alice, uid)["section_id"] for uid in "pcg"] == [section] * 3
        assert updated(task(alice, "g")) > updated(grandchild)
        imported(alice, calendar(todo(uid="c")))
        assert [(task(alice, uid)["section_id"], task(alice, uid)["parent_id"] is None) for uid in "pcg"] == [
            (section, True), (section, True), (section, False)
        ]  # fmt: skip

    def test_a_task_that_comes_to_a_section_is_behind_the_others_there(self, alice):
        imported(alice, calendar(todo(uid="p"), todo(uid="c"), todo(uid="d")))
        parent = task(alice, "p")
        section = make_section(alice, {"id": parent["project_id"]})["id"]
        alice.api.patch(f"/tasks/{parent['id']}", {"section_id": section})
        imported(alice, calendar(todo("RELATED-TO:p", uid="c"), todo("RELATED-TO:p", uid="d")))
        positions = [task(alice, uid)["position"] for uid in "pcd"]
        assert positions == sorted(set(positions))

    def test_a_parent_and_its_child_can_change_places(self, alice):
        imported(alice, calendar(todo(uid="a"), todo("RELATED-TO:a", uid="b")))
        report = imported(alice, calendar(todo("RELATED-TO:b", uid="a"), todo(uid="b")))
        assert (counts(report), report["unsupported"]) == ((0, 2, 0), [])
        assert task(alice, "a")["parent_id"] == task(alice, "b")["id"]
        assert task(alice, "b")["parent_id"] is None

    def test_a_task_in_the_trash_is_nobody_s_parent(self, alice):
        imported(alice, calendar(todo(uid="p"), todo(uid="c")))
        alice.api.delete(f"/tasks/{task(alice, 'p')['id']}")
        report = imported(alice, calendar(todo("RELATED-TO:p", uid="c"), todo("RELATED-TO:p", uid="n")))
        assert sorted(each["uid"] for each in report["unsupported"]) == ["c", "n"]
        assert [task(alice, uid)["parent_id"] for uid in "cn"] == [None, None]

    def test_a_new_task_follows_its_parent_to_another_project(self, alice, garden):
        imported(alice, calendar(todo(uid="p")))
        alice.api.patch(f"/tasks/{task(alice, 'p')['id']}", {"project_id": garden})
        imported(alice, calendar(todo("RELATED-TO:c", uid="g"), todo("RELATED-TO:p", uid="c")))
        assert [task(alice, uid)["project_id"] for uid in "cg"] == [garden] * 2
        assert task(alice, "c")["parent_id"] == task(alice, "p")["id"]

    def test_but_not_to_an_archived_one(self, alice, garden):
        imported(alice, calendar(todo(uid="p")))
        alice.api.patch(f"/tasks/{task(alice, 'p')['id']}", {"project_id": garden})
        alice.api.patch(f"/projects/{garden}", {"is_archived": True})
        report = imported(alice, calendar(todo("RELATED-TO:p", uid="c")))
        assert [each["property"] for each in report["unsupported"]] == ["RELATED-TO"]
        assert (task(alice, "c")["project_id"] == garden, task(alice, "c")["parent_id"]) == (False, None)

    def test_a_changed_task_stays_in_its_project_whatever_its_parent_s_is(self, alice, garden):
        imported(alice, calendar(todo(uid="p"), todo(uid="c")))
        alice.api.patch(f"/tasks/{task(alice, 'p')['id']}", {"project_id": garden})
        report = imported(alice, calendar(todo("RELATED-TO:p", uid="c")))
        assert "another project" in report["unsupported"][0]["detail"]
        assert task(alice, "c")["parent_id"] is None
