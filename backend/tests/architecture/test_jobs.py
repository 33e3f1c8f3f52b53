"""Every job that is deferred by name is registered under it."""

from __future__ import annotations

import ast
import re

from tests.architecture.source import REPOSITORY, modules, tree
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


def test_the_page_for_operators_lists_every_job() -> None:
    page = (REPOSITORY / "docs/operations.md").read_text(encoding="utf-8")
    periodic, _, others = page.partition("Periodic jobs:")[2].partition("\n## ")[0].partition("Other jobs:")
    assert sorted(re.findall(r"^- `(\w+\.\w+)`", periodic, re.MULTILINE)) == sorted(
        name for name, job in registry.items() if job.cron
    )
    assert sorted(re.findall(r"^- `(\w+\.\w+)`", others, re.MULTILINE)) == sorted(
        name for name, job in registry.items() if not job.cron
    )
