"""The URL patterns of imports."""

from __future__ import annotations

from django.urls import path

from todo_project.imports.api import views

urlpatterns = [
    path("imports/ics", views.IcsImport.as_view(), name="import_ics"),
    path("imports/<id:import_id>", views.ImportDetail.as_view(), name="import"),
]
