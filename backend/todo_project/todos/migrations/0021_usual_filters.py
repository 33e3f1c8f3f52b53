"""Give the usual filters to the accounts that exist, in batches, each a transaction of its own.

It can be interrupted and run again: an account that has filters gets none.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from todo_project.db import positions
from todo_project.db.rows import uuid7

BATCH = 500
# services/filters.py, as it was at the time of this migration
USUAL = {
    "Today": "is:open & due<=today",
    "Upcoming": "is:open & due>today & due<=today+7d",
    "Overdue": "overdue",
    "Inbox": "is:open & is:inbox",
    "Assigned to me": "is:open & assignee:me",
    "Completed": "is:done",
}


def add(apps: Any, schema_editor: Any) -> None:
    """Add the filters to the accounts that have none."""
    users, filters = apps.get_model("accounts", "User").objects, apps.get_model("todos", "SavedFilter").objects
    lacking = users.exclude(Exists(filters.filter(owner=OuterRef("pk")))).order_by("pk")
    now, places = timezone.now(), positions.spread(len(USUAL))
    rows, last = lacking.values_list("pk", flat=True), None
    while ids := list((rows if last is None else rows.filter(pk__gt=last))[:BATCH]):
        with transaction.atomic():
            # an account that registers meanwhile has its own; one that is deleted meanwhile gets none
            kept = users.filter(pk__in=ids).select_for_update(no_key=True).values_list("pk", flat=True)
            filters.bulk_create(
                filters.model(
                    id=uuid7(),
                    owner_id=owner_id,
                    name=name,
                    query=query,
                    position=place,
                    created_at=now,
                    updated_at=now,
                )
                for owner_id in sorted(kept)
                for (name, query), place in zip(USUAL.items(), places, strict=True)
            )
        last = ids[-1]


class Migration(migrations.Migration):
    safe_to_roll = "it adds rows to a table that the release before does not use"
    atomic = False
    dependencies = [("todos", "0020_saved_filter"), ("accounts", "0004_user_email_proved_at")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
