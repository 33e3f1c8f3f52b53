from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.figures import imports
from benchmarks.figures.engine import check, engine
from benchmarks.figures.figure import Figure, as_json, markdown, ratio
from benchmarks.figures.lab import Lab
from benchmarks.processes import ToolMissing
from todo_project.imports.services import components


def test_a_ratio_is_made_within_rounds() -> None:
    # the machine was ten times slower in the second round
    figure = ratio("start", [2.0, 20.0, 3.0], [1.0, 10.0, 2.0], unit="s", goal=1.5)
    assert figure.values == [2.0, 2.0, 1.5]
    assert figure.parts == "3.00 : 2.00 s"
    assert figure.is_reached is False


@pytest.mark.parametrize(("values", "verdict"), [([1.5], "reached"), ([1.51], "**not reached**")])
def test_the_page_sets_a_figure_against_its_goal(values: list[float], verdict: str) -> None:
    text = markdown([Figure(title="start", unit="×", values=values, goal=1.5)], {"date": "today"})
    assert f"| start | **{values[0]:.2f} ×** | ≤ 1.5 ×: {verdict} |" in text
    assert "- date: today" in text


def test_a_figure_without_a_goal_is_shown_with_its_spread() -> None:
    text = markdown([Figure(title="reload", unit="ms", values=[250.0, 1900.0, 90.4])], {})
    assert "| reload | **250 ms** (90.4–1,900) |  |" in text


def test_the_json_holds_every_value() -> None:
    figures = [ratio("start", [2.0], [1.0], unit="s", goal=1.5)]
    [row] = json.loads(json.dumps(as_json(figures, {})))["figures"]
    assert (row["median"], row["goal"], row["is_reached"], row["values"]) == (2.0, 1.5, False, [2.0])


def test_what_is_measured_in_turns_starts_with_another_each_round_and_does_not_count_the_first(
    tmp_path: Path,
) -> None:
    measured: list[str] = []

    def measure(name: str) -> tuple[float]:
        measured.append(name)
        return (float(len(measured)),)

    with ExitStack() as block:
        lab = Lab(block, tmp_path, pairs=2, say=lambda what: None)
        results = lab.in_turns("it", {"a": lambda: measure("a"), "b": lambda: measure("b")})
    assert "".join(measured) == "abbaab"
    assert results == {"a": [(4.0,), (5.0,)], "b": [(3.0,), (6.0,)]}


def test_a_file_to_import_is_a_calendar_of_that_many_tasks_with_all_kinds_of_content() -> None:
    tasks = [component for _, component in components.parse(imports.calendar(200)).components]
    assert len({task.value_of("UID") for task in tasks}) == 200
    names = {line.name for task in tasks for line in task.lines}
    assert {"DUE", "CATEGORIES", "RRULE", "RELATED-TO", "COMPLETED"} < names
    assert {child.name for task in tasks for child in task.children} == {"VALARM"}


def test_without_an_engine_the_figures_say_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="Docker"):
        check()
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\nexit 1\n")
    docker.chmod(0o755)
    with pytest.raises(ToolMissing, match="No Docker Engine answers"):
        check()


def test_the_engine_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A stand-in for docker notes its calls and knows one thing of each kind."""
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\ncase "$2" in ls) echo one; echo one;; esac\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with engine() as used:
        pass
    calls = (tmp_path / "calls").read_text().splitlines()
    listings = [call for call in calls if " ls " in call]
    assert [call.split()[0] for call in listings] == ["container", "network", "volume", "image"]
    assert all(f"--filter label=todo-figures={used.name}" in call for call in listings)
    assert [call for call in calls if " rm " in call] == [
        *("container rm --force one", "network rm one", "volume rm --force one", "image rm --force one"),
    ]
