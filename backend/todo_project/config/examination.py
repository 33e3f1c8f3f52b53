"""Read a configuration: every value with its source, and every problem."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from todo_project.config import checks, database_checks, envfile, names, paths
from todo_project.config.environments import ENVIRONMENTS
from todo_project.config.findings import PROCESS, BadValueError, Examination, Found, shown
from todo_project.config.kinds import parse
from todo_project.config.schema import VARIABLES
from todo_project.config.variable import Derived, Variable

SECRET_FILE_MAX_BYTES: Final = 65_536
_CHOICE: Final = f"write one of {', '.join(ENVIRONMENTS)}"


def examine(
    env: str | None = None, *, env_file: str | Path | None = None, environ: Mapping[str, str] | None = None
) -> Examination:
    """Return every value and every problem of a configuration; raise nothing.

    Without `env` it is DJANGO_ENV's; without `env_file` it is envs/<env>.env, if there is one.
    """
    environ = os.environ if environ is None else environ
    file = envfile.read(Path(env_file)) if env_file is not None else None
    chosen = (env or environ.get("DJANGO_ENV") or "").strip()
    named = chosen
    if file and not named:
        named = next(iter(file.texts("DJANGO_ENV")), file.stem if file.stem in ENVIRONMENTS else "")
    # An unknown environment is read by the strictest rules, so that the report misses nothing.
    seen = Examination(env=named if named in ENVIRONMENTS else "prod")
    if not named:
        seen.complain("missing", "DJANGO_ENV", "is missing, so this is read as prod", _CHOICE)
    elif chosen and chosen not in ENVIRONMENTS:
        seen.complain("invalid", "DJANGO_ENV", f"is {shown(chosen)}, which is not an environment", _CHOICE)
    if file is None and os.path.lexists(paths.ENVS_DIR / f"{seen.env}.env"):
        file = envfile.read(paths.ENVS_DIR / f"{seen.env}.env")
    seen.path = str(file.path) if file else None
    texts = _collect(environ, file.entries if file else [], seen)
    seen.found = {name: found[0] for name, found in texts.items() if found}
    seen.findings += names.unknown_in_process(environ)
    if file:
        seen.findings += file.findings + names.unknown_in_file(file.entries)
        _check_environment(seen, file)
    _read_values(seen, texts)
    _run_checks(seen)
    # What concerns the whole file first, then the lines in their order, then what is on no line.
    seen.findings.sort(key=lambda each: (each.variable is not None and not each.line, each.line or 0))
    return seen


def _collect(environ: Mapping[str, str], entries: Iterable[Found], seen: Examination) -> dict[str, list[Found]]:
    """Return every text of each variable, the one that counts first; none if its NAME_FILE cannot be read."""
    # Compose empties the secrets of the backup service in all other containers: they are not set there.
    emptied = {row.name for row in VARIABLES if row.reader == "backup" and row.secret}
    process = {
        name: [Found(name, text, PROCESS, PROCESS)] for name, text in environ.items() if text or name not in emptied
    }
    lines = _by_name(entries, seen)
    texts: dict[str, list[Found]] = {}
    for row in VARIABLES:
        pointer = f"{row.name}_FILE"
        for places in (process, lines):
            if row.name in places and pointer in places:
                value, named = places[row.name][0], places[pointer][0]
                numbers = f", on lines {value.line} and {named.line}" if value.line else ""
                problem = f"is set twice, as {row.name} and as {pointer}{numbers}"
                seen.findings.append(value.finding("twice", problem, "keep one of the two"))
        found = process.get(row.name, [])
        pointers = process.get(pointer) or lines.get(pointer)
        if pointers and not found:
            found = _from_file(row, pointers[0], seen)
        if found or pointers or row.name in lines:
            texts[row.name] = found + lines.get(row.name, [])
    return texts


def _by_name(entries: Iterable[Found], seen: Examination) -> dict[str, list[Found]]:
    """Return the lines of each name, the last one first."""
    lines: dict[str, list[Found]] = {}
    for entry in entries:
        if before := lines.get(entry.name):
            problem = f"is set twice, on lines {before[0].line} and {entry.line}"
            seen.findings.append(entry.finding("twice", problem, "keep one of the two"))
        lines[entry.name] = [entry, *(before or [])]
    return lines


def _from_file(row: Variable, pointer: Found, seen: Examination) -> list[Found]:
    instead = f"set {row.name} itself"
    try:
        if not row.takes_file:
            raise ValueError("Compose and make read this variable themselves, and do not know _FILE")
        instead = f"write the path of a readable text file with the value, or {instead}"
        text = _content(pointer.text)
    except (OSError, ValueError) as error:
        problem = f"cannot be used: {error.strerror if isinstance(error, OSError) else error}"
        seen.findings.append(pointer.finding("file", problem, instead))
        return []
    return [Found(row.name, text, f"{pointer.name}, {pointer.source}", pointer.where, pointer.line)]


def _content(path: str) -> str:
    if not path.strip():
        raise ValueError("it is empty")
    if not stat.S_ISREG(os.stat(path).st_mode):  # a FIFO would wait for ever
        raise ValueError("it does not name a file")
    with open(path, "rb") as file:
        raw = file.read(SECRET_FILE_MAX_BYTES + 1)
    if len(raw) > SECRET_FILE_MAX_BYTES:
        raise ValueError(f"the file is larger than {SECRET_FILE_MAX_BYTES} bytes")
    try:
        text = raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8 text") from None
    if not text or "\0" in text:
        raise ValueError("the file has a NUL byte" if text else "the file is empty")
    return text


def _check_environment(seen: Examination, file: envfile.EnvFile) -> None:
    """Compare the DJANGO_ENV in a file, and the file's name, with the environment that was asked for."""
    named = file.texts("DJANGO_ENV")
    for text in named:
        if text not in ENVIRONMENTS:
            seen.complain("invalid", "DJANGO_ENV", f"is {shown(text)}, which is not an environment", _CHOICE)
        elif text != seen.env:
            problem = f"is {text}, but the file is read as the configuration of {seen.env}"
            seen.complain("contradiction", "DJANGO_ENV", problem, f"write DJANGO_ENV={seen.env} or choose {text}")
    if not named and seen.deployed:
        problem = "is not in the file, so containers that get only this file would not start"
        seen.complain("missing", "DJANGO_ENV", problem, f"add DJANGO_ENV={seen.env}", warning=True)
    if file.stem in ENVIRONMENTS and file.stem != seen.env:
        problem = f"is {seen.env} in a file named {file.path.name}"
        seen.complain("contradiction", "DJANGO_ENV", problem, f"write DJANGO_ENV={file.stem} or rename the file")


def _read_values(seen: Examination, texts: Mapping[str, list[Found]]) -> None:
    seen.values["DJANGO_ENV"] = seen.texts["DJANGO_ENV"] = seen.env
    seen.sources["DJANGO_ENV"] = seen.found["DJANGO_ENV"].source if "DJANGO_ENV" in seen.found else "chosen"
    rows = [row for row in VARIABLES if row.name != "DJANGO_ENV"]
    for row in rows:
        # What a value hides is read as well: it counts as soon as the first one is removed.
        for found in reversed(texts.get(row.name, [])):
            seen.values[row.name] = _parsed(row, found, seen)
            seen.texts[row.name], seen.sources[row.name] = found.text, found.source
    for row in rows:  # after the others, because some defaults follow from them
        if row.name not in seen.values:
            _set_default(row, seen)
    _check_required(seen, texts)


def _parsed(row: Variable, found: Found, seen: Examination) -> Any:
    try:
        return parse(row, found.text)
    except BadValueError as bad:
        seen.findings.append(found.finding(bad.code, bad.problem, bad.instead))
        return None


def _set_default(row: Variable, seen: Examination) -> None:
    default = row.default_in(seen.env)
    value: Any = default
    seen.sources[row.name] = "default" if default is not None else "not set"
    if isinstance(default, Derived):
        value = default.compute(seen.values)
        seen.sources[row.name] = f"default, {default.text}"
    if value is not None:
        seen.texts[row.name] = ",".join(value) if isinstance(value, list) else str(value)
    seen.values[row.name] = parse(row, value) if isinstance(value, str) else value


def _check_required(seen: Examination, texts: Mapping[str, list[Found]]) -> None:
    for row in VARIABLES:
        # A password that cannot be used has a finding of its own.
        follows = row.name == "DATABASE_URL" and "POSTGRES_PASSWORD" in seen.found
        if row.required and seen.values[row.name] is None and row.name not in texts and not follows:
            seen.complain("missing", row.name, f"is missing, and {seen.env} cannot run without it", row.missing)


def _run_checks(seen: Examination) -> None:
    for check in (*checks.EVERYWHERE, *database_checks.EVERYWHERE):
        check(seen)
    if seen.deployed:
        for check in (*checks.DEPLOYED_ONLY, *database_checks.DEPLOYED_ONLY):
            check(seen)
        if seen.path is None and any(finding.code == "missing" for finding in seen.findings):
            problem = f"envs/{seen.env}.env does not exist here, so only the process environment was read"
            seen.complain(
                "file", None, problem, f"`make init ENV={seen.env}` writes it, with fresh secrets", warning=True
            )
