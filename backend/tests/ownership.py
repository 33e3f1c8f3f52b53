"""A statement about who owns what in a database, for the unit tests and the end-to-end tests."""

from __future__ import annotations

# counts everything outside the system's schemas whose owner is not todo_user
FOREIGN = """
SELECT count(*) FROM (
  SELECT relowner AS owner, relnamespace AS place FROM pg_class
  UNION ALL SELECT proowner, pronamespace FROM pg_proc
  UNION ALL SELECT typowner, typnamespace FROM pg_type
  UNION ALL SELECT nspowner, oid FROM pg_namespace WHERE nspname <> 'public') AS every
WHERE place::regnamespace::text !~ '^(pg_|information_schema)' AND owner <> 'todo_user'::regrole
"""
