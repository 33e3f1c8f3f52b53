"""Which rows become documents of the search, and the SQL that keeps the documents in step with them.

The SQL is the same on both databases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from todo_project.db.triggers import EVENTS, Event

# the table of search.Document
TABLE = "search_document"
# of the names of triggers
PREFIX = "search_"
COLUMNS = "kind, object_id, task_id, owner_id, project_id, title, words"
_DELETE = "DELETE FROM {table} WHERE kind = '{kind}' AND {held} = OLD.id AND OLD.deleted_at IS NULL;"


@dataclass(frozen=True, kw_only=True)
class Documents:
    """The documents of one kind that depend on the rows of a table.

    `select` returns the COLUMNS of all of them. Those of one row have its id in the column `key` of the select, and
    in the column `held` of the documents. A change of one of the `changing` columns makes them anew.

    `batch` locks the next rows after an id, and `texts` is what the select folds of them, together. Documents that
    depend on two tables have both for one of them.
    """

    table: str
    kind: str
    select: str
    key: str
    held: str
    changing: Sequence[str]
    batch: str = ""
    texts: str = ""
    # what else the select reads of a row
    also: Sequence[str] = ()

    @property
    def events(self) -> Sequence[Event]:
        """The events that change documents. What refers to a row comes after it, so a new row has none of these."""
        return EVENTS if self.held == "object_id" else ("UPDATE", "DELETE")

    @property
    def name(self) -> str:
        """The name of the triggers."""
        return f"{PREFIX}{self.table}_{self.kind}"

    def statements(self, event: Event) -> Iterator[str]:
        """Return the statements that follow an event. Rows in the trash have no documents."""
        if event not in self.events:
            return
        if event != "INSERT":
            yield _DELETE.format(table=TABLE, kind=self.kind, held=self.held)
        if event != "DELETE":
            yield f"{self._insert_of_row};"

    @property
    def insert(self) -> str:
        """The statement that makes all documents, or with another condition some."""
        return f"INSERT INTO {TABLE} ({COLUMNS}) {self.select}"

    @property
    def _insert_of_row(self) -> str:
        """The same for the row that was written. It is not read from the table.

        PostgreSQL keeps the plan of the trigger. One that was made while an index was nearly empty, such as that of
        the tasks that are not in the trash, would read the whole index for each row that is restored.
        """
        alias = self.key.partition(".")[0]
        columns = ", ".join(f"NEW.{column} AS {column}" for column in ("id", *self.also, *self.changing))
        return self.insert.replace(f"{self.table} AS {alias}", f"(SELECT {columns}) AS {alias}")

    def has_changed(self, differs: str) -> str:
        """Return the condition that an update changes documents, with the operator that compares values."""
        return " OR ".join(f"OLD.{column} {differs} NEW.{column}" for column in self.changing)


sources: list[Documents] = []


def register(*documents: Documents) -> None:
    """Search these, too, from the migration on that has `KeepDocuments`."""
    sources.extend(documents)
