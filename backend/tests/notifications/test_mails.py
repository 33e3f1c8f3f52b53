"""The mails of notifications: what they look like, and that each is sent once, later, or not at all."""

from __future__ import annotations

import datetime as dt
import email.policy
import re
import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from tests.conftest import Person
from tests.notifications.stories import HOUR, due, tell
from tests.todos.stories import make, make_project, post_task, share
from todo_project.accounts.models import User
from todo_project.jobs.queue import registry
from todo_project.notifications.models import Notification
from todo_project.notifications.services import sending, texts, unsubscribing

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
MINUTE = dt.timedelta(minutes=1)


def to_mail(who: Person, task: dict[str, Any], **values: Any) -> Notification:
    """Make a notification whose mail is waiting."""
    return tell(who, task, **{"mail_status": "pending", "mail_at": NOW} | values)


def send(now: dt.datetime = NOW) -> list[Any]:
    """Send what is waiting, and return the mails that were sent by this."""
    before = len(mail.outbox)
    sending.send_waiting(clock=lambda: now)
    return mail.outbox[before:]


def status(row: Notification) -> tuple[str, int]:
    row.refresh_from_db()
    return row.mail_status, row.mail_attempts


def parsed(message: Any) -> EmailMessage:
    """Return the mail as a mail program reads it."""
    found = email.message_from_bytes(message.message().as_bytes(), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def stop_link(message: EmailMessage) -> str:
    """Return the path of the link that unsubscribes."""
    link = str(message["List-Unsubscribe"]).strip()  # it is folded
    assert link.startswith("<http://testserver/unsubscribe?token=")
    assert link.endswith(">")
    return link.removeprefix("<http://testserver").removesuffix(">")


def test_a_mail_has_a_text_and_a_page_that_say_the_same(alice: Person) -> None:
    alice.api.patch("/me", {"time_zone": "Asia/Shanghai"})
    task = post_task(alice, title="Dig & <b>weed</b>", due=due(dt.datetime(2030, 1, 7, 1, 30, tzinfo=dt.UTC)))
    row = to_mail(alice, task)
    [message] = map(parsed, send())
    assert (message["To"], message["Subject"]) == ("alice@example.org", "Reminder: Dig & <b>weed</b>")
    assert message.get_content_type() == "multipart/alternative"
    plain, page = text_of(message, "plain"), text_of(message, "html")
    assert "Dig & <b>weed</b>" in plain
    assert "Dig &amp; &lt;b&gt;weed&lt;/b&gt;" in page
    assert "<b>" not in page
    for part in (plain, page):
        assert "Mon, 7 Jan 2030, 09:30" in part
        assert f"http://testserver/app/tasks/{task['id']}" in part
        assert stop_link(message) in part
    assert "\n\n\n" not in plain
    assert "<" not in plain.replace("<b>weed</b>", "")
    assert max(map(len, plain.splitlines())) < 200
    assert message["Message-ID"] == f"<{row.id}@{message['From'].rpartition('@')[2].rstrip('>')}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"
    assert (status(row), row.mailed_at) == (("sent", 1), NOW)
    assert send(NOW + HOUR) == []


def test_a_mail_is_in_the_language_of_its_reader(alice: Person) -> None:
    assert alice.api.patch("/me", {"language": "zh"}).status_code == 200
    to_mail(alice, post_task(alice, title="浇水", due={"date": "2030-01-07"}))
    [message] = map(parsed, send())
    assert (message["Subject"], message["Content-Language"]) == ("提醒：浇水", "zh")
    for kind in ("plain", "html"):
        assert "2030年1月7日" in text_of(message, kind)
        assert "你收到此邮件" in text_of(message, kind)
        assert "Open" not in text_of(message, kind)


@pytest.mark.parametrize("title", ["Dig\r\nBcc: mallory@example.org", "Dig\u2028\u0007\u202eweed", "x" * 500])
def test_a_title_cannot_break_the_headers(alice: Person, title: str) -> None:
    row = to_mail(alice, post_task(alice))
    row.task.__class__.objects.filter(id=row.task_id).update(title=title)
    [message] = map(parsed, send())
    assert message["To"] == "alice@example.org"
    assert message["Bcc"] is None
    assert str(message["Subject"]).isprintable()
    assert len(str(message["Subject"]).strip()) <= 150


def test_a_mail_of_what_others_did_has_their_name_and_text(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob)
    task = post_task(alice, project_id=project["id"])
    comment = make(alice, "comments", task_id=task["id"], text="Where is\nthe <ladder>?")
    to_mail(bob, task, kind="mention", comment_id=comment["id"], actor_id=alice.user.pk)
    to_mail(bob, task, kind="assignment", actor_id=None)
    mention, assignment = map(parsed, send())
    assert mention["Subject"] == "Alice mentioned you: Dig"
    assert "\n> Where is\n> the <ladder>?\n" in text_of(mention, "plain").replace("\r\n", "\n")
    assert "the &lt;ladder&gt;?" in text_of(mention, "html")
    assert assignment["Subject"] == "Somebody assigned you a task: Dig"


def test_a_mail_names_the_project_unless_it_is_the_inbox(alice: Person) -> None:
    project = make_project(alice, name="Garden & balcony")
    to_mail(alice, post_task(alice, project_id=project["id"]))
    to_mail(alice, post_task(alice))
    first, second = (message.body for message in send())
    assert first.startswith("Reminder: Dig\n\nProject: Garden & balcony\n\nOpen the task:\nhttp")
    assert second.startswith("Reminder: Dig\n\nOpen the task:\nhttp")


def test_a_long_comment_is_cut_visibly(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob)
    task = post_task(alice, project_id=project["id"])
    comment = make(alice, "comments", task_id=task["id"], text="x" * 1_001)
    to_mail(bob, task, kind="mention", comment_id=comment["id"], actor_id=alice.user.pk)
    [message] = map(parsed, send())
    for kind in ("plain", "html"):
        assert "x" * 999 + "…" in text_of(message, kind)
        assert "x" * 1_000 not in text_of(message, kind)


def test_the_links_lead_to_the_front_end(alice: Person, settings: Any) -> None:
    settings.APP_URL = "https://app.example.org/todo"
    task = post_task(alice)
    to_mail(alice, task)
    [message] = send()
    assert f"\nhttps://app.example.org/todo/tasks/{task['id']}\n" in message.body


def test_both_languages_have_the_same_texts() -> None:
    english, chinese = texts.of("en"), texts.of("zh")
    assert english.keys() == chinese.keys()
    for name, text in english.items():
        assert {*re.findall(r"{(\w+)}", text)} == {*re.findall(r"{(\w+)}", chinese[name])}, name


def complete(who: Person, task: dict[str, Any]) -> None:
    who.api.post(f"/tasks/{task['id']}/complete")


def delete(who: Person, task: dict[str, Any]) -> None:
    who.api.delete(f"/tasks/{task['id']}")


def hand_over(who: Person, task: dict[str, Any]) -> None:
    """Let the user lose sight of the task."""
    Notification.objects.update(user=User.objects.create_user("dave@example.org"))


def turn_off(who: Person, task: dict[str, Any]) -> None:
    assert who.api.patch("/me", {"mailed_kinds": []}).status_code == 200


def close(who: Person, task: dict[str, Any]) -> None:
    User.objects.update(is_active=False)


@pytest.mark.parametrize("step", [complete, delete, hand_over, turn_off, close])
def test_what_no_longer_concerns_the_reader_is_dropped(
    alice: Person, step: Callable[[Person, dict[str, Any]], None]
) -> None:
    task = post_task(alice)
    row = to_mail(alice, task)
    step(alice, task)
    assert send() == []
    assert status(row)[0] == "dropped"


class Server(EmailBackend):
    """A mail server that answers some mails with errors."""

    error: Exception | None = None
    refused = ""
    attempts = 0

    def send_messages(self, messages: Any) -> int:
        """Raise the error, for one address or for all."""
        type(self).attempts += 1
        if self.error is not None and (not self.refused or self.refused in messages[0].to):
            raise self.error
        return super().send_messages(messages)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> type[Server]:
    """Send through a server that can be made to fail."""
    kind = type("Server", (Server,), {})
    monkeypatch.setattr(sending, "get_connection", kind)
    return kind


REFUSED = smtplib.SMTPRecipientsRefused({"alice@example.org": (550, b"no such user alice@example.org")})


@pytest.mark.parametrize(
    ("error", "described"),
    [
        (REFUSED, "SMTPRecipientsRefused 550"),
        (smtplib.SMTPDataError(451, b"alice@example.org: later"), "SMTPDataError 451"),
        (ConnectionRefusedError(111, "refused"), "ConnectionRefusedError 111"),
        (smtplib.SMTPAuthenticationError(535, b"bad"), "SMTPAuthenticationError 535"),
        (smtplib.SMTPServerDisconnected("gone"), "SMTPServerDisconnected"),
        (ValueError("alice@example.org"), "ValueError"),
    ],
)
def test_a_mail_that_fails_is_tried_again_with_growing_pauses_and_then_shown(
    alice: Person, server: type[Server], error: Exception, described: str, caplog: Any, capsys: Any
) -> None:
    server.error = error
    row = to_mail(alice, post_task(alice))
    now = NOW
    for attempt, pause in enumerate(sending.PAUSES, start=1):
        send(now)
        send(now + pause - MINUTE / 2)
        assert status(row) == ("pending", attempt)
        assert (row.mail_at, row.mail_error) == (now + pause, described)
        now += pause
    send(now)
    assert status(row) == ("failed", len(sending.PAUSES) + 1)
    assert [record.message for record in caplog.records if record.message.endswith("mail_failed")]
    assert not any("alice" in record.getMessage() for record in caplog.records)
    send(now + 24 * HOUR)
    assert server.attempts == len(sending.PAUSES) + 1
    call_command("failed_mails")
    shown = capsys.readouterr().out
    assert shown == f"{row.id} reminder: {described}, 6 attempts, failed\n"
    server.error = None
    call_command("failed_mails", "--repeat")
    assert capsys.readouterr().out == "Mails that will be sent again within a minute: 1\n"
    assert len(send(timezone.now())) == 1
    assert status(row)[0] == "sent"
    call_command("failed_mails")
    assert capsys.readouterr().out == "No mail has failed.\n"


def test_one_refused_address_does_not_hold_up_the_others(alice: Person, bob: Person, server: type[Server]) -> None:
    server.error, server.refused = REFUSED, "alice@example.org"
    rows = [to_mail(who, post_task(who)) for who in (alice, bob)]
    assert [message.to for message in send()] == [["bob@example.org"]]
    assert [status(row)[0] for row in rows] == ["pending", "sent"]


def test_a_server_that_is_away_is_asked_once_for_all_mails(alice: Person, server: type[Server]) -> None:
    server.error = ConnectionRefusedError(111, "refused")
    task = post_task(alice)
    rows = [to_mail(alice, task) for _ in range(3)]
    send()
    assert server.attempts == 1
    assert {status(row) for row in rows} == {("pending", 1)}


def test_a_worker_that_dies_leaves_its_mails_to_the_next(alice: Person, server: type[Server]) -> None:
    """The mail that the server had accepted and nobody noted is sent again, with the same Message-ID."""
    task = post_task(alice)
    rows = [to_mail(alice, task) for _ in range(3)]

    class Killed(BaseException):
        pass

    def note(row: Notification, error: Any, *, now: dt.datetime) -> None:
        if row.id == rows[1].id:
            raise Killed
        real(row, error, now=now)

    real = sending._note
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending, "_note", note)
        with pytest.raises(Killed):
            send()
    assert send(NOW + sending.CLAIM - MINUTE) == []
    send(NOW + sending.CLAIM)
    ids = [parsed(message)["Message-ID"] for message in mail.outbox]
    assert sorted(ids) == sorted([*{*ids}, ids[1]])
    assert len({*ids}) == 3
    assert {status(row)[0] for row in rows} == {"sent"}


def test_what_takes_too_long_is_given_back_before_the_claim_runs_out(alice: Person) -> None:
    task = post_task(alice)
    for _ in range(3):
        to_mail(alice, task)
    late = NOW + sending.CLAIM
    times = iter([NOW] * 5 + [late] * 2)
    with pytest.raises(StopIteration):
        sending.send_waiting(clock=lambda: next(times))
    assert len(mail.outbox) == 1
    waiting = Notification.objects.filter(mail_status="pending")
    assert [*waiting.values_list("mail_at", "mail_attempts")] == [(late, 0)] * 2
    assert len(send(late)) == 2


def test_what_one_job_sends_is_limited(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PER_JOB", 2)
    task = post_task(alice)
    for _ in range(5):
        to_mail(alice, task)
    sending.send_waiting(clock=lambda: NOW, batch=1)
    assert len(mail.outbox) == 2


def test_the_job_of_every_minute_queues_as_many_senders_as_are_useful(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sending.jobs_needed(now=NOW) == 0
    task = post_task(alice)
    for _ in range(3):
        to_mail(alice, task)
    assert sending.jobs_needed(now=NOW - MINUTE) == 0
    assert sending.jobs_needed(now=NOW) == 1
    monkeypatch.setattr(sending, "_ENOUGH_FOR_A_JOB", 2)
    assert sending.jobs_needed(now=NOW) == 2
    queued: list[str] = []
    monkeypatch.setattr("todo_project.notifications.tasks.defer", queued.append)
    registry["notifications.notify"].run()
    assert queued == ["notifications.send_mails"] * 2
    registry["notifications.send_mails"].run()
    assert len(mail.outbox) == 3


class TestUnsubscribe:
    @pytest.fixture
    def path(self, alice: Person) -> str:
        """The path of the link in a mail to Alice."""
        to_mail(alice, post_task(alice))
        [message] = map(parsed, send())
        return stop_link(message)

    def test_one_click_stops_mails_of_the_kind(self, alice: Person, path: str) -> None:
        client = Client(enforce_csrf_checks=True)
        for _ in range(2):
            answer = client.post(path, {"List-Unsubscribe": "One-Click"})
            assert answer.status_code == 200
            assert "Done." in answer.content.decode()
        assert alice.api.get("/me").json()["mailed_kinds"] == ["assignment", "mention"]

    def test_opening_the_link_only_asks(self, alice: Person, path: str) -> None:
        answer = Client().get(path)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert "Stop sending reminders to alice@example.org?" in answer.content.decode()
        assert '<form method="post">' in answer.content.decode()
        assert "form-action 'self'" in answer["Content-Security-Policy"]
        assert "reminder" in alice.api.get("/me").json()["mailed_kinds"]

    @pytest.mark.parametrize("method", ["get", "post"])
    @pytest.mark.parametrize("spoil", [lambda path: path[:-2], lambda _: "/unsubscribe", lambda path: path + "%00"])
    def test_a_spoilt_link_changes_nothing(
        self, alice: Person, path: str, method: str, spoil: Callable[[str], str]
    ) -> None:
        answer = getattr(Client(), method)(spoil(path))
        assert answer.status_code == 404
        assert b"alice" not in answer.content
        assert "reminder" in alice.api.get("/me").json()["mailed_kinds"]

    def test_the_link_of_an_account_that_is_gone(self, alice: Person, path: str) -> None:
        User.objects.all().delete()
        assert Client().post(path).status_code == 404

    def test_the_page_is_in_the_language_of_the_reader(self, alice: Person, path: str) -> None:
        User.objects.update(language="zh")
        assert "退订" in Client().get(path).content.decode()

    def test_other_methods_are_refused(self, path: str) -> None:
        assert Client().put(path).status_code == 405

    def test_a_token_of_another_purpose_is_not_valid(self, alice: Person) -> None:
        from django.core.signing import Signer

        token = Signer(salt="another").sign(f"{alice.user.pk.hex}.reminder")
        assert unsubscribing.subscription(token) is None


class TestAdmin:
    def test_an_operator_sees_failed_mails_and_repeats_them(self, alice: Person) -> None:
        row = to_mail(alice, post_task(alice, title="Secret"), mail_status="failed", mail_error="SMTPDataError 550")
        other = to_mail(alice, post_task(alice), mail_status="failed")
        root = User.objects.create_superuser("root@example.org")
        client = Client()
        client.force_login(root)
        page = client.get("/admin/notifications/notification/?mail_status=failed").content.decode()
        assert "SMTPDataError 550" in page
        assert "Secret" not in page
        assert client.get(f"/admin/notifications/notification/{row.id}/change/").status_code == 200
        action = {"action": "send_again", "_selected_action": [str(row.id)]}
        assert client.post("/admin/notifications/notification/", action).status_code == 302
        assert (status(row)[0], status(other)[0]) == ("pending", "failed")

    def test_who_may_only_look_repeats_nothing(self, alice: Person) -> None:
        from django.contrib.auth.models import Permission

        row = to_mail(alice, post_task(alice), mail_status="failed")
        staff = User.objects.create_user("staff@example.org", is_staff=True)
        staff.user_permissions.add(Permission.objects.get(codename="view_notification"))
        client = Client()
        client.force_login(staff)
        assert client.get("/admin/notifications/notification/").status_code == 200
        action = {"action": "send_again", "_selected_action": [str(row.id)]}
        client.post("/admin/notifications/notification/", action)
        assert status(row)[0] == "failed"


def test_the_mails_of_a_kind_are_chosen_in_the_profile(alice: Person) -> None:
    assert alice.api.get("/me").json()["mailed_kinds"] == ["reminder", "assignment", "mention"]
    answer = alice.api.patch("/me", {"mailed_kinds": ["comment", "reminder", "comment"], "language": "zh"})
    assert answer.json()["mailed_kinds"] == ["reminder", "comment"]
    assert alice.api.patch("/me", answer.json()).json() == answer.json()
    for body in ({"mailed_kinds": ["digest"]}, {"mailed_kinds": None}, {"language": "fr"}, {"language": None}):
        assert alice.api.patch("/me", body).status_code == 400
