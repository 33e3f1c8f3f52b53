"""Many rows in the database: thousands of projects of many people, of which one person has joined some, or one
person's many tasks.
"""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from tests.conftest import Person
from todo_project.accounts.models import User
from todo_project.todos.models import Membership, Project, Role, Task

OWNERS, PROJECTS, JOINED = 100, 40, 300
TABLES = ("todos_label", "todos_task", "todos_tasklabel", "comments_comment")
# rows that lie in another order than the indexes have them, like those of a service that has run for years
_ROWS = (
    """
    INSERT INTO todos_label (id, owner_id, name, color, created_at, updated_at, version)
    SELECT gen_random_uuid(), owner.id, n::text, '', now(), now(), 1
    FROM accounts_user AS owner, generate_series(1, 20) AS n ORDER BY n
    """,
    """
    INSERT INTO todos_task (id, owner_id, project_id, title, priority, position, comment_count, created_at,
        updated_at, version, description, due_time_zone, start_time_zone, deadline_time_zone, recurrence_rule,
        recurrence_mode, reminders, uid, ical)
    SELECT gen_random_uuid(), project.owner_id, project.id, n::text, 0, 'a1', n % 2, now() - n * interval '1 hour',
        now() - n * interval '1 hour', 1, '', '', '', '', '', '', '[]', '', ''
    FROM todos_project AS project, generate_series(1, 20) AS n ORDER BY n
    """,
    """
    INSERT INTO todos_tasklabel (task_id, label_id, project_id)
    SELECT task.id, label.id, task.project_id FROM todos_task AS task
    JOIN todos_label AS label ON label.owner_id = task.owner_id AND label.name = task.title
    """,
    """
    INSERT INTO comments_comment (id, task_id, text, mentions, created_at, updated_at, version)
    SELECT gen_random_uuid(), id, repeat('x', 50), '[]', now(), now(), 1 FROM todos_task WHERE comment_count = 1
    """,
    """
    INSERT INTO todos_change (xid, at, kind, object_id, action, project_id, request_id, fields, has_left)
    SELECT 1, now(), 'task', id, 'updated', project_id, '', '{"priority": [1, 0]}', FALSE FROM todos_task
    """,
)
HOARD = 200_000
# Half of them are completed, most of which are of the past. On each day, 50 are due at a time and 50 all day.
_HOARD = """
    INSERT INTO todos_task (id, owner_id, project_id, title, priority, position, due_date, due_at, completed_at,
        created_at, updated_at, version, description, due_time_zone, start_time_zone, deadline_time_zone,
        recurrence_rule, recurrence_mode, reminders, uid, ical)
    SELECT gen_random_uuid(), owner_id, id, md5(n::text), n % 5, 'a1', CASE n % 4 WHEN 0 THEN day END,
        CASE n % 4 WHEN 1 THEN day + n % 1440 * interval '1 minute' END,
        CASE WHEN day < current_date - n % 2 * 100 THEN day + interval '1 hour' END,
        day - interval '30 days', day - n * interval '1 second', 1, '', '', '', '', '', '', '[]', '', ''
    FROM todos_project, generate_series(1, 200000) AS n,
        LATERAL (SELECT current_date - 200000 / 400 + n / 200) AS d (day)
    WHERE is_inbox ORDER BY n % 1000
"""


def gather(member: Person) -> list[Project]:
    """Make the crowd, past the services and the log, and return the projects that the person has joined."""
    dates = {"created_at": timezone.now(), "updated_at": timezone.now()}
    owners = User.objects.bulk_create(User(email=f"{n}@example.org", **dates) for n in range(OWNERS))
    projects = Project.objects.bulk_create(
        Project(owner=owner, name=f"{n}", position="a1", **dates) for n in range(PROJECTS) for owner in owners
    )
    joined = sorted(projects[:: len(projects) // JOINED][:JOINED], key=lambda project: project.id)
    Membership.objects.bulk_create(
        Membership(project=project, user=member.user, role=Role.EDITOR, created_at=dates["created_at"])
        for project in joined
    )
    User.objects.filter(id=member.user.pk).update(is_member=True)
    _run(*_ROWS)
    return joined


def hoard(owner: Person) -> None:
    """Give the person HOARD tasks, past the services and the log. It is faster to build the indexes afterwards."""
    indexes = Task._meta.indexes
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.remove_index(Task, index)
    _run(_HOARD)
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.add_index(Task, index)
    assert Task.objects.owned_by(owner.user.pk).count() == HOARD


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("ANALYZE")
