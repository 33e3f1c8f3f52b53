"""Which rows become documents of the search, and the SQL that keeps the documents in step with them.

The SQL is the same on both databases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from todo_project.db.triggers import Event

# the table of search.Document
TABLE = "search_document"
COLUMNS = "kind, object_id, task_id, owner_id, project_id, title, words"
_DELETE = "DELETE FROM {table} WHERE kind = '{kind}' AND {held} = {row}.id;"


@dataclass(frozen=True, kw_only=True)
class Documents:
    """The documents of one kind that depend on the rows of a table.

    `select` returns the COLUMNS of all of them. Those of one row have its id in the column `key` of the select, and
    in the column `held` of the documents. A change of one of the `changing` columns makes them anew.

    `batch` locks the next rows after an id. Documents that depend on two tables have it for one of them.
    """

    table: str
    kind: str
    select: str
    key: str
    held: str
    changing: Sequence[str]
    batch: str = ""

    @property
    def name(self) -> str:
        """The name of the triggers."""
        return f"search_{self.table}_{self.kind}"

    def statements(self, event: Event) -> Iterator[str]:
        """Return the statements that follow an event."""
        row = "OLD" if event == "DELETE" else "NEW"
        if event != "INSERT":
            yield _DELETE.format(table=TABLE, kind=self.kind, held=self.held, row=row)
        if event != "DELETE":
            yield f"{self.insert} AND {self.key} = {row}.id;"

    @property
    def insert(self) -> str:
        """The statement that makes all documents, or with another condition some."""
        return f"INSERT INTO {TABLE} ({COLUMNS}) {self.select}"

    def has_changed(self, differs: str) -> str:
        """Return the condition that an update changes documents, with the operator that compares values."""
        return " OR ".join(f"OLD.{column} {differs} NEW.{column}" for column in self.changing)


sources: list[Documents] = []


def register(*documents: Documents) -> None:
    """Search these, too, from the migration on that has `KeepDocuments`."""
    sources.extend(documents)
