"""What a search reads among 200,000 tasks: ranges of indexes, for an account with 200 as for one with 100,000."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.conftest import Person
from tests.search.stories import search
from tests.todos.test_plans import nodes
from todo_project.accounts.models import User
from todo_project.search.models import Document
from todo_project.search.services import finding
from todo_project.todos.models import Membership, Project, Role

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
PEOPLE, EACH, MANY = 500, 200, 100_000
# what Bob sees: his own tasks, and those of ten projects that he has joined
JOINED = 10
SEEN = EACH * (1 + JOINED)
# Words in the frequency of a language: a few are in every fourth title, and most are rare.
_NUMBER = "(1000::float8 ^ (mod(n * {factor} + ascii(project.id::text), 1021) / 1020::float8))::int::text"
_TITLE = " || ' ' || ".join(
    f"translate({_NUMBER.format(factor=factor)}, '0123456789', 'aeioubcdfg')" for factor in (7, 211, 509)
)
_TASKS = """
INSERT INTO todos_task (id, owner_id, project_id, title, priority, position, comment_count, created_at, updated_at,
    version, description, due_time_zone, start_time_zone, deadline_time_zone, recurrence_rule, recurrence_mode,
    reminders, uid, ical)
SELECT md5(project.id::text || n)::uuid, project.owner_id, project.id, {title}, mod(n, 5), 'a1', 0, now(), now(), 1,
    '', '', '', '', '', '', '[]', '', ''
FROM todos_project AS project, generate_series(1, CASE project.name WHEN 'Many' THEN %s ELSE %s END) AS n
WHERE project.name = 'Many' OR project.id IN (SELECT project_id FROM todos_membership) OR project.owner_id = %s
"""
_DOCUMENTS = """
INSERT INTO search_document (kind, object_id, task_id, owner_id, project_id, title, words)
SELECT 'task', id, id, owner_id, project_id, title, array_to_tsvector(string_to_array(title, ' ')) FROM (
    SELECT md5(project.id::text || n)::uuid AS id, owner_id, project.id AS project_id, {title} AS title
    FROM todos_project AS project, generate_series(1, CASE project.name WHEN 'Many' THEN %s ELSE %s END) AS n
) AS task
"""


def build(bob: Person) -> None:
    """Make the documents of everybody's project, and the tasks of Alice's and of those that Bob sees.

    The triggers are not used, and the indexes of words are built at the end, because that is much faster.
    """
    indexes = [index for index in Document._meta.indexes if index.name in ("document_words", "document_title")]
    with connection.schema_editor(atomic=False) as editor, connection.cursor() as cursor:
        for index in indexes:
            editor.remove_index(Document, index)
        cursor.execute("ALTER TABLE todos_task DISABLE TRIGGER USER")
        cursor.execute(_TASKS.format(title=_TITLE), [MANY, EACH, bob.user.pk])
        cursor.execute(_DOCUMENTS.format(title=_TITLE), [MANY, EACH])
        cursor.execute("ALTER TABLE todos_task ENABLE TRIGGER USER")
        for index in indexes:
            editor.add_index(Document, index)
        cursor.execute("VACUUM ANALYZE todos_task, search_document, todos_project, todos_membership")


@pytest.fixture
def frequencies(alice: Person, bob: Person) -> Counter[str]:
    """Return in how many documents each word is. Alice has half of all tasks; Bob has few, and is a member."""
    dates = {"created_at": timezone.now(), "updated_at": timezone.now()}
    owners = [*User.objects.bulk_create(User(email=f"{n}@example.org", **dates) for n in range(PEOPLE)), bob.user]
    projects = [Project(owner=owner, name="Few", position="a1", **dates) for owner in owners]
    Project.objects.all().delete()
    Project.objects.bulk_create([Project(owner=alice.user, name="Many", position="a1", **dates), *projects])
    Membership.objects.bulk_create(
        Membership(project=project, user=bob.user, role=Role.EDITOR, created_at=dates["created_at"])
        for project in projects[:JOINED]
    )
    User.objects.filter(id=bob.user.pk).update(is_member=True)
    build(bob)
    with connection.cursor() as cursor:
        cursor.execute("SELECT word, ndoc FROM ts_stat('SELECT words FROM search_document')")
        return Counter(dict(cursor.fetchall()))


def plans(who: Person, text: str, **more: Any) -> Iterator[dict[str, Any]]:
    """Search, and return the parts of the plans of the statements that look for candidates."""
    with CaptureQueriesContext(connection) as sent:
        search(who, text, **more)
    with transaction.atomic(), connection.cursor() as cursor:
        for sql in (query["sql"] for query in sent.captured_queries):
            if "enable_" in sql:
                cursor.execute(sql)
            elif "search_document" in sql:
                cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}")
                ((plan,),) = cursor.fetchall()
                yield from nodes(plan[0]["Plan"])


def rows_read(who: Person, text: str, **more: Any) -> int:
    """Return how many documents and tasks the candidates cost; none of them by reading a whole table."""
    read = 0
    for node in plans(who, text, **more):
        assert node["Node Type"] != "Seq Scan", f"{text} reads all of {node['Relation Name']}"
        if node.get("Relation Name") in ("search_document", "todos_task"):
            ignored = sum(node.get(f"Rows Removed by {reason}", 0) for reason in ("Filter", "Index Recheck"))
            read += (node["Actual Rows"] + ignored) * node["Actual Loops"]
    return int(read)


FILTER = "priority>=4"


def test_a_search_reads_ranges_of_indexes(alice: Person, bob: Person, frequencies: Counter[str]) -> None:
    assert frequencies.total() > 3 * 190_000
    frequent, rare = frequencies.most_common(1)[0][0], frequencies.most_common()[-1][0]
    (middle,) = (word for word, _ in frequencies.most_common()[len(frequencies) // 2 :][:1])
    mistyped = next(word for word in frequencies if len(word) == 3) + "zzz"
    texts = (
        frequent,
        rare,
        middle,
        f"{frequent} {rare}",
        f"{rare[0]} {rare[:2]}",
        mistyped,
        f"{mistyped} {frequent}",
    )
    assert frequencies[frequent] > 30_000
    assert frequencies[rare] < 1000
    for text in texts:
        assert rows_read(bob, text) <= 2 * SEEN, "no more than he sees, for words as they are and mistyped"
        assert rows_read(bob, text, filter=FILTER) <= 4 * SEEN, "and the tasks of the filter"
    few = 4 * frequencies[middle]
    for text in (rare, middle, f"{frequent} {rare}", mistyped):
        assert rows_read(alice, text) <= 2 * finding.RECENT + few, "the recent ones, and what has the rare word"
        assert rows_read(alice, text, filter=FILTER) <= 4 * finding.RECENT + 2 * few
    assert rows_read(alice, frequent) <= 2 * finding.RECENT + few, "the recent ones, and where they begin"
