"""The column that holds the words of a text, and the comparisons with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Lookup

if TYPE_CHECKING:
    _Text = models.TextField[str, str]
else:
    _Text = models.TextField


@dataclass(frozen=True)
class WordsQuery:
    """Which words a text must have: one of each list. A prefix also stands for every word that begins with it."""

    alternatives: tuple[tuple[tuple[str, bool], ...], ...]

    @classmethod
    def all_of(cls, words: Sequence[str], *, as_prefixes: bool) -> WordsQuery:
        """Return the query for texts that have all of these words."""
        return cls(tuple(((word, as_prefixes),) for word in words))

    @classmethod
    def one_of(cls, beginnings: Sequence[str], words: Sequence[str]) -> WordsQuery:
        """Return the query for texts that have one of these words, or a word that begins with one of the others."""
        return cls(((*((each, True) for each in beginnings), *((word, False) for word in words)),))

    def as_tsquery(self) -> str:
        """Return the query for PostgreSQL. Words contain no quotes and no backslashes: those separate words."""
        lists = (
            (f"'{word}'{':*' if is_prefix else ''}" for word, is_prefix in words) for words in self.alternatives
        )
        return " & ".join(f"({' | '.join(each)})" for each in lists)

    def as_json(self) -> str:
        """Return the query for SQLite."""
        return json.dumps(self.alternatives)


class WordsQueryField(_Text):
    """Converts a query to its text for the database, in compiled queries. It is no column."""

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Return the text of a query; the placeholder of a compiled query is one already."""
        if not isinstance(value, WordsQuery):
            return value
        return value.as_tsquery() if connection.vendor == "postgresql" else value.as_json()


class WordsField(_Text):
    """The words of a text. Triggers write them (operations.py)."""

    def db_type(self, connection: Any) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"


class WordsIndex(GinIndex):
    """An index of words or trigrams; on SQLite, an ordinary index, because there is no other."""

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **options: Any) -> Any:
        if schema_editor.connection.vendor == "postgresql":
            return super().create_sql(model, schema_editor, using, **options)
        return models.Index.create_sql(self, model, schema_editor, **options)


class TitleField(_Text):
    """A folded title, which is searched for similar words."""


@WordsField.register_lookup
class Matches(Lookup):
    """`words__matches=WordsQuery(…)`."""

    lookup_name = "matches"
    prepare_rhs = False

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Compare with PostgreSQL's operator, which has an index."""
        lhs, parameters = self.process_lhs(compiler, connection)
        return f"{lhs} @@ %s::tsquery", [*parameters, self._query(connection)]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        lhs, parameters = self.process_lhs(compiler, connection)
        return f"search_matches({lhs}, %s)", [*parameters, self._query(connection)]

    def _query(self, connection: Any) -> Any:
        return WordsQueryField().get_db_prep_value(self.rhs, connection)


@TitleField.register_lookup
class Resembles(Lookup):
    """`title__resembles=word`: the title has a word that this may be a misspelling of."""

    lookup_name = "resembles"

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Compare with an operator of pg_trgm, which has an index and whose threshold is a setting."""
        lhs, parameters = self.process_lhs(compiler, connection)
        return f"{lhs} %%> %s", [*parameters, self.rhs]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        lhs, parameters = self.process_lhs(compiler, connection)
        return f"search_resembles({lhs}, %s)", [*parameters, self.rhs]
