"""Accounts as operators see them: make, deactivate, set a password, revoke tokens. Never a secret."""

from __future__ import annotations

from http.client import FOUND
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from todo_project.accounts.models import ApiToken, User
from todo_project.accounts.services import limits, registration, tokens
from todo_project.api import clients
from todo_project.api.problems import limit_headers, problem_response

if TYPE_CHECKING:
    _TokenAdmin = admin.ModelAdmin[ApiToken]
    _UserAdmin = UserAdmin[User]
    _UserCreation = AdminUserCreationForm[User]
    _UserChange = UserChangeForm[User]
    _PasswordChange = AdminPasswordChangeForm[User]
else:  # at run time Django's classes take no parameter
    _TokenAdmin = admin.ModelAdmin
    _UserAdmin = UserAdmin
    _UserCreation = AdminUserCreationForm
    _UserChange = UserChangeForm
    _PasswordChange = AdminPasswordChangeForm

_site_login = admin.site.login
_site_password_change = admin.site.password_change


class LimitedLoginForm(AdminAuthenticationForm):
    """The operators' login, with the same limits as everybody's."""

    def clean(self) -> dict[str, Any]:
        """Count the attempt before the password is looked at; what is right is taken back."""
        email = str(self.cleaned_data.get("username", "")).strip().lower()
        request: Any = self.request
        address = clients.address_of(request.META, proxies=settings.TRUSTED_PROXY_COUNT)
        network = clients.network_of(address)
        limits.begin_attempt(email=email, network=network)
        cleaned: dict[str, Any] = super().clean()
        if self.get_user() is not None:  # Django's form lets an empty password pass here and refuses it as a field
            limits.end_attempt(email=email, network=network)
        return cleaned


def limited_login(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Answer the login form, or 429 when the limit is reached."""
    try:
        return _site_login(request, extra_context)
    except limits.TooManyFailures as error:
        headers = limit_headers(error)
        return problem_response(request, status=429, code=error.code, detail=error.detail, headers=headers)


@transaction.atomic
def password_change(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Let operators change their own password, which ends all their tokens, as it does everywhere else."""
    response = _site_password_change(request, extra_context)
    if response.status_code == FOUND:
        tokens.revoke_all(user_id=cast(User, request.user).pk, now=timezone.now())
    return response


admin.site.login_form = LimitedLoginForm
admin.site.login = limited_login  # type: ignore[method-assign] # a site of our own would be an app config more
admin.site.password_change = password_change  # type: ignore[method-assign,assignment] # as above
admin.site.unregister(Group)  # every operator may do what is_superuser or single permissions say


class UserCreation(_UserCreation):
    """An account that an operator makes; it has all that a registered one has."""

    class Meta:
        model = User
        fields = ("email", "name", "time_zone")

    def clean_email(self) -> str:
        """Compare addresses in lower case."""
        email: str = self.cleaned_data["email"].lower()
        return email


class UserChange(_UserChange):
    """What an operator may change of an account."""

    class Meta:
        model = User
        fields = "__all__"

    def clean_email(self) -> str:
        """Compare addresses in lower case."""
        email: str = self.cleaned_data["email"].lower()
        return email


class PasswordReset(_PasswordChange):
    """A new password for an account: all its tokens end, as all its sessions do."""

    @transaction.atomic
    def save(self, commit: bool = True) -> User:
        """Set it, or take every password away."""
        user: User = super().save(commit)
        tokens.revoke_all(user_id=user.pk, now=timezone.now())
        return user


@admin.register(User)
class Users(_UserAdmin):
    """Accounts."""

    form = UserChange
    add_form = UserCreation
    change_password_form = PasswordReset
    list_display = ("email", "name", "is_active", "is_staff", "created_at", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    ordering = ("-id",)
    show_full_result_count = False
    filter_horizontal = ("user_permissions",)
    readonly_fields = ("id", "created_at", "updated_at", "last_login")
    fieldsets = (
        (None, {"fields": ("id", "email", "password")}),
        ("Person", {"fields": ("name", "time_zone")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        ("When", {"fields": ("created_at", "updated_at", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "time_zone", "usable_password", "password1", "password2")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Refuse: what the account holds cannot be deleted here. One that is not active does nothing any more."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool) -> None:
        """Save the account; a new one gets what registration gives."""
        now = timezone.now()
        obj.updated_at = now
        if change:
            obj.version += 1
            super().save_model(request, obj, form, change)
            return
        obj.created_at = now
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            registration.run_after_registration(user=obj, now=now)


@admin.register(ApiToken)
class ApiTokens(_TokenAdmin):
    """Tokens, to see and to revoke."""

    list_display = ("prefix", "user", "name", "is_login", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("is_login",)
    search_fields = ("prefix", "user__email")
    list_select_related = ("user",)
    ordering = ("-id",)
    show_full_result_count = False
    exclude = ("digest",)
    actions = ("revoke",)

    @admin.action(description="Revoke the selected tokens", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """End them at once."""
        for token in queryset:
            tokens.revoke_token(user_id=token.user_id, token_id=token.pk, now=timezone.now())

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> list[str]:
        """Show everything but the digest, change nothing."""
        return [field.name for field in ApiToken._meta.fields if field.name != "digest"]  # noqa: SLF001 - public

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: a token is made by whom it speaks for."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Refuse: revoking leaves a trace, deleting does not."""
        return False
