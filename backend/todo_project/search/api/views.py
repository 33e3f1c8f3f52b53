"""The view of the search."""

from __future__ import annotations

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


class Search(Endpoint):
    """/search."""

    @operation("search", page_of(FoundSerializer), query=SearchQuery)
    def get(self, request: Request) -> HttpResponse:
        """Find tasks and comments by their words.

        A result has all words of `q`, or words that begin with them. If there are few, words with a typing error
        are found too. The best results come first, at most 500.
        """
        query = self.query()
        after = pagination.decode_ranked(query["cursor"])
        wanted = Wanted(query["q"])
        results = finding.find(
            user=cast(User, request.user),
            wanted=wanted,
            filter_=None if query["filter"] is None else syntax.parse(query["filter"]),
            now=timezone.now(),
        )
        rest = [result for result in results if after is None or result.key < after]
        page = pagination.page(rest, limit=query["limit"], key=lambda at: rest[at].key)
        shown = shaped(page["results"], user_id=self.owner_id, wanted=wanted)
        return answer_if_changed(request, {**page, "results": shown})
