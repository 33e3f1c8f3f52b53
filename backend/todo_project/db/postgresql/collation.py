"""Whether PostgreSQL sorts a column of positions by code point, as Python does.

Danish sorts `aa` after `z`, Czech `ch` after `h`: in a database with such a locale, the last row of a list by
PostgreSQL's order is not the last one by Python's, and new rows would get positions that others have.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

# A locale that sorts digits and lower-case letters in another way than "C" does so for one or two characters.
_SORTS_BY_CODE_POINT = """
WITH digit AS (SELECT regexp_split_to_table('0123456789abcdefghijklmnopqrstuvwxyz', '') AS text),
     sample AS (SELECT text FROM digit UNION ALL SELECT first.text || second.text FROM digit first, digit second)
SELECT array_agg(text ORDER BY text COLLATE {}) = array_agg(text ORDER BY text COLLATE "C") FROM sample
"""


def sorts_by_code_point(connection: BaseDatabaseWrapper, *, table: str, column: str) -> bool:
    """Return whether the column's collation sorts digits and lower-case letters by code point.

    SQLite always does. Return True for a table that does not exist yet.
    """
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%%I.%%I', nspname, collname) FROM pg_attribute"
            " JOIN pg_collation ON pg_collation.oid = attcollation"
            " JOIN pg_namespace ON pg_namespace.oid = collnamespace"
            " WHERE attrelid = to_regclass(%s) AND attname = %s",
            [connection.ops.quote_name(table), column],
        )
        found = cursor.fetchone()
        if found is None:
            return True
        cursor.execute(_SORTS_BY_CODE_POINT.format(found[0]))
        return bool(cursor.fetchone()[0])


def statement(connection: BaseDatabaseWrapper, *, table: str, column: str, db_type: str) -> str:
    """Return the statement that makes PostgreSQL sort the column by code point.

    It rebuilds the column's indexes and checks its constraints while nobody else can use the table.
    """
    quote = connection.ops.quote_name
    return f'ALTER TABLE {quote(table)} ALTER COLUMN {quote(column)} TYPE {db_type} COLLATE "C"'
