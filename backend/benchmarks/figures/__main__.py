"""`make figures`: measure the image, the start, the reload, large lists and imports, and write figures.md."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import machine
from benchmarks.cluster import binaries
from benchmarks.figures import containers, engine, images, imports, lists, reload
from benchmarks.figures.figure import Figure, as_json, markdown
from benchmarks.figures.lab import Lab
from benchmarks.load import WrongAnswers
from benchmarks.processes import ToolMissing, end_by_signal

# name -> what it needs, and how it is measured
MEASUREMENTS: dict[str, tuple[Callable[[], object], Callable[[Lab], list[Figure]]]] = {
    "containers": (engine.check, containers.figures),
    "reload": (engine.check, reload.figures),
    "image": (engine.check, images.figures),
    "lists": (binaries, lists.figures),
    "import": (binaries, imports.figures),
}
_PAGE = Path(__file__).resolve().parent.parent / "figures.md"


def main() -> int:
    """Return the exit status: 0 measured, 1 failed, 2 something is missing on this machine, 130 stopped."""
    options = _options()
    signal.signal(signal.SIGTERM, end_by_signal)
    names = options.only or list(MEASUREMENTS)
    try:
        for name in names:
            MEASUREMENTS[name][0]()
        figures = _measure(names, pairs=options.pairs)
    except ToolMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    except (WrongAnswers, RuntimeError) as failed:
        print(failed, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    facts = machine.here() | {"measured": f"{options.pairs} rounds"}
    text = markdown(figures, facts)
    print(json.dumps(as_json(figures, facts), indent=1) if options.json else text)
    if names == list(MEASUREMENTS):
        _PAGE.write_text(text)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make figures", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=MEASUREMENTS, help=", ".join(MEASUREMENTS))
    parser.add_argument("--pairs", type=int, default=5, help="rounds of each (5)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def _measure(names: list[str], *, pairs: int) -> list[Figure]:
    start = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - start:6.1f} s  {what}", file=sys.stderr, flush=True)

    with contextlib.ExitStack() as block:
        directory = Path(block.enter_context(tempfile.TemporaryDirectory(prefix="todo-figures-")))
        lab = Lab(block, directory, pairs=pairs, say=say)
        return [figure for name in names for figure in MEASUREMENTS[name][1](lab)]


if __name__ == "__main__":
    sys.exit(main())
