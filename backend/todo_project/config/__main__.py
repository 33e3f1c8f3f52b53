"""Check, show and write the configuration.

It exits with 0 if all is well, with 1 if there are problems and with 2 if it was called wrongly.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from todo_project.config import display, generated, paths, problems, sharing
from todo_project.config.environments import DEPLOYED, ENVIRONMENTS
from todo_project.config.examination import examine
from todo_project.config.problems import BadValueError, ConfigurationError
from todo_project.config.result import Examination

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
    diff = commands.add_parser(
        "diff", parents=[machine], help="compare two environments; fail if they share a secret"
    )
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


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _fail(text: str, status: int) -> int:
    sys.stderr.write(f"{text}\n")
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
    seen.problems += sharing.beside(seen) + sharing.beaten(seen, os.environ)
    wrong = problems.errors(seen.problems)
    if args.json:
        _say(json.dumps(_as_log_line(seen.problems) | {"env": seen.env, "file": seen.path, "ok": not wrong}))
    else:
        _say(problems.report(seen.problems, env=seen.env, path=seen.path))
    return 1 if wrong else 0


def _as_log_line(found: list[problems.Problem]) -> dict[str, object]:
    """Return what makes the report a line of a container's log, where LOG_FORMAT is json."""
    return {
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "level": "error" if problems.errors(found) else "warning" if found else "info",
        "logger": "todo_project.config",
        "event": f"configuration check: {len(found) or 'no'} problem{'s' * (len(found) > 1)} found",
        "problems": [problem.as_dict() for problem in found],
    }


def _show(args: Arguments) -> int:
    seen = _examine(args)
    rows = display.rows(seen)
    _say(json.dumps(rows, indent=2) if args.json else display.table(rows))
    count = len(problems.errors(seen.problems))
    return _fail(f"This configuration has {count} problem{'s'[: count > 1]}: see `check`.", 1) if count else 0


def _diff(args: Arguments) -> int:
    names, sides, places = (args.first, args.second), [], []
    for name in names:
        files = (paths.ENVS_DIR / f"{name}.env", paths.ENVS_DIR / f"{name}.env.example")
        file = next((path for path in files if path.is_file()), None)
        if file is None and name not in ENVIRONMENTS:
            return _fail(f"{name} is not an environment, and envs/{name}.env does not exist.", 2)
        places.append(f"{name}: {_short(file) if file else 'defaults only, there is no file'}")
        sides.append(examine(name if name in ENVIRONMENTS else None, env_file=file, environ={}))
    rows = display.differences(names, (sides[0], sides[1]))
    shared = problems.errors(sharing.shared(sides[1], sides[0])) if names[0] != names[1] else []
    if args.json:
        _say(json.dumps(rows, indent=2))
    else:
        _say("\n".join([*dict.fromkeys(places), display.table(rows) if rows else "They do not differ."]))
    return _fail("\n".join(map(str, shared)), 1) if shared else 0


def _short(path: Path) -> str:
    root = paths.ENVS_DIR.parent
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _init(args: Arguments) -> int:
    env = args.env or os.environ.get("DJANGO_ENV")
    if env not in ENVIRONMENTS:
        return _fail(f"Say for which environment: --env {' or --env '.join(DEPLOYED)}.", 2)
    if args.name != env and args.name in ENVIRONMENTS:
        return _fail(f"{args.name} is the name of another environment: choose another name.", 2)
    if env not in DEPLOYED:
        _say(f"{env} needs no file of its own: its defaults and the committed envs/dev.env are enough.")
        return 0
    path = _file(args) or paths.ENVS_DIR / f"{env}.env"
    trouble = _write(env, path, args.site_url)
    if trouble:
        return _fail(trouble, 1)
    _say(_next_steps(env, path))
    return 0


def _write(env: str, path: Path, site_url: str | None) -> str:
    """Write the file, or return why not."""
    try:
        generated.write(env, path, site_url)
    except FileExistsError:
        return (
            f"{_short(path)} exists and was left as it is, because it may hold the only copy of its secrets.\n"
            f"To check it: make check-config ENV={path.name.removesuffix('.env')}\n"
            f"To start over, first move it away: mv {_short(path)} {_short(path)}.old"
        )
    except BadValueError as bad:
        return f"--site-url {bad.problem}\n  -> {bad.instead}"
    except ConfigurationError as refused:
        return str(refused)
    except OSError as error:
        return f"{_short(path)} cannot be written: {error.strerror}"
    return ""


def _next_steps(env: str, path: Path) -> str:
    seen = examine(env, env_file=path, environ={})
    compose, local = f"docker compose --env-file {_short(path)}", seen.values["SITE_ADDRESS"] == "localhost"
    lines = [f"Wrote {_short(path)} (mode 600) with fresh secrets. Keep a copy of it in a safe place.", "", "Next:"]
    if local:
        lines.append("  - to serve another name than localhost: change SITE_URL in it")
    lines += [f"  - {problem.variable} {problem.problem}: {problem.instead}" for problem in seen.problems]
    return "\n".join(
        [
            *lines,
            "  - EMAIL_URL and SENTRY_DSN are not set: no mail is sent and no error is reported",
            f"  - start:  {compose} up -d --build",
            f"  - open:   {seen.values['SITE_URL']}{' (browsers do not know its certificate)' if local else ''}",
            f"  - administrator:  {compose} exec backend python manage.py createsuperuser",
        ]
    )


def _docs(args: Arguments) -> int:
    if not args.write:
        _say(generated.page().rstrip("\n"))
        return 0
    for path, text in generated.committed().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        _say(f"Wrote {_short(path)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
