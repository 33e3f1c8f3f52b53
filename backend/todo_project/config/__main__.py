"""Check, show and write the configuration.

It exits with 0 if all is well, with 1 if there are problems and with 2 if it was called wrongly.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from todo_project.config import generated, paths, sharing
from todo_project.config.environments import DEPLOYED, ENVIRONMENTS, host_of
from todo_project.config.examination import examine
from todo_project.config.findings import ConfigurationError, Examination, counted
from todo_project.config.schema import VARIABLES
from todo_project.config.variable import Variable

MASK: Final = "****"
NOT_SET: Final = "(not set)"
UNUSABLE: Final = "(not usable, see check)"
# The user is masked too, since a password without its colon looks like one; so is everything unusual.
_URL: Final = re.compile(
    r"([a-z+]+://)(?:[^@]+(@))?([A-Za-z0-9.%-]*(?::[0-9]+)?(?:/[A-Za-z0-9_-]+)?)(?:\?.*)?", re.IGNORECASE
)


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    args = parser.parse_args(arguments)
    run = {"check": _check, "show": _show, "diff": _diff, "init": _init, "docs": _docs}[args.command]
    if getattr(args, "env", None) not in {None, *ENVIRONMENTS}:
        if not (paths.ENVS_DIR / f"{args.env}.env").is_file() or run is _init:
            close = difflib.get_close_matches(args.env, ENVIRONMENTS, n=1)
            instead = f"did you mean {close[0]}?" if close else f"make init ENV=staging NAME={args.env} writes one"
            parser.error(f"--env {args.env} is neither an environment nor the name of a file in envs/: {instead}")
        args.env, args.name = None, args.name or args.env
    return run(args)


def _parser() -> argparse.ArgumentParser:
    which, machine = argparse.ArgumentParser(add_help=False), argparse.ArgumentParser(add_help=False)
    which.add_argument("--env", type=_name, help=f"{', '.join(ENVIRONMENTS)} (default: DJANGO_ENV), or a name")
    which.add_argument("--name", type=_name, help="envs/<name>.env (default: the environment's name)")
    which.add_argument("--file", type=Path, help="an env file somewhere else")
    machine.add_argument("--json", action="store_true", help="print JSON")

    parser = argparse.ArgumentParser(prog="python -m todo_project.config", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="check|show|diff|init|docs")
    commands.add_parser("check", parents=[which, machine], help="report every problem")
    commands.add_parser("show", parents=[which, machine], help="print every value and its source")
    diff = commands.add_parser("diff", parents=[machine], help="compare two; fail if they share a secret")
    diff.add_argument("names", metavar="name", type=_name, nargs=2)
    init = commands.add_parser("init", parents=[which], help="write an env file with fresh secrets")
    init.add_argument("--site-url", help="what people will type, such as https://todo.example.org")
    docs = commands.add_parser("docs", help="print docs/configuration.md")
    docs.add_argument("--write", action="store_true", help="write it and envs/*.env.example instead")
    return parser


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a name: use lower-case letters, digits, - and _")
    return text


def _say(text: str, status: int = 0) -> int:
    """Print a text, an error on stderr, and return the exit status."""
    (sys.stderr if status else sys.stdout).write(f"{text}\n")
    return status


def _file(args: argparse.Namespace) -> Path | None:
    """Return the env file that --file or --name chooses; None leaves it to the environment."""
    chosen: Path | None = args.file
    return chosen or (paths.ENVS_DIR / f"{args.name}.env" if args.name else None)


def _examine(args: argparse.Namespace) -> Examination:
    environ = dict(os.environ)
    if args.name and not args.env:
        environ.pop("DJANGO_ENV", None)  # the file says which environment it is, not the shell
    return examine(args.env, env_file=_file(args), environ=environ)


def _check(args: argparse.Namespace) -> int:
    seen = _examine(args)
    sharing.compare_folder(seen)
    sharing.compare_shell(seen, os.environ)
    _say(json.dumps(_log_line(seen)) if args.json else seen.report())
    return 1 if seen.errors else 0


def _show(args: argparse.Namespace) -> int:
    seen = _examine(args)
    lines = rows(seen)
    _say(json.dumps(lines, indent=2) if args.json else _table(lines))
    return _say(f"This configuration has {counted(seen.errors, 'problem')}: see `check`.", 1) if seen.errors else 0


def _diff(args: argparse.Namespace) -> int:
    sides, places = [], []
    for name in args.names:
        files = (paths.ENVS_DIR / f"{name}.env", paths.ENVS_DIR / f"{name}.env.example")
        file = next((path for path in files if path.is_file()), None)
        if file is None and name not in ENVIRONMENTS:
            return _say(f"{name} is not an environment, and envs/{name}.env does not exist.", 2)
        places.append(f"{name}: {paths.shown(file) if file else 'defaults only, there is no file'}")
        sides.append(examine(name if name in ENVIRONMENTS else None, env_file=file, environ={}))
    lines = _differences(args.names, sides)
    table = _table(lines) if lines else "They do not differ."
    _say(json.dumps(lines, indent=2) if args.json else "\n".join([*places, table]))
    if args.names[0] != args.names[1]:
        sharing.compare(sides[1], sides[0])
    shared = [str(found) for found in sides[1].errors if found.code == "shared"]
    return _say("\n".join(shared), 1) if shared else 0


def _init(args: argparse.Namespace) -> int:
    env = args.env or os.environ.get("DJANGO_ENV")
    if env not in ENVIRONMENTS or (args.name != env and args.name in ENVIRONMENTS):
        return _say(f"Write --env {' or --env '.join(DEPLOYED)}, and a --name that is no other environment's.", 2)
    if env not in DEPLOYED:
        return _say(f"{env} needs no file of its own: it has defaults, and envs/dev.env is committed.")
    path = _file(args) or paths.ENVS_DIR / f"{env}.env"
    try:
        return _say(_next_steps(generated.write(env, path, args.site_url)))
    except FileExistsError:
        file = paths.shown(path)
        keep = "exists and was left as it is, because it may hold the only copy of its secrets"
        return _say(f"{file} {keep}.\nTo start over, move it away first: mv {file} {file}.old", 1)
    except (OSError, ConfigurationError) as error:
        return _say(f"{paths.shown(path)} cannot be written: {getattr(error, 'strerror', error)}", 1)


def _next_steps(seen: Examination) -> str:
    file = paths.shown(str(seen.path))
    compose = f"docker compose --env-file {file}"
    site = seen.values["SITE_URL"]
    trust = "  (browsers warn: its certificate is the proxy's own)" if host_of(site) == "localhost" else ""
    notes = "".join(f"\n{found.variable} {found.problem}: {found.instead}" for found in seen.findings)
    return f"""\
Wrote {file} (mode 600) with fresh secrets. Keep a copy of it in a safe place.
EMAIL_URL and SENTRY_DSN are not set: no mail is sent and no error is reported.{notes}

Next:
  start:          {compose} up -d --build
  open:           {site}{trust}
  administrator:  {compose} exec backend python manage.py createsuperuser
To serve another name, change SITE_URL in the file."""


def _docs(args: argparse.Namespace) -> int:
    if not args.write:
        return _say(generated.page().rstrip("\n"))
    files = {paths.ENVS_DIR / f"{env}.env.example": generated.example(env) for env in DEPLOYED}
    for path, text in (files | {paths.DOCS_DIR / "configuration.md": generated.page()}).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        _say(f"Wrote {paths.shown(path)}.")
    return 0


def _log_line(seen: Examination) -> dict[str, Any]:
    """Return the report as a line of a container's log, where LOG_FORMAT is json."""
    return {
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "level": "error" if seen.errors else "warning" if seen.findings else "info",
        "logger": "todo_project.config",
        "event": f"configuration check: {counted(seen.findings, 'problem') or 'no problem'} found",
        "problems": [finding.as_dict() for finding in seen.findings],
        "env": seen.env,
        "file": seen.path,
        "ok": not seen.errors,
    }


def _value(row: Variable, seen: Examination) -> str:
    """Return a value as it can be shown: secrets masked, and the user and password in a URL."""
    text = seen.texts.get(row.name, "").strip()
    if not text:
        return UNUSABLE if row.name in seen.found else NOT_SET
    if not row.secret:
        return UNUSABLE if seen.values[row.name] is None else text
    url = _URL.fullmatch(text) if row.kind in {"database_url", "mail_url"} else None
    if seen.values[row.name] is None or not (url or text.startswith("sqlite:")):
        return MASK
    return f"{url[1]}{MASK if url[2] else ''}{url[2] or ''}{url[3]}" if url else text


def rows(seen: Examination) -> list[dict[str, str]]:
    return [{"name": row.name, "value": _value(row, seen), "source": seen.sources[row.name]} for row in VARIABLES]


def _table(lines: list[dict[str, str]]) -> str:
    *keys, last = lines[0]
    widths = {key: min(60, max(len(line[key]) for line in lines)) for key in keys}
    return "\n".join("  ".join([*(line[key].ljust(widths[key]) for key in keys), line[last]]) for line in lines)


def _differences(names: Sequence[str], sides: Sequence[Examination]) -> list[dict[str, str]]:
    """Return what differs between two environments; of a secret only whether it does."""
    found = []
    for row in VARIABLES:
        left, right = (_value(row, side) for side in sides)
        differs, given = left != right, any(row.name in side.found for side in sides)
        if row.secret:
            texts = [side.texts.get(row.name) for side in sides]
            differs = texts[0] != texts[1]
            left, right = (NOT_SET if text is None else "differs" if differs else "same" for text in texts)
        # The same secret in two environments deserves a line of its own.
        if differs or (row.secret and given):
            found.append({"name": row.name, names[0]: left, names[1]: right})
    return found


if __name__ == "__main__":
    sys.exit(main())
