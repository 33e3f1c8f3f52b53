"""Reminders are made when they are due, each once, however the task was changed before."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from tests.conftest import Person
from tests.notifications.stories import DUE, HOUR, before, due, made, post_due, text, tick
from tests.todos.stories import make_project, post_task, share
from todo_project.notifications.models import LogReader, Notification, Scheduled
from todo_project.notifications.services import log, reminders, retention
from todo_project.todos.models import Change, Role, Task

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("watched")]
SECOND = dt.timedelta(seconds=1)
Step = Callable[[Person, dict[str, Any]], Any]


def test_each_reminder_of_a_task_is_made_at_its_time_and_once(alice: Person) -> None:
    post_task(
        alice,
        start=due(DUE - 2 * HOUR),
        due=due(),
        reminders=[{"at": text(DUE - 4 * HOUR)}, before(1, "start"), before(1), before(2)],
    )
    expected = [DUE - 4 * HOUR, DUE - 3 * HOUR, DUE - 2 * HOUR, DUE - HOUR]
    for number, at in enumerate(expected):
        tick(at - SECOND)
        assert made(alice) == expected[:number]
        for _ in range(2):
            tick(at)
            assert made(alice) == expected[: number + 1]
    assert not Scheduled.objects.exists()


def move(who: Person, task: dict[str, Any]) -> None:
    who.api.patch(f"/tasks/{task['id']}", {"due": due(DUE + 3 * HOUR)})


def delete(who: Person, task: dict[str, Any]) -> None:
    assert who.api.delete(f"/tasks/{task['id']}").status_code == 204


def complete(who: Person, task: dict[str, Any]) -> None:
    assert who.api.post(f"/tasks/{task['id']}/complete").status_code == 200


def and_back(step: Step, path: str) -> Step:
    def both(who: Person, task: dict[str, Any]) -> None:
        step(who, task)
        tick()
        assert who.api.post(f"/tasks/{task['id']}/{path}").status_code == 200

    return both


def undo(who: Person, task: dict[str, Any]) -> None:
    move(who, task)
    tick()
    row = who.api.get(f"/tasks/{task['id']}/activity").json()["results"][0]
    assert who.api.post("/undo", {"change_id": row["id"]}).status_code == 200


def write_as_the_release_before(who: Person, task: dict[str, Any]) -> None:
    """Write past all services, like code that does not know of notifications."""
    Task.objects.filter(id=task["id"]).update(due_at=DUE + 3 * HOUR)


def batch(who: Person, task: dict[str, Any]) -> None:
    change = {"method": "PATCH", "path": f"/tasks/{task['id']}", "body": {"due": due(DUE + 3 * HOUR)}}
    assert who.api.post("/batch", {"atomic": True, "operations": [change]}).status_code == 200


def trash_project(who: Person, task: dict[str, Any]) -> None:
    project = make_project(who)
    assert who.api.post(f"/tasks/{task['id']}/move", {"project_id": project["id"]}).status_code == 200
    assert who.api.delete(f"/projects/{project['id']}").status_code == 204


def archive_project(who: Person, task: dict[str, Any]) -> None:
    project = make_project(who)
    who.api.post(f"/tasks/{task['id']}/move", {"project_id": project["id"]})
    assert who.api.patch(f"/projects/{project['id']}", {"is_archived": True}).status_code == 200


# what is done to a task that is due, and the hours from DUE at which its reminders are made then
STEPS: dict[str, tuple[Step, list[int]]] = {
    "title": (lambda who, task: who.api.patch(f"/tasks/{task['id']}", {"title": "Weed"}), [-1]),
    "none": (lambda who, task: who.api.patch(f"/tasks/{task['id']}", {"reminders": []}), []),
    "other": (lambda who, task: who.api.patch(f"/tasks/{task['id']}", {"reminders": [before(2)]}), [-2]),
    "sooner": (lambda who, task: who.api.patch(f"/tasks/{task['id']}", {"due": due(DUE - 4 * HOUR)}), [-5]),
    "later": (move, [2]),
    "release before": (write_as_the_release_before, [2]),
    "batch": (batch, [2]),
    "undo": (undo, [-1]),
    "delete": (delete, []),
    "restore": (and_back(delete, "restore"), [-1]),
    "complete": (complete, []),
    "reopen": (and_back(complete, "reopen"), [-1]),
    "trash project": (trash_project, []),
    "archive project": (archive_project, []),
}


@pytest.mark.parametrize("is_known", [False, True])
def test_a_change_moves_or_ends_the_reminder(alice: Person, is_known: bool) -> None:
    tasks = {name: post_due(alice) for name in STEPS}
    if is_known:
        tick()
    for name, (step, _) in STEPS.items():
        step(alice, tasks[name])
    tick()
    for hour in range(-6, 4):
        tick(DUE + hour * HOUR)
    found = {name: made(alice, task) for name, task in tasks.items()}
    assert found == {name: [DUE + hour * HOUR for hour in hours] for name, (_, hours) in STEPS.items()}


def test_a_change_at_the_last_moment_is_noticed_before_anything_is_made(alice: Person) -> None:
    task = post_due(alice)
    tick()
    complete(alice, task)
    tick(DUE)
    assert made(alice) == []


def test_a_task_that_moves_back_is_not_told_of_twice(alice: Person) -> None:
    task = post_due(alice)
    tick(DUE - HOUR)
    move(alice, task)
    tick()
    alice.api.patch(f"/tasks/{task['id']}", {"due": due()})
    tick(DUE)
    assert made(alice) == [DUE - HOUR]


@pytest.mark.parametrize("path", ["complete", "skip"])
def test_a_series_goes_on_with_the_reminders_of_the_next_task(alice: Person, path: str) -> None:
    day = 24 * HOUR
    task = post_due(alice, recurrence={"rule": "FREQ=DAILY", "mode": "schedule"})
    assert alice.api.post(f"/tasks/{task['id']}/{path}").status_code == 200
    tick()
    tick(DUE + day)
    assert made(alice) == [DUE - HOUR + day]


def test_a_reminder_in_the_past_is_none(alice: Person) -> None:
    past = timezone.now() - HOUR
    post_task(alice, due=due(past), reminders=[before(), {"at": text(past)}])
    tick()
    tick(DUE)
    assert made(alice) == []


def test_an_edit_just_after_the_time_does_not_lose_the_reminder(alice: Person) -> None:
    task = post_task(alice, reminders=[{"at": text(DUE)}])
    tick()
    # as if the clock had passed the reminder before the next tick, and the title was changed after it
    alice.api.patch(f"/tasks/{task['id']}", {"title": "Weed"})
    Change.objects.filter(object_id=task["id"], action="updated").update(at=DUE + SECOND)
    tick(DUE + 2 * SECOND)
    assert made(alice) == [DUE]


def test_a_date_begins_in_the_zone_of_the_owner_wherever_it_moves(alice: Person) -> None:
    day = (DUE + 72 * HOUR).date()
    post_task(alice, due={"date": day.isoformat()}, reminders=[before(1)])
    tick()
    alice.api.patch("/me", {"time_zone": "Pacific/Kiritimati"})  # 14 hours ahead of UTC
    tick()
    midnight = dt.datetime.combine(day, dt.time(), zoneinfo.ZoneInfo("Pacific/Kiritimati"))
    tick(midnight - HOUR - SECOND)
    assert made(alice) == []
    tick(midnight - HOUR)
    assert made(alice) == [midnight - HOUR]


def test_what_is_due_while_no_worker_runs_is_made_late(alice: Person) -> None:
    post_due(alice, reminders=[before(1), before(2)])
    tick(DUE + 20 * HOUR)
    assert made(alice) == [DUE - 2 * HOUR, DUE - HOUR]
    assert {*Notification.objects.values_list("mail_status", flat=True)} == {"pending"}


def test_a_reminder_of_the_day_before_gets_no_mail(alice: Person) -> None:
    post_due(alice)
    tick(DUE + 24 * HOUR)
    assert [*Notification.objects.values_list("mail_status", "mail_at")] == [("missed", None)]


class Killed(Exception):
    """The worker dies here."""


@pytest.mark.parametrize("victim", ["todo_project.notifications.services.schedule.save", "creating.add"])
def test_a_worker_that_dies_in_between_leaves_the_reminder_to_the_next(
    alice: Person, monkeypatch: pytest.MonkeyPatch, victim: str
) -> None:
    post_due(alice)
    name = victim if victim.startswith("todo") else f"todo_project.notifications.services.{victim}"

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(name, die)
        with pytest.raises(Killed):
            tick(DUE)
    tick(DUE)
    assert made(alice) == [DUE - HOUR]


def test_people_it_is_assigned_to_are_reminded_instead_of_the_owner(
    alice: Person, bob: Person, mallory: Person
) -> None:
    project = make_project(alice)
    share(project, bob, Role.EDITOR)
    share(project, mallory)
    post_due(alice, project_id=project["id"], assignees=[str(bob.user.pk)])
    tick(DUE)
    assert (made(alice), made(bob), made(mallory)) == ([], [DUE - HOUR], [])


def test_who_has_left_is_not_reminded(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob, Role.EDITOR)
    post_due(alice, project_id=project["id"], assignees=[str(bob.user.pk)])
    tick()
    assert alice.api.delete(f"/projects/{project['id']}/members/{bob.user.pk}").status_code == 204
    tick(DUE)
    assert (made(alice), made(bob)) == ([DUE - HOUR], [])


def test_a_stranger_on_a_task_of_the_release_before_is_not_reminded(alice: Person, bob: Person) -> None:
    task = post_due(alice)
    Task.objects.get(id=task["id"]).task_assignees.create(user=bob.user)
    tick(DUE)
    assert (made(alice), made(bob)) == ([DUE - HOUR], [])


def test_a_closed_account_is_not_reminded(alice: Person) -> None:
    post_due(alice)
    type(alice.user).objects.update(is_active=False)
    tick(DUE)
    assert made(alice) == []


@pytest.mark.parametrize("how", ["restored", "away for too long", "new"])
def test_a_reader_that_lost_its_place_begins_again(
    alice: Person, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = post_due(alice)
    tick()
    post_due(alice, due=due(DUE - HOUR))
    complete(alice, done)
    Change.objects.all().delete()
    if how == "restored":
        LogReader.objects.update(epoch="another")
    elif how == "away for too long":
        LogReader.objects.update(at=timezone.now() - dt.timedelta(days=91))
    else:
        LogReader.objects.all().delete()
    tick()
    tick(DUE)
    assert made(alice) == [DUE - 2 * HOUR]


def test_the_log_is_read_in_batches_and_each_row_once(alice: Person, django_assert_max_num_queries: Any) -> None:
    for _ in range(3):
        post_due(alice)
    log.follow(now=timezone.now(), batch=2)
    assert Scheduled.objects.count() == 3
    with django_assert_max_num_queries(20) as captured:
        log.follow(now=timezone.now())
    assert not any('notifications_scheduled" (' in query["sql"] for query in captured.captured_queries)


def test_many_tasks_are_handled_in_batches(alice: Person) -> None:
    for _ in range(3):
        post_due(alice)
    log.follow(now=timezone.now())
    reminders.remind(now=DUE, batch=2)
    assert made(alice) == [DUE - HOUR] * 3


def test_old_notifications_and_those_of_purged_tasks_are_deleted(alice: Person) -> None:
    task, _ = post_due(alice), post_due(alice)
    tick(DUE)
    assert Task.objects.filter(id=task["id"]).delete()[0]
    assert retention.purge(now=DUE) == 1
    assert retention.purge(now=DUE + dt.timedelta(days=89)) == 0
    assert retention.purge(now=DUE + dt.timedelta(days=91), batch=1) == 1
    assert not Notification.objects.exists()
