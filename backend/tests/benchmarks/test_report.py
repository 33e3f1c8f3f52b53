from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import plot, report
from benchmarks.contenders import CONTENDERS, Contender, ours
from benchmarks.endpoints import ENDPOINTS
from benchmarks.report import Outcome
from benchmarks.results import Measurement, Results

RATES = {"ours": 500, "ceiling": 1000, "usual": 100, "fastapi": 400, "abc1234": 625}


OLDER = ours("abc1234", "this backend at abc1234", "python", Path("/elsewhere"))


@pytest.fixture
def outcome() -> Outcome:
    return measured(CONTENDERS)


def measured(contenders: Sequence[Contender]) -> Outcome:
    measurements = [
        Measurement(
            endpoint=endpoint.name,
            contender=contender.name,
            round=number,
            requests=RATES[contender.name] * number,
            seconds=1.0,
            latency_ms={"p50": 1.25, "p99": 8.0},
            app_cpu=0.5 * number,
            database_cpu=0.25 * number,
        )
        for endpoint in ENDPOINTS
        for contender in contenders
        for number in (1, 2, 3)
    ]
    return Outcome(
        results=Results(measurements),
        endpoints=ENDPOINTS,
        contenders=contenders,
        agreement={endpoint.name: {"ours": "byte for byte"} for endpoint in ENDPOINTS},
        facts={"PostgreSQL": "17.0"},
    )


def test_the_report_sets_ratios_against_goals(outcome: Outcome) -> None:
    text = report.markdown(outcome)
    assert "| list, page of 50 | **0.50** (0.50–0.50) |  |" in text
    assert "**5.00** × (5.00–5.00) | ≥ 4.00 ×: reached" in text
    assert "**1.25** × (1.25–1.25) | ≥ 2.00 ×: 62% of the way |" in text
    assert "- PostgreSQL: 17.0" in text


def test_every_table_has_as_many_cells_in_each_row(outcome: Outcome) -> None:
    tables = [block.splitlines() for block in report.markdown(outcome).split("\n\n") if "| --- |" in block]
    for lines in tables:
        rows = [line for line in lines if line.startswith("|")]
        assert len({row.count("|") for row in rows}) == 1


def test_an_older_commit_is_compared_by_rate_and_by_processor_time_of_application_and_database() -> None:
    text = report.markdown(measured([*CONTENDERS, OLDER]))
    section = text.split("## Beside abc1234")[1].split("##")[0]
    ratios = "**0.80** × (0.80–0.80) | 1.50 | 1.20 | **1.25** × (1.25–1.25) |"
    assert f"| list, page of 50 | 1,000 | 1,250 | {ratios}" in section
    assert section.count(ratios) == len(ENDPOINTS)


def test_what_an_older_commit_does_not_know_has_no_figures_of_it() -> None:
    whole = measured([*CONTENDERS, OLDER])
    known = [
        each for each in whole.results.measurements if (each.contender, each.endpoint) != (OLDER.name, "search")
    ]
    outcome = replace(whole, results=Results(known))
    text = report.markdown(outcome)
    assert "| search while typing |  | not known there |  |  | not known there |  |" in text
    assert text.count("0.00 + ") == 0
    test_every_table_has_as_many_cells_in_each_row(outcome)
    assert "search" in report.as_json(outcome)["processor_time_of_ours_over"]
    assert plot.svg(outcome)


def test_the_json_holds_the_processor_time_beside_an_older_commit() -> None:
    value = json.loads(json.dumps(report.as_json(measured([*CONTENDERS, OLDER]))))
    ratio = value["processor_time_of_ours_over"]["create"]["abc1234"]
    assert ratio == pytest.approx({"median": 1.25, "low": 1.25, "high": 1.25})


def test_without_an_older_commit_the_report_has_no_section_for_it(outcome: Outcome) -> None:
    assert "## Beside" not in report.markdown(outcome)


def test_contenders_may_be_left_out(outcome: Outcome) -> None:
    alone = replace(outcome, contenders=[row for row in CONTENDERS if row.name != "ceiling"])
    assert "of the ceiling" not in report.markdown(alone).split("## Contenders")[0]


def test_the_json_holds_ratios_and_every_measurement(outcome: Outcome) -> None:
    value = json.loads(json.dumps(report.as_json(outcome)))
    assert value["ratios_of_ours_over"]["list"]["ceiling"] == {"median": 0.5, "low": 0.5, "high": 0.5}
    assert value["goals_of_ours_over"]["list"] == {"usual": 4.0, "fastapi": 2.0}
    assert value["goals_of_ours_over"]["health"] == {}
    assert len(value["measurements"]) == len(ENDPOINTS) * len(CONTENDERS) * 3


def test_the_picture_is_valid_and_names_every_row(outcome: Outcome) -> None:
    root = ET.fromstring(plot.svg(outcome))  # noqa: S314 - our own
    texts = {element.text for element in root.iter() if element.tag.endswith("text")}
    assert {endpoint.title for endpoint in ENDPOINTS} | {
        "ours",
        "usual",
        "fastapi",
        "ceiling",
        "0.50",
        "0.10",
        "0.40",
    } <= texts


def test_the_picture_marks_every_goal_and_none_without_ours(outcome: Outcome) -> None:
    marks = re.findall(r"<title>goal of ours: (\S+ × \S+)</title>", plot.svg(outcome))
    assert marks[:2] == ["4.00 × usual", "2.00 × fastapi"]
    assert marks[-1] == "1.50 × fastapi"
    others = replace(outcome, contenders=[row for row in CONTENDERS if row.name != "ours"])
    assert "goal of ours:" not in plot.svg(others)


def test_the_goals_lie_where_ours_would_reach_them(outcome: Outcome) -> None:
    root = ET.fromstring(plot.svg(outcome))  # noqa: S314 - our own
    ends = [
        float(line.attrib["x1"])
        for line in root.iter()
        if line.tag.endswith("line") and any("goal" in str(inner.text) for inner in line)
    ]
    # of a ceiling 496 pixels wide: 4 × 0.1 of the usual way, 2 × 0.4 of FastAPI
    assert [round((end - 210) / 496, 2) for end in ends[:2]] == [0.4, 0.8]
