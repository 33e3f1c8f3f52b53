"""Quiet hours and the digest follow the clock of the person, also where it is set back or forward."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core import mail

from tests.conftest import Person
from tests.notifications.stories import tell
from tests.todos.stories import make_project, pointers, post_task, share
from todo_project.accounts.models import User
from todo_project.notifications.models import Notification
from todo_project.notifications.services import digests, hours, sending
from todo_project.todos.models import Role

pytestmark = pytest.mark.django_db
LATEST = dt.timedelta(hours=3)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def clock(text: str) -> dt.time:
    return dt.time.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "start", "end", "now", "until"),
    [
        ("Asia/Shanghai", "22:00", "07:00", "2030-01-07T13:59", None),
        ("Asia/Shanghai", "22:00", "07:00", "2030-01-07T14:00", "2030-01-07T23:00"),
        ("Asia/Shanghai", "22:00", "07:00", "2030-01-07T22:59", "2030-01-07T23:00"),
        ("Asia/Shanghai", "22:00", "07:00", "2030-01-07T23:00", None),
        ("UTC", "13:00", "15:00", "2030-01-07T14:00", "2030-01-07T15:00"),
        ("UTC", "13:00", "15:00", "2030-01-07T15:00", None),
        ("UTC", "00:00", "06:00", "2030-01-07T00:00", "2030-01-07T06:00"),
        # the night in which Berlin's clocks skip from 02:00 to 03:00, and the one in which they go back
        ("Europe/Berlin", "22:00", "07:00", "2030-03-30T22:00", "2030-03-31T05:00"),
        ("Europe/Berlin", "22:00", "07:00", "2030-10-26T21:00", "2030-10-27T06:00"),
        ("Europe/Berlin", "22:00", "02:30", "2030-03-30T22:00", "2030-03-31T00:30"),
        # 02:10 for the second time: the first 02:30 is over
        ("Europe/Berlin", "22:00", "02:30", "2030-10-27T01:10", "2030-10-27T01:30"),
    ],
)
def test_quiet_hours_end_by_the_clock_of_the_person(
    zone: str, start: str, end: str, now: str, until: str | None
) -> None:
    user = User(time_zone=zone, quiet_start=clock(start), quiet_end=clock(end))
    assert hours.quiet_until(user, utc(now)) == (None if until is None else utc(until))


def test_without_quiet_hours_nothing_waits() -> None:
    assert hours.quiet_until(User(time_zone="UTC"), utc("2030-01-07T00:00")) is None


@pytest.mark.parametrize(
    ("zone", "at", "now", "day"),
    [
        ("Asia/Shanghai", "08:00", "2030-01-06T23:59", None),
        ("Asia/Shanghai", "08:00", "2030-01-07T00:00", "2030-01-07"),
        ("Asia/Shanghai", "08:00", "2030-01-07T02:59", "2030-01-07"),
        ("Asia/Shanghai", "08:00", "2030-01-07T03:00", None),
        ("UTC", "23:30", "2030-01-08T00:10", "2030-01-07"),
        ("Europe/Berlin", "02:30", "2030-03-31T00:29", None),
        ("Europe/Berlin", "02:30", "2030-03-31T00:30", "2030-03-31"),
    ],
)
def test_a_digest_is_due_by_the_clock_of_the_person(zone: str, at: str, now: str, day: str | None) -> None:
    found = hours.day_of_digest(zone, clock(at), utc(now), latest=LATEST)
    assert found == (None if day is None else dt.date.fromisoformat(day))


def test_a_mail_waits_for_the_end_of_the_quiet_hours(alice: Person) -> None:
    answer = alice.api.patch(
        "/me", {"quiet_hours": {"start": "22:00", "end": "07:00"}, "time_zone": "Asia/Shanghai"}
    )
    assert answer.json()["quiet_hours"] == {"start": "22:00", "end": "07:00"}
    night, morning = utc("2030-01-07T15:00"), utc("2030-01-07T23:00")
    row = tell(alice, post_task(alice), mail_status="pending", mail_at=night)
    sending.send_waiting(clock=lambda: night)
    row.refresh_from_db()
    assert (row.mail_at, row.mail_attempts, mail.outbox) == (morning, 0, [])
    assert alice.api.get("/notifications/count").json() == {"unread": 1}
    sending.send_waiting(clock=lambda: morning)
    assert len(mail.outbox) == 1


def test_quiet_hours_are_merged_and_checked(alice: Person) -> None:
    assert pointers(alice.api.patch("/me", {"quiet_hours": {"start": "22:00"}})) == ["/quiet_hours/end"]
    assert alice.api.patch("/me", {"quiet_hours": {"start": "22:00", "end": "07:00"}}).status_code == 200
    assert alice.api.patch("/me", {"quiet_hours": {"start": "23:00"}}).json()["quiet_hours"] == {
        "start": "23:00",
        "end": "07:00",
    }
    assert pointers(alice.api.patch("/me", {"quiet_hours": {"start": "07:00"}})) == ["/quiet_hours/end"]
    for bad in ("7:00", "24:00", "07:60", "07:00:00", "٠٧:٠٠", ""):
        assert {*pointers(alice.api.patch("/me", {"digest_at": bad}))} == {"/digest_at"}
        assert {*pointers(alice.api.patch("/me", {"quiet_hours": {"start": bad}}))} == {"/quiet_hours/start"}
    assert alice.api.patch("/me", {"quiet_hours": None}).json()["quiet_hours"] is None
    assert alice.api.patch("/me", {"digest_at": "00:00"}).json()["digest_at"] == "00:00"


MORNING = utc("2030-01-07T08:00")


def digest(now: dt.datetime = MORNING) -> list[Any]:
    """Make and send the digests that are due, and return their mails."""
    before = len(mail.outbox)
    digests.create(now=now)
    sending.send_waiting(clock=lambda: now)
    return mail.outbox[before:]


def test_the_digest_has_the_tasks_of_today_and_what_is_overdue(alice: Person, bob: Person) -> None:
    alice.api.patch("/me", {"digest_at": "08:00", "time_zone": "UTC"})
    project = make_project(alice)
    share(project, bob, Role.EDITOR)
    post_task(alice, title="Due & today", due={"date": "2030-01-07"})
    post_task(alice, title="This evening", due={"at": "2030-01-07T23:30:00Z", "time_zone": None})
    post_task(alice, title="Late", due={"date": "2029-12-31"})
    post_task(alice, title="Tomorrow", due={"date": "2030-01-08"})
    done = post_task(alice, title="Done", due={"date": "2030-01-07"})
    alice.api.post(f"/tasks/{done['id']}/complete")
    of_bob = {"project_id": project["id"], "assignees": [str(bob.user.pk)], "due": {"date": "2030-01-07"}}
    post_task(alice, title="Of Bob", **of_bob)
    [message] = digest()
    assert message.to == ["alice@example.org"]
    assert message.subject == "Mon, 7 Jan 2030: 3 tasks"
    lines = [line for line in message.body.splitlines() if line and not line.startswith("  http")]
    assert lines[1:7] == [
        *(
            "Overdue",
            "- Late (Mon, 31 Dec 2029)",
            "Today",
            "- Due & today",
            "- This evening (23:30)",
            "Open your tasks:",
        )
    ]
    assert "Due &amp; today" in message.alternatives[0].content
    assert digest(MORNING + dt.timedelta(hours=1)) == []
    assert len(digest(MORNING + dt.timedelta(days=1))) == 1
    assert alice.api.get("/notifications").json()["results"] == []
    User.objects.update(digest_at=clock("08:00"), language="zh")
    [message] = [each for each in digest(MORNING + dt.timedelta(days=2)) if each.to == ["bob@example.org"]]
    assert message.subject == "2030年1月9日：1 项任务"


def test_an_account_in_a_zone_that_is_unknown_here_keeps_no_mail_from_the_others(
    alice: Person, bob: Person
) -> None:
    for person in (alice, bob):
        person.api.patch("/me", {"digest_at": "08:00", "quiet_hours": {"start": "22:00", "end": "07:00"}})
        task = post_task(person, title="Dig", due={"at": "2030-01-07T10:00:00Z"})
        tell(person, task, at=MORNING, mail_status="pending", mail_at=MORNING)
    User.objects.filter(pk=alice.user.pk).update(time_zone="Europe/Atlantis")
    subjects = sorted((*message.to, message.subject[:3]) for message in digest())
    assert subjects == [(f"{name}@example.org", kind) for name in ("alice", "bob") for kind in ("Mon", "Rem")]


def test_a_digest_of_one_task_counts_it_in_the_singular(alice: Person) -> None:
    alice.api.patch("/me", {"digest_at": "08:00", "time_zone": "Asia/Shanghai"})
    # 23:30 of the day before in Shanghai
    post_task(alice, title="Dig", due={"at": "2030-01-06T15:30:00Z", "time_zone": None})
    [message] = digest(utc("2030-01-07T00:00"))
    assert message.subject == "Mon, 7 Jan 2030: 1 task"
    assert "\nOverdue\n- Dig (Sun, 6 Jan 2030, 23:30)\n" in message.body


def test_a_digest_names_the_most_overdue_and_counts_the_others(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "MOST", 2)
    alice.api.patch("/me", {"digest_at": "08:00"})
    for day in range(7, 2, -1):
        post_task(alice, title=f"Dig {day}", due={"date": f"2030-01-0{day}"})
    [message] = digest()
    assert message.subject.endswith(": 5 tasks")
    assert "- Dig 3" in message.body
    assert "- Dig 4" in message.body
    assert "- Dig 5" not in message.body
    for text in (message.body, message.alternatives[0].content):
        assert "And 3 more." in text


def test_a_digest_names_the_most_overdue_of_very_many_also_by_time(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "MOST", 2)
    alice.api.patch("/me", {"digest_at": "08:00", "time_zone": "UTC"})
    for n in range(25):
        post_task(alice, title=f"Early {n}", due={"date": "2030-01-07"})
    post_task(alice, title="Dig at nine", due={"at": "2030-01-02T09:00:00Z", "time_zone": None})
    post_task(alice, title="Dig at ten", due={"at": "2030-01-02T10:00:00Z", "time_zone": None})
    post_task(alice, title="Dig all day", due={"date": "2030-01-02"})
    [message] = digest()
    assert re.findall(r"^- (.*) \(", message.body, re.MULTILINE) == ["Dig all day", "Dig at nine"]
    assert "And 26 more." in message.body


@pytest.mark.parametrize(
    ("zone", "due", "now"),
    [
        # this day begins, and this time is, outside the years that a time can have there
        ("Asia/Tokyo", {"date": "0001-01-01"}, "2030-01-06T23:00"),
        ("America/New_York", {"at": "0001-01-01T00:00:00Z"}, "2030-01-07T13:00"),
    ],
)
def test_a_digest_names_a_task_from_the_first_possible_day(
    alice: Person, zone: str, due: dict[str, str], now: str
) -> None:
    alice.api.patch("/me", {"digest_at": "08:00", "time_zone": zone})
    post_task(alice, title="Dig", due=due)
    [message] = digest(utc(now))
    assert "Dig (Mon, 1 Jan 1" in message.body


def test_a_digest_counts_all_tasks_however_many(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "MOST", 1)
    alice.api.patch("/me", {"digest_at": "08:00"})
    for _ in range(12):
        post_task(alice, due={"date": "2030-01-07"})
    [message] = digest()
    assert message.subject.endswith(": 12 tasks")
    assert "And 11 more." in message.body


def test_a_day_without_tasks_has_no_digest(alice: Person, bob: Person) -> None:
    alice.api.patch("/me", {"digest_at": "08:00"})
    post_task(alice, due={"date": "2030-01-08"})
    assert digest() == []
    assert Notification.objects.get().mail_status == "dropped"


def test_the_digest_is_stopped_with_one_click(alice: Person, client: Any) -> None:
    alice.api.patch("/me", {"digest_at": "08:00"})
    post_task(alice, due={"date": "2030-01-07"})
    [message] = digest()
    path = message.extra_headers["List-Unsubscribe"].removeprefix("<http://testserver").removesuffix(">")
    assert client.post(path).status_code == 200
    assert alice.api.get("/me").json()["digest_at"] is None
    assert digest(MORNING + dt.timedelta(days=1)) == []


def test_a_digest_may_come_in_quiet_hours(alice: Person) -> None:
    alice.api.patch("/me", {"digest_at": "08:00", "quiet_hours": {"start": "22:00", "end": "09:00"}})
    post_task(alice, due={"date": "2030-01-07"})
    assert len(digest()) == 1


def test_digests_of_many_people_are_made_in_batches(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "BATCH", 1)
    for who in (alice, bob):
        who.api.patch("/me", {"digest_at": "08:00"})
        post_task(who, due={"date": "2030-01-07"})
    assert sorted(message.to[0] for message in digest()) == ["alice@example.org", "bob@example.org"]
