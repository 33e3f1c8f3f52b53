"""The URL pattern of quick add."""

from __future__ import annotations

from django.urls import path

from todo_project.quick_add.api import views

urlpatterns = [path("tasks/quick", views.QuickAdd.as_view(), name="quick_add")]
