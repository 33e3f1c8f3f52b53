"""The URL patterns of comments."""

from __future__ import annotations

from django.urls import path

from todo_project.api import paths  # noqa: F401 - registers <id:…>
from todo_project.comments.api import views

urlpatterns = [
    path("comments", views.CommentList.as_view(), name="comments"),
    path("comments/<id:comment_id>", views.CommentDetail.as_view(), name="comment"),
    path("comments/<id:comment_id>/restore", views.CommentRestore.as_view(), name="comment_restore"),
    path("comments/<id:comment_id>/history", views.CommentHistory.as_view(), name="comment_history"),
]
