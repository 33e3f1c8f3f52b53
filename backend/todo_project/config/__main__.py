"""This will answer questions about the configuration: python -m todo_project.config --help.

It exits with 0 where all is well, 1 where there are problems, 2 where it was called wrongly.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from todo_project.config import display, envwriter, examination, problems, reference
from todo_project.config.examination import examine
from todo_project.config.problems import BadValueError
from todo_project.config.variable import DEPLOYED, ENVIRONMENTS

Arguments = argparse.Namespace


def main(arguments: list[str] | None = None) -> int:
    """This will run one command and return its exit code."""
    args = _parser().parse_args(arguments)
    code: int = args.run(args)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m todo_project.config", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="check|show|diff|init|docs")
    which = argparse.ArgumentParser(add_help=False)
    which.add_argument("--env", choices=ENVIRONMENTS, help="the environment; DJANGO_ENV's if not given")
    which.add_argument("--file", type=Path, help="the env file; envs/<env>.env if not given")
    machine = argparse.ArgumentParser(add_help=False)
    machine.add_argument("--json", action="store_true", help="for machines")

    check = commands.add_parser("check", parents=[which, machine], help="report every problem at once")
    check.set_defaults(run=_check)
    show = commands.add_parser("show", parents=[which, machine], help="every value and its source, secrets masked")
    show.set_defaults(run=_show)
    diff = commands.add_parser("diff", parents=[machine], help="what differs between two environments")
    diff.add_argument("first", choices=ENVIRONMENTS)
    diff.add_argument("second", choices=ENVIRONMENTS)
    diff.set_defaults(run=_diff)
    init = commands.add_parser("init", parents=[which], help="write an env file with fresh secrets")
    init.add_argument("--site-url", help="what people will type, such as https://todo.example.org")
    init.set_defaults(run=_init)
    docs = commands.add_parser("docs", help="print docs/configuration.md")
    docs.add_argument("--write", action="store_true", help="write it and envs/*.env.example instead")
    docs.set_defaults(run=_docs)
    return parser


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _check(args: Arguments) -> int:
    seen = examine(args.env, env_file=args.file)
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
    seen = examine(args.env, env_file=args.file)
    rows = display.rows(seen)
    _say(json.dumps(rows, indent=2) if args.json else display.table(rows))
    wrong = problems.errors(seen.problems)
    if wrong:
        sys.stderr.write(f"This configuration has problems, {len(wrong)} of them: see `check`.\n")
    return 1 if wrong else 0


def _diff(args: Arguments) -> int:
    found = display.differences(args.first, args.second)
    if args.json:
        _say(json.dumps(found, indent=2))
        return 0
    for env in (args.first, args.second):
        _say(f"{env}: {_short(display.file_of(env))}")
    _say(display.table(found) if found else "They do not differ.")
    return 0


def _short(path: Path | None) -> str:
    if path is None:
        return "defaults only, there is no file"
    root = examination.ENVS_DIR.parent
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _init(args: Arguments) -> int:
    env = args.env or os.environ.get("DJANGO_ENV")
    if env not in ENVIRONMENTS:
        sys.stderr.write("Say for which environment: --env staging or --env prod.\n")
        return 2
    if env not in DEPLOYED:
        _say(f"{env} needs no file of its own: its defaults and the committed envs/dev.env work at once.")
        return 0
    path = args.file or examination.ENVS_DIR / f"{env}.env"
    trouble = _trouble(env, path, args.site_url)
    if trouble:
        sys.stderr.write(f"{trouble}\n")
        return 1
    _say(_next_steps(env, path))
    return 0


def _trouble(env: str, path: Path, site_url: str | None) -> str:
    """Write the file, or say why not."""
    try:
        envwriter.write(env, path, site_url)
    except envwriter.ExistsError:
        return (
            f"{_short(path)} exists and is left as it is, since it may hold the only copy of its secrets.\n"
            f"To see whether it is right: make check-config ENV={env}\n"
            f"To begin anew, first move it away: mv {_short(path)} {_short(path)}.old"
        )
    except BadValueError as bad:
        return f"--site-url {bad.problem}\n  -> {bad.instead}"
    except envwriter.RefusedError as refused:
        return str(refused)
    except OSError as error:
        return f"{_short(path)} cannot be written: {error.strerror}"
    return ""


def _next_steps(env: str, path: Path) -> str:
    seen = examine(env, env_file=path, environ={})
    # Compose gives this file to the containers as well, and has to be told where it is elsewhere.
    elsewhere = "" if path == examination.ENVS_DIR / f"{env}.env" else f"ENV_FILE={path.resolve()} "
    files = f"--env-file {_short(path)} -f docker-compose.yml -f docker-compose.prod.yml"
    local = seen.values["SITE_ADDRESS"] == "localhost"
    lines = [f"Wrote {_short(path)} (mode 600) with fresh secrets. Keep a copy of it in a safe place.", "", "Next:"]
    if local:
        lines.append("  - to serve another name than localhost: set SITE_URL and SITE_ADDRESS in it")
    lines += [
        "  - EMAIL_URL and SENTRY_DSN in it are empty: no mail is sent and no error is reported",
        f"  - start:  {elsewhere}docker compose {files} up -d --build",
        f"  - open:   {seen.values['SITE_URL']}" + (" (the browser does not know its authority)" if local else ""),
        f"  - administrator:  {elsewhere}docker compose {files} exec backend python manage.py createsuperuser",
    ]
    return "\n".join(lines)


def _docs(args: Arguments) -> int:
    if not args.write:
        _say(reference.page().rstrip("\n"))
        return 0
    for path, text in {**envwriter.committed(), reference.PATH: reference.page()}.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        _say(f"Wrote {_short(path)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
