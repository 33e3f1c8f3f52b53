"""How long a page of tasks takes among 200,000, over one among 2,000: of the whole table, and of one person."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from benchmarks import answers
from benchmarks.cluster import Cluster
from benchmarks.contenders import CONTENDERS, OURS, Contender
from benchmarks.data import token
from benchmarks.endpoints import FILTER, TASKS
from benchmarks.figures.figure import Figure, ratio
from benchmarks.figures.lab import Lab
from benchmarks.load import Request, WrongAnswers
from benchmarks.stack import Stack, stack

_MANY, _FEW = 200_000, 2_000
_OF_EACH = 200  # tasks of one person, where only the table grows
_USER = 0  # who asks
_REQUESTS = 30  # in a round, one after the other; the round's figure is their median
_GOAL = 1.2


def figures(lab: Lab) -> list[Figure]:
    """Compare the pages of two tables, then those of two users."""
    everybody = "list, table of 200,000 tasks over one of 2,000"
    return [
        *_compare(lab, everybody, users=(_MANY // _OF_EACH, _FEW // _OF_EACH)),
        *_compare(lab, "list, person with 200,000 tasks over one with 2,000", users=(1, 1)),
    ]


def _compare(lab: Lab, what: str, *, users: tuple[int, int]) -> list[Figure]:
    with contextlib.ExitStack() as block:
        large, small = (
            block.enter_context(stack([_ours()], users=count, tasks=tasks, say=lab.say))
            for count, tasks in zip(users, (_MANY, _FEW), strict=True)
        )
        pages = [(name, _pages(large)[name], path) for name, path in _pages(small).items()]
        found = [
            _page(lab, f"{what}: {name}", (large, of_large), (small, of_small))
            for name, of_large, of_small in pages
        ]
        for each in (large, small):
            _complete_all_but_the_last(each, count=20)
        path = f"{TASKS}?limit=10&is_completed=false"
        return [
            *found,
            _page(lab, f"{what}: 10 open ones of 20, all others done", (large, path), (small, path)),
        ]


def _ours() -> Contender:
    """Ours without a limit: one person asks for thousands of pages."""
    ours = next(row for row in CONTENDERS if row.name == OURS)

    def environment(cluster: Cluster) -> dict[str, str]:
        return ours.environment(cluster) | {"REQUESTS_PER_TOKEN": "0"}

    return dataclasses.replace(ours, environment=environment)


def _pages(stack: Stack) -> dict[str, str]:
    """Return the paths to request, by name."""
    [project] = _ask(stack, "/api/v1/projects?limit=1")["results"]
    label = stack.data.labels_of(_USER)[0]
    return {
        "first 50": f"{TASKS}?limit=50",
        "50 in the middle": f"{TASKS}?limit=50&cursor={_middle(stack)}",
        "50 open ones": f"{TASKS}?limit=50&is_completed=false",
        "50 done ones": f"{TASKS}?limit=50&is_completed=true",
        "20 of a project": f"{TASKS}?limit=20&project_id={project['id']}",
        "10 with a label": f"{TASKS}?limit=10&label_id={label}",
        "50 sorted by due": f"{TASKS}?limit=50&sort=due",
        "50 open ones sorted by urgency": f"{TASKS}?limit=50&is_completed=false&sort=-priority,due",
        "50 sorted by title": f"{TASKS}?limit=50&sort=title",
        "50 of a filter": f"{TASKS}?limit=50&filter={quote(FILTER)}",
        "50 of a filter, sorted": f"{TASKS}?limit=50&filter={quote(FILTER)}&sort=due",
        "50 changed since": f"{TASKS}?limit=50&updated_since=2025-01-01T00:00:00Z",
    }


def _middle(stack: Stack) -> str:
    """Turn the cursor after the first task into the one after the middle: the way there is a thousand pages."""
    first = _ask(stack, f"{TASKS}?limit=1")
    last, cursor = first["results"][0]["id"], first["next_cursor"]
    mine = [task.id for task in stack.data.all_tasks() if task.user == _USER]
    text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    middle = text.replace(last, str(mine[len(mine) // 2]))
    return base64.urlsafe_b64encode(middle.encode()).decode().rstrip("=")


def _complete_all_but_the_last(stack: Stack, *, count: int) -> None:
    mine = [task.id for task in stack.data.all_tasks() if task.user == _USER]
    with stack.cluster.connect() as connection:
        connection.execute("UPDATE todos_task SET completed_at = NULL WHERE id = ANY(%s)", [mine[-count:]])
        connection.execute(
            "UPDATE todos_task SET completed_at = updated_at WHERE completed_at IS NULL AND id <> ALL(%s)",
            [mine[-count:]],
        )
        connection.execute("VACUUM (FREEZE, ANALYZE) todos_task")


def _page(lab: Lab, title: str, large: tuple[Stack, str], small: tuple[Stack, str]) -> Figure:
    measures = {f"{tasks:,}": _measure(*asked) for tasks, asked in ((_MANY, large), (_FEW, small))}
    many, few = ([values[0] for values in rounds] for rounds in lab.in_turns(f"{title} (ms)", measures).values())
    return ratio(title, many, few, unit="ms", goal=_GOAL)


def _measure(stack: Stack, path: str) -> Callable[[], Sequence[float]]:
    def measure() -> Sequence[float]:
        return (statistics.median(_milliseconds(stack, path) for _ in range(_REQUESTS)),)

    return measure


def _milliseconds(stack: Stack, path: str) -> float:
    began = time.perf_counter()
    _ask(stack, path)
    return 1000 * (time.perf_counter() - began)


def _ask(stack: Stack, path: str) -> dict[str, Any]:
    """Return the page; raise WrongAnswers if it is an error or empty."""
    [answer] = answers.ask(stack.served[OURS].port, [Request("GET", path, token(_USER))])
    page: dict[str, Any] = json.loads(answer.body)
    if answer.status != 200 or not page["results"]:
        raise WrongAnswers(f"{path} answers {answer.status}: {answer.body[:500]!r}")
    return page
