"""One rule per kind of operation: what the previous release cannot work with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from django.contrib.postgres import operations as postgres
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.models.fields import NOT_PROVIDED

from . import columns
from .incompatibility import Incompatibility, OperationContext

Rule = Callable[[Any, OperationContext], Iterator[Incompatibility]]

_TWO_RELEASES: Final = "stop using it in one release (SeparateDatabaseAndState), drop it in the next"
_CONSTRAINT: Final = (
    "let one release write only what it allows and correct the existing rows; add it in the next, "
    "which declares safe_to_roll"
)
_DECLARE: Final = "declare `safe_to_roll` or `unsafe_to_roll` in the migration, with the reason"
_BIG: Final = "the table is big, and writes to it wait until it ends"


def check(operation: Operation, context: OperationContext) -> list[Incompatibility]:
    """Return what an operation would break; an operation without a rule might break anything."""
    for kind in type(operation).__mro__:
        if kind in HARMLESS:
            return []
        if kind in RULES:
            return list(RULES[kind](operation, context))
    return [_breaks(operation, "the effect of this operation is unknown", _DECLARE)]


def _breaks(operation: Operation, reason: str, instead: str) -> Incompatibility:
    return Incompatibility(type(operation).__name__, reason, instead)


def _create_model(operation: migrations.CreateModel, context: OperationContext) -> Iterator[Incompatibility]:
    context.new_models.add((context.app, operation.name_lower))
    yield from ()


def _delete_model(operation: migrations.DeleteModel, context: OperationContext) -> Iterator[Incompatibility]:
    if context.model(operation.name):
        yield _breaks(operation, f"the previous release uses the table of {operation.name}", _TWO_RELEASES)


def _rename_model(operation: migrations.RenameModel, context: OperationContext) -> Iterator[Incompatibility]:
    if context.model(operation.old_name):
        yield _breaks(
            operation,
            f"the previous release expects {operation.old_name} under its old name",
            "rename the class only: SeparateDatabaseAndState, with db_table naming the table as it is",
        )
    elif (context.app, operation.old_name_lower) in context.new_models:
        context.new_models.add((context.app, operation.new_name_lower))


def _move_table(operation: migrations.AlterModelTable, context: OperationContext) -> Iterator[Incompatibility]:
    old = context.model(operation.name)
    if old and context.table(operation.name) != (operation.table or f"{context.app}_{operation.name_lower}"):
        yield _breaks(
            operation,
            f"the previous release expects {old.name} in {context.table(operation.name)}",
            "leave the table's name as it is",
        )


def _add_field(operation: migrations.AddField, context: OperationContext) -> Iterator[Incompatibility]:
    field: Any = operation.field
    if not context.model(operation.model_name) or isinstance(field, models.ManyToManyField):
        return
    name = f"{operation.model_name}.{operation.name}"
    is_filled = field.null or field.db_default is not NOT_PROVIDED or isinstance(field, models.GeneratedField)
    if not is_filled:
        yield _breaks(
            operation,
            f"the previous release inserts without {name}, which is NOT NULL and has no default in the database",
            "give it db_default, or null=True",
        )
    if (field.db_index or field.unique) and context.is_big(context.table(operation.model_name)):
        yield _breaks(
            operation,
            f"{name} is indexed in one blocking statement: {_BIG}",
            "add the column without an index (db_index=False), then AddIndexConcurrently",
        )


def _remove_field(operation: migrations.RemoveField, context: OperationContext) -> Iterator[Incompatibility]:
    if context.model(operation.model_name):
        yield _breaks(
            operation, f"the previous release uses {operation.model_name}.{operation.name}", _TWO_RELEASES
        )


def _alter_field(operation: migrations.AlterField, context: OperationContext) -> Iterator[Incompatibility]:
    model = context.model(operation.model_name)
    if not model:
        return
    old: Any = model.fields[operation.name]
    new: Any = operation.field
    name = f"{operation.model_name}.{operation.name}"
    for reason in columns.incompatibilities(operation.name, old, new, context.connection):
        yield _breaks(
            operation,
            f"{name}: {reason}",
            "add another column, let one release write both, drop this one in the next",
        )
    indexes = (new.db_index or new.unique) and not (old.db_index or old.unique)
    if indexes and context.is_big(context.table(operation.model_name)):
        yield _breaks(operation, f"{name} is indexed in one blocking statement: {_BIG}", "use AddIndexConcurrently")
    if columns.rewrites(old, new, context.connection) and context.is_big(context.table(operation.model_name)):
        yield _breaks(
            operation,
            f"{name} is rewritten in every row: {_BIG}",
            "add another column and fill it in pieces, or deploy it with --allow-downtime",
        )


def _rename_field(operation: migrations.RenameField, context: OperationContext) -> Iterator[Incompatibility]:
    model = context.model(operation.model_name)
    if model and not model.fields[operation.old_name].db_column:
        yield _breaks(
            operation,
            f"the previous release expects {operation.model_name}.{operation.old_name} under its old name",
            f'rename the attribute only: AlterField with db_column="{operation.old_name}" first',
        )


def _add_index(operation: migrations.AddIndex, context: OperationContext) -> Iterator[Incompatibility]:
    model = context.model(operation.model_name)
    if model and context.is_big(context.table(operation.model_name)):
        yield _breaks(
            operation,
            f"{operation.index.name} is built in one blocking statement: {_BIG}",
            "use AddIndexConcurrently in a migration of its own with atomic = False",
        )


def _add_constraint(operation: migrations.AddConstraint, context: OperationContext) -> Iterator[Incompatibility]:
    if context.model(operation.model_name):
        yield _breaks(
            operation,
            f"the previous release may write {operation.model_name} rows that {operation.constraint.name} refuses",
            _CONSTRAINT,
        )


def _remove_constraint(
    operation: migrations.RemoveConstraint, context: OperationContext
) -> Iterator[Incompatibility]:
    model = context.model(operation.model_name)
    if model and isinstance(model.get_constraint_by_name(operation.name), models.UniqueConstraint):
        yield _breaks(
            operation,
            f"the previous release may rely on {operation.name}, and its ON CONFLICT fails without it",
            _TWO_RELEASES,
        )


def _unique_together(
    operation: migrations.AlterUniqueTogether, context: OperationContext
) -> Iterator[Incompatibility]:
    model = context.model(operation.name)
    if not model:
        return
    before = {tuple(fields) for fields in model.options.get("unique_together") or ()}
    if before != {tuple(fields) for fields in operation.option_value or ()}:
        yield _breaks(
            operation,
            f"the previous release may write rows of {operation.name} that it refuses, or rely on what is removed",
            _CONSTRAINT,
        )


def _order(operation: migrations.AlterOrderWithRespectTo, context: OperationContext) -> Iterator[Incompatibility]:
    model = context.model(operation.name)
    if model and bool(model.options.get("order_with_respect_to")) != bool(operation.order_with_respect_to):
        yield _breaks(
            operation,
            f"_order of {operation.name} is added or removed, which the previous release does not expect",
            "keep a column of your own for the order",
        )


def _run_sql(operation: migrations.RunSQL, context: OperationContext) -> Iterator[Incompatibility]:
    if operation.sql != migrations.RunSQL.noop and not context.is_new_app:
        yield _breaks(operation, "the effect of its SQL on the previous release is unknown", _DECLARE)


def _run_python(operation: migrations.RunPython, context: OperationContext) -> Iterator[Incompatibility]:
    if operation.code is not migrations.RunPython.noop and not context.is_new_app:
        yield _breaks(operation, "the effect of its code on the previous release is unknown", _DECLARE)


def _database_side(
    operation: migrations.SeparateDatabaseAndState, context: OperationContext
) -> Iterator[Incompatibility]:
    inside = replace(context, state=context.state.clone())
    for each in operation.database_operations:
        yield from check(each, inside)
        each.state_forwards(inside.app, inside.state)


RULES: Final[dict[type, Rule]] = {
    migrations.CreateModel: _create_model,
    migrations.DeleteModel: _delete_model,
    migrations.RenameModel: _rename_model,
    migrations.AlterModelTable: _move_table,
    migrations.AddField: _add_field,
    migrations.RemoveField: _remove_field,
    migrations.AlterField: _alter_field,
    migrations.RenameField: _rename_field,
    migrations.AddIndex: _add_index,
    migrations.AddConstraint: _add_constraint,
    migrations.RemoveConstraint: _remove_constraint,
    migrations.AlterUniqueTogether: _unique_together,
    migrations.AlterOrderWithRespectTo: _order,
    migrations.RunSQL: _run_sql,
    migrations.RunPython: _run_python,
    migrations.SeparateDatabaseAndState: _database_side,
}
HARMLESS: Final = frozenset(
    {
        migrations.AlterModelOptions,
        migrations.AlterModelManagers,
        migrations.AlterModelTableComment,
        migrations.AlterConstraint,  # changes nothing in the database
        migrations.AlterIndexTogether,  # Django 5.1 took the option away; old migrations still name it
        migrations.RemoveIndex,
        migrations.RenameIndex,
        postgres.AddIndexConcurrently,
        postgres.RemoveIndexConcurrently,
        postgres.ValidateConstraint,  # the constraint held for new rows before
        postgres.CreateExtension,
        postgres.CreateCollation,
    }
)
