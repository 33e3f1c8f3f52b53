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
from todo_project.config.environments import COMPOSE_FILES, ENVIRONMENTS
from todo_project.config.examination import examine
from todo_project.config.findings import BadValueError, ConfigurationError, Examination
from todo_project.config.schema import BY_NAME, GROUPS, VARIABLES
from todo_project.config.urls import origin
from todo_project.config.variable import Derived, Variable

_PORTS: Final = ("HTTP_PORT", "HTTPS_PORT", "PROMETHEUS_PORT")
_SECRETS: Final = ("SECRET_KEY", "POSTGRES_PASSWORD", "METRICS_TOKEN", "BACKUP_PASSWORD")
# Read by Compose too, which does not know the environments' defaults.
_WRITTEN_OUT: Final = ("SECURE_HSTS_SECONDS", *_PORTS)
_HEAD: Final = """\
{title}
# docs/configuration.md describes every variable; a line behind a # shows its default.
# Write NAME=value: no quotes, no dollar sign, no comment after a value, because Compose, django-environ
# and docker run each read those differently.
# After a change: make check-config ENV={name}
"""


def write(env: str, path: Path, site_url: str | None) -> Examination:
    """Write an env file with fresh secrets, mode 600, and examine it.

    Raises FileExistsError, because the other file may hold the only copy of its secrets, and ConfigurationError.
    """
    name = path.name.partition(".")[0]
    values = {
        **{secret: secrets.token_hex(32) for secret in _SECRETS},
        "COMPOSE_FILE": COMPOSE_FILES,
        "ENV_FILE": f"envs/{path.name}" if path.parent == paths.ENVS_DIR else str(path.resolve()),
        **_site(env, site_url, path.parent),
    }
    new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(new, "w", encoding="utf-8") as file:
            title = f"# The configuration of {name}, with secrets: never commit it; keep a copy."
            file.write(_render(env, name, values, title))
        seen = examine(env, env_file=path, environ={})
        if seen.errors:
            raise ConfigurationError(seen.report())
    except (OSError, ConfigurationError):
        path.unlink()
        raise
    return seen


def _site(env: str, site_url: str | None, folder: Path) -> dict[str, str]:
    """Return the site's address, and ports that no other env file in the folder has."""
    wanted = {name: str(BY_NAME[name].default_in(env)) for name in _PORTS}
    try:
        site = origin(site_url.removesuffix("/"), "https?") if site_url else ""
    except BadValueError as bad:
        raise ConfigurationError(f"--site-url {bad.problem}\n  -> {bad.instead}") from None
    if site:
        wanted["HTTPS_PORT"] = str(urlsplit(site).port or 443)
    if wanted["HTTPS_PORT"] == "443":
        wanted["HTTP_PORT"] = "80"  # certificates of a public authority are fetched through it
    others = [envfile.read(path) for path in folder.glob("*.env")]
    taken = {text for other in others for name in _PORTS for text in other.texts(name)}
    ports = {name: _free(port, taken) for name, port in wanted.items()}
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
    """Return docs/configuration.md: introduction.md beside this file, a table of the schema, other defaults."""
    parts = [Path(__file__).with_name("introduction.md").read_text(encoding="utf-8")]
    for group, rows in GROUPS.items():
        parts.append(f"\n### {group}\n\n| variable | type | default | read by | |\n| --- | --- | --- | --- | --- |")
        for row in rows:
            name = f"`{row.name}`" + " (secret)" * row.secret
            limits = f" {row.minimum}–{row.maximum}" if row.kind == "integer" else ""
            kind = ", ".join(f"`{choice}`" for choice in row.choices) or row.kind.replace("_", " ") + limits
            default = f"`{row.default}`" if row.default else "**required**" if row.required else "none"
            if isinstance(row.default, Derived):
                default = row.default.text + ", or **required**" * row.required
            cells = [name, kind, default, row.reader + ", compose" * row.compose, row.doc]
            parts.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    for env, environment in ENVIRONMENTS.items():
        if environment.defaults:
            lines = (f"{name}={text}" for name, text in environment.defaults.items() if name != "SECRET_KEY")
            parts.append("\n".join([f"\n### Other defaults in {env}\n\n```", *lines, "```"]))
    return "\n".join(parts) + "\n"
