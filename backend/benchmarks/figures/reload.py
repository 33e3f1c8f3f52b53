"""How long after a file is saved its new form is served."""

from __future__ import annotations

from benchmarks import hot_reload
from benchmarks.figures.figure import Figure
from benchmarks.figures.lab import Lab
from benchmarks.processes import free_port


def figures(lab: Lab) -> list[Figure]:
    """Serve a copy of the checkout in both ways, one after the other."""
    ways = (("make run", hot_reload.make_run), ("docker compose up", hot_reload.docker_compose))
    found = []
    for name, serving in ways:
        lab.say(f"reload: {name}")
        port = free_port()
        with serving(lab.checkout, port):
            seconds = hot_reload.measure(lab.checkout, port, rounds=2 * lab.pairs)
        values = [1000 * one for one in seconds]
        found.append(Figure(title=f"from save to served, `{name}`", unit="ms", values=values, goal=700))
    return found
