"""What is measured: the requests of each endpoint and its goals. To add an endpoint, add a row to ENDPOINTS.

Every contender gets the same requests. Goals are ratios of requests per second in one run; an endpoint without
goals is measured and shown.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from benchmarks.contenders import CEILING, FASTAPI, USUAL, Contender
from benchmarks.data import Data, OpenTask, token
from benchmarks.load import Request

READS = 4000  # different requests of an endpoint that only reads
WRITES = 30_000  # at most, of one that writes: a completion can be done once
TASKS = "/api/v1/tasks"
# the other contenders know this one filter, in the time zone of all users, UTC
FILTER = "is:open & priority>=2 & due<2027-05-01"
# the beginning of a word, as while somebody types; it stands in titles only
WORD = "passp"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One row of the report."""

    name: str
    title: str
    requests: Callable[[Data], Sequence[Request]]
    status: int = 200
    writes: bool = False  # what requests wrote is put back before the next contender
    conditional: bool = False  # each request carries the ETag that this contender sent for it
    masked: frozenset[str] = field(default=frozenset())  # values that differ from answer to answer
    goals: Mapping[str, float] = field(default_factory=dict)  # of ours over a contender

    def goal_over(self, contender: Contender) -> float | None:
        """Return the ratio that this backend should reach over the contender."""
        return self.goals.get(contender.name)


def _shuffled(tasks: list[OpenTask], count: int) -> list[OpenTask]:
    random.Random(7).shuffle(tasks)
    return tasks[:count]


def _health(data: Data) -> list[Request]:
    return [Request("GET", "/health/live")] * 10


def _pages(data: Data) -> list[Request]:
    return [Request("GET", f"{TASKS}?limit=50", token(user)) for user in _everybody(data)]


def _filtered(data: Data) -> list[Request]:
    return [_listed(user, f"filter={quote(FILTER)}") for user in _everybody(data)]


def _sorted(data: Data) -> list[Request]:
    return [_listed(user, "sort=due") for user in _everybody(data)]


def _searches(data: Data) -> list[Request]:
    return [Request("GET", f"/api/v1/search?limit=50&q={WORD}", token(user)) for user in _everybody(data)]


def _overviews(data: Data) -> list[Request]:
    return [Request("GET", "/api/v1/overview", token(user)) for user in _everybody(data)]


def _listed(user: int, query: str) -> Request:
    return Request("GET", f"{TASKS}?limit=50&{query}", token(user))


def _everybody(data: Data) -> list[int]:
    return random.Random(7).sample(range(data.users), data.users)


def _single(data: Data) -> list[Request]:
    return [Request("GET", f"{TASKS}/{task.id}", token(task.user)) for task in _shuffled(data.all_tasks(), READS)]


def _creations(data: Data) -> list[Request]:
    requests = []
    for number in range(min(data.users, READS)):
        body = {
            "title": f"Buy {number} lemons and a Crème brûlée",
            "description": "For the party on Saturday; ask Zoé what else is missing." if number % 2 else "",
            "priority": number % 5,
            "labels": [str(label) for label in data.labels_of(number)[2:4]],
            "due": {"date": f"2027-02-{1 + number % 28:02}"},
        }
        encoded = json.dumps(body, ensure_ascii=False).encode()
        requests.append(Request("POST", TASKS, token(number), encoded))
    random.Random(7).shuffle(requests)
    return requests


def _completions(data: Data) -> list[Request]:
    tasks = _shuffled(data.open_tasks(), WRITES)
    return [Request("POST", f"{TASKS}/{task.id}/complete", token(task.user)) for task in tasks]


_WRITTEN = frozenset({"id", "created_at", "updated_at", "completed_at"})

ENDPOINTS = (
    Endpoint(name="list", title="list, page of 50", requests=_pages, goals={USUAL: 4.0, FASTAPI: 2.0}),
    Endpoint(
        name="filtered",
        title="list with a filter",
        requests=_filtered,
        goals={CEILING: 0.5, USUAL: 3.0},
    ),
    Endpoint(
        name="sorted",
        title="list sorted by due",
        requests=_sorted,
        goals={CEILING: 0.5, USUAL: 3.0},
    ),
    Endpoint(name="search", title="search while typing", requests=_searches),
    Endpoint(name="overview", title="overview", requests=_overviews),
    Endpoint(name="one", title="one task", requests=_single, goals={USUAL: 3.0, FASTAPI: 2.0}),
    Endpoint(
        name="unchanged",
        title="one task, unchanged (304)",
        requests=_single,
        status=304,
        conditional=True,
        goals={USUAL: 3.0, FASTAPI: 1.5},
    ),
    Endpoint(
        name="create",
        title="create",
        requests=_creations,
        status=201,
        writes=True,
        masked=_WRITTEN,
        goals={USUAL: 3.0, FASTAPI: 1.5},
    ),
    Endpoint(
        name="complete",
        title="complete",
        requests=_completions,
        writes=True,
        masked=_WRITTEN - {"id", "created_at"},
        goals={USUAL: 3.0, FASTAPI: 1.5},
    ),
    Endpoint(name="health", title="health", requests=_health),
)

# Every contender must refuse these.
REFUSALS = (
    ("an unknown token", Request("GET", TASKS, token("nobody")), 401),
    ("a revoked token", Request("GET", TASKS, token("revoked")), 401),
    ("an expired token", Request("GET", TASKS, token("expired")), 401),
    ("no token", Request("GET", TASKS), 401),
)
