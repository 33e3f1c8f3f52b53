"""Pages that compiled queries read hold what the ORM would read."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from tests.conftest import Person
from tests.todos.stories import make, post_task
from todo_project.api.listing import Resource, struct_for
from todo_project.todos.api.serializers import labels, projects, sections, tasks
from todo_project.todos.models import Label, Project, Section, Task

KINDS = (
    (projects.RESOURCE, Project),
    (sections.RESOURCE, Section),
    (labels.RESOURCE, Label),
    (tasks.RESOURCE, Task),
)
PAGE: dict[str, Any] = {"limit": 2, "cursor": None, "updated_since": None, "include_deleted": False}


@pytest.mark.django_db
@pytest.mark.parametrize(("resource", "model"), KINDS)
@pytest.mark.parametrize("by_time", [False, True])
def test_a_page_holds_the_first_rows_of_its_owner(
    resource: Resource, model: Any, by_time: bool, alice: Person, bob: Person
) -> None:
    for who in (alice, bob):
        project_id = make(who, "projects", name="Home")["id"]
        for name in ("one", "two", "three"):
            make(who, "sections", name=name, project_id=project_id)
            make(who, "labels", name=name)
            post_task(who, title=name)
    since = timezone.now() - dt.timedelta(days=1)
    page = resource.page(PAGE | {"updated_since": since if by_time else None})
    order = ("updated_at", "id") if by_time else ("id",)
    expected = model.objects.filter(owner_id=alice.user.pk).order_by(*order).values_list("id", flat=True)[:3]
    assert [row[0] for row in page.rows(alice.user.pk)] == list(expected)


def test_the_first_conditional_read_of_a_process_fetches_the_version_alone(alice: Person) -> None:
    label = Label.objects.get(id=make(alice, "labels", name="home")["id"])
    struct = struct_for(labels.LabelSerializer)
    columns = (*struct.__struct_fields__, "version")
    resource = Resource(rows=Label.objects.all, columns=columns, struct=struct, shape=lambda row: struct(*row[:-1]))
    assert resource.one(label.pk, is_held=True).rows(alice.user.pk) == [(1,)]
    assert resource.tag(1) == labels.RESOURCE.from_instance(label)[1]


@pytest.mark.django_db
def test_the_same_query_string_is_validated_for_each_list_by_its_own_rules(alice: Person, settings: Any) -> None:
    project_id = make(alice, "projects", name="Home")["id"]
    query = f"project_id={project_id}&limit=4"
    for _ in range(2):
        assert [alice.api.get(f"/{name}?{query}").status_code for name in ("sections", "labels")] == [200, 400]

    settings.PAGE_SIZE_MAX = 3

    assert alice.api.get(f"/sections?{query}").status_code == 400
