"""Finds the phrases of a text that say when a task is due and how it recurs."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from todo_project.quick_add.services.meanings import (
    ANYWHERE,
    After,
    Day,
    DayPart,
    Except,
    FromCompletion,
    Language,
    Lasting,
    Link,
    Meaning,
    Purpose,
    Repeat,
    TimeOfDay,
    Times,
)
from todo_project.quick_add.services.text import Span, is_blank

_DASH = r"[-\u2013\u2014]"
# they decorate a text: what is beside them stands at its start or end
_EMOJI = re.compile("[\u200d\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]")
_GAP = re.compile(rf" *[,\u3001]? *| {_DASH} ")


@dataclass
class _Found:
    """A phrase in the text, with what the words beside it say that it is for."""

    start: int
    end: int
    meaning: Meaning | None
    where: frozenset[str]
    purpose: Purpose = Purpose.DUE


@dataclass
class Schedule:
    """The phrases that count. `starts` and `until` are days that limit the recurrence."""

    day: Day | After | None = None
    clock: TimeOfDay | None = None
    part: DayPart | None = None
    repeat: Repeat | None = None
    starts: Day | None = None
    limit: Day | Times | Lasting | None = None
    excluded: Except | None = None
    completion: FromCompletion | None = None
    spans: list[Span] = field(default_factory=list)


def find_schedule(folded: str, taken: Sequence[Span], languages: Iterable[Language]) -> Schedule:
    """Return when the task is due. Of several dates, times or recurrences, the last one counts."""
    languages = tuple(languages)
    found = _runs(folded, _candidates(folded, taken, languages))
    runs = [_linked(run) for run in found if not any(each.meaning == Link(Purpose.EXCEPT) for each in run)]
    rest = _EMOJI.sub(" ", _blanked(folded, taken))
    accepted: list[list[_Found]] = []
    later: set[str] = set()
    is_repeated = any(_has(run, Repeat) for run in runs)
    for run in reversed(runs):
        kept = run if is_repeated and _is_limit(run) else _accepted(rest, run, later=later)
        later |= {"timed"} if _has(kept, TimeOfDay) else set()
        later |= {"repeated"} if any(_is_by_weekdays(each.meaning) for each in kept) else set()
        if kept:
            rest = _blanked(rest, [Span(each.start, each.end, "") for each in kept])
            accepted.append(kept)
    schedule = _chosen(accepted)
    if schedule.clock is not None:
        schedule.clock = _as_usual(schedule.clock, folded, languages)
    return schedule


def _as_usual(clock: TimeOfDay, folded: str, languages: Iterable[Language]) -> TimeOfDay:
    """Return the time in the part of the day in which people do what the text says."""
    parts = (part for each in languages for pattern, part in each.usual if pattern.search(folded))
    return replace(clock, usual=next(parts, clock.usual))


def _blanked(text: str, spans: Iterable[Span]) -> str:
    for span in spans:
        text = text[: span.start] + " " * (span.end - span.start) + text[span.end :]
    return text


def _candidates(folded: str, taken: Sequence[Span], languages: Iterable[Language]) -> list[_Found]:
    """Return matches that do not overlap, nor what is taken: the longer ones, or else the earlier ones."""
    spoken = [language for language in languages if language.script.search(folded)]
    found = [each for language in spoken for each in _matches(folded.translate(language.variants), language)]
    found.sort(key=lambda each: (each.start - each.end, each.start))
    free = bytearray(b"\1") * len(folded)
    for span in taken:
        free[span.start : span.end] = bytes(span.end - span.start)
    kept = []
    for each in found:
        length = each.end - each.start
        if free[each.start : each.end] == b"\1" * length:
            free[each.start : each.end] = bytes(length)
            kept.append(each)
    # what is impossible, such as "every 32nd", takes its place all the same, so that no part of it is understood
    return sorted((each for each in kept if each.meaning is not None), key=lambda each: each.start)


def _matches(text: str, language: Language) -> Iterable[_Found]:
    for phrase in language.phrases:
        position = 0
        while match := phrase.pattern.search(text, position):
            position = match.start() + 1
            if language.before.match(text, match.start()):
                position = match.end()
                yield _Found(match.start(), match.end(), phrase.read(match), phrase.where)


def _runs(folded: str, found: Iterable[_Found]) -> list[list[_Found]]:
    """Return the phrases in groups, with nothing but spaces and commas within a group."""
    runs: list[list[_Found]] = []
    for each in found:
        if runs and _GAP.fullmatch(folded, runs[-1][-1].end, each.start):
            runs[-1].append(each)
        else:
            runs.append([each])
    return runs


def _linked(run: list[_Found]) -> list[_Found]:
    """Return the run without its links, whose span and purpose pass on; nothing follows Purpose.OTHER."""
    linked: list[_Found] = []
    before: _Found | None = None
    for each in _without_second_links(run):
        if isinstance(each.meaning, Link):
            before = None if each.meaning.is_after else each
            if each.meaning.is_after and each.meaning.purpose is Purpose.OTHER:
                return []
            if each.meaning.is_after and linked and isinstance(linked[-1].meaning, Day | TimeOfDay):
                linked[-1].end, linked[-1].purpose, linked[-1].where = each.end, each.meaning.purpose, ANYWHERE
            continue
        if before is not None and not _lead(before, each):
            return _without_list(linked, before, each)
        before = None
        if each.purpose is Purpose.UNTIL and linked and isinstance(each.meaning, TimeOfDay):
            # a range such as "from 9 to 10" stays in the title
            linked = linked[:-1] if isinstance(linked[-1].meaning, TimeOfDay) else linked
            continue
        if linked and (date := _date_of(linked[-1], each)):
            linked[-1].end, linked[-1].meaning = each.end, date
        else:
            linked.append(each)
    return linked


def _without_second_links(run: list[_Found]) -> list[_Found]:
    """Return the run without the "on" of "monday and on friday": the link before it says what follows is for."""
    kept: list[_Found] = []
    for each in run:
        last = kept[-1].meaning if kept else None
        if each.meaning != Link(Purpose.DUE) or not isinstance(last, Link) or last.is_after:
            kept.append(each)
    return kept


def _without_list(linked: list[_Found], link: _Found, last: _Found) -> list[_Found]:
    """Return what stands before the list that the link and the last one end, as in "today, tomorrow and friday"."""
    kept = [*linked]
    while kept and _is_list_of(kept[-1].meaning, link.meaning, last.meaning):
        kept.pop()
    return kept


def _is_list_of(one: Meaning | None, link: Meaning | None, other: Meaning | None) -> bool:
    """Return whether what a link joins is meant together, as in "at 8 and 9"."""
    is_recurrence = link == Link(Purpose.AND) and isinstance(one, Repeat) and isinstance(other, Day)
    is_part = isinstance(other, DayPart) and isinstance(one, Day | Repeat) and one.part is not None
    return is_recurrence or is_part or isinstance(other, type(one))


def _lead(before: _Found, each: _Found) -> bool:
    """Give what follows a link its purpose; return False for Purpose.OTHER and Purpose.AND."""
    purpose = before.meaning.purpose if isinstance(before.meaning, Link) else Purpose.DUE
    if isinstance(each.meaning, Day | TimeOfDay):
        each.start, each.purpose, each.where = before.start, purpose, ANYWHERE
    elif isinstance(each.meaning, Repeat) and purpose is Purpose.DUE:
        each.start = before.start  # "on every monday"
    return purpose not in (Purpose.OTHER, Purpose.AND)


def _date_of(first: _Found, second: _Found) -> Day | None:
    """Return the date of a weekday and a date that stand together, as in "Friday, 4 December"."""
    one, other = first.meaning, second.meaning
    if not (isinstance(one, Day) and isinstance(other, Day)) or second.purpose is not Purpose.DUE:
        return None
    weekday, date = (one.weekday, other) if other.weekday is None else (other.weekday, one)
    if weekday is None or date.weekday is not None:
        return None
    return replace(date, days=lambda today: _if_on(weekday, date.days(today)))


def _if_on(weekday: int, found: Iterable[dt.date]) -> Iterator[dt.date]:
    """Yield the first day if it has the weekday; otherwise the text contradicts itself."""
    return (day for day in itertools.islice(found, 1) if day.weekday() == weekday)


_LIMITS = (Purpose.START, Purpose.UNTIL)
_CLASSES: dict[type, str] = {Day: "day", TimeOfDay: "time", DayPart: "time", After: "after", Repeat: "repeat"}


def _accepted(rest: str, run: list[_Found], *, later: set[str]) -> list[_Found]:
    """Return the phrases of a run that count: beside others, or where their `where` says that they do.

    `rest` is the text with spaces in place of what has been understood; `later` names what that is.
    """
    is_repeated = any(isinstance(each.meaning, Repeat) for each in run)
    if not is_repeated:
        run = _before_limits(run)
        run = [each for each in run if not isinstance(each.meaning, Times | Lasting | FromCompletion)]
    due = [each for each in run if isinstance(each.meaning, Day) and each.purpose is Purpose.DUE]
    if len(due) > 1 and _is_list(rest, due):
        return []
    earlier = {each.start for each in due[:-1]}
    run = [each for each in run if each.start not in earlier]
    clocks = [each for each in run if isinstance(each.meaning, TimeOfDay)]
    if re.search(_DASH, _gaps(rest, clocks)):
        run = [each for each in run if not isinstance(each.meaning, TimeOfDay)]
    # "friday night" says no more than "friday" does about whether it is part of a title
    without_parts = [each for each in run if not isinstance(each.meaning, DayPart)] or run
    if not run or len({_CLASSES.get(type(each.meaning), "limit") for each in without_parts}) > 1:
        return run
    places = {*ANYWHERE}
    if is_blank(rest[: run[0].start]):
        places |= {"start", *later}
    if is_blank(rest[run[-1].end :]):
        places.add("end")
    kept = [each for each in without_parts if each.where & places]
    return run if kept == without_parts else kept


def _is_limit(run: list[_Found]) -> bool:
    """Return whether a run only says from or until which day the task recurs, as "until 5 may" does."""
    return all(isinstance(each.meaning, Day) and each.purpose in _LIMITS for each in run)


def _is_list(rest: str, due: list[_Found]) -> bool:
    """Return whether the days are meant together, as in "Mon Wed Fri" and "today, nov 24"."""
    weekdays = [each.meaning.weekday for each in due if isinstance(each.meaning, Day)]
    return None not in weekdays or bool(re.search(rf"[,\u3001]|{_DASH}", _gaps(rest, due)))


def _gaps(rest: str, found: list[_Found]) -> str:
    """Return what stands between these phrases."""
    return "".join(rest[one.end : other.start] for one, other in itertools.pairwise(found))


def _before_limits(run: list[_Found]) -> list[_Found]:
    """Return the phrases before the first one that limits a recurrence; none of a range such as "1 to 5 May"."""
    first = next((index for index, each in enumerate(run) if each.purpose is not Purpose.DUE), len(run))
    limit = run[first] if first < len(run) else None
    is_range = limit is not None and limit.purpose is Purpose.UNTIL and isinstance(limit.meaning, Day)
    return [] if is_range else run[:first]


def _chosen(runs: list[list[_Found]]) -> Schedule:
    """Return what counts of the runs, of which the last is the first."""
    schedule = Schedule()
    main = next((run for run in runs if _has(run, Repeat)), None)
    main = main or next((run for run in runs if _has(run, Day, After)), [])
    others = [run for run in runs if run is not main]
    is_repeated = _has(main, Repeat)
    for run in (main, *others):
        for each in reversed(run):
            if is_repeated or not (isinstance(each.meaning, Except) or each.purpose in _LIMITS):
                _add(schedule, each)
    return schedule


def _is_by_weekdays(meaning: Meaning | None) -> bool:
    return (
        isinstance(meaning, Repeat) and (meaning.frequency, meaning.interval) == ("WEEKLY", 1) and meaning.by != ""
    )


def _has(run: list[_Found], *kinds: type) -> bool:
    return any(isinstance(each.meaning, kinds) for each in run)


# the field of Schedule for a phrase with its purpose, and the kind of its span
_SLOTS: dict[tuple[type, Purpose], tuple[str, str]] = {
    (Day, Purpose.DUE): ("day", "due"),
    (Day, Purpose.START): ("starts", "recurrence"),
    (Day, Purpose.UNTIL): ("limit", "recurrence"),
    (After, Purpose.DUE): ("day", "due"),
    (TimeOfDay, Purpose.DUE): ("clock", "due"),
    (TimeOfDay, Purpose.START): ("clock", "due"),
    (DayPart, Purpose.DUE): ("part", "due"),
    (Repeat, Purpose.DUE): ("repeat", "recurrence"),
    (Times, Purpose.DUE): ("limit", "recurrence"),
    (Lasting, Purpose.DUE): ("limit", "recurrence"),
    (Except, Purpose.DUE): ("excluded", "recurrence"),
    (FromCompletion, Purpose.DUE): ("completion", "recurrence"),
}


def _add(schedule: Schedule, each: _Found) -> None:
    """Add a phrase to the schedule, unless a later one is there in its place, or one that it contradicts."""
    if isinstance(each.meaning, Repeat) and schedule.repeat is not None and _is_by_weekdays(schedule.repeat):
        # "bi-weekly sync on wednesdays": how often and on which days stand apart
        if (each.meaning.frequency, each.meaning.by) == ("WEEKLY", "") and each.meaning.interval > 1:
            schedule.repeat = replace(schedule.repeat, interval=each.meaning.interval)
            schedule.spans.append(Span(each.start, each.end, "recurrence"))
        return
    slot, kind = _SLOTS.get((type(each.meaning), each.purpose), ("", ""))
    if isinstance(each.meaning, After):
        is_free = schedule.repeat is None and schedule.clock is None
    else:
        is_free = not (slot in ("clock", "part") and isinstance(schedule.day, After))
    if slot and is_free and getattr(schedule, slot) is None:
        setattr(schedule, slot, each.meaning)
        schedule.spans.append(Span(each.start, each.end, kind))
