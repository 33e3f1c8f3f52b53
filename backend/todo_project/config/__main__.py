"""Check, show and write the configuration.

It exits with 0 if all is well, with 1 if there are problems and with 2 if it was called wrongly.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path

from todo_project.config import display, generated, paths, sharing
from todo_project.config.environments import DEPLOYED, ENVIRONMENTS
from todo_project.config.examination import examine
from todo_project.config.findings import BadValueError, ConfigurationError, Examination, counted

Arguments = argparse.Namespace


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if getattr(args, "env", None) not in {None, *ENVIRONMENTS}:
        if not (paths.ENVS_DIR / f"{args.env}.env").is_file() or args.run is _init:
            parser.error(
                f"--env {args.env} is not one of {', '.join(ENVIRONMENTS)}, nor the name of a file in envs/"
            )
        args.env, args.name = None, args.name or args.env
    status: int = args.run(args)
    return status


def _parser() -> argparse.ArgumentParser:
    which, machine = argparse.ArgumentParser(add_help=False), argparse.ArgumentParser(add_help=False)
    which.add_argument("--env", type=_name, help=f"{', '.join(ENVIRONMENTS)} (default: DJANGO_ENV), or a name")
    which.add_argument("--name", type=_name, help="envs/<name>.env (default: the environment's name)")
    which.add_argument("--file", type=Path, help="an env file somewhere else")
    machine.add_argument("--json", action="store_true", help="print JSON")

    parser = argparse.ArgumentParser(prog="python -m todo_project.config", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="check|show|diff|init|docs")
    check = commands.add_parser("check", parents=[which, machine], help="report every problem")
    show = commands.add_parser("show", parents=[which, machine], help="print every value and its source")
    help_of_diff = "compare two environments; fail if they share a secret"
    diff = commands.add_parser("diff", parents=[machine], help=help_of_diff)
    diff.add_argument("first", type=_name)
    diff.add_argument("second", type=_name)
    init = commands.add_parser("init", parents=[which], help="write an env file with fresh secrets")
    init.add_argument("--site-url", help="what people will type, such as https://todo.example.org")
    docs = commands.add_parser("docs", help="print docs/configuration.md")
    docs.add_argument("--write", action="store_true", help="write it and envs/*.env.example instead")
    for command, run in ((check, _check), (show, _show), (diff, _diff), (init, _init), (docs, _docs)):
        command.set_defaults(run=run)
    return parser


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a name: use lower-case letters, digits, - and _")
    return text


def _say(text: str, status: int = 0) -> int:
    """Print a text, an error on stderr, and return the exit status."""
    (sys.stderr if status else sys.stdout).write(f"{text}\n")
    return status


def _file(args: Arguments) -> Path | None:
    """Return the env file that --file or --name chooses; None leaves it to the environment."""
    chosen: Path | None = args.file
    return chosen or (paths.ENVS_DIR / f"{args.name}.env" if args.name else None)


def _examine(args: Arguments) -> Examination:
    environ = dict(os.environ)
    if args.name and not args.env:
        environ.pop("DJANGO_ENV", None)  # the file says which environment it is, not the shell
    return examine(args.env, env_file=_file(args), environ=environ)


def _check(args: Arguments) -> int:
    seen = _examine(args)
    seen.findings += sharing.beside(seen) + sharing.beaten(seen, os.environ)
    _say(json.dumps(display.log_line(seen)) if args.json else seen.report())
    return 1 if seen.errors else 0


def _show(args: Arguments) -> int:
    seen = _examine(args)
    rows = display.rows(seen)
    _say(json.dumps(rows, indent=2) if args.json else display.table(rows))
    if seen.errors:
        return _say(f"This configuration has {counted(seen.errors, 'problem')}: see `check`.", 1)
    return 0


def _diff(args: Arguments) -> int:
    sides: dict[str, Examination] = {}
    places = {}
    for name in (args.first, args.second):
        files = (paths.ENVS_DIR / f"{name}.env", paths.ENVS_DIR / f"{name}.env.example")
        file = next((path for path in files if path.is_file()), None)
        if file is None and name not in ENVIRONMENTS:
            return _say(f"{name} is not an environment, and envs/{name}.env does not exist.", 2)
        places[name] = f"{name}: {_short(file) if file else 'defaults only, there is no file'}"
        sides[name] = examine(name if name in ENVIRONMENTS else None, env_file=file, environ={})
    first, second = sides[args.first], sides[args.second]
    rows = display.differences((args.first, args.second), (first, second))
    table = display.table(rows) if rows else "They do not differ."
    _say(json.dumps(rows, indent=2) if args.json else "\n".join([*places.values(), table]))
    shared = [] if first is second else [found for found in sharing.shared(second, first) if not found.warning]
    return _say("\n".join(map(str, shared)), 1) if shared else 0


def _short(path: Path) -> str:
    root = paths.ENVS_DIR.parent
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _init(args: Arguments) -> int:
    env = args.env or os.environ.get("DJANGO_ENV")
    if env not in ENVIRONMENTS:
        return _say(f"Say for which environment: --env {' or --env '.join(DEPLOYED)}.", 2)
    if args.name != env and args.name in ENVIRONMENTS:
        return _say(f"{args.name} is the name of another environment: choose another name.", 2)
    if env not in DEPLOYED:
        return _say(f"{env} needs no file of its own: its defaults and the committed envs/dev.env are enough.")
    path = _file(args) or paths.ENVS_DIR / f"{env}.env"
    try:
        return _say(_next_steps(generated.write(env, path, args.site_url)))
    except (OSError, BadValueError, ConfigurationError) as error:
        return _say(_why_not(error, _short(path), path.stem), 1)


def _why_not(error: Exception, file: str, name: str) -> str:
    if isinstance(error, FileExistsError):
        return (
            f"{file} exists and was left as it is, because it may hold the only copy of its secrets.\n"
            f"To check it: make check-config ENV={name}\n"
            f"To start over, first move it away: mv {file} {file}.old"
        )
    if isinstance(error, BadValueError):
        return f"--site-url {error.problem}\n  -> {error.instead}"
    return f"{file} cannot be written: {error.strerror}" if isinstance(error, OSError) else str(error)


def _next_steps(seen: Examination) -> str:
    file, local = _short(Path(str(seen.path))), seen.values["SITE_ADDRESS"] == "localhost"
    compose = f"docker compose --env-file {file}"
    hints = ["to serve another name than localhost: change SITE_URL in it"] if local else []
    hints += [f"{found.variable} {found.problem}: {found.instead}" for found in seen.findings]
    hints += [
        "EMAIL_URL and SENTRY_DSN are not set: no mail is sent and no error is reported",
        f"start:  {compose} up -d --build",
        f"open:   {seen.values['SITE_URL']}{' (browsers do not know its certificate)' if local else ''}",
        f"administrator:  {compose} exec backend python manage.py createsuperuser",
    ]
    wrote = f"Wrote {file} (mode 600) with fresh secrets. Keep a copy of it in a safe place."
    return "\n".join([wrote, "", "Next:", *(f"  - {hint}" for hint in hints)])


def _docs(args: Arguments) -> int:
    if not args.write:
        return _say(generated.page().rstrip("\n"))
    for path, text in generated.committed().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        _say(f"Wrote {_short(path)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
