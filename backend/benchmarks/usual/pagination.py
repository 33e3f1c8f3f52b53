"""Pagination."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination


class ById(CursorPagination):
    """Pages of fifty, oldest first."""

    page_size = 50
    ordering = "id"
