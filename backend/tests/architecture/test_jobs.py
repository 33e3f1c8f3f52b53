"""Every job that is deferred by name is registered under it."""

from __future__ import annotations

import ast

from tests.architecture.source import modules, tree
from todo_project.jobs.queue import registry


def test_every_name_that_is_deferred_is_a_job() -> None:
    deferred = [
        ast.literal_eval(node.args[0])
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in {"queue.defer", "defer"}
    ]
    assert set(deferred) <= set(registry)


def test_jobs_are_named_for_their_app() -> None:
    for name, job in registry.items():
        assert name == f"{job.run.__module__.split('.')[1]}.{job.run.__name__}"
