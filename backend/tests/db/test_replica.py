"""Reads go to the replica only when it is current, and the primary takes over when it fails."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import OperationalError, connections

from todo_project.db import replica
from todo_project.db.replica import MAX_LAG_SECONDS, Freshness


class Servers:
    """A primary and its replica, with log positions and a clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.written = self.replayed = 10
        self.asked = 0

    def position(self) -> int:
        return self.written

    def has_replayed(self, position: int) -> bool:
        self.asked += 1
        return self.replayed >= position

    def freshness(self) -> Freshness:
        return Freshness(position=self.position, has_replayed=self.has_replayed, clock=lambda: self.now)


@pytest.fixture
def servers() -> Servers:
    return Servers()


def test_a_replica_that_has_everything_is_fresh_and_asked_once_a_second(servers: Servers) -> None:
    freshness = servers.freshness()
    assert [freshness.is_fresh() for _ in range(5)] == [True] * 5
    assert servers.asked == 1
    servers.now += 1
    assert freshness.is_fresh()
    assert servers.asked == 2


def test_a_replica_is_not_believed_before_it_has_proved_itself(servers: Servers) -> None:
    servers.replayed = 9
    assert not servers.freshness().is_fresh()


def test_a_busy_primary_does_not_make_a_good_replica_useless(servers: Servers) -> None:
    freshness = servers.freshness()
    answers = []
    for _ in range(20):
        servers.written += 100
        answers.append(freshness.is_fresh())
        servers.replayed = servers.written - 1  # always a little behind the newest
        servers.now += 1
    assert answers[:2] == [False, False]
    assert all(answers[2:])


def test_a_replica_that_stands_still_is_left_when_it_is_too_far_behind(servers: Servers) -> None:
    freshness = servers.freshness()
    assert freshness.is_fresh()
    servers.written += 1
    for _ in range(MAX_LAG_SECONDS - 1):
        servers.now += 1
        assert freshness.is_fresh()
    servers.now += 1
    assert not freshness.is_fresh()
    servers.now, servers.replayed = servers.now + 1, servers.written
    assert not freshness.is_fresh()  # it has reached where the primary was long ago
    servers.now += 1
    assert freshness.is_fresh()


def test_after_a_failure_it_is_left_alone_for_a_while(servers: Servers) -> None:
    freshness = servers.freshness()
    assert freshness.is_fresh()
    freshness.pause()
    assert not freshness.is_fresh()
    servers.now += 9
    assert not freshness.is_fresh()
    servers.now += 1
    assert freshness.is_fresh()


@pytest.fixture
def follower(monkeypatch: pytest.MonkeyPatch, servers: Servers) -> Servers:
    """Configure a replica; the test decides whether it is fresh."""
    monkeypatch.setitem(connections.settings, "replica", connections.settings["default"])
    monkeypatch.setattr(replica, "freshness", servers.freshness())
    return servers


def database_of_a_read(*, changed: bool = False) -> str:
    return replica.run(lambda name: name, has_changed_since=lambda moment: changed)


def test_without_a_replica_nothing_is_asked() -> None:
    def fail(moment: dt.datetime) -> bool:
        raise AssertionError("the primary was asked for nothing")

    assert replica.run(lambda name: name, has_changed_since=fail) == "default"


def test_a_fresh_replica_answers(follower: Servers) -> None:
    assert database_of_a_read() == "replica"


def test_who_has_changed_something_lately_reads_from_the_primary(follower: Servers) -> None:
    assert database_of_a_read(changed=True) == "default"
    assert follower.asked == 0


def test_lately_is_longer_than_any_request_and_any_lag(follower: Servers, settings: Any) -> None:
    moments: list[dt.datetime] = []
    replica.run(str, has_changed_since=lambda moment: bool(moments.append(moment)))
    ago = (dt.datetime.now(dt.UTC) - moments[0]).total_seconds()
    assert ago >= settings.REPLICA_QUIET_SECONDS > 90 + MAX_LAG_SECONDS


def test_a_replica_that_lags_is_not_asked(follower: Servers) -> None:
    follower.replayed = 0
    assert database_of_a_read() == "default"


def test_a_replica_that_fails_is_stood_in_for(follower: Servers, caplog: pytest.LogCaptureFixture) -> None:
    asked = []

    def run(name: str) -> str:
        asked.append(name)
        if name == "replica":
            raise OperationalError("terminating connection due to administrator command")
        return name

    assert replica.run(run, has_changed_since=lambda moment: False) == "default"
    assert replica.run(run, has_changed_since=lambda moment: False) == "default"
    assert asked == ["replica", "default", "default"]
    assert "replica_failed" in caplog.text


def test_an_error_of_the_primary_is_not_hidden(follower: Servers) -> None:
    def run(name: str) -> str:
        raise OperationalError(name)

    with pytest.raises(OperationalError, match="default"):
        replica.run(run, has_changed_since=lambda moment: False)


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_server_that_is_no_replica_is_never_fresh() -> None:
    position = replica._position()
    connections["default"].cursor().execute("SELECT 1")
    assert "/" in position
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [position])
        assert cursor.fetchone() == (None,)
