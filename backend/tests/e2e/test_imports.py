"""Hostile calendars of four people at once, while the service answers everybody else.

The tests build on each other, in the order of this file.
"""

from __future__ import annotations

import functools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e import api, load
from tests.e2e.api import expect
from tests.e2e.harness import Answer, Client, Stack, say, wait_for

VARIABLES = {"GUNICORN_WORKERS": "2"}
PEOPLE = 4
BYTES = 5 * 1024 * 1024
# The proxy waits 100 seconds for an answer and gunicorn 90 for a process; two cores do all the work here.
PATIENCE_OF_A_PROBE = 60.0


def hostile() -> bytes:
    """Return a calendar of 5 MB: a zone that changes thousands of times, and tasks with many alarms in it."""
    changes = ",".join(f"{1970 + number // 28 % 80}01{1 + number % 28:02}T000000" for number in range(19_000))
    head = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//mallory//EN", "BEGIN:VTIMEZONE", "TZID:Own"),
        *("BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0100"),
        *(f"RDATE:{changes}", "END:STANDARD", "END:VTIMEZONE"),
    ]
    alarms = [
        line
        for minute in range(20)
        for line in (
            *("BEGIN:VALARM", "ACTION:DISPLAY", f"TRIGGER;VALUE=DATE-TIME;TZID=Own:20260119T05{minute:02}00"),
            "END:VALARM",
        )
    ]
    size = len("\r\n".join(head))
    tasks: list[str] = []
    while size < BYTES:
        rule = "RRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13"
        uid = f"UID:hostile-{len(tasks)}"
        due = "DTSTART;TZID=Own:20260113T050000"
        tasks.append("\r\n".join(["BEGIN:VTODO", uid, f"SUMMARY:{uid}", due, rule, *alarms, "END:VTODO"]))
        size += len(tasks[-1]) + 2
    return "\r\n".join([*head, *tasks, "END:VCALENDAR", ""]).encode()


@pytest.fixture(scope="module")
def people(client: Client) -> list[Client]:
    return [api.register(client) for _ in range(PEOPLE)]


# the path of a probe, the status of its response (0 without one), and how long it took
Probe = tuple[str, int, float]


def probe(client: Client, path: str, seen: list[Probe], stop: threading.Event) -> None:
    """Ask for a page again and again."""
    while not stop.is_set():
        start = time.monotonic()
        try:
            status = client.get(path).status
        except OSError:
            status = 0
        seen.append((path, status, time.monotonic() - start))
        stop.wait(0.2)


def state(person: Client, location: str) -> Any:
    """Return the import as its owner sees it."""
    return expect(person.get(location), 200)


@pytest.fixture(scope="module")
def imports(people: list[Client]) -> list[tuple[Client, str]]:
    """Send the file for everybody at once while the service is asked; returns where each import is found."""
    data = hostile()
    assert BYTES <= len(data) < 1.01 * BYTES

    def send(person: Client) -> Answer:
        return person.upload("/api/v1/imports/ics", "hostile.ics", data)

    paths = ("/health/live", "/health/ready", "/api/v1/tasks?limit=5")
    probes: list[Probe] = []
    asking = [functools.partial(probe, people[0], path, probes) for path in paths]
    with load.meanwhile(*asking), ThreadPoolExecutor(PEOPLE) as pool:
        answers = list(pool.map(send, people))
        found = [(person, answer.headers["Location"]) for person, answer in zip(people, answers, strict=True)]
        assert [answer.status for answer in answers] == [202] * PEOPLE, [answer.text[:500] for answer in answers]
        for person, location in found:
            wait_for(
                "the end of an import",
                lambda person=person, location=location: state(person, location)["status"] in ("done", "failed"),
                interval=0.5,
            )
    slowest = max(seconds for _, _, seconds in probes)
    say(f"{len(probes)} probes during {PEOPLE} imports of 5 MB, the slowest took {slowest:.2f} s")
    assert [each for each in probes if each[1] != 200] == []
    assert {path for path, _, _ in probes} == set(paths)
    assert slowest < PATIENCE_OF_A_PROBE
    return found


def test_four_hostile_files_at_once_are_imported_while_everything_answers(
    imports: list[tuple[Client, str]],
) -> None:
    for person, location in imports:
        seen = state(person, location)
        assert (seen["status"], seen["progress"], seen["error"]) == ("done", 100, None)
        assert seen["report"]["created"] > 1_000
        assert person.get("/api/v1/tasks?limit=5").status == 200


def test_no_process_was_ended_for_it(stack: Stack, imports: list[tuple[Client, str]]) -> None:
    said = stack.logs("backend")
    assert "WORKER TIMEOUT" not in said
    assert "Traceback" not in stack.logs("worker")
    for service in ("backend", "worker"):
        (container,) = stack.containers(service)
        assert (container["RestartCount"], container["State"]["OOMKilled"]) == (0, False)


def test_the_report_is_for_its_owner_only(client: Client, imports: list[tuple[Client, str]]) -> None:
    _, location = imports[0]
    assert api.register(client).get(location).status == 404
    assert client.get(location).status == 401


def test_an_import_survives_a_worker_that_is_away(stack: Stack, client: Client) -> None:
    person = api.register(client)
    stack.compose("stop", "worker")
    answer = person.upload("/api/v1/imports/ics", "hostile.ics", hostile())
    location = answer.headers["Location"]
    assert (answer.status, state(person, location)["status"]) == (202, "pending")
    stack.compose("start", "worker")
    wait_for("the end of the import", lambda: state(person, location)["status"] == "done", interval=0.5)
