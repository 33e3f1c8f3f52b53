"""The rules of deploy/monitoring are valid and tested, and use metrics that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from django.test import Client

MONITORING = Path(__file__).resolve().parents[3] / "deploy" / "monitoring"
IMAGE = "prom/prometheus:v2"
RULES = [
    rule for group in yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text())
EXPRESSIONS = [rule["expr"] for rule in RULES] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]
# PostgreSQL's, the server's, and those of the scrape itself; test_state.py, test_backups.py and e2e see them.
ELSEWHERE = re.compile(
    r"up|database_\w+|queue_\w+|mails|mails_\w+|worker_\w+|todo_backup_\w+|todo_release_\w+|certificate_\w+|todo:\w+:\w+"
)

# What Grafana's own schema requires of a panel, and nothing that it does not know: `UnmarshalJSONStrict` and
# `Validate` of github.com/grafana/grafana-foundation-sdk/go v0.0.22 accept the file.
PANEL = {"datasource", "fieldConfig", "gridPos", "id", "options", "targets", "title", "type"}
OPTIONS = {
    "timeseries": {"legend", "tooltip"},
    "stat": {
        "colorMode", "graphMode", "justifyMode", "orientation", "percentChangeColorMode", "reduceOptions",
        "showPercentChange", "textMode", "wideLayout",
    },
}  # fmt: skip
LEGEND = {"calcs", "displayMode", "placement", "showLegend"}


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    mount = f"{MONITORING}:/monitoring:ro"
    return subprocess.run(
        ["docker", "run", "--rm", "-v", mount, "-w", "/monitoring", "--entrypoint", "promtool", IMAGE, *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


needs_the_image = pytest.mark.skipif(
    not shutil.which("docker")
    or subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False).returncode != 0,
    reason=f"needs a Docker engine with {IMAGE}",
)


@needs_the_image
@pytest.mark.parametrize("command", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")])
def test_prometheus_takes_the_rules_and_they_hold(command: tuple[str, ...]) -> None:
    done = promtool(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


def test_every_alert_is_proved_to_fire_and_to_be_silent() -> None:
    tests = yaml.safe_load((MONITORING / "alerts_test.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == set(ALERTS)
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == set(ALERTS)


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    for name, rule in ALERTS.items():
        assert rule["labels"]["severity"] in {"critical", "warning"}, name
        assert set(rule["annotations"]) == {"summary", "action"}, name


def test_every_number_is_one_that_is_exposed(client: Client, db: None) -> None:
    text = client.get("/metrics").content.decode()
    exposed = set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
    for expression in EXPRESSIONS:
        without_labels = re.sub(r"\{[^}]*\}|\b(?:by|on) \([^)]*\)|\[[^]]*\]", "", expression)
        for name in re.findall(r"[a-z][a-z0-9_:]*_[a-z0-9_:]+(?!\w|\()", without_labels):
            known = {name, re.sub(r"_(?:bucket|sum|count)$", "", name)}
            is_function = f"{name}(" in expression
            assert known & exposed or is_function or ELSEWHERE.fullmatch(name), name


def test_the_dashboard_is_whole() -> None:
    assert DASHBOARD["schemaVersion"] >= 36
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["targets"]
        assert set(panel) == PANEL
        assert set(panel["options"]) == OPTIONS[panel["type"]]
        assert set(panel["options"].get("legend", LEGEND)) == LEGEND
        assert all({"expr", "refId"} <= set(target) for target in panel["targets"])
    (variable,) = DASHBOARD["templating"]["list"]
    assert set(variable["current"]) == {"text", "value"}
    assert (variable["name"], variable["type"], variable["query"]) == ("datasource", "datasource", "prometheus")
