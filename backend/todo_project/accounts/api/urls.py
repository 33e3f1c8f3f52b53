"""The URL patterns of accounts."""

from __future__ import annotations

from django.urls import path

from todo_project.accounts.api import views
from todo_project.api import paths  # noqa: F401 - registers <id:…>

urlpatterns = [
    path("auth/register", views.Register.as_view(), name="register"),
    path("auth/login", views.Login.as_view(), name="login"),
    path("auth/csrf", views.Csrf.as_view(), name="csrf"),
    path("auth/logout", views.Logout.as_view(), name="logout"),
    path("auth/password", views.Password.as_view(), name="password"),
    path("me", views.Me.as_view(), name="me"),
    path("tokens", views.TokenList.as_view(), name="tokens"),
    path("tokens/<id:token_id>", views.TokenDetail.as_view(), name="token"),
]
