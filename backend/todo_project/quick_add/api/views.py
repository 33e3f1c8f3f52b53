"""The view of quick add."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework.request import Request

from todo_project.accounts.models import User
from todo_project.api.endpoint import Endpoint, answer
from todo_project.api.idempotency import idempotent
from todo_project.api.operations import operation
from todo_project.quick_add.api.serializers import QuickDraftOut, QuickTaskIn, QuickTaskOut
from todo_project.quick_add.services import adding
from todo_project.todos.api.serializers.tasks import RESOURCE


class QuickAdd(Endpoint):
    """POST /tasks/quick."""

    @operation(
        "create_task_from_text",
        {201: QuickTaskOut, 200: QuickDraftOut},
        body=QuickTaskIn,
        without_etag={200},
        errors={409: "The list has no room for another task, or another request uses the name of a new label."},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Create a task from a line of text.

        Dates, times, recurrence, `#project`, `@label`, `+person`, `p1` to `p4` and `// description` are understood,
        in English and Chinese; docs/quick-add.md describes them. What is not understood stays in the title. An
        unknown `@label` is created. With `dry_run`, nothing is written, and the response has status 200 and no id.
        """
        body = self.body(QuickTaskIn)
        added = adding.add_task(user=cast(User, request.user), now=timezone.now(), **body)
        task: Any
        task, tag = RESOURCE.from_instance(added.task)
        marks = added.reading.marks
        parsed = {
            "understood": [
                {
                    "kind": each.kind,
                    "start": each.start,
                    "end": each.end,
                    "text": body["text"][each.start : each.end],
                }
                for each in added.reading.spans
            ],
            "new_labels": marks.new_labels,
        }
        if body["dry_run"]:
            draft = msgspec.structs.replace(task, id=None, labels=sorted(marks.label_ids))
            return answer({"task": draft} | parsed)
        location = reverse("task", args=[task.id])
        return answer({"task": task} | parsed, status=201, tag=tag, headers={"Location": location})
