"""The domain for operators: find, read, correct, restore from the trash. Services do the writing.

Forms refuse what the API refuses: the constraints of the models and the limits of the settings are checked before a
service is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.core.validators import MaxLengthValidator
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from todo_project.errors import DomainError
from todo_project.todos.models import Label, OwnedRow, Project, Section, Task
from todo_project.todos.services import labels, projects, sections, tasks, trash

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _TaskForm = ModelForm[Task]
else:  # generic for the type checker only
    _ModelAdmin = admin.ModelAdmin
    _TaskForm = ModelForm


class TrashFilter(admin.SimpleListFilter):
    """In the trash or not."""

    title = "trash"
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the two choices."""
        return [("no", "not in the trash"), ("yes", "in the trash")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list to the choice."""
        return queryset.filter(deleted_at__isnull=self.value() == "no") if self.value() else queryset


class PriorityFilter(admin.SimpleListFilter):
    """One of the five priorities; Django's own filter would read every task to learn which there are."""

    title = "priority"
    parameter_name = "priority"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name them as the API does."""
        return [(str(priority), str(priority)) for priority in range(5)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list to the choice."""
        chosen = dict(self.lookup_choices)
        return queryset.filter(priority=self.value()) if self.value() in chosen else queryset


class OwnedRowAdmin(_ModelAdmin):
    """What operators may do with every kind of row: none is created here, and none is deleted for good.

    Subclasses name the services: `write`, `put_in_trash` and `bring_back`.
    """

    actions = ("move_to_trash", "restore_from_trash")
    list_filter: ClassVar[Any] = (TrashFilter,)
    list_select_related: ClassVar[Any] = ("owner",)
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-id",)
    fixed = ("id", "owner", "version", "created_at", "updated_at", "deleted_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: a row belongs to a person, who creates it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: OwnedRow | None = None) -> bool:
        """Refuse: only the purge job deletes for good."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: OwnedRow | None = None) -> bool:
        """Allow it with Django's permission, outside the trash."""
        in_trash = obj is not None and obj.deleted_at is not None
        return not in_trash and super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: OwnedRow | None = None) -> tuple[str, ...]:
        """Show what only services write."""
        return (*self.fixed, *self.readonly_fields)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show what the domain refuses as a message."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        """Write what the operator changed through the service, as a new version."""
        names = (f"{name}_id" if name in self.raw_id_fields else name for name in form.changed_data)
        changes = {name: getattr(obj, name) for name in names}
        if changes:
            self.write(obj, changes)

    def write(self, row: Any, changes: dict[str, Any]) -> None:
        """Change the row."""
        raise NotImplementedError

    def put_in_trash(self, row: Any) -> None:
        """Trash the row."""
        raise NotImplementedError

    def bring_back(self, row: Any) -> None:
        """Restore the row."""
        raise NotImplementedError

    @admin.action(description="Move to the trash", permissions=["change"])
    def move_to_trash(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Trash each with what it holds."""
        self._each(request, queryset, self.put_in_trash, "moved to the trash")

    @admin.action(description="Restore from the trash", permissions=["change"])
    def restore_from_trash(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Restore each with what went with it."""
        self._each(request, queryset, self.bring_back, "restored")

    def _each(self, request: HttpRequest, rows: QuerySet[Any], write: Callable[[Any], object], done: str) -> None:
        count = 0
        for row in rows.select_related("owner"):
            try:
                write(row)
            except DomainError as error:
                self.message_user(request, f"{row}: {error.detail}", messages.ERROR)
            else:
                count += 1
                self.log_change(request, row, done)
        self.message_user(request, f"{count} {done}.", messages.SUCCESS if count else messages.WARNING)


@admin.register(Project)
class ProjectAdmin(OwnedRowAdmin):
    """Projects."""

    list_display = ("name", "owner", "parent", "is_archived", "deleted_at")
    list_filter = (TrashFilter, "is_inbox", "is_archived")
    list_select_related = ("owner", "parent")
    search_fields = ("name", "owner__email")
    raw_id_fields = ("parent",)
    readonly_fields = ("is_inbox",)
    fields = ("name", "color", "parent", "position", "is_archived", "is_inbox", *OwnedRowAdmin.fixed)

    def write(self, row: Project, changes: Any) -> None:
        """Change the project."""
        projects.update_project(owner_id=row.owner_id, project_id=row.pk, changes=changes, now=timezone.now())

    def put_in_trash(self, row: Project) -> None:
        """Trash the project."""
        trash.trash_project(owner_id=row.owner_id, project_id=row.pk, now=timezone.now())

    def bring_back(self, row: Project) -> None:
        """Restore the project."""
        trash.restore_project(owner_id=row.owner_id, project_id=row.pk, now=timezone.now())


@admin.register(Section)
class SectionAdmin(OwnedRowAdmin):
    """Sections."""

    list_display = ("name", "owner", "project", "deleted_at")
    list_select_related = ("owner", "project")
    search_fields = ("name", "owner__email")
    raw_id_fields = ("project",)
    fields = ("name", "project", "position", *OwnedRowAdmin.fixed)

    def write(self, row: Section, changes: Any) -> None:
        """Change the section."""
        sections.update_section(owner_id=row.owner_id, section_id=row.pk, changes=changes, now=timezone.now())

    def put_in_trash(self, row: Section) -> None:
        """Trash the section."""
        trash.trash_section(owner_id=row.owner_id, section_id=row.pk, now=timezone.now())

    def bring_back(self, row: Section) -> None:
        """Restore the section."""
        trash.restore_section(owner_id=row.owner_id, section_id=row.pk, now=timezone.now())


@admin.register(Label)
class LabelAdmin(OwnedRowAdmin):
    """Labels."""

    list_display = ("name", "owner", "color", "deleted_at")
    search_fields = ("name", "owner__email")
    fields = ("name", "color", *OwnedRowAdmin.fixed)

    def write(self, row: Label, changes: Any) -> None:
        """Change the label."""
        labels.update_label(owner_id=row.owner_id, label_id=row.pk, changes=changes, now=timezone.now())

    def put_in_trash(self, row: Label) -> None:
        """Trash the label."""
        trash.trash_label(owner_id=row.owner_id, label_id=row.pk, now=timezone.now())

    def bring_back(self, row: Label) -> None:
        """Restore the label."""
        trash.restore_label(owner_id=row.owner_id, label_id=row.pk, now=timezone.now())


class TaskForm(_TaskForm):
    """A task within the lengths that the API allows."""

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

    form = TaskForm

    list_display = ("title", "owner", "project", "due_date", "due_at", "completed_at", "deleted_at")
    list_filter = (TrashFilter, ("completed_at", admin.EmptyFieldListFilter), PriorityFilter)
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

    def write(self, row: Task, changes: Any) -> None:
        """Change the task."""
        tasks.update_task(user=row.owner, task_id=row.pk, changes=changes, now=timezone.now())

    def put_in_trash(self, row: Task) -> None:
        """Trash the task."""
        trash.trash_task(user=row.owner, task_id=row.pk, now=timezone.now())

    def bring_back(self, row: Task) -> None:
        """Restore the task."""
        trash.restore_task(user=row.owner, task_id=row.pk, now=timezone.now())
