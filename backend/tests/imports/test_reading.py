"""What a file may look like, how ever it came to be so."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imports.calendars import OWN_ZONE, alarm, calendar, todo
from todo_project.imports.services import components, ics, report, zones
from todo_project.imports.services.ics import read_tasks
from todo_project.imports.services.report import ImportReport

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
UTC = zones.Zone("UTC", dt.UTC)


def read(data: bytes) -> tuple[list[str], list[tuple[str | None, str]]]:
    """Give the titles of the tasks and what was skipped."""
    report = ImportReport()
    found = read_tasks(components.parse(data), floating=UTC, now=NOW, report=report)
    return [each.task.values.title for each in found], [(each.uid, each.reason) for each in report.skipped]


TWO = (todo(uid="1", summary="One"), todo(uid="2", summary="Two"))


@pytest.mark.parametrize(
    "data",
    [
        calendar(*TWO),
        calendar(*TWO, end="\n"),
        calendar(*TWO, end="\r"),
        calendar(*TWO, end="\r\r\n"),
        calendar(*TWO).rstrip(),
        b"\xef\xbb\xbf" + calendar(*TWO),
        calendar(*TWO).decode().encode("utf-16"),
        calendar(TWO[0]) + calendar(TWO[1]),
        calendar(TWO[0]) + b"\r\n\r\n" + calendar(TWO[1]),
        "\r\n".join(TWO).encode(),
        calendar(*TWO).replace(b"BEGIN:", b"Begin: ").replace(b"END:", b"end :"),
        calendar(*TWO).replace(b"UID:", b"uid:"),
    ],
    ids=["crlf", "lf", "cr", "crcrlf", "no-last-end", "bom", "utf-16", "two-calendars", "blank-lines", "bare",
         "spaces", "lower-case"],
)  # fmt: skip
def test_a_file_may_be_written_in_many_ways(data):
    assert read(data) == (["One", "Two"], [])


@pytest.mark.parametrize("data", [b"", b" \r\n\t\n", b"\xef\xbb\xbf\r\n"])
def test_an_empty_file_says_what_to_send(data):
    with pytest.raises(components.UnusableFile, match="empty"):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"<!doctype html><title>Log in</title>",
        b"BEGIN:VCARD\r\nFN:Somebody\r\nEND:VCARD\r\n",
        b'{"BEGIN": "VCALENDAR"}',
        b"\x00" * 5000,
        b"\xff\xfe\x00",
        b"see BEGIN:VCALENDAR for more",
    ],
)
def test_what_is_no_calendar_says_so(data):
    with pytest.raises(components.UnusableFile, match="not an iCalendar file"):
        read(data)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_has_to_be_unpacked_whether_its_text_can_be_seen_or_not(compression):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        archive.writestr("tasks.ics", calendar(todo()))
    with pytest.raises(components.UnusableFile, match="Unpack"):
        read(packed.getvalue())


def test_other_components_are_skipped_with_a_reason():
    event = "BEGIN:VEVENT\r\nUID:e1\r\nBEGIN:VALARM\r\nTRIGGER:PT0S\r\nEND:VALARM\r\nEND:VEVENT"
    titles, skipped = read(calendar(event, TWO[0], "BEGIN:VJOURNAL\r\nSUMMARY:Dear diary\r\nEND:VJOURNAL"))
    assert titles == ["One"]
    assert [(uid, reason.split()[0]) for uid, reason in skipped] == [("e1", "VEVENT"), (None, "VJOURNAL")]


def test_a_calendar_without_tasks_is_read():
    assert read(calendar()) == ([], [])


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (todo(uid="b").replace("END:VTODO", ""), "END line"),
        (todo("BEGIN:VALARM", "TRIGGER:PT0S", uid="b"), "END line of one of its components"),
        (todo("END:VALARM", uid="b"), "without a BEGIN line"),
        (todo("DESCRIPTION:a\x00b", uid="b"), "NUL"),
        (todo(*["BEGIN:A"] * 9, *["END:A"] * 9, uid="b"), "nested"),
        (todo(*[f"X-{number}:1" for number in range(201)], uid="b"), "200 unsupported"),
        (todo(*["COMMENT:1"] * 10_001, uid="b"), "10000 lines"),
        (todo("ATTACH:" + "x" * components.MAX_COMPONENT_CHARACTERS, uid="b"), "larger than"),
    ],
)
def test_one_broken_task_does_not_stop_the_others(broken, reason):
    titles, skipped = read(calendar(TWO[0], broken, TWO[1]))
    assert titles == ["One", "Two"]
    ((uid, why),) = skipped
    assert uid == "b"
    assert reason in why


def test_a_file_that_was_cut_off_says_so():
    whole = calendar(*TWO)
    titles, skipped = read(whole[: whole.index(b"SUMMARY:Two") + 9])
    assert titles == ["One"]
    assert [uid for uid, _ in skipped] == [None, "2"]
    assert all("The file ends" in reason for _, reason in skipped)


def test_lines_outside_everything_are_mentioned():
    _, skipped = read(b"Dear Sir,\r\n" + calendar(*TWO) + b"Regards\r\n")
    assert skipped == [(None, "2 lines are outside of any component.")]


def test_a_zone_that_cannot_be_read_is_mentioned_and_its_times_are_the_account_s():
    titles, skipped = read(
        calendar(OWN_ZONE.replace("END:VTIMEZONE", ""), todo("DUE;TZID=Our office:20260101T000000"))
    )
    assert titles == ["Water the plants"]
    assert "VTIMEZONE" in skipped[0][1]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("SEQUENCE:2", "LAST-MODIFIED:20200101T000000Z"), ("SEQUENCE:1", "LAST-MODIFIED:20260101T000000Z")),
        (("LAST-MODIFIED:20260101T000000Z",), ("LAST-MODIFIED:20200101T000000Z",)),
        (("DTSTAMP:20260101T000000Z",), ()),
    ],
)
def test_of_two_versions_of_a_task_the_newer_is_taken(first, second):
    new, old = todo(*first, uid="x", summary="New"), todo(*second, uid="x", summary="Old")
    for file in (calendar(new, old), calendar(old, new)):
        titles, skipped = read(file)
        assert titles == ["New"]
        assert [uid for uid, _ in skipped] == ["x"]


def test_of_two_versions_of_the_same_age_the_later_in_the_file_is_taken():
    assert read(calendar(todo(summary="Old"), todo(summary="New")))[0] == ["New"]


def test_two_tasks_without_a_uid_that_are_alike_are_two():
    report = ImportReport()
    found = read_tasks(components.parse(calendar(*[todo(uid=None)] * 3)), floating=UTC, now=NOW, report=report)
    assert len({each.task.uid for each in found}) == 3
    assert report.skipped == []


def test_each_calendar_has_its_own_zones():
    other = OWN_ZONE.replace("+0100", "+0500").replace("+0200", "+0600")
    report = ImportReport()
    due = "DUE;TZID=Our office:20260115T080000"
    data = calendar(OWN_ZONE, todo(due, uid="1")) + calendar(todo(due, uid="2"), other)
    found = read_tasks(components.parse(data), floating=UTC, now=NOW, report=report)
    assert [each.task.values.due["at"].hour for each in found] == [7, 3]


def test_a_file_may_not_hold_more_than_can_be_imported_at_once(monkeypatch):
    monkeypatch.setattr(ics, "MAX_TASKS", 2)
    monkeypatch.setattr(components, "MAX_COMPONENTS", 5)
    monkeypatch.setattr(report, "MAX_REPORTED", 8)
    for file in (
        calendar(*TWO, todo(uid="3")),
        calendar(*[TWO[0]] * 6),
        calendar(todo(*[f"X-{number}:1" for number in range(9)])),
    ):
        with pytest.raises(components.UnusableFile, match="more than"):
            read(file)


_RICH = calendar(
    OWN_ZONE,
    todo("DTSTART;TZID=Our office:20260115T080000", "DURATION:P1DT1H", "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3",
         "CATEGORIES:a,b\\,c",
         "STATUS:COMPLETED", "COMPLETED:20260101T000000Z", "PERCENT-COMPLETE:100", "PRIORITY:5",
         "RELATED-TO;RELTYPE=PARENT:2", "CREATED:20260101T000000", "SEQUENCE:1", 'DESCRIPTION;ALTREP="x:y":a\\nb',
         *alarm("TRIGGER;RELATED=END:-PT5M"), "X-APPLE-STRUCTURED-LOCATION;X-ADDRESS=A\\\\nB;X-R=1:geo:1,2"),
    todo("DUE;TZID=Eastern Standard Time:20260115T080000", uid="2"),
)  # fmt: skip
_PIECES = [b"\r\n", b"\n ", b":", b";", b"=", b'"', b"\x00", b"\xff", b"BEGIN:VTODO\r\n", b"END:VTODO\r\n",
           b"END:VCALENDAR", b"BEGIN:VALARM\r\n", b"9" * 30, b"-", b"P", b"T", b",", b"\\", b"TZID=",
           b"\xe2\x80\xa8"]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(_RICH)),
            st.integers(0, 40),
            st.one_of(st.sampled_from(_PIECES), st.binary(max_size=8)),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_is_done_to_a_file_it_is_read_or_refused(edits):
    data = _RICH
    for at, cut, piece in edits:
        data = data[:at] + piece + data[at + cut :]
    try:
        report = ImportReport()
        for found in read_tasks(components.parse(data), floating=UTC, now=NOW, report=report):
            assert found.task.uid
            assert found.task.values.title
            assert "\x00" not in found.text
    except components.UnusableFile:
        pass


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_characters="\r\n\x00", exclude_categories=["Cs"]), max_size=200))
def test_any_text_comes_through_as_it_was(text):
    escaped = text.replace("\\", "\\\\").replace(";", r"\;").replace(",", r"\,")
    report = ImportReport()
    (found,) = read_tasks(
        components.parse(calendar_with_description(escaped)), floating=UTC, now=NOW, report=report
    )
    assert found.task.values.description == (text if text.strip() else "")


def calendar_with_description(escaped: str) -> bytes:
    """Fold the description every 20 bytes, in the middle of characters too."""
    line = f"DESCRIPTION:{escaped}".encode()
    folded = b"\r\n ".join(line[at : at + 20] for at in range(0, len(line), 20))
    return calendar(todo("X-HERE:1")).replace(b"X-HERE:1", folded)
