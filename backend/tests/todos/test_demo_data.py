"""The demo account is there once, and only where nobody is harmed."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.conftest import Api, Person
from todo_project.accounts.models import User
from todo_project.todos.models import Label, Project, Section, Task


def output_of(*arguments: str) -> str:
    """Run the command and give what it says."""
    out = io.StringIO()
    call_command("demo_data", *arguments, stdout=out)
    return out.getvalue()


def test_the_demo_account_opens_the_api_and_the_admin(anonymous: Api) -> None:
    said = output_of("--if-empty")
    assert "demo@example.org / demo-password" in said
    answer = anonymous.post("/auth/login", {"email": "demo@example.org", "password": "demo-password"})
    assert answer.status_code == 200
    api = Api(answer.json()["token"])
    for kind in ("projects", "sections", "labels", "tasks"):
        assert len(api.get(f"/{kind}?limit=200").json()["results"]) >= 5
    user = User.objects.get(email="demo@example.org")
    assert user.is_staff
    assert user.is_superuser


def test_there_is_something_of_everything(db: None) -> None:
    output_of()
    assert Project.objects.exclude(parent=None).exists()
    assert Project.objects.filter(is_archived=True).count() == 1
    assert Section.objects.exists()
    assert Label.objects.filter(tasks__isnull=False).exists()
    assert Task.objects.exclude(parent=None).exists()
    assert Task.objects.exclude(recurrence_rule="").exists()
    assert Task.objects.completed().exists()
    assert Task.objects.exclude(due_at=None).exists()
    assert Task.objects.exclude(due_date=None).exists()


def test_a_second_run_creates_nothing(db: None) -> None:
    output_of()
    before = Task.objects.count()
    assert "already exists" in output_of()
    assert "already exists" in output_of("--if-empty")
    assert Task.objects.count() == before


def test_if_empty_creates_nothing_beside_other_accounts(alice: Person) -> None:
    assert "No demo data was created" in output_of("--if-empty")
    assert not Task.objects.exists()


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_it_refuses_staging_and_production(db: None, settings: Any, environment: str) -> None:
    settings.ENVIRONMENT = environment
    with pytest.raises(CommandError, match=environment):
        output_of()
    assert not User.objects.exists()
