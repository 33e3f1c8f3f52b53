"""A person who uses the API of a running stack, and calendars as other programs write them."""

from __future__ import annotations

import secrets
import ssl
from dataclasses import replace
from typing import Any

from tests.e2e.harness import Answer, Client, Stack, wait_for

# In the style of Apple Reminders, Nextcloud Tasks and Thunderbird: their prefixes, zones and folded lines.
APPLE = """\
BEGIN:VCALENDAR
CALSCALE:GREGORIAN
PRODID:-//Apple Inc.//iOS 17.4//EN
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VTODO
CREATED:20260301T080000Z
DTSTAMP:20260301T080001Z
DUE;TZID=Europe/Berlin:20260315T180000
LAST-MODIFIED:20260301T080001Z
PRIORITY:1
STATUS:NEEDS-ACTION
SUMMARY:Water the lemon tree
UID:6F0C1B1E-AAAA-4C55-9D43-0E2E00000001
END:VTODO
END:VCALENDAR
"""
NEXTCLOUD = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Nextcloud Tasks v0.15.0
BEGIN:VTODO
CREATED:20260302T101010
DTSTAMP:20260302T101500
LAST-MODIFIED:20260302T101500
UID:e2e-nextcloud-2
SUMMARY:Return the library books
DESCRIPTION:Two novels\\, one atlas
PRIORITY:5
PERCENT-COMPLETE:100
STATUS:COMPLETED
COMPLETED:20260303T090000
X-OC-HIDESUBTASKS:0
END:VTODO
END:VCALENDAR
"""
THUNDERBIRD = """\
BEGIN:VCALENDAR
PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN
VERSION:2.0
BEGIN:VTODO
CREATED:20260304T070000Z
LAST-MODIFIED:20260304T070100Z
DTSTAMP:20260304T070100Z
UID:e2e-thunderbird-3
SUMMARY:Pay the rent and look at what
  the statement says
RRULE:FREQ=MONTHLY
DTSTART:20260401T080000Z
DUE:20260401T090000Z
X-MOZ-GENERATION:2
END:VTODO
END:VCALENDAR
"""
CALENDARS = {"apple.ics": APPLE, "nextcloud.ics": NEXTCLOUD, "thunderbird.ics": THUNDERBIRD}


def site(stack: Stack, port: int) -> Client:
    """Return a client that trusts the authority of the stack's own proxy, and nobody else, once it answers."""
    root = "/data/caddy/pki/authorities/local/root.crt"
    certificate = wait_for("the proxy's authority", lambda: stack.execute("proxy", "cat", root).stdout)
    client = Client("localhost", port, tls=ssl.create_default_context(cadata=certificate))
    # the proxy tries again after a minute when its first attempt at a certificate fails
    wait_for("an answer of the proxy", lambda: client.get("/health/live").status == 200)
    return client


def ready(client: Client) -> Any:
    """Return what readiness says once all is well; each process keeps its last answer for a second."""
    return wait_for("readiness", lambda: expect(client.get("/health/ready"), 200))


def expect(answer: Answer, status: int) -> Any:
    """Return the answer's JSON, or fail with all that the server said."""
    assert answer.status == status, f"{answer.status} instead of {status}: {answer.text[:2000]}"
    return answer.json() if answer.body else None


def register(client: Client) -> Client:
    """Register somebody new and return a client that carries their token."""
    email, password = f"{secrets.token_hex(6)}@example.org", secrets.token_urlsafe(18)
    person = {"email": email, "password": password}
    expect(client.post("/api/v1/auth/register", person | {"name": "Alice"}), 201)
    token = expect(client.post("/api/v1/auth/login", person), 200)["token"]
    return replace(client, headers=client.headers | {"Authorization": f"Bearer {token}"})


def titles(person: Client) -> set[str]:
    """Return the titles of all tasks of a person."""
    return {task["title"] for task in expect(person.get("/api/v1/tasks?limit=200"), 200)["results"]}
