"""One run: compare the answers, warm up, then rounds in which every contender is measured in turn."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import answers, load
from benchmarks.contenders import CEILING
from benchmarks.endpoints import REFUSALS, Endpoint
from benchmarks.load import Request
from benchmarks.processes import cpu_seconds
from benchmarks.results import Measurement, rotated
from benchmarks.stack import Say, Served, Stack

_COMPARED = 25  # requests of each endpoint whose answers are compared
_CONDITIONAL = 500
_IDLE_SECONDS = 0.3


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much to measure."""

    rounds: int
    seconds: int
    warm_up: int
    connections: int


class Run:
    """Measures the contenders of a stack at some endpoints."""

    def __init__(self, stack: Stack, endpoints: Sequence[Endpoint], *, plan: Plan, say: Say) -> None:
        self._stack = stack
        self._endpoints = endpoints
        self._plan = plan
        self._say = say
        self._requests = {endpoint.name: endpoint.requests(stack.data) for endpoint in endpoints}
        # the ceiling first: the others are compared with it
        self._names = sorted(stack.served, key=lambda name: name != CEILING)
        # endpoints that an older commit does not have, each with its name
        self._left_out: set[tuple[str, str]] = set()

    def check(self) -> dict[str, dict[str, str]]:
        """Return how each contender's answers agree, by endpoint; raise WrongAnswers if they do not."""
        for what, request, status in REFUSALS:
            for name in self._names:
                answer = answers.ask(self._stack.served[name].port, [request])[0]
                if answer.status != status:
                    raise load.WrongAnswers(f"{name} answers {answer.status}, not {status}, to {what}")
        return {endpoint.name: self._compare(endpoint) for endpoint in self._endpoints}

    def _names_at(self, endpoint: Endpoint) -> list[str]:
        return [name for name in self._names if (endpoint.name, name) not in self._left_out]

    def _compare(self, endpoint: Endpoint) -> dict[str, str]:
        requests = self._requests[endpoint.name][:_COMPARED]
        given = {}
        for name in self._names:
            served = self._stack.served[name]
            sent = self._with_tags(served, requests) if endpoint.conditional else requests
            given[name] = answers.ask(served.port, sent)
            if endpoint.writes:
                served.data.reset()
        older = frozenset(name for name, served in self._stack.served.items() if served.contender.is_older)
        unknown = [name for name in given if name in older and answers.are_unknown(given[name])]
        for name in unknown:
            status = given.pop(name)[0].status
            self._say(f"{name} is left out at {endpoint.name}: it answers {status} to {requests[0].path}")
            self._left_out.add((endpoint.name, name))
        agreement = answers.compare(given, requests, status=endpoint.status, masked=endpoint.masked, older=older)
        return agreement | dict.fromkeys(unknown, answers.UNKNOWN)

    def measure(self) -> list[Measurement]:
        """Warm every contender up at every endpoint, then measure round by round."""
        files = {
            (endpoint.name, name): self._write(endpoint, self._stack.served[name])
            for endpoint in self._endpoints
            for name in self._names_at(endpoint)
        }
        measured = []
        for number in range(self._plan.rounds + 1):
            for endpoint in self._endpoints:
                for name in rotated(self._names_at(endpoint), number):
                    one = self._load(endpoint, self._stack.served[name], files[endpoint.name, name], number)
                    if number:
                        measured.append(one)
                    self._report(one, number)
        return measured

    def _load(self, endpoint: Endpoint, served: Served, requests: Path, number: int) -> Measurement:
        before = cpu_seconds(served.pid), cpu_seconds(self._stack.cluster.pid)
        try:
            done = load.run(
                port=served.port,
                requests=requests,
                seconds=self._plan.seconds if number else self._plan.warm_up,
                connections=self._plan.connections,
                status=endpoint.status,
            )
        except load.WrongAnswers as error:
            raise load.WrongAnswers(f"{served.contender.name} at {endpoint.name}: {error}") from error
        _await_idle(served.pid)
        after = cpu_seconds(served.pid), cpu_seconds(self._stack.cluster.pid)
        if endpoint.writes:
            served.data.reset()
        return Measurement(
            endpoint=endpoint.name,
            contender=served.contender.name,
            round=number,
            requests=done.requests,
            seconds=done.seconds,
            latency_ms={"p50": done.p50_ms, "p99": done.p99_ms},
            app_cpu=after[0] - before[0],
            database_cpu=after[1] - before[1],
        )

    def _write(self, endpoint: Endpoint, served: Served) -> Path:
        path = self._stack.directory / f"{endpoint.name}-{served.contender.name}.requests"
        requests = self._requests[endpoint.name]
        if endpoint.conditional:
            requests = self._with_tags(served, requests[:_CONDITIONAL])
        load.write_requests(path, requests)
        return path

    @staticmethod
    def _with_tags(served: Served, requests: Sequence[Request]) -> list[Request]:
        tags = [answer.tag for answer in answers.ask(served.port, requests)]
        if None in tags:
            raise load.WrongAnswers(f"{served.contender.name} sends no ETag")
        return [request.with_header("If-None-Match", str(tag)) for request, tag in zip(requests, tags, strict=True)]

    def _report(self, one: Measurement, number: int) -> None:
        stage = f"round {number} of {self._plan.rounds}" if number else "warm-up"
        self._say(
            f"{stage}: {one.endpoint:<10} {one.contender:<8} {one.rate:8,.0f}/s  "
            f"{one.app_cpu_ms:.2f} + {one.database_cpu_ms:.2f} ms CPU"
        )


def _await_idle(pid: int) -> None:
    """Wait until the requests that wrk no longer waits for are done: they must not slow the next contender."""
    used = -1.0
    while used < (now := cpu_seconds(pid)):
        used = now
        time.sleep(_IDLE_SECONDS)
