"""Separate the superuser of the `db` service from the roles that the application logs in as.

PostgreSQL's image makes the POSTGRES_USER of a new volume the superuser. PostgreSQL cannot demote that role, but it
can rename it. So the superuser becomes `postgres`, without a password and therefore only for those inside the
container, and ordinary roles take its place: `todo_user`, which owns the database and everything in it, and
`todo_user_b`, a second login that acts as todo_user. docs/adr/0021 has the reasons.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from todo_project import config
from todo_project.config.environments import DB_HOST, DB_LOGINS, DB_USER
from todo_project.ops.startup.database import fresh_connection

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

SUPERUSER: Final = "postgres"
_SUPERUSER_ID: Final = 10  # BOOTSTRAP_SUPERUSERID in PostgreSQL's source
# Until the names are exchanged: a start that is killed before leaves everything usable, and the next one goes on.
_OWNER: Final = "todo_owner"

_DATABASES: Final = f"""
    SELECT datname FROM pg_database
    WHERE datdba = {_SUPERUSER_ID} AND datallowconn AND NOT datistemplate AND datname <> 'postgres'
    ORDER BY datname = current_database(), datname
"""  # noqa: S608 - our own constants
# Objects of the superuser, except the system's, those of extensions, and sequences that follow their table.
_OWNED: Final = f"""
    WITH own AS (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
    SELECT format('ALTER SCHEMA %I OWNER TO {_OWNER}', nspname)
    FROM pg_namespace WHERE nspowner = {_SUPERUSER_ID} AND oid IN (TABLE own)
    UNION ALL
    SELECT format('ALTER TABLE %s OWNER TO {_OWNER}', c.oid::regclass)
    FROM pg_class c
    WHERE relowner = {_SUPERUSER_ID} AND relnamespace IN (TABLE own) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid
                      AND (deptype = 'e' OR relkind = 'S' AND deptype IN ('a', 'i')))
    UNION ALL
    SELECT format('ALTER ROUTINE %s OWNER TO {_OWNER}', p.oid::regprocedure)
    FROM pg_proc p
    WHERE proowner = {_SUPERUSER_ID} AND pronamespace IN (TABLE own)
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
    UNION ALL
    SELECT format('ALTER TYPE %s OWNER TO {_OWNER}', t.oid::regtype)
    FROM pg_type t LEFT JOIN pg_class c ON c.oid = typrelid
    WHERE typowner = {_SUPERUSER_ID} AND typnamespace IN (TABLE own)
      AND (typtype IN ('e', 'd', 'r') OR c.relkind = 'c')
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_type'::regclass AND objid = t.oid AND deptype = 'e')
"""  # noqa: S608 - our own constants
# A session cannot rename its own role, so it becomes another superuser for a moment. The password stays valid.
_EXCHANGE: Final = f"""
    CREATE ROLE todo_exchange SUPERUSER;
    SET SESSION AUTHORIZATION todo_exchange;
    ALTER ROLE {{superuser}} RENAME TO {SUPERUSER};
    RESET SESSION AUTHORIZATION;
    DROP ROLE todo_exchange;
    ALTER ROLE {SUPERUSER} PASSWORD NULL;
    ALTER ROLE {_OWNER} RENAME TO {DB_LOGINS[0]};
    ALTER ROLE {DB_LOGINS[0]} LOGIN CREATEDB PASSWORD {{password}};
    GRANT pg_read_all_stats, pg_signal_backend TO {DB_LOGINS[0]};
    CREATE ROLE {DB_LOGINS[1]} LOGIN IN ROLE {DB_LOGINS[0]} PASSWORD {{password}};
    ALTER ROLE {DB_LOGINS[1]} SET role = {DB_LOGINS[0]};
    CREATE ROLE todo_pooler LOGIN PASSWORD {{pooler_password}};
"""
# PgBouncer's auth_query, in the database `postgres`, which no restore replaces.
_POOLER: Final = f"""
    CREATE OR REPLACE FUNCTION pooler_login(login text) RETURNS TABLE (name name, password text)
        LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
        AS $$ SELECT rolname, rolpassword FROM pg_authid WHERE rolname = login AND rolname IN {DB_LOGINS} $$;
    REVOKE ALL ON FUNCTION pooler_login FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION pooler_login TO todo_pooler;
"""  # noqa: S608 - our own constants


def is_superuser_of_service(connection: BaseDatabaseWrapper) -> bool:
    """Return whether this session is the superuser's, under the application's name, in the `db` service."""
    given = connection.settings_dict
    if connection.vendor != "postgresql" or given["HOST"] != DB_HOST or given["USER"] not in DB_LOGINS:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT oid FROM pg_roles WHERE rolname = session_user")
        return bool(cursor.fetchone()[0] == _SUPERUSER_ID)


def separate(connection: BaseDatabaseWrapper) -> None:
    """Transfer everything that the superuser owns to todo_user, and rename the superuser.

    The caller holds the migration lock, and closes the connection afterwards, because it stays the superuser's.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE oid = %s", [_SUPERUSER_ID])
        (superuser,) = cursor.fetchone()
        if superuser not in DB_LOGINS:
            return  # another replica was faster
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [_OWNER])
        if not cursor.fetchone()[0]:
            cursor.execute(f"CREATE ROLE {_OWNER}")
        cursor.execute(_DATABASES)
        for (name,) in cursor.fetchall():
            _hand_over(connection, name)
    with fresh_connection(statement_timeout_ms=0, database="postgres") as system:
        _exchange(system, superuser)
    logger.info("%s is no superuser any more; the superuser is %s, without a password", DB_USER, SUPERUSER)


def _hand_over(connection: BaseDatabaseWrapper, database: str) -> None:
    """Change the owner of a database and of its objects, one table at a time, so that each is locked briefly."""
    if database == connection.settings_dict["NAME"]:
        _change_owner(connection, database)
        return
    # such as a database that a restore has replaced and keeps
    with fresh_connection(statement_timeout_ms=0, database=database) as other:
        _change_owner(other, database)
        other.commit()


def _change_owner(connection: BaseDatabaseWrapper, database: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_OWNED)
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
        cursor.execute(f"ALTER DATABASE {connection.ops.quote_name(database)} OWNER TO {_OWNER}")


def _exchange(system: BaseDatabaseWrapper, superuser: str) -> None:
    with system.cursor() as cursor:
        cursor.execute("SELECT quote_nullable(rolpassword) FROM pg_authid WHERE oid = %s", [_SUPERUSER_ID])
        names = {"superuser": superuser, "password": cursor.fetchone()[0], "pooler_password": _verifier(system)}
        cursor.execute(_EXCHANGE.format(**names))
        cursor.execute(_POOLER)
    system.commit()


def _verifier(system: BaseDatabaseWrapper) -> str:
    """Return what PostgreSQL stores of POOLER_PASSWORD, as a literal, so that the password itself is never sent."""
    password = config.load().POOLER_PASSWORD
    if not password:
        return "NULL"
    verifier = system.connection.pgconn.encrypt_password(password.encode(), b"todo_pooler", b"scram-sha-256")
    return f"'{verifier.decode()}'"
