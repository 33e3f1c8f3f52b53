"""The URL patterns of todos."""

from __future__ import annotations

from django.urls import path

from todo_project.api import paths  # noqa: F401 - registers <id:…>
from todo_project.todos.api.views import (
    activity,
    batch,
    changes,
    filters,
    invitations,
    labels,
    members,
    overview,
    projects,
    sections,
    tasks,
)

urlpatterns = [
    # Django tries the patterns in this order, so the most frequent ones come first
    path("tasks", tasks.TaskList.as_view(), name="tasks"),
    path("tasks/<id:task_id>", tasks.TaskDetail.as_view(), name="task"),
    path("tasks/<id:task_id>/complete", tasks.TaskComplete.as_view(), name="task_complete"),
    path("tasks/<id:task_id>/reopen", tasks.TaskReopen.as_view(), name="task_reopen"),
    path("tasks/<id:task_id>/move", tasks.TaskMove.as_view(), name="task_move"),
    path("tasks/<id:task_id>/restore", tasks.TaskRestore.as_view(), name="task_restore"),
    path("projects", projects.ProjectList.as_view(), name="projects"),
    path("projects/<id:project_id>", projects.ProjectDetail.as_view(), name="project"),
    path("projects/<id:project_id>/restore", projects.ProjectRestore.as_view(), name="project_restore"),
    path("projects/<id:project_id>/archive", projects.ProjectArchive.as_view(), name="project_archive"),
    path("projects/<id:project_id>/unarchive", projects.ProjectUnarchive.as_view(), name="project_unarchive"),
    path("projects/<id:project_id>/members", members.MemberList.as_view(), name="members"),
    path("projects/<id:project_id>/members/<id:user_id>", members.MemberDetail.as_view(), name="member"),
    path(
        "projects/<id:project_id>/invitations", invitations.ProjectInvitations.as_view(), name="project_invitations"
    ),
    path("projects/<id:project_id>/transfer", members.ProjectTransfer.as_view(), name="project_transfer"),
    path("projects/<id:project_id>/activity", activity.ProjectActivity.as_view(), name="project_activity"),
    path("tasks/<id:task_id>/skip", tasks.TaskSkip.as_view(), name="task_skip"),
    path("tasks/<id:task_id>/occurrences", tasks.TaskOccurrences.as_view(), name="task_occurrences"),
    path("tasks/<id:task_id>/activity", activity.TaskActivity.as_view(), name="task_activity"),
    path("undo", changes.Undo.as_view(), name="undo"),
    path("changes", changes.Changes.as_view(), name="changes"),
    path("sections", sections.SectionList.as_view(), name="sections"),
    path("sections/<id:section_id>", sections.SectionDetail.as_view(), name="section"),
    path("sections/<id:section_id>/restore", sections.SectionRestore.as_view(), name="section_restore"),
    path("labels", labels.LabelList.as_view(), name="labels"),
    path("labels/<id:label_id>", labels.LabelDetail.as_view(), name="label"),
    path("labels/<id:label_id>/restore", labels.LabelRestore.as_view(), name="label_restore"),
    path("filters", filters.FilterList.as_view(), name="filters"),
    path("filters/<id:filter_id>", filters.FilterDetail.as_view(), name="filter"),
    path("filters/<id:filter_id>/restore", filters.FilterRestore.as_view(), name="filter_restore"),
    path("invitations", invitations.InvitationList.as_view(), name="invitations"),
    path("invitations/<id:invitation_id>", invitations.InvitationDetail.as_view(), name="invitation"),
    path("invitations/<id:invitation_id>/accept", invitations.InvitationAccept.as_view(), name="accept_invitation"),
    path(
        "invitations/<id:invitation_id>/decline", invitations.InvitationDecline.as_view(), name="decline_invitation"
    ),
    path("overview", overview.Overview.as_view(), name="overview"),
    path("stats", overview.Statistics.as_view(), name="stats"),
    path("batch", batch.Batch.as_view(), name="batch"),
]
