"""deploy/release: the journal of releases, and the release that a rollback returns to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from host.console import Failure
from release import history
from release.journal import Journal, Release

from tests.deploy.conftest import Kept


@pytest.fixture
def journal(kept: Kept) -> Journal:
    return Journal(kept)


def released(
    journal: Journal,
    tag: str,
    before: str | None,
    *,
    outcome: str = "succeeded",
    migrates: bool = False,
    **details: Any,
) -> Release:
    """Record a release and its outcome."""
    known = {"kind": "deploy", "image": f"id-of-{tag}", "previous_image": before and f"id-of-{before}"}
    release = journal.began(**{"tag": tag, "previous_tag": before, **known, **details})
    if migrates:
        with journal.step(release, "migrate"):
            pass
    journal.ended(release, outcome)
    return release


def test_a_release_is_read_back_with_who_when_what_and_how_it_ended(journal: Journal) -> None:
    release = journal.began(kind="deploy", tag="two", image="sha256:2", previous_tag="one")
    with journal.step(release, "preflight"):
        pass
    journal.learned(release, migration_head="todos.0002")
    journal.ended(release, "succeeded")

    (read,) = journal.releases()
    assert (read.tag, read.previous_tag, read.outcome, read.done) == ("two", "one", "succeeded", ["preflight"])
    assert read.record["migration_head"] == "todos.0002"
    assert "@" in read.record["who"]
    assert read.record["began_at"] <= read.record["ended_at"]
    assert read.record["seconds"] >= 0


def test_a_step_is_written_down_before_it_runs(journal: Journal) -> None:
    release = journal.began(kind="deploy", tag="two")
    with journal.step(release, "migrate"):
        (seen,) = journal.releases()

    assert (seen.step, seen.done) == ("migrate", [])
    assert seen.reached("migrate")
    assert not seen.reached("start", "stop")


def test_a_step_that_fails_is_not_done(journal: Journal, kept: Kept) -> None:
    release = journal.began(kind="deploy", tag="two")
    with pytest.raises(KeyError), journal.step(release, "migrate"):
        raise KeyError

    assert [json.loads(line).get("state") for line in kept.text.splitlines()] == [
        None,
        "began",
        "failed",
    ]
    assert journal.releases()[0].done == []


def test_only_a_last_release_without_an_end_is_unfinished(journal: Journal) -> None:
    assert journal.unfinished() is None
    release = journal.began(kind="deploy", tag="two")
    left = journal.unfinished()
    assert left is not None
    assert left.id == release.id

    journal.ended(release, "undone")

    assert journal.unfinished() is None


def test_a_line_that_was_cut_short_spoils_neither_the_one_before_nor_the_next(journal: Journal, kept: Kept) -> None:
    release = journal.began(kind="deploy", tag="two")
    kept.append('{"at": "2026-11-')

    journal.ended(release, "undone")

    (read,) = journal.releases()
    assert read.outcome == "undone"


def test_a_release_does_not_begin_while_the_disk_is_full(journal: Journal, kept: Kept) -> None:
    kept.is_full = True

    with pytest.raises(Failure, match="no space left"):
        journal.began(kind="deploy", tag="two")


def test_going_back_leads_to_the_release_before(journal: Journal) -> None:
    released(journal, "one", None)
    released(journal, "two", "one")

    assert history.target(journal.releases(), "two") == history.Target("one", "id-of-one")


def test_going_back_twice_leads_further_back_and_not_forth_again(journal: Journal) -> None:
    released(journal, "one", None)
    released(journal, "two", "one")
    released(journal, "three", "two")
    released(journal, "two", "three", kind="rollback")

    assert history.target(journal.releases(), "two").tag == "one"


def test_new_values_for_a_release_are_no_release_to_go_back_from(journal: Journal) -> None:
    released(journal, "one", None)
    released(journal, "two", "one")
    released(journal, "two", "two")

    assert history.target(journal.releases(), "two").tag == "one"


def test_going_back_may_lead_to_a_named_one_of_those_before(journal: Journal) -> None:
    released(journal, "one", None)
    released(journal, "two", "one")
    released(journal, "three", "two")

    assert history.target(journal.releases(), "three", "one") == history.Target("one", "id-of-one")
    with pytest.raises(Failure, match="not one of the releases"):
        history.target(journal.releases(), "two", "three")


def test_there_is_no_way_back_before_the_first(journal: Journal) -> None:
    released(journal, "one", None)

    with pytest.raises(Failure, match="no release before one"):
        history.target(journal.releases(), "one")


def test_there_is_no_way_back_over_a_migration_that_the_old_code_does_not_survive(journal: Journal) -> None:
    released(journal, "one", None)
    released(journal, "two", "one", incompatible=True)
    released(journal, "three", "two")

    assert history.target(journal.releases(), "three").tag == "two"
    with pytest.raises(Failure, match="schema") as refused:
        history.target(journal.releases(), "three", "one")
    assert "before-two" in refused.value.hint


def test_there_is_a_way_back_over_the_migrations_of_one_release_and_no_further(journal: Journal) -> None:
    released(journal, "one", None, migrates=True)
    released(journal, "two", "one", migrates=True)
    released(journal, "three", "two", migrates=True)

    assert history.target(journal.releases(), "three").tag == "two"
    with pytest.raises(Failure, match="whether one can run with the migrations of three") as refused:
        history.target(journal.releases(), "three", "one")
    assert "--image one" in refused.value.hint
    released(journal, "two", "three", kind="rollback")
    with pytest.raises(Failure, match="migrations of three"):
        history.target(journal.releases(), "two")


def test_migrations_of_a_release_that_was_undone_stay_in_the_way(journal: Journal) -> None:
    released(journal, "one", None)
    released(journal, "two", "one")
    released(journal, "three", "two", migrates=True, outcome="undone")

    with pytest.raises(Failure, match="whether one can run with the migrations of three"):
        history.target(journal.releases(), "two")


def test_a_release_that_was_undone_is_none_to_go_back_to(journal: Journal) -> None:
    released(journal, "one", None)
    journal.ended(journal.began(kind="deploy", tag="two", previous_tag="one"), "undone")

    with pytest.raises(Failure):
        history.target(journal.releases(), "two")
