"""The settings of the database with which a search runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from todo_project.db.changes import actor
from todo_project.db.words.typing_errors import SIMILARITY_MIN

# A plan for any words and any account would be wrong for most: a rare word needs the index of words, and a frequent
# one the newest documents of the account. No search needs all rows of a table, or several processes. Compiling a
# plan to machine code takes longer than running it. Indexes of words are read by bitmaps only, so without bitmaps,
# ranges of ordinary indexes are read.
_SETTINGS = """
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true),
    set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
    set_config('max_parallel_workers_per_gather', '0', true),
    set_config('pg_trgm.word_similarity_threshold', %s, true)
"""

_BITMAPS = "SELECT set_config('enable_bitmapscan', 'on', true)"


@contextmanager
def searching() -> Iterator[None]:
    """Plan each statement of the block for its own words, and read ranges of ordinary indexes only."""
    if connection.vendor != "postgresql":
        yield  # on SQLite, a transaction would wait for writers
        return
    # nothing is written, so nobody is named to the log of changes
    with actor.acting(None), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SETTINGS, [str(SIMILARITY_MIN)])
        yield


def allow_indexes_of_words() -> None:
    """Let the rest of a `searching` block read the indexes of words, too."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_BITMAPS)
