"""The admin site, which limits attempts to log in, and the base of its pages, which overwrite no later change."""

from __future__ import annotations

import functools
from http.client import FOUND
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from todo_project.accounts.models import User
from todo_project.accounts.services import limits, tokens
from todo_project.api.clients import client_network
from todo_project.api.problems import limit_headers, problem_response
from todo_project.db.changes import actor
from todo_project.errors import DomainError

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
    _ModelAdmin = admin.ModelAdmin[Any]
else:  # at run time Django's classes take no parameter
    _ModelForm = forms.ModelForm
    _ModelAdmin = admin.ModelAdmin


Versions = frozenset[int] | None


class LimitedLoginForm(AdminAuthenticationForm):
    """The admin's login form, under the same limits as the API's login."""

    def clean(self) -> dict[str, Any]:
        """Count the attempt before the password is checked, and uncount it if the password is right."""
        email = str(self.cleaned_data.get("username", "")).strip().lower()
        network = client_network(cast(HttpRequest, self.request).META)
        limits.begin_attempt(email=email, network=network)
        cleaned: dict[str, Any] = super().clean()
        user = cast("User | None", self.get_user())
        if user is not None:  # for an empty password Django reports a field error and sets no user
            limits.end_attempt(user=user, network=network, now=timezone.now())
        return cleaned


def _check_selected(view: Any, request: HttpRequest) -> None:
    """Refuse selected ids that the model of a list cannot have: Django filters by them unchecked."""
    options: Any = getattr(getattr(view, "__self__", None), "opts", None)
    try:
        for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME) if options else ():
            options.pk.to_python(chosen)
    except ValidationError as error:
        raise BadRequest("A selected row has no valid id. Select it in the list again.") from error


class AdminSite(admin.AdminSite):
    """Django's admin site. Attempts at passwords count as they do in the API, and changes name the operator."""

    login_form = LimitedLoginForm

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Attribute the writes of a page to the operator, and refuse selected values that are not ids."""
        checked = super().admin_view(view, cacheable)

        @functools.wraps(checked)
        def attributed(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            who = request.user
            with actor.acting(actor.Actor(who.pk) if who.is_authenticated else None):
                if self.has_permission(request):
                    _check_selected(view, request)
                return checked(request, *args, **kwargs)

        return attributed

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the login form, or return 429 if a limit is reached."""
        try:
            return super().login(request, extra_context)
        except limits.TooManyFailures as error:
            return _too_many(request, error)

    def password_change(  # type: ignore[override] # the stubs promise a TemplateResponse, Django may redirect
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Change the operator's own password and revoke all their tokens, or return 429 if a limit is reached."""
        if request.method != "POST":
            return super().password_change(request, extra_context)
        user, network = cast(User, request.user), client_network(request.META)
        try:
            limits.begin_attempt(email=user.email, network=network)
        except limits.TooManyFailures as error:
            return _too_many(request, error)
        with transaction.atomic():
            # locked and read again, because Django's form saves every column
            request.user = User.objects.select_for_update().get(pk=user.pk)
            response: Any = super().password_change(request, extra_context)
            if response.status_code == FOUND:
                tokens.revoke_all(user_id=user.pk, now=timezone.now())
        if response.status_code == FOUND or "old_password" not in response.context_data["form"].errors:
            limits.end_attempt(user=user, network=network, now=timezone.now())
        return cast(HttpResponse, response)


def _too_many(request: HttpRequest, error: limits.TooManyFailures) -> HttpResponse:
    return problem_response(request, status=429, code=error.code, detail=error.detail, headers=limit_headers(error))


class VersionedForm(_ModelForm):
    """A form for a row with a version: it sends back the version that it showed."""

    expected_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["expected_version"] = self.instance.version


class VersionedAdmin(_ModelAdmin):
    """The base of pages that change rows through a service, which refuses a form that shows an older version.

    Subclasses implement `update_row` by calling the service. Their form is a VersionedForm.
    """

    form = VersionedForm

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Add the hidden version to the form that changes a row."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or not self.has_change_permission(request, obj):
            return fieldsets
        return [*fieldsets, (None, {"fields": ("expected_version",)})]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form, and domain errors as messages."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the changed columns through the service."""
        columns = {field.name: field.attname for field in obj._meta.concrete_fields}  # noqa: SLF001 - public API
        changes = {columns[name]: getattr(obj, columns[name]) for name in form.changed_data if name in columns}
        if changes:
            shown = form.cleaned_data["expected_version"]
            self.update_row(obj, changes, None if shown is None else frozenset({shown}))

    def update_row(self, row: Any, changes: Any, expected_versions: Versions) -> None:
        """Change the row through its service; raise StaleVersion if it has another version."""
        raise NotImplementedError
