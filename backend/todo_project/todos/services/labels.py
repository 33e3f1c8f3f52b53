"""Creates and changes labels."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TypedDict

from django.db import IntegrityError, transaction

from todo_project.db.rows import uuid7
from todo_project.errors import Conflict, Forbidden
from todo_project.todos.models import Label, LabelQuerySet
from todo_project.todos.services import rows


class LabelValues(TypedDict, total=False):
    """The fields that a client can set; `color` is `#rrggbb` or empty."""

    name: str
    color: str


class LabelNameTaken(Conflict):
    """Another label of the account has this name, ignoring case."""


class LabelIsNotYours(Forbidden):
    """The caller sees the label on a shared task, but somebody else created it."""


def name_taken(name: str) -> LabelNameTaken:
    """Return the error for a name that another label has."""
    return LabelNameTaken(f"You already have a label named {name!r} (case is ignored). Choose another name.")


@transaction.atomic
def create_label(
    *, user_id: uuid.UUID, values: LabelValues, now: dt.datetime, label_id: uuid.UUID | None = None
) -> Label:
    """Create a label; raises LabelNameTaken and IdTaken."""
    label = Label(id=label_id or uuid7(), owner_id=user_id, created_at=now, updated_at=now, **values)
    try:
        rows.insert(Label.objects, label)
    except IntegrityError as error:
        raise name_taken(label.name) from error
    return label


def put_label(
    *,
    user_id: uuid.UUID,
    label_id: uuid.UUID,
    values: LabelValues,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
    precondition: rows.Precondition = None,
) -> tuple[Label, bool]:
    """Create the label with an id that the client chose, or replace its values; see rows.put.

    Values that are left out are reset to their defaults.
    """
    return rows.put(
        Label.objects.visible_to(user_id),
        row_id=label_id,
        precondition=precondition,
        create=lambda: create_label(user_id=user_id, label_id=label_id, values=values, now=now),
        replace=lambda: update_label(
            user_id=user_id,
            label_id=label_id,
            changes={"color": "", **values},
            expected_versions=expected_versions,
            now=now,
        ),
    )


@transaction.atomic
def update_label(
    *,
    user_id: uuid.UUID,
    label_id: uuid.UUID,
    changes: LabelValues,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
) -> Label:
    """Change the given fields; raises NotFound, LabelIsNotYours, StaleVersion and LabelNameTaken."""
    seen = Label.objects.visible_to(user_id).alive()
    label = locked_label(seen, user_id=user_id, label_id=label_id, expected_versions=expected_versions)
    try:
        with transaction.atomic():
            rows.change(label, changes=changes, now=now)
    except IntegrityError as error:
        raise name_taken(changes.get("name", label.name)) from error
    return label


def locked_label(
    labels: LabelQuerySet, *, user_id: uuid.UUID, label_id: uuid.UUID, expected_versions: rows.Versions = None
) -> Label:
    """Return a label of the user, locked; raise NotFound, LabelIsNotYours and StaleVersion."""
    label = rows.locked(labels, row_id=label_id)
    if label.owner_id != user_id:
        raise LabelIsNotYours("Somebody else created this label, so you may not change it. Create one of your own.")
    rows.compare(label, expected_versions=expected_versions)
    return label
