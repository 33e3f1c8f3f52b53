"""The serializers of the members of a project."""

from __future__ import annotations

import msgspec
from rest_framework import serializers

from todo_project.api import etag
from todo_project.api.endpoint import Current
from todo_project.api.listing import struct_for
from todo_project.api.serializers import StrictChoiceField, StrictSerializer, StrictUUIDField
from todo_project.todos.api.serializers.fields import ROLES
from todo_project.todos.models import Membership, Project, Role

_USER_ID = "019aaf3e-7d10-7a00-8000-0000000000e1"


class MemberSerializer(StrictSerializer):
    """A person who takes part in a project: its owner or a member."""

    user_id = StrictUUIDField(read_only=True)
    email = serializers.EmailField(read_only=True)
    name = serializers.CharField(read_only=True)
    role = serializers.ChoiceField(choices=ROLES, read_only=True)
    is_inherited = serializers.BooleanField(
        read_only=True, help_text="True if the role comes from a project above, where it has to be changed."
    )

    example = {
        "user_id": _USER_ID,
        "email": "bob@example.org",
        "name": "Bob",
        "role": "editor",
        "is_inherited": False,
    }


class MemberPatch(MemberSerializer):
    """The new role of a member. Only a transfer makes somebody the owner."""

    role = StrictChoiceField(choices=ROLES[:-1])

    request_example = {"role": "editor"}


class TransferIn(StrictSerializer):
    """The new owner of a project."""

    user_id = StrictUUIDField(help_text="A member of the project.")

    request_example = {"user_id": _USER_ID}


Member = struct_for(MemberSerializer)
_DIGEST = etag.digest_of_fields(Member.__struct_fields__)


def member(row: Membership) -> msgspec.Struct:
    """Return the response for one member."""
    user = row.user
    return Member(row.user_id, user.email, user.name, role_name(row.role), row.own_role is None)


def tagged(row: Membership) -> tuple[object, str]:
    """Return the response for one member, and its entity tag, which differs with the person's name, too."""
    return member(row), etag.make(row.version, f"{_DIGEST}-{row.user.version}")


def current(row: Membership | None) -> Current | None:
    """Return the stored values of one member, and the version."""
    return None if row is None else (msgspec.structs.asdict(member(row)), row.version)


def owner(project: Project) -> msgspec.Struct:
    """Return the response for the owner of the project."""
    user = project.owner
    return Member(user.pk, user.email, user.name, role_name(Role.OWNER), False)


def role_name(role: int) -> str:
    """Return the name of a role as clients read and write it."""
    return ROLES[role - 1]


def role_named(name: str) -> Role:
    """Return the role with this name."""
    return Role(ROLES.index(name) + 1)
