"""The admin pages for accounts and API tokens. They never show a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import CASCADE, ForeignObjectRel, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from todo_project.accounts.admin_site import VersionedAdmin, VersionedForm, Versions
from todo_project.accounts.models import ApiToken, User
from todo_project.accounts.services import deletion, profiles, registration, tokens

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

admin.site.unregister(Group)  # operators get is_superuser or single permissions


class EmailInLowerCase:
    """A form that stores the e-mail address in lower case."""

    cleaned_data: dict[str, Any]

    def clean_email(self) -> str:
        """Return the address in lower case."""
        email: str = self.cleaned_data["email"].lower()
        return email


class UserCreation(EmailInLowerCase, _UserCreation):
    """The form that creates an account."""

    class Meta:
        model = User
        fields = ("email", "name", "time_zone")


class UserChange(EmailInLowerCase, VersionedForm, _UserChange):
    """The form that changes an account."""

    class Meta:
        model = User
        fields = "__all__"


class PasswordReset(_PasswordChange):
    """The form that sets another person's password and ends their sessions and tokens."""

    def set_password_and_save(self, user: User, commit: bool = True, **kwargs: Any) -> User:
        """Save the password only: the other columns may have changed since this request read them."""
        user = super().set_password_and_save(user, commit=False, **kwargs)  # type: ignore[misc] # not in the stubs
        if commit:
            user.save(update_fields=["password"])
        return user

    @transaction.atomic
    def save(self, commit: bool = True) -> User:
        """Save the new or unusable password, and revoke all tokens."""
        user: User = super().save(commit)
        tokens.revoke_all(user_id=user.pk, now=timezone.now())
        return user


def _is_superuser(request: HttpRequest) -> bool:
    return cast(User, request.user).is_superuser


def _belongings(user: User) -> dict[str, int]:
    """Return how many rows of each kind are deleted with the account."""
    counts = {}
    for relation in user._meta.get_fields(include_hidden=True):  # noqa: SLF001 - public API
        if isinstance(relation, ForeignObjectRel) and relation.on_delete is CASCADE:
            found = relation.related_model._base_manager  # noqa: SLF001 - as above
            count = found.filter(**{relation.field.name: user}).count()
            counts[str(relation.related_model._meta.verbose_name_plural)] = count  # noqa: SLF001 - as above
    return {name: count for name, count in counts.items() if count}


@admin.register(User)
class AccountAdmin(VersionedAdmin, _UserAdmin):
    """The pages for accounts.

    Only superusers can change the accounts of operators, or make an account an operator. Otherwise anybody with the
    permission to change users could give themselves every permission, or set a superuser's password.
    """

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
        ("Profile", {"fields": ("name", "time_zone")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        ("Dates", {"fields": ("created_at", "updated_at", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "time_zone", "usable_password", "password1", "password2")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return whether this account is deactivated, because deleted data cannot be restored."""
        if obj is None or obj.is_active:
            return False
        return self.has_change_permission(request, obj) and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return what the page shows before an account is deleted: numbers, because there may be 100,000 tasks."""
        (user,) = objs
        warning = "Projects that this account shares are deleted for their members too."
        return [str(user), warning], _belongings(user), set(), []

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Close the account, and let a job delete it."""
        deletion.request_deletion(user_id=obj.pk, now=timezone.now())

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Go to the list of accounts, where this one may still be."""
        self.message_user(request, f"The worker deletes the account {obj_display} with everything in it.")
        return HttpResponseRedirect(reverse("admin:accounts_user_changelist"))

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return False for operators' accounts unless the user is a superuser; the password form asks here too."""
        if obj is not None and (obj.is_staff or obj.is_superuser) and not _is_superuser(request):
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Return the fields that this operator cannot change."""
        if _is_superuser(request):
            return self.readonly_fields
        return (*self.readonly_fields, "is_staff", "is_superuser", "user_permissions")

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool) -> None:
        """Save the account; a new one also gets what registration creates, such as the Inbox."""
        if change:
            super().save_model(request, obj, form, change)
            return
        obj.created_at = obj.updated_at = timezone.now()
        with transaction.atomic():
            obj.save(force_insert=True)
            registration.run_after_registration(user=obj, now=obj.created_at)

    def update_row(self, row: User, changes: Any, expected_versions: Versions) -> None:
        """Change the account."""
        profiles.update_profile(
            user_id=row.pk, changes=changes, expected_versions=expected_versions, now=timezone.now()
        )


@admin.register(ApiToken)
class ApiTokenAdmin(_TokenAdmin):
    """The pages for API tokens, which can be viewed and revoked."""

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
        """Revoke the tokens, but operators' tokens only if the user is a superuser."""
        if not _is_superuser(request):
            queryset = queryset.filter(user__is_staff=False, user__is_superuser=False)
        for token in queryset:
            tokens.revoke_token(user_id=token.user_id, token_id=token.pk, now=timezone.now())

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> list[str]:
        """Return every field except the digest, so that nothing can be changed."""
        return [field.name for field in ApiToken._meta.fields if field.name != "digest"]  # noqa: SLF001 - public

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: only the owner of an account creates its tokens."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Return False: operators revoke tokens, which keeps the record."""
        return False
