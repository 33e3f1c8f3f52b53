"""Something reads every setting, and settings files are included by name."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from django.conf import global_settings, settings
from drf_spectacular.settings import SPECTACULAR_DEFAULTS
from rest_framework.settings import DEFAULTS

from tests.architecture.source import PACKAGE, modules, name_of, tree

SETTINGS = sorted((PACKAGE / "settings").glob("*.py"))
# Packages that read settings of their own.
READERS = (
    "corsheaders",
    "django",
    "debug_toolbar",
    "drf_spectacular",
    "procrastinate",
    "rest_framework",
    "whitenoise",
)


def assigned() -> dict[str, str]:
    """Yield each UPPERCASE name that a settings file assigns, with the file."""
    found: dict[str, str] = {}
    for path in SETTINGS:
        for node in tree(path).body:
            for target in _targets(node):
                if target.isupper() and not target.startswith("_"):
                    found[target] = path.name
    return found


def _targets(node: ast.stmt) -> list[str]:
    nodes = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in nodes if isinstance(target, ast.Name)]


def _text_of(package: str) -> str:
    spec = find_spec(package)
    assert spec is not None, package
    assert spec.origin is not None, package
    return "\n".join(path.read_text(encoding="utf-8") for path in Path(spec.origin).parent.rglob("*.py"))


def read() -> set[str]:
    """Return every word of what may read a setting: our code, and the packages."""
    own = [path for path in modules() if path.parent.name not in {"settings", "config"}]
    texts = [path.read_text(encoding="utf-8") for path in (*own, *PACKAGE.rglob("*.html"))]
    return {word for text in (*texts, *map(_text_of, READERS)) for word in re.findall(r"\b[A-Z]\w+", text)}


def test_every_setting_is_read() -> None:
    words = read()
    dead = [
        f"{name} in {where}"
        for name, where in assigned().items()
        # procrastinate puts the prefix before the names that it declares
        if not hasattr(global_settings, name) and name.removeprefix("PROCRASTINATE_") not in words
    ]
    assert dead == []


def test_django_still_knows_the_settings_that_it_is_given() -> None:
    source = _text_of("django")
    known = {
        name
        for pattern in (r"\bsettings\.([A-Z]\w+)", r"['\"]([A-Z]\w+)['\"]", r"\b([A-Z]\w+) =")
        for name in re.findall(pattern, source)
    }
    assert [name for name in assigned() if hasattr(global_settings, name) and name not in known] == []


def test_the_api_frameworks_know_their_settings() -> None:
    assert set(settings.REST_FRAMEWORK) <= set(DEFAULTS)
    assert set(settings.SPECTACULAR_SETTINGS) <= set(SPECTACULAR_DEFAULTS)


def test_settings_files_are_included_by_name() -> None:
    for path in SETTINGS:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"include", "optional"}:
                for argument in node.args:
                    assert "*" not in ast.unparse(argument), path.name


def test_settings_import_each_other_for_the_type_checker_only() -> None:
    for path in SETTINGS:
        for node in tree(path).body:
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("todo_project.settings"), path.name


def test_our_code_asks_django_for_settings_when_it_runs() -> None:
    """No module reads a setting at import, because tests could not change it and import order would matter."""
    early = []
    for path in modules():
        if path.parent.name in {"settings", "config"} or path.name == "urls.py":
            continue
        for node in tree(path).body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and re.search(r"\bsettings\.[A-Z]", ast.unparse(node)):
                early.append(f"{name_of(path)}:{node.lineno}")
    assert early == []


def test_reading_the_settings_changes_nothing(bare_backend: Path) -> None:
    code = (
        "import os, pathlib; before = dict(os.environ), set(pathlib.Path().iterdir())\n"
        "from django.conf import settings; settings.DEBUG\n"
        "assert (dict(os.environ), set(pathlib.Path().iterdir())) == before\n"
        "import django; django.setup()\n"
        "if 'postgres' in settings.DATABASES['default']['ENGINE']:\n"
        "    from procrastinate.contrib.django import app; print(app.worker_defaults['concurrency'])"
    )
    for variables in ({}, {"DATABASE_URL": "postgres://todo@db.example/todo", "WORKER_CONCURRENCY": "7"}):
        environment = {
            "DJANGO_ENV": "test",
            "DJANGO_SETTINGS_MODULE": "todo_project.settings",
            "PYTHONPATH": ".",
            "TZ": "UTC",
        }
        done = subprocess.run(
            [sys.executable, "-B", "-c", code],
            cwd=bare_backend,
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == (f"{variables['WORKER_CONCURRENCY']}\n" if variables else "")
