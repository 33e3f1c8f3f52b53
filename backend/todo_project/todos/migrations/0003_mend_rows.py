"""Repair rows that violate the invariant of places, have values that the API refuses, or share a position.

Batches of BATCH rows, each a transaction of its own, with a new version for every row that changes. It can be
interrupted and run again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from django.db import migrations, transaction
from django.db.models import Count, F, Max, Q
from django.utils import timezone

from todo_project.db import positions

BATCH = 500
POSITION = r"^[0-9a-z]*[1-9a-z]\Z"
COLOR = r"^(#[0-9a-f]{6})?\Z"
POSITION_LENGTH = 100
MODES = ("schedule", "completion")


def batches(rows: Any) -> Iterator[list[Any]]:
    """Yield the ids of all rows in their order, so that each row is processed once."""
    rows, last = rows.order_by("id").values_list("id", flat=True), None
    while ids := list((rows if last is None else rows.filter(id__gt=last))[:BATCH]):
        yield ids
        last = ids[-1]


def locked(rows: Any, ids: list[Any]) -> Any:
    """Lock these rows, and return them without those that another process has repaired meanwhile."""
    table = rows.model.objects.filter(id__in=ids)
    list(table.order_by("id").select_for_update(of=("self",)).values_list("id"))
    return rows.filter(id__in=ids)


def update(rows: Any, **values: Any) -> None:
    """Set values of all rows, each with its next version."""
    for ids in batches(rows):
        with transaction.atomic():
            locked(rows, ids).update(version=F("version") + 1, updated_at=timezone.now(), **values)


def change(rows: Any, value: Callable[[Any], dict[str, Any]]) -> None:
    """Set the values that the function returns for each row, with its next version."""
    for ids in batches(rows):
        with transaction.atomic():
            changed = list(locked(rows, ids))
            names: set[str] = set()
            for row in changed:
                values = {**value(row), "version": row.version + 1, "updated_at": timezone.now()}
                names |= values.keys()
                for name, new in values.items():
                    setattr(row, name, new)
            if changed:
                rows.model.objects.bulk_update(changed, [name.removesuffix("_id") for name in names])


def mend_places(apps: Any, schema_editor: Any) -> None:
    """Enforce the invariant of placement.py on existing tasks."""
    projects, sections, tasks = (apps.get_model("todos", name).objects for name in ("Project", "Section", "Task"))
    update(projects.filter(deleted_at=None, parent__deleted_at__isnull=False), parent=None)
    change(
        sections.filter(deleted_at=None, project__deleted_at__isnull=False),
        lambda section: {"deleted_at": section.project.deleted_at},
    )
    lost = tasks.filter(deleted_at=None, project__deleted_at__isnull=False)
    for ids in batches(lost):
        for task_id in ids:
            _move_to_inbox(lost.filter(id=task_id), projects)
    update(tasks.filter(deleted_at=None, section__deleted_at__isnull=False), section=None)
    update(tasks.filter(section__isnull=False).exclude(section__project=F("project")), section=None)
    update(tasks.filter(deleted_at=None, parent__deleted_at__isnull=False), parent=None)
    elsewhere = ~Q(parent__project=F("project"))
    for here, above in ((True, False), (False, True)):
        elsewhere |= Q(section__isnull=here, parent__section__isnull=above)
    elsewhere |= Q(section__isnull=False, parent__section__isnull=False) & ~Q(parent__section=F("section"))
    update(tasks.filter(elsewhere, parent__isnull=False), parent=None)


def _move_to_inbox(lost: Any, projects: Any) -> None:
    """Move the task, without its UID if the Inbox has a task with that."""
    tasks = lost.model.objects
    with transaction.atomic():
        owners = lost.values("owner_id")
        inbox = projects.filter(owner_id__in=owners, is_inbox=True).select_for_update(of=("self",)).first()
        task = lost.first()
        if inbox is None or task is None:
            return
        is_taken = tasks.filter(project=inbox, uid=task.uid, deleted_at=None).exists()
        update(lost, project=inbox, section=None, uid="" if is_taken else task.uid)


def mend_values(apps: Any, schema_editor: Any) -> None:
    """Replace values that the constraints of the next migration do not allow.

    All values of a row are replaced in one statement, because that migration repeats this when the constraints
    already hold for every row that is written.
    """
    project, section, label, task = (
        apps.get_model("todos", name).objects for name in ("Project", "Section", "Label", "Task")
    )
    bad_color, bad_position = ~Q(color__regex=COLOR), ~Q(position__regex=POSITION)
    is_wrong = Q(name="") | Q(is_inbox=True, is_archived=True) | Q(parent=F("id"))
    change(project.filter(bad_color | bad_position | is_wrong), _project)
    change(section.filter(bad_position | Q(name="")), _section)
    change(label.filter(bad_color | Q(name="")), _label)
    needs_no_mode = Q(recurrence_rule="") & ~Q(recurrence_mode="")
    needs_mode = ~Q(recurrence_rule="") & ~Q(recurrence_mode__in=MODES)
    change(task.filter(bad_position | Q(title="") | needs_no_mode | needs_mode), _task)


def _project(row: Any) -> dict[str, Any]:
    return {
        "name": row.name or "Untitled",
        "color": _color(row),
        "is_archived": row.is_archived and not row.is_inbox,
        "parent_id": row.parent_id if row.parent_id != row.id else None,
        "position": _position(row),
    }


def _section(row: Any) -> dict[str, Any]:
    return {"name": row.name or "Untitled", "position": _position(row)}


def _label(row: Any) -> dict[str, Any]:
    return {"name": row.name or f"Untitled {row.id}", "color": _color(row)}


def _task(row: Any) -> dict[str, Any]:
    mode = row.recurrence_mode if row.recurrence_mode in MODES else MODES[0]
    return {
        "title": row.title or "Untitled",
        "recurrence_mode": mode if row.recurrence_rule else "",
        "position": _position(row),
    }


def _color(row: Any) -> str:
    lower: str = row.color.lower()
    return lower if re.match(COLOR, lower) else ""


LISTS = {"Project": ("owner_id", "parent_id"), "Section": ("project_id",), "Task": ("project_id", "section_id")}


def mend_positions(apps: Any, schema_editor: Any) -> None:
    """Give every row of a list its own position, keeping the order."""
    for name, keys in LISTS.items():
        table = apps.get_model("todos", name).objects
        ties = table.values(*keys, "position").order_by().annotate(count=Count("id")).filter(count__gt=1)
        for tie in list(ties):
            _part(table.filter(**_where(tie, keys)), tie["position"])


def _where(values: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {f"{key}__isnull" if values[key] is None else key: values[key] or True for key in keys}


def _position(row: Any) -> str:
    """Return the row's position if it is valid, otherwise one at the end of its list."""
    if re.match(POSITION, row.position):
        return row.position  # type: ignore[no-any-return]
    keys = LISTS[type(row).__name__]
    siblings = type(row).objects.filter(**_where(vars(row), keys), position__regex=POSITION)
    return positions.between(siblings.order_by().aggregate(last=Max("position"))["last"], None)


def _part(siblings: Any, position: str) -> None:
    """Move all rows but the first between the first one's position and the next one."""
    tied = list(siblings.filter(position=position).order_by("id").values_list("id", flat=True))[1:]
    following = siblings.filter(position__gt=position).order_by("position").values_list("position", flat=True)
    found = dict(zip(tied, positions.spread(len(tied), position, following.first()), strict=True))
    if found and max(map(len, found.values())) <= POSITION_LENGTH:  # otherwise they keep equal positions, which services support
        for start in range(0, len(tied), BATCH):
            batch = siblings.model.objects.filter(id__in=tied[start : start + BATCH])
            change(batch, lambda row: {"position": found[row.id]})


class Migration(migrations.Migration):
    safe_to_roll = "the release before reads and writes what it mends, and only leaves new rows of these kinds"
    atomic = False
    dependencies = [("todos", "0002_task_open")]
    operations = [
        migrations.RunPython(mend_places, migrations.RunPython.noop),
        migrations.RunPython(mend_values, migrations.RunPython.noop),
        migrations.RunPython(mend_positions, migrations.RunPython.noop),
    ]
