"""`make bench`: measure this backend beside the ceiling, the usual way and FastAPI, and write the report."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import load, machine, older, plot, report
from benchmarks.cluster import binaries
from benchmarks.contenders import CONTENDERS, OURS, Contender
from benchmarks.endpoints import ENDPOINTS
from benchmarks.processes import PROC, ToolMissing, end_by_signal
from benchmarks.results import Results
from benchmarks.run import Plan, Run
from benchmarks.stack import stack

_HERE = Path(__file__).resolve().parent


def main() -> int:
    """Return the exit status: 0 measured, 1 a wrong answer, 2 something is missing on this machine, 130 stopped."""
    options = _options()
    signal.signal(signal.SIGTERM, end_by_signal)
    contenders = [row for row in CONTENDERS if row.name in (options.contenders or [row.name])]
    try:
        _check_tools(contenders)
        with contextlib.ExitStack() as block:
            if options.against:
                contenders.append(block.enter_context(older.at_commit(options.against)))
            outcome = _measure(contenders, options)
    except ToolMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    except load.WrongAnswers as wrong:
        print(f"WRONG ANSWER, nothing is compared: {wrong}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    text = report.markdown(outcome)
    print(json.dumps(report.as_json(outcome), indent=1) if options.json else text)
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "report.md").write_text(text)
        (options.output / "report.svg").write_text(plot.svg(outcome))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a look: fewer tasks and rounds, no report is written")
    parser.add_argument("--rounds", type=int, help="rounds (5; quick 3)")
    parser.add_argument("--seconds", type=int, help="of each measurement (4; quick 1)")
    parser.add_argument("--users", type=int, help="users (1,000; quick 200)")
    parser.add_argument("--tasks", type=int, help="tasks of all users (200,000; quick 20,000)")
    parser.add_argument("--connections", type=int, default=8, help="of wrk")
    parser.add_argument("--only", nargs="+", metavar="ENDPOINT", choices=[row.name for row in ENDPOINTS])
    parser.add_argument("--contenders", nargs="+", metavar="NAME", choices=[row.name for row in CONTENDERS])
    parser.add_argument("--against", metavar="REV", help="measure this backend at another commit as well")
    parser.add_argument(
        "--output", type=Path, help="where report.md and report.svg go (benchmarks/; quick nowhere)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.against and OURS not in (options.contenders or [OURS]):
        parser.error(f"--against compares with {OURS}: name it with --contenders too")
    usual = {"rounds": 5, "seconds": 4, "users": 1000, "tasks": 200_000, "output": _HERE}
    quick = {"rounds": 3, "seconds": 1, "users": 200, "tasks": 20_000, "output": None}
    is_whole = not (options.quick or options.only or options.contenders)
    for name, value in (quick if options.quick else usual).items():
        if getattr(options, name) is None and (name != "output" or is_whole):
            setattr(options, name, value)
    return options


def _check_tools(contenders: Sequence[Contender]) -> None:
    if not (PROC / "self" / "stat").exists():
        raise ToolMissing("Processor time is read from /proc, so this needs Linux.")
    binaries()
    load.program()
    check_programs(contenders)


def check_programs(contenders: Sequence[Contender]) -> None:
    """Raise ToolMissing when a contender's interpreter is not there."""
    for row in contenders:
        if not Path(row.command[0]).exists():
            raise ToolMissing(f"{row.name} runs by {row.command[0]}, which is not there: `make bench` installs it.")


def _measure(contenders: Sequence[Contender], options: argparse.Namespace) -> report.Outcome:
    start = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - start:6.1f} s  {what}", file=sys.stderr, flush=True)

    endpoints = [row for row in ENDPOINTS if row.name in (options.only or [row.name])]
    plan = Plan(
        rounds=options.rounds,
        seconds=options.seconds,
        warm_up=max(1, options.seconds // 2),
        connections=options.connections,
    )
    with stack(contenders, users=options.users, tasks=options.tasks, say=say) as ran:
        run = Run(ran, endpoints, plan=plan, say=say)
        say("comparing answers")
        agreement = run.check()
        measured = run.measure()
        facts = machine.facts(ran, plan)
    return report.Outcome(
        results=Results(measured),
        endpoints=endpoints,
        contenders=contenders,
        agreement=agreement,
        facts=facts,
    )


if __name__ == "__main__":
    sys.exit(main())
