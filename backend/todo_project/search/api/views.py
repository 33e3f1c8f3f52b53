"""The view of the search."""

from __future__ import annotations

import uuid
from functools import partial
from typing import cast

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from todo_project.accounts.models import User
from todo_project.api import pagination
from todo_project.api.endpoint import Endpoint, answer_if_changed
from todo_project.api.operations import operation, page_of
from todo_project.search.api.serializers import FoundSerializer, SearchQuery, shaped
from todo_project.search.services import finding
from todo_project.search.services.wanted import Wanted
from todo_project.todos.models.filtering import syntax

# the type of Result.key
_KEY = (pagination.Number, uuid.UUID, pagination.Number)


class Search(Endpoint):
    """/search."""

    @operation("search", page_of(FoundSerializer), query=SearchQuery)
    def get(self, request: Request) -> HttpResponse:
        """Find tasks and comments by their words.

        A result has all words of `q`, or words that begin with them. If there are few, words with a typing error
        are found too. The best results come first, at most 500.
        """
        query = self.query()
        digest = pagination.digest(query)
        after = None if query["cursor"] is None else pagination.decode_values(digest, query["cursor"], _KEY)
        wanted = Wanted(query["q"])
        results = finding.find(
            user=cast(User, request.user),
            wanted=wanted,
            filter_=None if query["filter"] is None else syntax.parse(query["filter"]),
            now=timezone.now(),
        )
        rest = [result for result in results if after is None or result.key < after]
        page = pagination.page(
            rest,
            limit=query["limit"],
            key=lambda index: rest[index].key,
            encode=partial(pagination.encode_values, digest),
        )
        shown = shaped(page["results"], user_id=self.owner_id, wanted=wanted)
        return answer_if_changed(request, {**page, "results": shown})
