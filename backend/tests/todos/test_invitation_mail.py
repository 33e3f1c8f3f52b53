"""The mail of an invitation is sent once, and its secret proves an address."""

from __future__ import annotations

import datetime as dt
import re
import smtplib
import uuid
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from tests.conftest import Person
from tests.todos.races import interleaved
from tests.todos.stories import make_project
from tests.todos.test_invitations import invite, received, role_of
from todo_project.accounts.models import User
from todo_project.accounts.services import profiles
from todo_project.jobs.queue import registry
from todo_project.todos.models import Invitation
from todo_project.todos.services import invitation_mail


@pytest.fixture
def project(alice: Person) -> dict[str, Any]:
    """A project of Alice's."""
    return make_project(alice, name="Secret garden")


@pytest.fixture
def invitation(alice: Person, project: dict[str, Any]) -> str:
    """The id of an invitation of Bob's address."""
    return str(invite(alice, project).json()["id"])


def send(invitation: str) -> None:
    """Run the job."""
    registry["todos.send_invitation"].run(invitation)


def secret(message: Any) -> str:
    """Return the secret in a mail."""
    return re.findall(r"^http\S+/app/invitations/\S+#(\S+)$", message.body, re.MULTILINE)[0]


def test_the_mail_is_sent_once(invitation: str) -> None:
    for _ in range(2):
        send(invitation)
    [message] = mail.outbox
    assert message.to == ["bob@example.org"]
    assert f"http://testserver/app/invitations/{invitation}#" in message.body


def test_the_mail_has_a_text_and_a_page(invitation: str, settings: Any) -> None:
    settings.APP_URL = "https://app.example.org"
    settings.DEFAULT_FROM_EMAIL = "To-do <todo@example.org>"
    send(invitation)
    [message] = mail.outbox
    link = f"https://app.example.org/invitations/{invitation}#"
    [page] = [part.content for part in message.alternatives]
    assert link in message.body
    assert f'<a href="{link}' in page
    sent = message.message()
    assert sent["Message-ID"].endswith("@example.org>")
    assert (sent["Auto-Submitted"], sent["Content-Language"]) == ("auto-generated", "en")


@pytest.mark.parametrize(
    ("inviter", "invited", "language"), [("en", "zh", "zh"), ("zh", "en", "en"), ("zh", None, "zh")]
)
def test_the_mail_is_in_the_language_of_its_reader_if_that_is_known(
    alice: Person, invitation: str, inviter: str, invited: str | None, language: str
) -> None:
    User.objects.filter(pk=alice.user.pk).update(language=inviter)
    if invited:
        User.objects.create_user("bob@example.org", language=invited)
    send(invitation)
    [message] = mail.outbox
    assert message.extra_headers["Content-Language"] == language
    assert message.subject == invitation_mail.TEXTS[language]["subject"]


def test_an_invitation_defers_its_mail(
    alice: Person, project: dict[str, Any], django_capture_on_commit_callbacks: Any
) -> None:
    with (
        mock.patch("todo_project.jobs.queue.connection.vendor", "sqlite"),
        django_capture_on_commit_callbacks(execute=True),
    ):
        invite(alice, project)
    assert [message.to for message in mail.outbox] == [["bob@example.org"]]


def test_the_mail_says_nothing_about_anybody(alice: Person, project: dict[str, Any], invitation: str) -> None:
    send(invitation)
    [message] = mail.outbox
    text = f"{message.subject}{message.body}{message.alternatives[0].content}"
    for word in ("Alice", "alice@", "Secret garden", "Bob", "bob@", str(alice.user.pk), project["id"]):
        assert word not in text


def test_only_a_digest_of_the_secret_is_stored(invitation: str) -> None:
    send(invitation)
    stored = Invitation.objects.values().get()
    assert secret(mail.outbox[0]) not in str(stored)
    assert len(stored["digest"]) == 64


@pytest.mark.parametrize("way", ["revoked", "project deleted"])
def test_nothing_is_sent_for_what_has_ended(
    alice: Person, project: dict[str, Any], invitation: str, way: str
) -> None:
    alice.api.delete(f"/invitations/{invitation}" if way == "revoked" else f"/projects/{project['id']}")
    send(invitation)
    send(str(uuid.uuid4()))
    assert mail.outbox == []


def test_a_refused_mail_is_sent_again(invitation: str) -> None:
    with (
        mock.patch.object(
            invitation_mail.EmailMultiAlternatives, "send", side_effect=smtplib.SMTPServerDisconnected
        ),
        pytest.raises(smtplib.SMTPServerDisconnected),
    ):
        send(invitation)
    assert mail.outbox == []
    send(invitation)
    assert len(mail.outbox) == 1


def test_a_job_that_dies_while_it_sends_does_not_send_again(invitation: str) -> None:
    class Killed(BaseException):
        """The end of a process, after which no code runs."""

    with (
        mock.patch.object(invitation_mail.EmailMultiAlternatives, "send", side_effect=Killed),
        pytest.raises(Killed),
    ):
        send(invitation)
    send(invitation)
    assert mail.outbox == []


def test_one_address_gets_a_limited_number_of_mails(
    early_in_every_window: object, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitation_mail, "PER_ADDRESS", 1)
    one, two = (invite(alice, make_project(alice, name=name)).json()["id"] for name in ("one", "two"))
    send(one)
    send(two)
    send(invite(alice, make_project(alice), email="carol@example.org").json()["id"])
    assert [message.to for message in mail.outbox] == [["bob@example.org"], ["carol@example.org"]]
    assert Invitation.objects.get(id=one).sent_at is not None
    assert Invitation.objects.get(id=two).sent_at is None


def test_old_invitations_are_deleted(invitation: str) -> None:
    registry["todos.purge_invitations"].run()
    assert Invitation.objects.exists()
    with time_machine.travel(dt.timedelta(days=31)):
        registry["todos.purge_invitations"].run()
    assert not Invitation.objects.exists()


class TestWhereAnAddressHasToBeProved:
    """INVITATIONS_NEED_PROOF is on."""

    @pytest.fixture(autouse=True)
    def _proof(self, settings: Any) -> None:
        settings.INVITATIONS_NEED_PROOF = True

    def test_registering_with_an_address_shows_and_allows_nothing(
        self, bob: Person, project: dict[str, Any], invitation: str
    ) -> None:
        send(invitation)
        path = f"/invitations/{invitation}"
        assert received(bob) == []
        assert bob.api.get(path).status_code == 404
        for answer in ("accept", "decline"):
            for body in (None, {}, {"token": "x" * 43}, {"token": secret(mail.outbox[0])[:-1]}):
                refused = bob.api.post(f"{path}/{answer}", body)
                assert (refused.status_code, refused.json()["type"]) == (403, "urn:todo:problem:address_not_proved")
                assert b"Secret" not in refused.content
        assert role_of(bob, project) is None

    def test_the_secret_of_the_mail_proves_it_for_later_ones_too(
        self, alice: Person, bob: Person, project: dict[str, Any], invitation: str
    ) -> None:
        send(invitation)
        accepted = bob.api.post(f"/invitations/{invitation}/accept", {"token": secret(mail.outbox[0])})
        assert accepted.status_code == 200
        assert role_of(bob, project) == "editor"
        later = invite(alice, make_project(alice)).json()
        assert received(bob) == [later]
        assert bob.api.post(f"/invitations/{later['id']}/accept").status_code == 200

    def test_the_secret_of_another_invitation_does_not(
        self, alice: Person, bob: Person, project: dict[str, Any], invitation: str
    ) -> None:
        other = invite(alice, project, email="carol@example.org").json()["id"]
        send(other)
        answer = bob.api.post(f"/invitations/{invitation}/accept", {"token": secret(mail.outbox[0])})
        assert answer.status_code == 403

    def test_the_secret_alone_is_not_enough(
        self, mallory: Person, project: dict[str, Any], invitation: str
    ) -> None:
        send(invitation)
        answer = mallory.api.post(f"/invitations/{invitation}/accept", {"token": secret(mail.outbox[0])})
        assert answer.status_code == 404
        assert role_of(mallory, project) is None

    def test_before_the_mail_is_sent_no_secret_fits(self, bob: Person, invitation: str) -> None:
        assert bob.api.post(f"/invitations/{invitation}/accept", {"token": "x"}).status_code == 403

    def test_another_address_has_to_be_proved_again(
        self, alice: Person, bob: Person, project: dict[str, Any], invitation: str
    ) -> None:
        send(invitation)
        bob.api.post(f"/invitations/{invitation}/decline", {"token": secret(mail.outbox[0])})
        assert User.objects.get(pk=bob.user.pk).email_proved_at is not None
        profiles.update_profile(
            user_id=bob.user.pk, changes={"email": "robert@example.org"}, expected_versions=None, now=timezone.now()
        )
        invite(alice, project, email="robert@example.org")
        assert received(bob) == []

    def test_an_address_that_changes_meanwhile_is_not_proved(self, bob: Person) -> None:
        read_before = User.objects.get(pk=bob.user.pk)
        User.objects.filter(pk=bob.user.pk).update(email="robert@example.org")
        profiles.prove_email(user=read_before, now=timezone.now())
        assert User.objects.get(pk=bob.user.pk).email_proved_at is None

    def test_managers_need_no_proof(self, alice: Person, project: dict[str, Any], invitation: str) -> None:
        assert alice.api.get(f"/invitations/{invitation}").status_code == 200
        assert len(alice.api.get(f"/projects/{project['id']}/invitations").json()["results"]) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_jobs_at_once_send_one_mail(invitation: str) -> None:
    interleaved(lambda: send(invitation), lambda: send(invitation))
    assert len(mail.outbox) == 1


def test_several_people_are_invited_with_different_secrets(
    alice: Person, project: dict[str, Any], person: Callable[..., Person]
) -> None:
    for name in ("carol", "dave"):
        send(invite(alice, project, email=f"{name}@example.org").json()["id"])
    assert len({secret(message) for message in mail.outbox}) == 2
