"""Repair rows that violate the invariant of places, have values that the API refuses, or share a position.

Batches of BATCH rows, each a transaction of its own, with a new version for every row that changes. It can be
interrupted and run again.
"""

from __future__ import annotations

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


def batches(rows: Any) -> Iterator[list[Any]]:
    """Yield the ids of all rows in their order, so that each row is processed once."""
    rows, last = rows.order_by("id").values_list("id", flat=True), None
    while ids := list((rows if last is None else rows.filter(id__gt=last))[:BATCH]):
        yield ids
        last = ids[-1]


def update(rows: Any, **values: Any) -> None:
    """Set values of all rows, each with its next version."""
    for ids in batches(rows):
        table = rows.model.objects.filter(id__in=ids)
        table.update(version=F("version") + 1, updated_at=timezone.now(), **values)


def change(rows: Any, name: str, value: Callable[[Any], Any]) -> None:
    """Set one value of each row, with its next version."""
    for ids in batches(rows):
        with transaction.atomic():
            locked = list(rows.model.objects.filter(id__in=ids).order_by("id").select_for_update(of=("self",)))
            for row in locked:
                setattr(row, name, value(row))
                row.version += 1
                row.updated_at = timezone.now()
            rows.model.objects.bulk_update(locked, [name, "version", "updated_at"])


def mend_places(apps: Any, schema_editor: Any) -> None:
    """Enforce the invariant of placement.py on existing tasks."""
    projects, sections, tasks = (apps.get_model("todos", name).objects for name in ("Project", "Section", "Task"))
    update(projects.filter(deleted_at=None, parent__deleted_at__isnull=False), parent=None)
    change(
        sections.filter(deleted_at=None, project__deleted_at__isnull=False),
        "deleted_at",
        lambda section: section.project.deleted_at,
    )
    lost = tasks.filter(deleted_at=None, project__deleted_at__isnull=False)
    for ids in batches(lost):
        for owner_id in set(tasks.filter(id__in=ids).values_list("owner_id", flat=True)):
            inbox = projects.filter(owner_id=owner_id, is_inbox=True).first()
            if inbox is not None:
                update(tasks.filter(id__in=ids, owner_id=owner_id), project=inbox, section=None, uid="")
    update(tasks.filter(deleted_at=None, section__deleted_at__isnull=False), section=None)
    update(tasks.filter(section__isnull=False).exclude(section__project=F("project")), section=None)
    update(tasks.filter(deleted_at=None, parent__deleted_at__isnull=False), parent=None)
    elsewhere = ~Q(parent__project=F("project"))
    for here, above in ((True, False), (False, True)):
        elsewhere |= Q(section__isnull=here, parent__section__isnull=above)
    elsewhere |= Q(section__isnull=False, parent__section__isnull=False) & ~Q(parent__section=F("section"))
    update(tasks.filter(elsewhere, parent__isnull=False), parent=None)


def mend_values(apps: Any, schema_editor: Any) -> None:
    """Replace values that the constraints of the next migration do not allow."""
    project, section, label, task = (apps.get_model("todos", name) for name in ("Project", "Section", "Label", "Task"))
    for kind in (project, label):
        change(kind.objects.exclude(color__regex=COLOR), "color", _color)
    for kind in (project, section):
        update(kind.objects.filter(name=""), name="Untitled")
    change(label.objects.filter(name=""), "name", lambda row: f"Untitled {row.id}")
    update(task.objects.filter(title=""), title="Untitled")
    update(project.objects.filter(is_inbox=True, is_archived=True), is_archived=False)
    update(project.objects.filter(parent=F("id")), parent=None)
    update(task.objects.filter(recurrence_rule="").exclude(recurrence_mode=""), recurrence_mode="")
    recurring = task.objects.exclude(recurrence_rule="")
    update(recurring.exclude(recurrence_mode__in=("schedule", "completion")), recurrence_mode="schedule")


def _color(row: Any) -> str:
    lower = row.color.lower()
    is_one = len(lower) == 7 and lower[0] == "#" and set(lower[1:]) <= set("0123456789abcdef")
    return lower if is_one else ""


LISTS = {"Project": ("owner_id", "parent_id"), "Section": ("project_id",), "Task": ("project_id", "section_id")}


def mend_positions(apps: Any, schema_editor: Any) -> None:
    """Give every row of a list a valid and unique position, keeping the order."""
    for name, keys in LISTS.items():
        table = apps.get_model("todos", name).objects
        change(table.exclude(position__regex=POSITION), "position", lambda row, keys=keys: _last(row, keys))
        ties = table.values(*keys, "position").order_by().annotate(count=Count("id")).filter(count__gt=1)
        for tie in list(ties):
            _part(table.filter(**_where(tie, keys)), tie["position"])


def _where(values: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {f"{key}__isnull" if values[key] is None else key: values[key] or True for key in keys}


def _last(row: Any, keys: tuple[str, ...]) -> str:
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
            change(batch, "position", lambda row: found[row.id])


class Migration(migrations.Migration):
    safe_to_roll = "the release before reads and writes what it mends, and only leaves new rows of these kinds"
    atomic = False
    dependencies = [("todos", "0002_task_open")]
    operations = [
        migrations.RunPython(mend_places, migrations.RunPython.noop),
        migrations.RunPython(mend_values, migrations.RunPython.noop),
        migrations.RunPython(mend_positions, migrations.RunPython.noop),
    ]
