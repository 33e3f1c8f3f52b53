"""The serializers of invitations."""

from __future__ import annotations

from typing import Any

import msgspec
from django.db import models
from rest_framework import serializers

from todo_project.accounts.api.serializers import EmailField
from todo_project.api.listing import Resource, struct_for
from todo_project.api.serializers import (
    RowIdField,
    StrictCharField,
    StrictChoiceField,
    StrictSerializer,
    StrictUUIDField,
    TimestampField,
)
from todo_project.todos.api.serializers.fields import ROLES
from todo_project.todos.api.serializers.members import role_name, role_named
from todo_project.todos.models import Invitation, InvitationQuerySet


class InvitationSerializer(StrictSerializer):
    """An invitation to a project."""

    id = RowIdField()
    project_id = StrictUUIDField(read_only=True)
    project_name = StrictCharField(read_only=True)
    email = EmailField(help_text="The address of the person to invite. There need not be an account with it.")
    role = StrictChoiceField(choices=ROLES[:-1])
    status = serializers.ChoiceField(choices=Invitation.Status.choices, read_only=True)
    inviter_id = StrictUUIDField(read_only=True)
    inviter_name = StrictCharField(read_only=True)
    created_at = TimestampField()
    updated_at = TimestampField()

    request_example = {"email": "bob@example.org", "role": "editor"}
    example = request_example | {
        "id": "019aaf3e-7d10-7a00-8000-000000000401",
        "project_id": "019aaf3e-7d10-7a00-8000-0000000000b1",
        "project_name": "Garden",
        "status": "pending",
        "inviter_id": "019aaf3e-7d10-7a00-8000-0000000000e1",
        "inviter_name": "Alice",
        "created_at": "2026-11-29T08:00:00Z",
        "updated_at": "2026-11-29T08:00:00Z",
    }

    def validate_role(self, value: str) -> int:
        """Return the role as it is stored."""
        return role_named(value)


class AnswerIn(StrictSerializer):
    """The answer to an invitation."""

    token = StrictCharField(
        required=False,
        max_length=200,
        help_text="The secret in the link of the mail. It may be needed once, to show that your address is yours.",
    )

    request_example = {"token": "3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}


_Answer = struct_for(InvitationSerializer)


def shape(row: tuple[Any, ...]) -> msgspec.Struct:
    """Return the response for one tuple of columns."""
    id_, project_id, project_name, email, role, *rest, _ = row
    return _Answer(id_, project_id, project_name, email, role_name(role), *rest)


def _narrow(rows: InvitationQuerySet, **columns: Any) -> InvitationQuerySet:
    return rows.filter(**columns)


RESOURCE = Resource(
    rows=Invitation.objects.with_names,
    columns=(*_Answer.__struct_fields__, "version"),
    struct=_Answer,
    shape=shape,
    filters={"project_id": models.UUIDField(), "email": models.CharField()},
    narrow=_narrow,
)
