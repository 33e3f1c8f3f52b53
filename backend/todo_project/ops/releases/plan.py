"""Walks the pending migrations as Django would run them, and checks each operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState

from .incompatibility import Incompatibility, OperationContext
from .rules import check

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.migrations import Migration

# Up to this size an index is built, and a table rewritten, in about a second.
BIG_TABLE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Pending:
    """A pending migration, and what in it is incompatible with the previous release."""

    app: str
    name: str
    incompatibilities: list[Incompatibility]


def check_pending(
    connection: BaseDatabaseWrapper,
    *,
    applied: Collection[tuple[str, str]] | None = None,
    is_big: Callable[[str], bool] | None = None,
) -> list[Pending]:
    """Return the pending migrations in their order; `applied` and `is_big` stand in for what the database says.

    A database without any migration has no release before it, so nothing is found in its first ones.
    """
    executor = MigrationExecutor(connection)
    executor.loader.check_consistent_history(connection)
    done = set(executor.loader.applied_migrations if applied is None else applied)
    known = {app for app, _ in done}
    state = ProjectState(real_apps=executor.loader.unmigrated_apps)
    new_models: set[tuple[str, str]] = set()
    found = []
    for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True):
        if (migration.app_label, migration.name) in done:
            migration.mutate_state(state, preserve=False)
            continue
        context = OperationContext(
            app=migration.app_label,
            state=state,
            connection=connection,
            is_big=is_big or (lambda table: _bytes(connection, table) > BIG_TABLE_BYTES),
            new_models=new_models,
            is_new_app=migration.app_label not in known,
        )
        found.append(Pending(migration.app_label, migration.name, list(_incompatibilities(migration, context))))
    return found


def _incompatibilities(migration: Migration, context: OperationContext) -> Iterator[Incompatibility]:
    """Check every operation, which also updates the state; a declaration of the migration decides."""
    incompatibilities = []
    for operation in migration.operations:
        incompatibilities += check(operation, context)
        operation.state_forwards(context.app, context.state)
    unsafe = getattr(migration, "unsafe_to_roll", "")
    if unsafe:
        yield Incompatibility("Declared", unsafe, "deploy it with --allow-downtime")
    elif not getattr(migration, "safe_to_roll", ""):
        yield from incompatibilities


def _bytes(connection: BaseDatabaseWrapper, table: str) -> int:
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(to_regclass(%s))", [connection.ops.quote_name(table)])
        return int(cursor.fetchone()[0] or 0)
