"""The functions with which PostgreSQL finds the words of a text (see texts.py)."""

from __future__ import annotations

from typing import Any

from todo_project.db.words.characters import (
    ACCENTS,
    ALIKE,
    SEPARATORS,
    TEXT_LENGTH_MAX,
    UNSPACED,
    WORD_LENGTH_MAX,
    character_class,
)

_UNSPACED = character_class(UNSPACED)
_SEPARATORS = character_class(SEPARATORS)
# Collations that know the case of all letters, whatever the locale of the database; the first that exists is used.
_COLLATIONS = ("und-x-icu", "pg_c_utf8", "C.utf8", "en_US.utf8", "default")
_COLLATION = """
SELECT collname FROM pg_collation WHERE collnamespace = 'pg_catalog'::regnamespace AND collname = ANY(%s)
AND collencoding IN (-1, 6) ORDER BY array_position(%s, collname::text) LIMIT 1
"""
# In PL/pgSQL, whose plans are kept: a function in SQL would be planned in each transaction.
_FOLD = """
CREATE OR REPLACE FUNCTION search_fold(given text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $plpgsql$
BEGIN
    IF octet_length(given) = length(given) THEN
        RETURN lower(given);
    END IF;
    RETURN normalize({alike}, NFC);
END
$plpgsql$
"""
_LOWER = """lower(regexp_replace(normalize(given, NFKD), '[{accents}]+', '', 'g') COLLATE "{collation}")"""
# A subscript of an array of texts counts from its start, and substr counts characters: both would take quadratic
# time, and the window function does not.
_WORDS = f"""
CREATE OR REPLACE FUNCTION search_words(given text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $plpgsql$
DECLARE
    folded text := left(search_fold(left(given, {TEXT_LENGTH_MAX})), {TEXT_LENGTH_MAX});
    words text[];
BEGIN
    IF folded !~ '[{_UNSPACED}]' THEN
        SELECT array_agg(DISTINCT left(word, {WORD_LENGTH_MAX})) INTO words
        FROM regexp_split_to_table(folded, '[{_SEPARATORS}]+') AS word WHERE word <> '';
    ELSE
        WITH run AS (
            SELECT text, number, text ~ '^[{_UNSPACED}]' AS is_unspaced
            FROM regexp_split_to_table(
                regexp_replace(folded, '([{_UNSPACED}]+)', ' \\1 ', 'g'), '[{_SEPARATORS}]+'
            ) WITH ORDINALITY AS split (text, number)
            WHERE text <> ''
        )
        SELECT array_agg(DISTINCT word) INTO words FROM (
            SELECT left(text, {WORD_LENGTH_MAX}) AS word FROM run WHERE NOT is_unspaced
            UNION ALL
            SELECT character || coalesce(lead(character) OVER (PARTITION BY number ORDER BY place), '')
            FROM run, unnest(string_to_array(text, NULL)) WITH ORDINALITY AS split (character, place)
            WHERE is_unspaced
        ) AS found;
    END IF;
    RETURN coalesce(array_to_tsvector(words), '');
END
$plpgsql$
"""  # noqa: S608 - our own constants


def create_functions(schema_editor: Any) -> None:
    """Create or replace the functions."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_COLLATION, [list(_COLLATIONS), list(_COLLATIONS)])
        (collation,) = cursor.fetchone()
    folded = _LOWER.format(accents=character_class(ACCENTS), collation=collation)
    single = {letter: same for letter, same in ALIKE.items() if len(same) == 1}
    folded = f"translate({folded}, '{''.join(single)}', '{''.join(single.values())}')"
    for letter, same in ALIKE.items():
        if len(same) > 1:
            folded = f"replace({folded}, '{letter}', '{same}')"
    # params=None: the texts contain no placeholders, and % needs no escape
    schema_editor.execute(_FOLD.format(alike=folded), params=None)
    schema_editor.execute(_WORDS, params=None)


def drop_functions(schema_editor: Any) -> None:
    schema_editor.execute("DROP FUNCTION IF EXISTS search_words(text), search_fold(text)", params=None)
