"""Write env files from the schema: the committed examples, and real ones with fresh secrets."""

from __future__ import annotations

import contextlib
import os
import secrets
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from todo_project.config import envfile, paths, problems
from todo_project.config.defaults import COMPOSE_FILES
from todo_project.config.environments import DEPLOYED
from todo_project.config.examination import examine
from todo_project.config.origins import web_origin
from todo_project.config.schema import BY_NAME, VARIABLES
from todo_project.config.variable import Derived, Variable
from todo_project.config.weakness import is_placeholder

# Read by Compose too, which does not know the environments' defaults.
_WRITTEN_OUT: Final = ("SECURE_HSTS_SECONDS", "IMAGE_TAG", "HTTP_PORT", "HTTPS_PORT", "PROMETHEUS_PORT")
_PORTS: Final = ("HTTP_PORT", "HTTPS_PORT", "PROMETHEUS_PORT")
_HEAD: Final = """\
{title}
# docs/configuration.md describes every variable; a line behind a # shows its default.
# Write NAME=value: no quotes, no dollar sign, no comment after a value, because Compose, django-environ
# and docker run each read those differently.
# After a change: make check-config ENV={env}{named}
"""


class ExistsError(Exception):
    """The file exists already and may hold the only copy of its secrets."""


class RefusedError(Exception):
    """The file would not pass the check; the text says why."""


def example(env: str) -> str:
    """Return envs/<env>.env.example, whose placeholders the check refuses."""
    values = {row.name: row.example for row in VARIABLES if row.example}
    return _render(env, env, values, f"# An example of envs/{env}.env. `make init ENV={env}` writes the real one.")


def fresh(env: str, path: Path, site_url: str | None) -> str:
    """Return a new env file with fresh secrets, ready to start on this machine or as `site_url`."""
    name, beside = path.name.partition(".")[0], path.parent == paths.ENVS_DIR
    values = {
        "SECRET_KEY": _secret(50),
        "POSTGRES_PASSWORD": _secret(32),
        "METRICS_TOKEN": _secret(32),
        "COMPOSE_FILE": COMPOSE_FILES,
        "ENV_FILE": f"envs/{path.name}" if beside else str(path.resolve()),
        **_site(env, site_url, ports_taken(path.parent)),
    }
    return _render(env, name, values, f"# The configuration of {name}, with secrets: never commit it; keep a copy.")


def _secret(size: int) -> str:
    """Return a random text; one in ten million looks like a placeholder, and the check would refuse it."""
    while is_placeholder(text := secrets.token_urlsafe(size)):
        pass
    return text


def _site(env: str, site_url: str | None, taken: Mapping[str, set[str]]) -> dict[str, str]:
    """Return the site's address, and ports that no other env file has."""
    wanted = {name: str(BY_NAME[name].default_in(env)) for name in _PORTS}
    site = web_origin(site_url.removesuffix("/")) if site_url else ""
    if site:
        port = urlsplit(site).port or 443
        wanted["HTTPS_PORT"] = str(port)
        if port == 443:
            wanted["HTTP_PORT"] = "80"  # certificates of a public authority are fetched through it
    ports = {name: _free(port, taken.get(name, set())) for name, port in wanted.items()}
    https = ports["HTTPS_PORT"]
    return {"SITE_URL": site or "https://localhost" + ("" if https == "443" else f":{https}"), **ports}


def _free(port: str, taken: set[str]) -> str:
    found = int(port)
    while str(found) in taken:
        found = 8000 + found if found < 1024 else found + 1
    return str(found)


def ports_taken(folder: Path) -> dict[str, set[str]]:
    """Return the ports of the env files in a folder."""
    entries = [entry for path in sorted(folder.glob("*.env")) for entry in envfile.read(path).entries]
    return {name: {entry.text for entry in entries if entry.name == name} for name in _PORTS}


def _render(env: str, name: str, values: Mapping[str, str], title: str) -> str:
    values = {"DJANGO_ENV": env, "COMPOSE_PROJECT_NAME": f"todo-{name}", **values}
    lines = [_HEAD.format(title=title, env=env, named="" if name == env else f" NAME={name}")]
    group = ""
    for row in VARIABLES:
        if row.reader == "make":
            continue
        if row.group != group:
            group = row.group
            lines.append(f"# --- {group} ---")
        lines += [f"# {line}" for line in textwrap.wrap(row.doc, 98, break_on_hyphens=False)]
        lines += [_line(row, env, values), ""]
    return "\n".join(lines)


def _line(row: Variable, env: str, values: Mapping[str, str]) -> str:
    default = row.default_in(env)
    if row.name in values:
        return f"{row.name}={values[row.name]}"
    if row.name in _WRITTEN_OUT:
        return f"{row.name}={default}"
    return f"# {row.name}=  ({default.text})" if isinstance(default, Derived) else f"# {row.name}={default or ''}"


def write(env: str, path: Path, site_url: str | None) -> None:
    """Write a fresh file, mode 600, whole or not at all, and never over another one."""
    if path.exists() or path.is_symlink():
        raise ExistsError
    path.parent.mkdir(parents=True, exist_ok=True)
    text = fresh(env, path, site_url)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        seen = examine(env, env_file=draft, environ={})
        if problems.errors(seen.problems):
            raise RefusedError(problems.report(seen.problems, env=env, path=str(path)))
        os.link(draft, path)  # unlike a rename, it never replaces a file that came in between
    except FileExistsError:
        raise ExistsError from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()


def committed() -> dict[Path, str]:
    """Return the files of envs/ that are generated and committed."""
    return {paths.ENVS_DIR / f"{env}.env.example": example(env) for env in DEPLOYED}
