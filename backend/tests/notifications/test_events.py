"""People are told of what others do: assign, mention, comment, invite. Each once, and never of their own doings."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from tests.comments.stories import post_comment
from tests.conftest import Person
from tests.notifications.stories import before, due, tick
from tests.todos.stories import make_project, post_task, share
from tests.todos.test_invitations import invite
from todo_project.accounts.models import User
from todo_project.notifications.models import LogReader, Notification
from todo_project.notifications.services import log
from todo_project.todos.models import Change, Role

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("watched")]


@pytest.fixture
def project(alice: Person, bob: Person) -> dict[str, Any]:
    """A project of Alice's that Bob edits."""
    made = make_project(alice)
    share(made, bob, Role.EDITOR)
    return made


def told(who: Person) -> list[tuple[str, str | None]]:
    """Return the kinds of somebody's notifications and who caused them, newest first."""
    for _ in range(2):
        tick()
    rows = who.api.get("/notifications").json()["results"]
    return [(row["kind"], row["actor_id"]) for row in rows]


def of(who: Person) -> str:
    return str(who.user.pk)


def test_who_is_assigned_is_told_once(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    task = post_task(alice, project_id=project["id"], assignees=[of(bob), of(alice)])
    assert told(bob) == [("assignment", of(alice))]
    assert told(alice) == []
    alice.api.patch(f"/tasks/{task['id']}", {"title": "Weed"})
    assert len(told(bob)) == 1
    alice.api.patch(f"/tasks/{task['id']}", {"assignees": []})
    alice.api.patch(f"/tasks/{task['id']}", {"assignees": [of(bob)]})
    assert len(told(bob)) == 2


def test_an_assignment_that_has_ended_is_no_news(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    task = post_task(alice, project_id=project["id"], assignees=[of(bob)])
    alice.api.patch(f"/tasks/{task['id']}", {"assignees": []})
    deleted = post_task(alice, project_id=project["id"], assignees=[of(bob)])
    alice.api.delete(f"/tasks/{deleted['id']}")
    assert told(bob) == []
    assert not Notification.objects.exists()


def test_the_next_task_of_a_series_is_no_news(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    series = {"due": {"date": "2030-01-07"}, "recurrence": {"rule": "FREQ=DAILY"}}
    task = post_task(alice, project_id=project["id"], assignees=[of(bob)], **series)
    assert len(told(bob)) == 1
    alice.api.post(f"/tasks/{task['id']}/complete")
    assert len(told(bob)) == 1


def test_a_comment_tells_those_who_take_part_and_those_it_mentions(
    alice: Person, bob: Person, mallory: Person, project: dict[str, Any]
) -> None:
    share(project, mallory, Role.COMMENTER)
    task = post_task(alice, project_id=project["id"])
    post_comment(bob, task)
    assert told(alice) == [("comment", of(bob))]
    assert (told(bob), told(mallory)) == ([], [])
    comment = post_comment(alice, task, mentions=[of(mallory)])
    assert told(bob) == [("comment", of(alice))]
    assert told(mallory) == [("mention", of(alice))]
    assert len(told(alice)) == 1
    alice.api.patch(f"/comments/{comment['id']}", {"mentions": [of(mallory), of(bob)], "text": "Both"})
    assert told(bob) == [("mention", of(alice)), ("comment", of(alice))]
    assert len(told(mallory)) == 1
    alice.api.patch(f"/comments/{comment['id']}", {"text": "Again"})
    assert (len(told(bob)), len(told(mallory))) == (2, 1)


def test_a_comment_that_is_gone_is_no_news(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    task, other = (post_task(alice, project_id=project["id"]) for _ in range(2))
    comment = post_comment(bob, task)
    bob.api.delete(f"/comments/{comment['id']}")
    post_comment(bob, other)
    alice.api.delete(f"/tasks/{other['id']}")
    assert told(alice) == []
    assert not Notification.objects.exists()


def test_who_has_left_is_told_nothing(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    task = post_task(alice, project_id=project["id"])
    post_comment(bob, task)
    tick()
    alice.api.delete(f"/projects/{project['id']}/members/{of(bob)}")
    post_comment(alice, task)
    tick()
    assert not Notification.objects.filter(user=bob.user).exists()


def test_who_is_invited_is_told_without_another_mail(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    invitation = invite(alice, project).json()
    assert told(bob) == [("invitation", of(alice))]
    [row] = bob.api.get("/notifications").json()["results"]
    assert (row["invitation_id"], row["task_id"], row["title"]) == (invitation["id"], None, None)
    assert Notification.objects.get().mail_status == ""
    alice.api.delete(f"/invitations/{invitation['id']}")
    assert told(bob) == []
    Notification.objects.all().delete()
    invite(alice, project, email="nobody@example.org")
    invite(alice, project)
    assert told(bob) == [("invitation", of(alice))]


def test_an_address_that_is_not_proved_shows_no_invitation(alice: Person, bob: Person, settings: Any) -> None:
    settings.INVITATIONS_NEED_PROOF = True
    invite(alice, make_project(alice))
    assert told(bob) == []
    User.objects.filter(pk=bob.user.pk).update(email_proved_at=timezone.now())
    assert told(bob) == [("invitation", of(alice))]


def test_a_mail_follows_the_choice_of_its_reader(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    task = post_task(alice, project_id=project["id"], assignees=[of(bob)])
    post_comment(alice, task)
    tick()
    assert {*Notification.objects.values_list("kind", "mail_status")} == {
        ("assignment", "pending"),
        ("comment", ""),
    }


def test_news_of_the_day_before_gets_no_mail(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    post_task(alice, project_id=project["id"], assignees=[of(bob)])
    tick(timezone.now() + dt.timedelta(days=2))
    assert Notification.objects.get().mail_status == "missed"


def test_rows_that_are_read_again_tell_nobody_again(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    task = post_task(alice, project_id=project["id"], assignees=[of(bob)], due=due(), reminders=[before()])
    post_comment(alice, task, mentions=[of(bob)])
    at = LogReader.objects.get()
    for _ in range(2):
        log.follow(now=timezone.now(), batch=1)
        LogReader.objects.update(xid=at.xid, row_id=at.row_id)
    assert sorted(kind for kind, _ in told(bob)) == ["assignment", "mention"]
    assert Change.objects.exists()
