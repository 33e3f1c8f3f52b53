"""Tasks into the trash and back."""

from __future__ import annotations

from tests.conftest import Person
from tests.todos.stories import alive, make_project, make_section, make_task, post_task


def test_what_is_deleted_is_gone_and_comes_back_with_its_subtasks(alice: Person) -> None:
    parent = post_task(alice)
    child = post_task(alice, parent_id=parent["id"])
    earlier = post_task(alice, parent_id=parent["id"])
    ids = (parent["id"], child["id"], earlier["id"])
    assert alice.api.delete(f"/tasks/{earlier['id']}").status_code == 204
    for _ in range(2):
        assert alice.api.delete(f"/tasks/{parent['id']}").status_code == 204
    assert alive(*ids) == [False, False, False]
    assert alice.api.get(f"/tasks/{child['id']}").status_code == 404
    assert alice.api.get("/tasks").json()["results"] == []
    trashed = alice.api.get("/tasks?include_deleted=true").json()["results"]
    assert len({task["deleted_at"] for task in trashed}) == 2
    restored = alice.api.post(f"/tasks/{parent['id']}/restore")
    assert (restored.status_code, restored.json()["deleted_at"]) == (200, None)
    assert alive(*ids) == [True, True, False]
    again = alice.api.post(f"/tasks/{parent['id']}/restore")
    assert (again.status_code, again["ETag"]) == (200, restored["ETag"])


def test_what_never_existed_is_not_deleted(alice: Person) -> None:
    assert alice.api.delete("/tasks/019aaaaa-0000-7000-8000-000000000000").status_code == 404


def test_what_is_in_the_trash_can_only_be_restored(alice: Person) -> None:
    task = post_task(alice)
    alice.api.delete(f"/tasks/{task['id']}")
    for action in ("complete", "reopen", "move"):
        assert alice.api.post(f"/tasks/{task['id']}/{action}").status_code == 404


def test_a_task_comes_back_without_what_is_still_in_the_trash(alice: Person) -> None:
    section = make_section(alice, make_project(alice))
    parent = post_task(alice, section_id=section["id"])
    child = post_task(alice, parent_id=parent["id"])
    grandchild = post_task(alice, parent_id=child["id"])
    alice.api.delete(f"/tasks/{child['id']}")
    alice.api.delete(f"/tasks/{parent['id']}")
    alice.api.delete(f"/sections/{section['id']}")
    restored = alice.api.post(f"/tasks/{child['id']}/restore").json()
    assert (restored["parent_id"], restored["section_id"]) == (None, None)
    below = alice.api.get(f"/tasks/{grandchild['id']}").json()
    assert (below["parent_id"], below["section_id"]) == (child["id"], None)


def test_a_task_does_not_come_back_into_a_project_in_the_trash(alice: Person) -> None:
    project = make_project(alice)
    task = post_task(alice, project_id=project["id"])
    alice.api.delete(f"/projects/{project['id']}")
    answer = alice.api.post(f"/tasks/{task['id']}/restore")
    assert answer.status_code == 409
    assert project["id"] in answer.json()["detail"]
    alice.api.post(f"/projects/{project['id']}/restore")
    assert alive(task["id"]) == [True]


def test_a_task_does_not_come_back_beside_its_own_second_import(alice: Person) -> None:
    project = make_project(alice)
    old = make_task(alice, project_id=project["id"], uid="u1")
    alice.api.delete(f"/tasks/{old.id}")
    make_task(alice, project_id=project["id"], uid="u1")
    assert alice.api.post(f"/tasks/{old.id}/restore").status_code == 409


def test_a_task_does_not_move_to_its_own_second_import(alice: Person) -> None:
    one, other = make_project(alice), make_project(alice)
    task = make_task(alice, project_id=one["id"], uid="u1")
    make_task(alice, project_id=other["id"], uid="u1")
    assert alice.api.patch(f"/tasks/{task.id}", {"project_id": other["id"]}).status_code == 409
