"""The recorded readings of env files are those of the Compose and docker programs on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

LINES = json.loads((Path(__file__).parents[1] / "config" / "env_lines.json").read_text())
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
IMAGE = "todo-env-parsers"


def docker(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
        input=given,
        timeout=1800,
    )


pytestmark = pytest.mark.skipif(
    not shutil.which("docker") or docker("info").returncode != 0 or docker("compose", "version").returncode != 0,
    reason="no Docker engine with Compose answers",
)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def compose(folder: Path, texts: list[str]) -> list[dict[str, str]] | None:
    """Ask Compose what each text sets, one service each; None if it refuses."""
    services = {}
    for number, text in enumerate(texts):
        path = write(folder, f"{number}.env", text)
        services[f"s{number}"] = {"image": "x", "env_file": [str(path)]}
    file = write(folder, "compose.json", json.dumps({"services": services}))
    done = docker("compose", "-p", "env-parsers", "-f", str(file), "config", "--format", "json")
    if done.returncode:
        return None
    found = json.loads(done.stdout)["services"]
    return [
        # `config` prints each dollar sign twice, so that its output can be read again
        {
            name: value.replace("$$", "$")
            for name, value in (found[service].get("environment") or {}).items()
            if value is not None
        }
        for service in services
    ]


def test_compose_reads_every_recorded_line_that_it_accepts(tmp_path: Path) -> None:
    accepted = [line for line in LINES if line["compose"] is not None]
    assert len(accepted) >= 49
    assert compose(tmp_path, [line["text"] for line in accepted]) == [line["compose"] for line in accepted]


def test_compose_refuses_every_recorded_line_that_it_refuses(tmp_path: Path) -> None:
    refused = [line["text"] for line in LINES if line["compose"] is None]
    assert refused
    assert [text for text in refused if compose(tmp_path, [text]) is not None] == []


def test_compose_reads_its_own_env_file_in_the_same_way(tmp_path: Path) -> None:
    text = """A='one two' # note\nB=$A\nC="x\\ny"\n"""
    file = write(tmp_path, "compose.json", json.dumps({"services": {"s": {"image": "${A}-${B}-${C}"}}}))
    path = write(tmp_path, "own.env", text)
    done = docker(
        "compose", "--env-file", str(path), "-p", "env-parsers", "-f", str(file), "config", "--format", "json"
    )
    assert json.loads(done.stdout)["services"]["s"]["image"] == "one two-one two-x\ny"


@pytest.fixture(scope="module")
def image() -> Any:
    """An empty image, for containers that are created and never started."""
    done = docker("build", "-q", "-t", IMAGE, "-", given='FROM scratch\nCMD ["/nothing"]\n')
    assert done.returncode == 0, done.stderr
    yield IMAGE
    docker("image", "rm", "-f", IMAGE)


def run(image: str, path: Path) -> list[list[str]] | None:
    """Ask the docker client what it would give to a container; None if it refuses."""
    created = docker("create", "--env-file", str(path), image)
    if created.returncode:
        return None
    identity = created.stdout.strip()
    try:
        [container] = json.loads(docker("inspect", identity).stdout)
    finally:
        docker("rm", identity)
    return [entry.split("=", 1) for entry in container["Config"]["Env"] or [] if not entry.startswith("PATH=")]


def test_docker_run_reads_every_line_as_recorded(image: str, tmp_path: Path) -> None:
    paths = [write(tmp_path, f"{number}.env", line["text"]) for number, line in enumerate(LINES)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda path: run(image, path), paths))
    texts = [ascii(line["text"]) for line in LINES]
    assert dict(zip(texts, found, strict=True)) == {ascii(line["text"]): line["docker_run"] for line in LINES}
