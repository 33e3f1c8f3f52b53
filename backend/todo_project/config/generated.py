"""What is generated from the schema: env files with fresh secrets, their examples, docs/configuration.md."""

from __future__ import annotations

import os
import secrets
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from todo_project.config import envfile, paths
from todo_project.config.defaults import COMPOSE_FILES
from todo_project.config.environments import DEPLOYED, ENVIRONMENTS
from todo_project.config.examination import examine
from todo_project.config.findings import ConfigurationError, Examination
from todo_project.config.origins import web_origin
from todo_project.config.schema import BY_NAME, GROUPS, VARIABLES
from todo_project.config.variable import Derived, Variable
from todo_project.config.weakness import is_placeholder

_PORTS: Final = ("HTTP_PORT", "HTTPS_PORT", "PROMETHEUS_PORT")
# Read by Compose too, which does not know the environments' defaults.
_WRITTEN_OUT: Final = ("SECURE_HSTS_SECONDS", "IMAGE_TAG", *_PORTS)
_HEAD: Final = """\
{title}
# docs/configuration.md describes every variable; a line behind a # shows its default.
# Write NAME=value: no quotes, no dollar sign, no comment after a value, because Compose, django-environ
# and docker run each read those differently.
# After a change: make check-config ENV={name}
"""


def write(env: str, path: Path, site_url: str | None) -> Examination:
    """Write a fresh env file, mode 600, never over another one, and examine it.

    Raises FileExistsError, because the other file may hold the only copy of its secrets, and ConfigurationError
    if the new one would not pass the check.
    """
    text = fresh(env, path, site_url)
    new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(new, "w", encoding="utf-8") as file:
            file.write(text)
        seen = examine(env, env_file=path, environ={})
        if seen.errors:
            raise ConfigurationError(seen.report())
    except (OSError, ConfigurationError):
        path.unlink()
        raise
    return seen


def fresh(env: str, path: Path, site_url: str | None) -> str:
    """Return a new env file with fresh secrets, ready to start on this machine or as `site_url`."""
    name = path.name.partition(".")[0]
    values = {
        **{secret: _secret(50) for secret in ("SECRET_KEY", "POSTGRES_PASSWORD", "METRICS_TOKEN")},
        "COMPOSE_FILE": COMPOSE_FILES,
        "ENV_FILE": f"envs/{path.name}" if path.parent == paths.ENVS_DIR else str(path.resolve()),
        **_site(env, site_url, path.parent),
    }
    return _render(env, name, values, f"# The configuration of {name}, with secrets: never commit it; keep a copy.")


def _secret(size: int) -> str:
    """Return a random text; one in ten million looks like a placeholder, and the check would refuse it."""
    while is_placeholder(text := secrets.token_urlsafe(size)):
        pass
    return text


def _site(env: str, site_url: str | None, folder: Path) -> dict[str, str]:
    """Return the site's address, and ports that no other env file in the folder has."""
    wanted = {name: str(BY_NAME[name].default_in(env)) for name in _PORTS}
    site = web_origin(site_url.removesuffix("/")) if site_url else ""
    if site:
        wanted["HTTPS_PORT"] = str(urlsplit(site).port or 443)
    if wanted["HTTPS_PORT"] == "443":
        wanted["HTTP_PORT"] = "80"  # certificates of a public authority are fetched through it
    files = [envfile.read(path) for path in folder.glob("*.env")]
    ports = {
        name: _free(port, {text for file in files for text in file.texts(name)}) for name, port in wanted.items()
    }
    https = ports["HTTPS_PORT"]
    return {"SITE_URL": site or "https://localhost" + ("" if https == "443" else f":{https}"), **ports}


def _free(port: str, taken: set[str]) -> str:
    """Return the port itself or the next one that is not taken; 80 and 443 go on at 8080 and 8443."""
    return port if port not in taken else _free(str(int(port) + (8000 if int(port) < 1024 else 1)), taken)


def example(env: str) -> str:
    """Return envs/<env>.env.example, whose placeholders the check refuses."""
    values = {row.name: row.example for row in VARIABLES if row.example}
    return _render(env, env, values, f"# An example of envs/{env}.env. `make init ENV={env}` writes the real one.")


def _render(env: str, name: str, values: Mapping[str, str], title: str) -> str:
    values = {"DJANGO_ENV": env, "COMPOSE_PROJECT_NAME": f"todo-{name}", **values}
    lines = [_HEAD.format(title=title, name=name)]
    for group, rows in GROUPS.items():
        lines.append(f"# --- {group} ---")
        for row in (row for row in rows if row.reader != "make"):
            lines += [f"# {line}" for line in textwrap.wrap(row.doc, 98, break_on_hyphens=False)]
            lines += [_line(row, env, values), ""]
    return "\n".join(lines)


def _line(row: Variable, env: str, values: Mapping[str, str]) -> str:
    default = row.default_in(env)
    if row.name in values or row.name in _WRITTEN_OUT:
        return f"{row.name}={values.get(row.name, default)}"
    return f"# {row.name}=  ({default.text})" if isinstance(default, Derived) else f"# {row.name}={default or ''}"


def page() -> str:
    """Return docs/configuration.md: introduction.md beside this file, and a table of the schema."""
    parts = [Path(__file__).with_name("introduction.md").read_text(encoding="utf-8")]
    for group, rows in GROUPS.items():
        parts.append(f"\n### {group}\n\n| variable | type | default | read by | |\n| --- | --- | --- | --- | --- |")
        for row in rows:
            name = f"`{row.name}`" + (" (secret)" if row.secret else "")
            cells = [name, _type(row), _default(row), row.reader + ", compose" * row.compose, row.doc]
            parts.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(parts) + "\n"


def _type(row: Variable) -> str:
    if row.choices:
        return ", ".join(f"`{choice}`" for choice in row.choices)
    limits = f" {row.minimum}–{row.maximum}" if row.kind == "integer" else ""
    return row.kind.replace("_", " ") + limits


def _default(row: Variable) -> str:
    grouped: dict[str, list[str]] = {}
    for env in ENVIRONMENTS:
        default = row.default_in(env)
        text = "**required**" if row.required else "none"
        if isinstance(default, Derived):
            text = f"{default.text}, or **required**" if row.required else default.text
        elif default is not None:
            text = "a throw-away key" if row.kind == "secret_key" else f"`{default}`"
        grouped.setdefault(text, []).append(env)
    if len(grouped) == 1:
        return next(iter(grouped))
    return "; ".join(f"{', '.join(envs)}: {text}" for text, envs in grouped.items())


def committed() -> dict[Path, str]:
    """Return the generated files that are committed."""
    examples = {paths.ENVS_DIR / f"{env}.env.example": example(env) for env in DEPLOYED}
    return {**examples, paths.DOCS_DIR / "configuration.md": page()}
