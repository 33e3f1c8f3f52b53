"""A name of a time zone means the same on every machine."""

from __future__ import annotations

import zoneinfo

import pytest

from todo_project.db import time_zones


def test_what_only_this_machine_calls_a_zone_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoneinfo, "available_timezones", lambda: {"localtime", "Factory", "Asia/Shanghai"})
    assert time_zones.names.__wrapped__() == {"Asia/Shanghai"}


@pytest.mark.parametrize("name", ["Europe/Atlantis", "localtime", "Europe", "../UTC", ""])
def test_a_zone_that_is_unknown_here_is_utc(name: str) -> None:
    assert time_zones.zone(name).key == "UTC"
    assert time_zones.zone("Asia/Shanghai").key == "Asia/Shanghai"


def test_the_usual_ones_are_known() -> None:
    assert {"UTC", "Asia/Shanghai", "America/New_York"} <= time_zones.names()
