"""This will write env files from the schema: the committed examples, and real ones with fresh secrets."""

from __future__ import annotations

import contextlib
import os
import secrets
import textwrap
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from todo_project.config import examination, problems
from todo_project.config.defaults import host_of
from todo_project.config.examination import examine
from todo_project.config.schema import VARIABLES
from todo_project.config.values import origin
from todo_project.config.variable import Derived, Variable
from todo_project.config.weakness import placeholder

# what Compose reads, too, and whose default differs between the environments
_WRITTEN_OUT = (
    "SECURE_HSTS_SECONDS",
    "COMPOSE_PROJECT_NAME",
    "ENV_FILE",
    "IMAGE_TAG",
    "HTTP_PORT",
    "HTTPS_PORT",
    "PROMETHEUS_PORT",
)
_HEAD = """\
{title}
# Every variable is described here and in docs/configuration.md; a line behind a # shows its default.
# Plain NAME=value lines only: no quotes, no dollar sign, no comments behind a value, because Compose,
# django-environ and docker run each read these differently.
# After a change: make check-config ENV={env}
"""


class ExistsError(Exception):
    """There is such a file already, and it may hold the only copy of its secrets."""


class RefusedError(Exception):
    """What would be written would not pass the check; the text says why."""


def example(env: str) -> str:
    """This will return envs/<env>.env.example, whose placeholders the check refuses."""
    values = {row.name: row.example for row in VARIABLES if row.example}
    values["SITE_ADDRESS"] = host_of(values["SITE_URL"])
    return _render(env, values, f"# An example of envs/{env}.env. `make init ENV={env}` writes the real one.")


def fresh(env: str, site_url: str | None) -> str:
    """This will return a new env file with fresh secrets, ready to start on this machine or as `site_url`."""
    values = {
        "SECRET_KEY": _secret(50),
        "POSTGRES_PASSWORD": _secret(32),
        "METRICS_TOKEN": _secret(32),
        **_site(env, site_url),
    }
    return _render(env, values, f"# The configuration of {env}, with secrets: never commit it, keep a copy safe.")


def _secret(size: int) -> str:
    """Return a random text; one in ten million looks like a placeholder, and the check would refuse it."""
    while placeholder(text := secrets.token_urlsafe(size)):
        pass
    return text


def _site(env: str, site_url: str | None) -> dict[str, str]:
    """Return where people find the site, and the ports that go with it."""
    if site_url is None:
        port = _defaults(env)["HTTPS_PORT"]
        return {
            "SITE_URL": "https://localhost" + ("" if port == "443" else f":{port}"),
            "SITE_ADDRESS": "localhost",
        }
    site = origin(site_url.removesuffix("/"))
    parts = urlsplit(site)
    found = {"SITE_URL": site, "SITE_ADDRESS": host_of(site), "HTTPS_PORT": str(parts.port or 443)}
    if parts.port in {None, 443}:
        found["HTTP_PORT"] = "80"  # certificates of a public authority are fetched through it
    return found


def _defaults(env: str) -> dict[str, str]:
    return {row.name: text for row in VARIABLES if isinstance(text := row.default_in(env), str)}


def _render(env: str, values: Mapping[str, str], title: str) -> str:
    values = {"DJANGO_ENV": env, **values}
    lines = [_HEAD.format(title=title, env=env)]
    group = ""
    for row in VARIABLES:
        if row.reader == "make":
            continue
        if row.group != group:
            group = row.group
            lines.append(f"# --- {group} ---")
        lines += [f"# {line}" for line in textwrap.wrap(row.doc, 98)]
        lines += [_line(row, env, values), ""]
    return "\n".join(lines)


def _line(row: Variable, env: str, values: Mapping[str, str]) -> str:
    if row.name in values:
        return f"{row.name}={values[row.name]}"
    default = row.default_in(env)
    if row.name in _WRITTEN_OUT:
        return f"{row.name}={default}"
    if isinstance(default, Derived):
        return f"# {row.name}=  ({default.text})"
    return f"# {row.name}={default or ''}"


def write(env: str, path: Path, site_url: str | None) -> None:
    """This will write a fresh file, mode 600, whole or not at all, and never over another one."""
    if path.exists() or path.is_symlink():
        raise ExistsError
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(fresh(env, site_url))
            file.flush()
            os.fsync(file.fileno())
        _checked(env, draft, path)
        os.link(draft, path)  # unlike a rename, it never replaces a file that came in between
    except FileExistsError:
        raise ExistsError from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()


def _checked(env: str, draft: Path, path: Path) -> None:
    seen = examine(env, env_file=draft, environ={})
    if seen.problems:
        raise RefusedError(problems.report(seen.problems, env=env, path=str(path)))


def committed() -> dict[Path, str]:
    """This will return the files of envs/ that are generated and committed."""
    return {examination.ENVS_DIR / f"{env}.env.example": example(env) for env in ("staging", "prod")}
