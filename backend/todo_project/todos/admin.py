"""The admin pages for projects, sections, labels and tasks. All writes go through the services.

Forms refuse what the API refuses: they validate the models' constraints and the limits of the settings before they
call a service.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import model_ngettext
from django.core.validators import MaxLengthValidator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from todo_project.accounts.admin_site import VersionedAdmin, VersionedForm, Versions
from todo_project.db import positions
from todo_project.errors import DomainError
from todo_project.todos.models import Label, OwnedRow, Project, Section, Task
from todo_project.todos.services import labels, projects, sections, tasks, trash


class TrashFilter(admin.SimpleListFilter):
    """Filters by whether a row is in the trash."""

    title = "trash"
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the two choices."""
        return [("no", "not in the trash"), ("yes", "in the trash")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Apply the choice."""
        return queryset.filter(deleted_at__isnull=self.value() == "no") if self.value() else queryset


class Services(NamedTuple):
    """The functions that write rows of one kind."""

    update: Callable[..., object]
    trash: Callable[..., object]
    restore: Callable[..., object]


class OwnedRowForm(VersionedForm):
    """The base of all forms, which refuses the positions that the API refuses."""

    def clean_position(self) -> str:
        """Refuse a new position that leaves no room for those that services compute."""
        position: str = self.cleaned_data["position"]
        if "position" in self.changed_data:
            MaxLengthValidator(positions.CHOSEN_MAX_LENGTH)(position)
        return position


class OwnedRowAdmin(VersionedAdmin):
    """The base of all pages. Operators change, trash and restore rows, but do not create or delete them."""

    form = OwnedRowForm
    services: Services
    actions = ("move_to_trash", "restore_from_trash")
    list_filter: ClassVar[Any] = (TrashFilter,)
    list_select_related: ClassVar[Any] = ("owner",)
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-id",)
    fixed = ("id", "owner", "version", "created_at", "updated_at", "deleted_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: only the owner creates rows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: OwnedRow | None = None) -> bool:
        """Return False: only the purge job deletes rows permanently."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: OwnedRow | None = None) -> bool:
        """Return whether the operator has the permission and the row is not in the trash."""
        in_trash = obj is not None and obj.deleted_at is not None
        return not in_trash and super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: OwnedRow | None = None) -> tuple[str, ...]:
        """Return the fields that only services write."""
        return (*self.fixed, *self.readonly_fields)

    def found_by(self, row: Any) -> dict[str, Any]:
        """Return the arguments by which the services find a row."""
        return {"user_id": row.owner_id, f"{self.opts.model_name}_id": row.pk}

    def update_row(self, row: Any, changes: Any, expected_versions: Versions) -> None:
        """Change the row."""
        found = self.found_by(row)
        self.services.update(**found, changes=changes, expected_versions=expected_versions, now=timezone.now())

    def trash_row(self, row: Any) -> None:
        """Move the row to the trash."""
        self.services.trash(**self.found_by(row), now=timezone.now())

    def restore_row(self, row: Any) -> None:
        """Restore the row."""
        self.services.restore(**self.found_by(row), now=timezone.now())

    @admin.action(description="Move to the trash", permissions=["change"])
    def move_to_trash(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Move the selected rows to the trash, with everything in them."""
        self._each(request, queryset, self.trash_row, ("Moved", " to the trash"))

    @admin.action(description="Restore from the trash", permissions=["change"])
    def restore_from_trash(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Restore the selected rows, with everything that was deleted with them."""
        self._each(request, queryset, self.restore_row, ("Restored", ""))

    def _each(
        self, request: HttpRequest, rows: QuerySet[Any], write: Callable[[Any], object], done: tuple[str, str]
    ) -> None:
        """Write each row; `done` are the words of the message before and after the number of rows."""
        verb, where = done
        count = 0
        for row in rows.select_related("owner"):
            try:
                write(row)
            except DomainError as error:
                self.message_user(request, f"{row}: {error.detail}", messages.ERROR)
            else:
                count += 1
                self.log_change(request, row, f"{verb}{where}.")
        nouns = model_ngettext(self.opts, count)
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, f"{verb} {count or 'no'} {nouns}{where}.", level)


@admin.register(Project)
class ProjectAdmin(OwnedRowAdmin):
    """Projects."""

    services = Services(projects.update_project, trash.trash_project, trash.restore_project)
    list_display = ("name", "owner", "parent", "is_archived", "deleted_at")
    list_filter = (TrashFilter, "is_inbox", "is_archived")
    list_select_related = ("owner", "parent")
    search_fields = ("name", "owner__email")
    raw_id_fields = ("parent",)
    readonly_fields = ("is_inbox",)
    fields = ("name", "color", "parent", "position", "is_archived", "is_inbox", *OwnedRowAdmin.fixed)


@admin.register(Section)
class SectionAdmin(OwnedRowAdmin):
    """Sections."""

    services = Services(sections.update_section, trash.trash_section, trash.restore_section)
    list_display = ("name", "owner", "project", "deleted_at")
    list_select_related = ("owner", "project")
    search_fields = ("name", "owner__email")
    raw_id_fields = ("project",)
    fields = ("name", "project", "position", *OwnedRowAdmin.fixed)


@admin.register(Label)
class LabelAdmin(OwnedRowAdmin):
    """Labels."""

    services = Services(labels.update_label, trash.trash_label, trash.restore_label)
    list_display = ("name", "owner", "color", "deleted_at")
    search_fields = ("name", "owner__email")
    fields = ("name", "color", *OwnedRowAdmin.fixed)


class TaskForm(OwnedRowForm):
    """The form for a task, with the same maximum lengths as the API."""

    def clean_title(self) -> str:
        """Refuse a title that is too long."""
        return self._within("title", settings.TASK_TITLE_MAX_LENGTH)

    def clean_description(self) -> str:
        """Refuse a description that is too long."""
        return self._within("description", settings.TASK_DESCRIPTION_MAX_LENGTH)

    def _within(self, name: str, limit: int) -> str:
        text: str = self.cleaned_data[name]
        MaxLengthValidator(limit)(text)
        return text


@admin.register(Task)
class TaskAdmin(OwnedRowAdmin):
    """Tasks."""

    services = Services(tasks.update_task, trash.trash_task, trash.restore_task)
    form = TaskForm

    list_display = ("title", "owner", "project", "due_date", "due_at", "completed_at", "deleted_at")
    list_filter = (TrashFilter, ("completed_at", admin.EmptyFieldListFilter), "priority")
    list_select_related = ("owner", "project")
    search_fields = ("title", "owner__email")
    raw_id_fields = ("project", "section", "parent")
    readonly_fields = (
        *("due_date", "due_at", "due_time_zone", "start_date", "start_at", "start_time_zone"),
        *("deadline_date", "deadline_at", "deadline_time_zone", "recurrence_rule", "recurrence_mode"),
        *("reminders", "completed_at", "next_task", "uid"),
    )
    fields = (
        *("title", "description", "priority", "project", "section", "parent", "position"),
        *readonly_fields,
        *OwnedRowAdmin.fixed,
    )

    def found_by(self, row: Task) -> dict[str, Any]:
        """Return the arguments by which the services find a task."""
        return {"user": row.owner, "task_id": row.pk}
