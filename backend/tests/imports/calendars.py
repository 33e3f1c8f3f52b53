"""Files as programs write them, each made for one story."""

from __future__ import annotations

UTC_STAMP = "20260102T030405Z"


def calendar(*components: str, program: str = "-//Example//Tasks//EN", end: str = "\r\n") -> bytes:
    """Put components into a VCALENDAR."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{program}"]
    for component in components:
        lines += component.splitlines()
    return (end.join([*lines, "END:VCALENDAR"]) + end).encode()


def todo(*lines: str, uid: str | None = "task-1@example.org", summary: str | None = "Water the plants") -> str:
    """Write a VTODO with these further lines."""
    about = [f"UID:{uid}"] if uid is not None else []
    about += [f"SUMMARY:{summary}"] if summary is not None else []
    return "\r\n".join(["BEGIN:VTODO", *about, *lines, "END:VTODO"])


def alarm(*lines: str) -> tuple[str, ...]:
    """Write a VALARM as lines of a VTODO."""
    return ("BEGIN:VALARM", "ACTION:DISPLAY", *lines, "END:VALARM")


# A zone that has a name in no list, with the rules of central Europe.
OWN_ZONE = """BEGIN:VTIMEZONE
TZID:Our office
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""

LOCATED_ZONE = """BEGIN:VTIMEZONE
TZID:Prague at home
X-LIC-LOCATION:Europe/Prague
BEGIN:STANDARD
DTSTART:19961027T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE"""
