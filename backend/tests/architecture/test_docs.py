"""Everything that the documentation names exists, and every command is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.urls import Resolver404, resolve

from tests.architecture.source import PACKAGE, REPOSITORY
from todo_project.config import VARIABLES

PAGES = [
    page
    for page in (
        *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")),
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / "deploy").rglob("README.md"),
    )
    if page.exists()
]
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z0-9-]*):", MAKEFILE, re.MULTILINE))
ID = "0190a0a0-0000-7000-8000-000000000000"
VARIABLE_NAMES = {variable.name for variable in VARIABLES}
# Names in capitals that are no variable of ours: other programs', the build's, calendars', SQL's.
OTHER_NAMES = re.compile(
    r"(?:POSTGRES_(?:USER|DB|PASSWORD)|PG[A-Z]+|APP_(?:VERSION|REVISION)|ENV_FILE|PYTHON_VERSION"
    r"|PROMETHEUS_MULTIPROC_DIR|FREQ|RRULE|COMPOSE_[A-Z_]+|DOCKER_[A-Z_]+|HTTP_PROXY|SENTRY_[A-Z_]+|NET_BIND_SERVICE)"
)


def words(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code(page: Path) -> str:
    """Return the code of a page: blocks, and text between backticks."""
    text = words(page)
    text = re.sub(r"```diff\n.*?```", "", text, flags=re.DOTALL)  # the code that a recipe adds is not there yet
    blocks = re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL)
    return "\n".join(blocks + re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)))


@pytest.fixture(params=PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def page(request: pytest.FixtureRequest) -> Path:
    """Return each page in turn."""
    return Path(str(request.param))


def test_the_make_commands_exist(page: Path) -> None:
    commands = re.sub(r"(?:^|\s)# .*", "", code(page))  # comments say "make one"
    named = set(re.findall(r"(?:^|[\s;&(])make ([a-z][a-z0-9-]+)", commands))
    assert named - TARGETS == set()


def test_every_make_command_is_documented() -> None:
    documented = "\n".join(code(each) for each in PAGES)
    shown = set(re.findall(r"^([a-z0-9-]+):.*?## ", MAKEFILE, re.MULTILINE))
    assert {target for target in shown if f"make {target}" not in documented} == set()


def test_the_django_commands_exist(page: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", code(page)))
    assert named - set(get_commands()) - {"procrastinate"} == set()


def test_the_endpoints_exist(page: Path) -> None:
    for path in re.findall(r"(?<!\w)(/api/[A-Za-z0-9_/{}<>.-]*[A-Za-z0-9_/}>])", words(page)):
        filled = re.sub(r"\{[a-z_]+\}|<[a-z_]+>", ID, path)
        if filled.rstrip("/") in {"/api", "/api/v1"} or "…" in path:
            continue
        try:
            resolve(filled)
        except Resolver404:
            pytest.fail(f"{path} is served by nothing")


def test_the_short_endpoints_exist(page: Path) -> None:
    for path in re.findall(r"(?:GET|POST|PUT|PATCH|DELETE) (/[a-z][A-Za-z0-9_/{}<>]*)", code(page)):
        filled = re.sub(r"\{[a-z_]+\}|<[a-z_ ]+>", ID, path)
        if filled.startswith(("/api/", "/health/", "/metrics", "/version", "/admin")):
            continue
        try:
            resolve(f"/api/v1{filled}")
        except Resolver404:
            pytest.fail(f"{path} is served by nothing")


def test_the_variables_exist(page: Path) -> None:
    named = set(re.findall(r"(?<![\w./$-])([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])(?![\w./-])", code(page)))
    files = {f"{name}_FILE" for name in VARIABLE_NAMES} | {"NAME_FILE"}
    unknown = {
        name
        for name in named - VARIABLE_NAMES - files
        if not hasattr(settings, name) and not OTHER_NAMES.fullmatch(name)
    }
    assert unknown == set()


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    text = re.sub(r"```.*?```", "", words(page), flags=re.DOTALL)
    return {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }


def test_the_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", words(page)):
        if not target.startswith(("http:", "https:", "mailto:")):
            there = page.parent / target if target else page
            assert there.exists(), target
            assert not anchor or anchor in anchors(there), f"{target}#{anchor}"


def test_the_paths_exist(page: Path) -> None:
    if "adr" in page.parts:
        return  # a decision is dated: what it names may be gone
    for path in re.findall(r"`((?:backend|deploy|docs|envs)/[A-Za-z0-9_./-]+)`", words(page)):
        is_local = path.startswith("envs/") and path.endswith(".env")
        assert is_local or (REPOSITORY / path.rstrip("/")).exists(), path


def test_every_page_is_in_the_index() -> None:
    index = words(REPOSITORY / "docs" / "README.md")
    for each in (*(REPOSITORY / "docs").glob("*.md"), *(REPOSITORY / "docs" / "recipes").glob("*.md")):
        assert each.name in index or each.name == "README.md", each.name
    decisions = words(REPOSITORY / "docs" / "adr" / "README.md")
    for each in (REPOSITORY / "docs" / "adr").glob("0*.md"):
        assert each.name in decisions, each.name


def test_every_resource_is_in_the_page_of_the_api() -> None:
    api_page = words(REPOSITORY / "docs" / "api.md")
    for path in PACKAGE.rglob("api/urls.py"):
        for resource in re.findall(r'path\("([a-z]+)', path.read_text(encoding="utf-8")):
            assert re.search(rf"\b{resource}\b", api_page), resource
