"""Parse the command lines of deploy, rollback, promote and status, and run the command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from host.console import Console, Failure
from host.lock import exclusive
from host.records import Records
from host.stack import Stack

from . import history, images, preflight, registry, strangers
from .journal import NAME, Journal, Release
from .releasing import Options, Releasing
from .replicas import containers
from .reporting import as_json, metrics_of, status_of, table, text_of

Arguments = argparse.Namespace


def deploy(arguments: list[str] | None = None) -> None:
    """Deploy a release: start it beside the running one, then switch over."""
    parser = _parser("deploy", deploy.__doc__)
    parser.add_argument(
        "--image",
        metavar="TAG|NAME",
        help="deploy this image: a tag, which is pulled from IMAGE_REPOSITORY if it is not on this host, or "
        "REPOSITORY/todo-backend@sha256:…; without it the checkout is built",
    )
    _deploying(parser)
    parser.add_argument("--without-backup", action="store_true", help="make no backup before the migrations")
    _run(parser.parse_args(arguments), _deploy)


def rollback(arguments: list[str] | None = None) -> None:
    """Go back to the previous release. If a release was interrupted, undo that one instead."""
    parser = _parser("rollback", rollback.__doc__)
    parser.add_argument("--to", metavar="TAG", help="go back to this earlier release instead of the previous one")
    parser.add_argument("--keep-proxy", action="store_true", help="keep the proxy's configuration")
    _run(parser.parse_args(arguments), _rollback)


def promote(arguments: list[str] | None = None) -> None:
    """Deploy to one environment exactly the image that another one runs."""
    parser = argparse.ArgumentParser(prog="promote", description=promote.__doc__)
    parser.add_argument("source", metavar="FROM", help="the environment whose image to take, such as staging")
    parser.add_argument("env", metavar="TO", help="the environment to deploy to, such as prod")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    _deploying(parser)
    parser.add_argument("--without-backup", action="store_true", help="make no backup before the migrations")
    _run(parser.parse_args(arguments), _promote)


def status(arguments: list[str] | None = None) -> None:
    """Show the running containers, the last releases and any interrupted one. Changes nothing."""
    parser = _parser("status", status.__doc__)
    parser.add_argument("--metrics", action="store_true", help="print it for node_exporter's textfile collector")
    args = parser.parse_args(arguments)
    console = Console(as_json=args.json)
    with console.reporting(if_interrupted="run the command again"):
        found = status_of(Stack(args.env))
    console.result(metrics_of(found) if args.metrics else text_of(found), found)


def _parser(name: str, description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=name, description=description)
    parser.add_argument("env", metavar="ENV", help="prod, staging, or the NAME of another env file")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    return parser


def _deploying(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-downtime",
        action="store_true",
        help="stop the old release before migrations that it cannot run with",
    )
    parser.add_argument(
        "--new-stack",
        action="store_true",
        help="make a new, empty stack beside another one of the same environment, without asking",
    )
    parser.add_argument(
        "--keep-proxy",
        action="store_true",
        help="keep the proxy's configuration, even if the release brings another one",
    )


def _run(args: Arguments, work: Callable[[Arguments, Stack, Console], Release | None]) -> None:
    """Run a command under the environment's lock and print its result or error."""
    console = Console(as_json=args.json)
    with console.reporting(if_interrupted="run the command again, or look at deploy/release/status first"):
        stack = Stack(args.env)
        command = " ".join([sys.argv[0].rpartition("/")[2], *sys.argv[1:]])
        _warn_of_exported_variables(stack, console)
        preflight.readable(stack)
        if "new_stack" in args:
            strangers.confirm(stack, is_meant=args.new_stack)
        with exclusive(stack, command, console):
            Records(stack, NAME).adopt(console)
            release = work(args, stack, console)
            done = release or Journal.of(stack).releases()[-1]
        console.result(table([done]), {"ok": True, **as_json(done)})


def _warn_of_exported_variables(stack: Stack, console: Console) -> None:
    if stack.shadowed:
        names = " ".join(stack.shadowed)
        console.note(
            f"warning: these variables have different values in this shell and in {stack.env_file}: {names}\n"
            f"  This command uses the file, but a plain docker compose would use the shell: unset {names}"
        )


def _options(args: Arguments, *, expected: str = "") -> Options:
    return Options(
        allow_downtime=getattr(args, "allow_downtime", False),
        without_backup=getattr(args, "without_backup", False),
        keep_proxy=args.keep_proxy,
        expected_image=expected,
    )


def _deploy(args: Arguments, stack: Stack, console: Console) -> Release:
    releasing = Releasing(stack, console)
    releasing.recover()
    if args.image:
        tag = registry.obtain(stack, console, args.image)
    else:
        with console.step("building the checkout"):
            tag = images.build(stack)
    return releasing.run("deploy", tag, _options(args))


def _rollback(args: Arguments, stack: Stack, console: Console) -> Release | None:
    releasing = Releasing(stack, console)
    if releasing.recover(finish=False):
        return None
    # what runs, because another checkout may have released since this one's env file was written
    serving = {each.tag for each in containers(stack, "backend") if each.serves}
    current = serving.pop() if len(serving) == 1 else stack.tag
    target = history.target(releasing.journal.releases(), current, args.to)
    tag = registry.bring_back(stack, console, target)
    return releasing.run("rollback", tag, _options(args, expected=target.image))


def _promote(args: Arguments, stack: Stack, console: Console) -> Release:
    source = Stack(args.source)
    if source.project == stack.project:
        raise Failure(
            f"{source.env} and {stack.env} are the same stack ({stack.project})",
            "name two different environments: the one to promote from, then the one to promote to",
        )
    if Journal.of(source).unfinished():
        raise Failure(
            f"the last release of {source.env} was interrupted",
            f"undo it with deploy/release/rollback {source.env}, test {source.env}, then promote",
        )
    running = {each.image for each in containers(source, "backend") if each.serves}
    if len(running) != 1:
        raise Failure(
            f"the backends of {source.env} run {len(running)} different images instead of one",
            f"see deploy/release/status {source.env}",
        )
    image = running.pop()
    releasing = Releasing(stack, console)
    releasing.recover()
    tag = images.keep_tag(source, f"{images.BACKEND}:{source.tag}", image)
    console.note(f"promoting {tag} ({image})\n{_differences(source, stack, image)}")
    return releasing.run("deploy", tag, _options(args, expected=image))


def _differences(source: Stack, target: Stack, image: str) -> str:
    """Return the report of `config diff` in the image: the differing values, secrets masked."""
    return target.run(
        "docker", "run", "--rm", "--network", "none", "--read-only", "--user", "0:0",
        "--volume", f"{target.env_file.parent}:/envs:ro", "--entrypoint", "python", image,
        "-m", "todo_project.config", "diff", source.env, target.env,
    ).stdout.strip()  # fmt: skip
