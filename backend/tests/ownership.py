"""A statement about who owns what in a database, for the unit tests and the end-to-end tests."""

from __future__ import annotations

# Counts everything outside the system's schemas whose owner is not todo_user. What extensions bring belongs to
# whoever creates them, and partly to the superuser even then.
FOREIGN = """
SELECT count(*) FROM (
  SELECT oid, relowner AS owner, relnamespace AS place FROM pg_class
  UNION ALL SELECT oid, proowner, pronamespace FROM pg_proc
  UNION ALL SELECT oid, typowner, typnamespace FROM pg_type
  UNION ALL SELECT oid, nspowner, oid FROM pg_namespace WHERE nspname <> 'public') AS every
WHERE place::regnamespace::text !~ '^(pg_|information_schema)' AND owner <> 'todo_user'::regrole
AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = every.oid AND deptype = 'e')
"""
