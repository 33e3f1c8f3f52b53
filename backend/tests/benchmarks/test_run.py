from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import answers
from benchmarks.answers import Answer
from benchmarks.contenders import BACKEND, ours
from benchmarks.endpoints import ENDPOINTS, Endpoint
from benchmarks.load import Request, WrongAnswers
from benchmarks.run import Plan, Run

OURS, OLDER = "ours", "abc1234"
SEARCH = replace(next(row for row in ENDPOINTS if row.name == "search"), requests=lambda data: [SEARCHED] * 3)
SEARCHED = Request("GET", "/api/v1/search?q=x")
PLAN = Plan(rounds=1, seconds=1, warm_up=1, connections=1)


def run_of(statuses: dict[str, list[int]], monkeypatch: pytest.MonkeyPatch, said: list[str]) -> Run:
    """Return a run of contenders that answer with these statuses to the requests of an endpoint."""
    names = list(statuses)

    def ask(port: int, requests: Any) -> list[Answer]:
        asked = list(requests)
        if asked[0] is not SEARCHED:  # a refusal
            return [Answer(401, b"{}")]
        return [Answer(status, b"{}") for status in statuses[names[port]]]

    monkeypatch.setattr(answers, "ask", ask)
    served = {
        name: SimpleNamespace(
            contender=ours(name, name, "python", BACKEND if name == OURS else Path("/elsewhere")), port=port
        )
        for port, name in enumerate(names)
    }
    stack: Any = SimpleNamespace(served=served, data=None)
    return Run(stack, [SEARCH], plan=PLAN, say=said.append)


@pytest.mark.parametrize("status", [400, 404])
def test_what_an_older_commit_does_not_know_is_left_out_for_it(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    run = run_of({OURS: [200] * 3, OLDER: [status] * 3}, monkeypatch, said)
    assert run.check() == {"search": {OLDER: answers.UNKNOWN}}
    assert said == [f"{OLDER} is left out at search: it answers {status} to /api/v1/search?q=x"]
    measured: list[str] = []

    def load(endpoint: Endpoint, served: Any, *ignored: Any) -> Any:
        measured.append(served.contender.name)
        return SimpleNamespace()

    for name, stub in (("_load", load), ("_write", lambda *ignored: Path()), ("_report", lambda *ignored: None)):
        monkeypatch.setattr(run, name, stub)
    run.measure()
    assert measured == [OURS] * 2  # the round of warming up, and another


@pytest.mark.parametrize(
    "statuses",
    [
        {OURS: [200] * 3, OLDER: [200, 404, 200]},
        {OURS: [200] * 3, OLDER: [500] * 3},
        {OURS: [404] * 3, OLDER: [200] * 3},
        {OURS: [404] * 3, OLDER: [404] * 3},
    ],
    ids=str,
)
def test_any_other_status_is_wrong(statuses: dict[str, list[int]], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongAnswers):
        run_of(statuses, monkeypatch, []).check()
