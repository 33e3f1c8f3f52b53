"""The paths of todos."""

from __future__ import annotations

from django.urls import path

from todo_project.todos.api.views import labels, projects, sections, tasks

urlpatterns = [
    # paths are tried in this order, so what is asked for most comes first
    path("tasks", tasks.TaskList.as_view(), name="tasks"),
    path("tasks/<uuid:task_id>", tasks.TaskDetail.as_view(), name="task"),
    path("tasks/<uuid:task_id>/complete", tasks.TaskComplete.as_view(), name="task_complete"),
    path("tasks/<uuid:task_id>/reopen", tasks.TaskReopen.as_view(), name="task_reopen"),
    path("tasks/<uuid:task_id>/move", tasks.TaskMove.as_view(), name="task_move"),
    path("tasks/<uuid:task_id>/restore", tasks.TaskRestore.as_view(), name="task_restore"),
    path("projects", projects.ProjectList.as_view(), name="projects"),
    path("projects/<uuid:project_id>", projects.ProjectDetail.as_view(), name="project"),
    path("projects/<uuid:project_id>/restore", projects.ProjectRestore.as_view(), name="project_restore"),
    path("projects/<uuid:project_id>/archive", projects.ProjectArchive.as_view(), name="project_archive"),
    path("projects/<uuid:project_id>/unarchive", projects.ProjectUnarchive.as_view(), name="project_unarchive"),
    path("sections", sections.SectionList.as_view(), name="sections"),
    path("sections/<uuid:section_id>", sections.SectionDetail.as_view(), name="section"),
    path("sections/<uuid:section_id>/restore", sections.SectionRestore.as_view(), name="section_restore"),
    path("labels", labels.LabelList.as_view(), name="labels"),
    path("labels/<uuid:label_id>", labels.LabelDetail.as_view(), name="label"),
    path("labels/<uuid:label_id>/restore", labels.LabelRestore.as_view(), name="label_restore"),
]
