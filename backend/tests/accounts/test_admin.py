"""What operators can do to accounts, and what they never see."""

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.conftest import PASSWORD, Api, Person
from tests.todos.stories import post_task
from todo_project.accounts.models import ApiToken, User
from todo_project.accounts.services import registration, tokens, verification
from todo_project.jobs import queue
from todo_project.jobs.queue import registry

NEW = "a much better passphrase"


@pytest.fixture
def operator(db: None) -> Client:
    user = registration.register_operator(
        email="olga@example.org", password=PASSWORD, name="Olga", now=timezone.now()
    )
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def hooked(monkeypatch: pytest.MonkeyPatch) -> list[User]:
    users: list[User] = []
    monkeypatch.setattr(registration, "after_registration", [lambda *, user, now: users.append(user)])
    return users


def fields(client: Client, user: User, **change: object) -> dict[str, object]:
    """Return the data that the change form sends."""
    form = client.get(f"/admin/accounts/user/{user.pk}/change/").context["adminform"].form
    sent = {name: value for name, value in form.initial.items() if name in form.fields and value}
    return {"password": "", **sent, **change}


class TestAccounts:
    def test_one_is_deactivated_before_it_is_deleted(self, operator: Client, alice: Person):
        path = f"/admin/accounts/user/{alice.user.pk}/"
        assert b"deletelink" not in operator.get(f"{path}change/").content
        assert operator.post(f"{path}delete/", {"post": "yes"}).status_code == 403
        assert operator.post(f"{path}change/", fields(operator, alice.user, is_active="")).status_code == 302
        assert alice.api.get("/me").status_code == 401
        assert b"deletelink" in operator.get(f"{path}change/").content

    def test_a_job_deletes_it(self, operator: Client, alice: Person, monkeypatch: pytest.MonkeyPatch):
        deferred: list[Any] = []
        monkeypatch.setattr(queue, "defer", lambda name, **values: deferred.append((name, values["user_id"])))
        post_task(alice)
        User.objects.filter(pk=alice.user.pk).update(is_active=False)
        path = f"/admin/accounts/user/{alice.user.pk}/delete/"
        shown = operator.get(path).content.decode()
        assert "Tasks: 1" in shown
        assert "Projects: 1" in shown
        assert operator.post(path, {"post": "yes"}).headers["Location"] == "/admin/accounts/user/"
        ((name, user_id),) = deferred
        registry[name].run(user_id=user_id)
        assert not User.objects.filter(pk=alice.user.pk).exists()

    def test_several_at_once_are_not_deleted(self, operator: Client, alice: Person):
        User.objects.filter(pk=alice.user.pk).update(is_active=False)
        sent = {"action": "delete_selected", "_selected_action": [str(alice.user.pk)], "post": "yes"}
        operator.post("/admin/accounts/user/", sent)
        assert User.objects.filter(pk=alice.user.pk).exists()

    def test_an_account_made_here_has_what_registration_gives(self, operator: Client, hooked: list[User]):
        answer = operator.post(
            "/admin/accounts/user/add/",
            {
                "email": "Eve@Example.org",
                "name": "Eve",
                "time_zone": "UTC",
                "usable_password": "true",
                "password1": NEW,
                "password2": NEW,
            },
        )
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        eve = User.objects.get(email="eve@example.org")
        assert hooked == [eve]
        assert eve.check_password(NEW)

    def test_an_address_that_is_taken_is_an_error_of_the_form(self, operator: Client, alice: Person):
        answer = operator.post("/admin/accounts/user/add/", {"email": "ALICE@example.org"})
        assert answer.status_code == 200
        assert answer.context["adminform"].form.errors["email"]

    def test_deactivating_ends_every_access_at_once(self, operator: Client, alice: Person):
        sent = fields(operator, alice.user)
        sent.pop("is_active", None)
        answer = operator.post(f"/admin/accounts/user/{alice.user.pk}/change/", sent)
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        assert User.objects.get(pk=alice.user.pk).version == 2
        assert alice.api.get("/me").status_code == 401

    def test_a_password_set_here_ends_every_token(self, operator: Client, alice: Person):
        path = f"/admin/accounts/user/{alice.user.pk}/password/"
        answer = operator.post(path, {"usable_password": "true", "password1": NEW, "password2": NEW})
        assert answer.status_code == 302
        assert User.objects.get(pk=alice.user.pk).check_password(NEW)
        assert verification.verify(alice.token) is None

    def test_an_operators_own_new_password_ends_every_token(self, operator: Client):
        olga = User.objects.get(email="olga@example.org")
        token = tokens.create_token(user=olga, name="", scopes=["read"], expires_at=None, now=timezone.now()).token
        sent = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
        assert operator.post("/admin/password_change/", sent).status_code == 200
        assert verification.verify(token) is not None
        assert operator.post("/admin/password_change/", {**sent, "old_password": PASSWORD}).status_code == 302
        assert User.objects.get(pk=olga.pk).check_password(NEW)
        assert verification.verify(token) is None
        assert operator.get("/admin/").status_code == 200

    def test_a_form_that_shows_an_older_version_is_refused(self, operator: Client, alice: Person):
        sent = fields(operator, alice.user, is_active="on", time_zone="Asia/Tokyo")
        alice.api.patch("/me", {"name": "Alicia"})
        answer = operator.post(f"/admin/accounts/user/{alice.user.pk}/change/", sent, follow=True)
        assert "The resource has changed since you read it." in answer.text
        changed = User.objects.get(pk=alice.user.pk)
        assert (changed.name, changed.time_zone) == ("Alicia", "UTC")

    def test_a_change_writes_the_changed_columns_only(self, operator: Client, alice: Person):
        sent = fields(operator, alice.user, is_active="on", name="Alicia")
        with CaptureQueriesContext(connection) as queries:
            answer = operator.post(f"/admin/accounts/user/{alice.user.pk}/change/", sent)
        assert answer.status_code == 302
        [update] = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "accounts_user"')]
        assert '"name"' in update
        assert '"password"' not in update
        assert '"is_superuser"' not in update

    def test_a_new_password_overwrites_no_other_column(self, operator: Client, alice: Person):
        path = f"/admin/accounts/user/{alice.user.pk}/password/"
        with CaptureQueriesContext(connection) as queries:
            operator.post(path, {"usable_password": "true", "password1": NEW, "password2": NEW})
        [update] = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "accounts_user"')]
        assert '"password"' in update
        assert '"name"' not in update

    def test_a_time_zone_that_does_not_exist_is_an_error_of_the_form(self, operator: Client, alice: Person):
        sent = fields(operator, alice.user, time_zone="Mars/Olympus", is_active="on")
        answer = operator.post(f"/admin/accounts/user/{alice.user.pk}/change/", sent)
        assert answer.status_code == 200
        assert answer.context["adminform"].form.errors["time_zone"]


class TestOperatorsWithoutEveryPermission:
    """Somebody who may change users, and is no superuser, cannot become one."""

    @pytest.fixture
    def helper(self, db: None) -> Client:
        user = registration.register_user(
            email="hugo@example.org", password=PASSWORD, name="Hugo", now=timezone.now()
        )
        user.is_staff = True
        user.save(update_fields=["is_staff"])
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="accounts").exclude(codename__startswith="delete")
        )
        client = Client()
        client.force_login(user)
        return client

    def test_changes_people_and_not_what_they_may(self, helper: Client, alice: Person):
        path = f"/admin/accounts/user/{alice.user.pk}/change/"
        sent = fields(helper, alice.user, name="Alicia", is_active="on", is_staff="on", is_superuser="on")
        sent["user_permissions"] = [str(Permission.objects.first().pk)]
        assert helper.post(path, sent).status_code == 302
        changed = User.objects.get(pk=alice.user.pk)
        assert (changed.name, changed.is_staff, changed.is_superuser) == ("Alicia", False, False)
        assert not changed.user_permissions.exists()

    @pytest.mark.parametrize("whose", ["own", "superuser's"])
    def test_changes_no_operators_account(self, helper: Client, operator: Client, whose: str):
        email = {"own": "hugo@example.org", "superuser's": "olga@example.org"}[whose]
        user = User.objects.get(email=email)
        path = f"/admin/accounts/user/{user.pk}"
        assert helper.post(f"{path}/change/", {"email": email, "is_superuser": "on"}).status_code == 403
        passwords = {"usable_password": "true", "password1": NEW, "password2": NEW}
        assert helper.post(f"{path}/password/", passwords).status_code == 403
        unchanged = User.objects.get(email=email)
        assert unchanged.is_superuser == user.is_superuser
        assert unchanged.check_password(PASSWORD)

    def test_makes_an_account_that_is_no_operators(self, helper: Client, hooked: list[User]):
        sent = {"email": "eve@example.org", "time_zone": "UTC", "usable_password": "true"}
        sent |= {"password1": NEW, "password2": NEW, "is_staff": "on", "is_superuser": "on"}
        assert helper.post("/admin/accounts/user/add/", sent).status_code == 302
        eve = User.objects.get(email="eve@example.org")
        assert (eve.is_staff, eve.is_superuser) == (False, False)

    @pytest.mark.parametrize("is_staff", [True, False])
    def test_revokes_no_operators_token(self, helper: Client, operator: Client, alice: Person, is_staff: bool):
        olga = User.objects.get(email="olga@example.org")
        User.objects.filter(pk=olga.pk).update(is_staff=is_staff)
        tokens.create_token(user=olga, name="", scopes=["read"], expires_at=None, now=timezone.now())
        chosen = [str(pk) for pk in ApiToken.objects.values_list("pk", flat=True)]
        helper.post("/admin/accounts/apitoken/", {"action": "revoke", "_selected_action": chosen})
        assert ApiToken.objects.get(user=alice.user).revoked_at is not None
        assert ApiToken.objects.get(user=olga).revoked_at is None


class TestTokens:
    def test_the_digest_is_nowhere(self, operator: Client, alice: Person):
        row = ApiToken.objects.get(user=alice.user)
        for path in ("", f"{row.pk}/change/"):
            page = operator.get(f"/admin/accounts/apitoken/{path}")
            assert page.status_code == 200
            assert row.prefix in page.text
            assert row.digest not in page.text

    def test_they_are_revoked_and_never_made_or_deleted(self, operator: Client, alice: Person):
        row = ApiToken.objects.get(user=alice.user)
        operator.post("/admin/accounts/apitoken/", {"action": "revoke", "_selected_action": [str(row.pk)]})
        assert verification.verify(alice.token) is None
        assert operator.get("/admin/accounts/apitoken/add/").status_code == 403
        assert operator.post(f"/admin/accounts/apitoken/{row.pk}/delete/", {"post": "yes"}).status_code == 403


class TestActions:
    @pytest.mark.parametrize("chosen", ["forged", "1.5", "\x00", ["forged", str(uuid.UUID(int=1))]])
    def test_refuse_what_is_no_id(self, operator: Client, rf: RequestFactory, chosen: Any):
        request = rf.get("/")
        request.user = User.objects.get(email="olga@example.org")
        tried = [
            (reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"), action)
            for model in apps.get_models()
            if admin.site.is_registered(model)
            for action in admin.site.get_model_admin(model).get_actions(request)
        ]
        assert len({path for path, _ in tried}) > 5
        for path, action in tried:
            for extra in ({}, {"post": "yes"}):
                answer = operator.post(path, {"action": action, "_selected_action": chosen, **extra})
                assert answer.status_code == 400, (path, action)

    def test_ignore_ids_of_rows_that_are_gone(self, operator: Client):
        sent = {"action": "revoke", "_selected_action": [str(uuid.UUID(int=1))]}
        assert operator.post("/admin/accounts/apitoken/", sent).status_code == 302


@pytest.mark.usefixtures("early_in_every_window")
class TestGuessesOfTheOldPassword:
    """A stolen session does not help to guess the password."""

    SENT = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}

    def test_count_as_attempts_to_log_in(self, operator: Client, settings):
        settings.LOGIN_FAILURES_PER_ACCOUNT = 2
        statuses = [operator.post("/admin/password_change/", self.SENT).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        right = operator.post("/admin/password_change/", {**self.SENT, "old_password": PASSWORD})
        assert right.status_code == 429
        assert 1 <= int(right["Retry-After"]) <= 900
        assert operator.get("/admin/password_change/").status_code == 200

    def test_count_only_if_they_are_wrong(self, operator: Client, settings):
        settings.LOGIN_FAILURES_PER_ACCOUNT = 2
        for _ in range(4):  # the new passwords differ, the old one is right
            sent = {**self.SENT, "old_password": PASSWORD, "new_password2": "another"}
            assert operator.post("/admin/password_change/", sent).status_code == 200
        assert operator.post("/admin/password_change/", {**self.SENT, "old_password": PASSWORD}).status_code == 302


@pytest.mark.usefixtures("early_in_every_window")
class TestLogin:
    def login(self, password: str = PASSWORD, email: str = "olga@example.org"):
        return Client().post("/admin/login/", {"username": email, "password": password})

    def test_works_whatever_the_case_of_the_address(self, operator: Client):
        assert self.login(email="Olga@Example.org").status_code == 302

    def test_counts_with_the_api_in_one_counter(self, operator: Client, settings):
        settings.LOGIN_FAILURES_PER_ACCOUNT = 2
        assert self.login("wrong").status_code == 200
        api = Api(None).post("/auth/login", {"email": "olga@example.org", "password": "wrong"})
        assert api.status_code == 401
        answer = self.login()
        assert answer.status_code == 429
        assert 1 <= int(answer["Retry-After"]) <= 900
        assert "Too many wrong passwords" in answer.text

    def test_a_success_clears_the_address(self, operator: Client, settings):
        settings.LOGIN_FAILURES_PER_ACCOUNT = 2
        for _ in range(3):
            assert self.login("wrong").status_code == 200
            assert self.login().status_code == 302

    @pytest.mark.parametrize("password", ["", " ", "\0"])
    def test_no_password_at_all_clears_nothing(self, operator: Client, settings, password: str):
        settings.LOGIN_FAILURES_PER_ACCOUNT = 2
        assert self.login("wrong").status_code == 200
        assert self.login(password).status_code == 200
        assert self.login().status_code == 429

    def test_is_not_for_people_without_the_flag(self, operator: Client, alice: Person):
        assert self.login(email="alice@example.org").status_code == 200


class TestCreatesuperuser:
    def test_makes_an_operator_with_what_registration_gives(self, db, hooked: list[User], monkeypatch, capsys):
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
        call_command("createsuperuser", "--no-input", "--email", "Otto@example.org")
        otto = User.objects.get(email="otto@example.org")
        assert (otto.is_staff, otto.is_superuser) == (True, True)
        assert hooked == [otto]
        assert otto.check_password(PASSWORD)
        assert "otto@example.org" in capsys.readouterr().out

    def test_asks_for_what_is_not_given(self, db, monkeypatch):
        monkeypatch.delenv("DJANGO_SUPERUSER_PASSWORD", raising=False)
        monkeypatch.setattr("builtins.input", lambda prompt: "otto@example.org")
        monkeypatch.setattr("getpass.getpass", lambda prompt: PASSWORD)
        call_command("createsuperuser")
        assert User.objects.get().is_superuser

    def test_says_what_to_give_where_nobody_can_be_asked(self, monkeypatch):
        monkeypatch.delenv("DJANGO_SUPERUSER_PASSWORD", raising=False)
        monkeypatch.setattr("sys.stdin", io.StringIO())
        with pytest.raises(CommandError, match="--email"):
            call_command("createsuperuser")

    @pytest.mark.parametrize(
        ("email", "password", "words"),
        [
            ("otto@example.org", "short", "too short"),
            ("no address", PASSWORD, "valid email"),
            ("alice@example.org", PASSWORD, "already exists"),
            ("", PASSWORD, "--email"),
        ],
    )
    def test_says_why_not(self, alice: Person, monkeypatch, email: str, password: str, words: str):
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
        with pytest.raises(CommandError, match=words):
            call_command("createsuperuser", "--no-input", "--email", email)
