"""The data that every contender serves: created in the database, and restored after requests that write."""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg

from benchmarks.cluster import Cluster

# Everything seeded is older than this, everything that a run writes is younger.
_SEEDED_BEFORE = "now() - interval '1 day'"
_RESET: tuple[LiteralString, ...] = (
    "DELETE FROM todos_tasklabel USING todos_task t WHERE t.id = task_id AND t.created_at > {seeded}",
    "DELETE FROM todos_task WHERE created_at > {seeded}",
    "UPDATE todos_task SET completed_at = NULL, version = 1, updated_at = created_at WHERE updated_at > {seeded}",
)


@dataclass(frozen=True)
class OpenTask:
    """A task that is still to do and does not repeat."""

    id: uuid.UUID
    user: int


def token(name: int | str) -> str:
    """Return a user's token by number, or an invalid one by name; data.sql creates the same."""
    digest = hashlib.sha256(f"bench {name}".encode()).digest()
    return "todo_" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


class Data:
    """The seeded database."""

    def __init__(self, cluster: Cluster, *, users: int, tasks: int) -> None:
        self.users = users
        self.tasks = tasks
        self.cluster = cluster

    def seed(self, file: Path) -> None:
        """Fill the migrated database by a file such as data.sql."""
        text = file.read_text().replace("{users}", str(self.users)).replace("{tasks}", str(self.tasks))
        with self.cluster.connect() as connection:
            connection.execute(text)
            connection.execute("VACUUM (FREEZE, ANALYZE)")
            connection.execute("CHECKPOINT")

    def execute(self, file: Path) -> None:
        """Run a file of SQL."""
        with self.cluster.connect() as connection:
            connection.execute(file.read_text())

    def reset(self) -> None:
        """Undo what requests have written, so that the next contender finds the same data."""
        with self.cluster.connect() as connection:
            with connection.transaction():
                for statement in _RESET:
                    connection.execute(statement.replace("{seeded}", _SEEDED_BEFORE))
            connection.execute("VACUUM todos_task, todos_tasklabel")

    def open_tasks(self) -> list[OpenTask]:
        """Return all tasks that can be completed; the tasks of one user are not neighbors."""
        return self._tasks("completed_at IS NULL AND recurrence_rule = ''")

    def all_tasks(self) -> list[OpenTask]:
        """Return every task, in the same order."""
        return self._tasks("true")

    def labels_of(self, user: int) -> list[uuid.UUID]:
        with self.cluster.connect() as connection:
            rows = connection.execute(
                "SELECT id FROM todos_label WHERE owner_id = bench.uuid7(bench.moment(%s), %s) ORDER BY id",
                [user, user],
            )
            return [row[0] for row in rows]

    def _tasks(self, condition: LiteralString) -> list[OpenTask]:
        number: LiteralString = "substring(email from '[0-9]+')::int"
        with self.cluster.connect() as connection, connection.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
            cursor.execute(
                f"SELECT t.id, {number} FROM todos_task t JOIN accounts_user u ON u.id = t.owner_id "
                f"WHERE {condition} ORDER BY t.id"
            )
            return [OpenTask(*row) for row in cursor]
