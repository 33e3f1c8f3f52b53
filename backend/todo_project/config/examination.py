"""Read a configuration: every value with its source, and every problem."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from todo_project.config import checks, database_checks, envfile, paths
from todo_project.config.environments import ENVIRONMENTS
from todo_project.config.findings import PROCESS, BadValueError, Examination, Found
from todo_project.config.schema import BY_NAME, VARIABLES
from todo_project.config.variable import Derived, Variable, parse

SECRET_FILE_MAX_BYTES: Final = 65_536


def examine(
    env: str | None = None, *, env_file: str | Path | None = None, environ: Mapping[str, str] | None = None
) -> Examination:
    """Return every value and every problem of a configuration; raise nothing.

    Without `env` it is DJANGO_ENV's; without `env_file` it is envs/<env>.env, if there is one.
    """
    environ = dict(os.environ if environ is None else environ)
    if env:
        environ.pop("DJANGO_ENV", None)
    file = envfile.read(Path(env_file)) if env_file is not None else None
    chosen = (env or environ.get("DJANGO_ENV") or "").strip()
    if file and not chosen:
        chosen = next(iter(file.texts("DJANGO_ENV")), file.stem if file.stem in ENVIRONMENTS else "")
    # An unknown environment is read by the strictest rules, so that the report misses nothing.
    seen = Examination(env=chosen if chosen in ENVIRONMENTS else "prod")
    if file is None and os.path.lexists(paths.ENVS_DIR / f"{seen.env}.env"):
        file = envfile.read(paths.ENVS_DIR / f"{seen.env}.env")
    seen.path = str(file.path) if file else None
    _find(seen, environ, file.entries if file else [])
    if chosen not in ENVIRONMENTS and "DJANGO_ENV" not in seen.found:
        problem = "names no environment, so this is read as prod"
        seen.complain("missing", "DJANGO_ENV", problem, BY_NAME["DJANGO_ENV"].missing)
    if file:
        _check_file(seen, file)
    _read_values(seen)
    _run_checks(seen)
    if file and any(finding.code == "file" for finding in file.findings):  # all others follow from that
        seen.findings, seen.is_readable = file.findings, False
    # What concerns the whole file first, then the lines in their order, then what is on no line.
    seen.findings.sort(key=lambda each: (each.variable is not None and not each.line, each.line or 0))
    return seen


def _find(seen: Examination, environ: Mapping[str, str], entries: Iterable[Found]) -> None:
    """Find the text of each variable that counts: the process's, that of its NAME_FILE, the last line's."""
    # Compose empties what only the backup service needs in all other containers: it is not set there.
    emptied = {row.name for row in VARIABLES if row.reader == "backup"}
    process = {
        name: Found(name, text, PROCESS, PROCESS) for name, text in environ.items() if text or name not in emptied
    }
    seen.findings += [envfile.unknown(found) for found in process.values() if envfile.is_misspelt(found.name)]
    seen.findings += [envfile.unknown(entry) for entry in entries if envfile.is_unknown(entry.name)]
    lines: dict[str, Found] = {}
    for entry in entries:
        if before := lines.get(entry.name):
            problem = f"is set twice, on lines {before.line} and {entry.line}"
            seen.complain("twice", entry, problem, "keep one of the two")
        lines[entry.name] = entry
    for row in VARIABLES:
        pointer = f"{row.name}_FILE"
        for place in (process, lines):
            if row.name in place and pointer in place:
                seen.complain("twice", place[row.name], f"is set twice, also as {pointer}", "keep one of the two")
        found = process.get(row.name) or lines.get(row.name)
        if row.name not in process and (named := process.get(pointer) or lines.get(pointer)):
            found = _from_file(seen, row, named)
        if found:
            seen.found[row.name] = found


def _from_file(seen: Examination, row: Variable, pointer: Found) -> Found:
    text, problem = None, "Compose and make read this variable themselves, and do not know _FILE"
    if row.takes_file:
        try:
            text = _content(pointer.text or "")
        except (OSError, ValueError) as error:
            problem = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if text is None:
        seen.complain("file", pointer, f"cannot be used: {problem}", f"set {row.name} itself")
    return Found(row.name, text, f"{pointer.name}, {pointer.source}", pointer.where, pointer.line)


def _content(path: str) -> str:
    if not stat.S_ISREG(os.stat(path).st_mode):  # a FIFO would wait for ever
        raise ValueError("it does not name a file")
    with open(path, "rb") as file:
        raw = file.read(SECRET_FILE_MAX_BYTES + 1)
    text = raw.decode("utf-8-sig", errors="replace").strip()
    if not text or len(raw) > SECRET_FILE_MAX_BYTES or "\0" in text or "\ufffd" in text:
        raise ValueError("the file is empty, larger than 64 KiB, not UTF-8, or has a NUL byte")
    return text


def _check_file(seen: Examination, file: envfile.EnvFile) -> None:
    """Add what is wrong with a file's lines; refuse one that is meant for another environment."""
    seen.findings += file.findings
    for text in sorted({*file.texts("DJANGO_ENV"), file.stem} & ENVIRONMENTS.keys() - {seen.env}):
        problem = f"is {seen.env}, but {file.path.name} is the configuration of {text}"
        seen.complain("contradiction", "DJANGO_ENV", problem, f"choose {text}, or correct its DJANGO_ENV or name")


def _read_values(seen: Examination) -> None:
    for name, found in seen.found.items():
        seen.values[name], seen.texts[name], seen.sources[name] = None, found.text or "", found.source
        try:
            seen.values[name] = parse(BY_NAME[name], found.text) if found.text is not None else None
        except BadValueError as bad:
            seen.complain(bad.code, found, bad.problem, bad.instead)
    seen.values["DJANGO_ENV"] = seen.texts["DJANGO_ENV"] = seen.env
    seen.sources.setdefault("DJANGO_ENV", "chosen")
    for row in VARIABLES:  # in their order, because some defaults follow from others
        if row.name not in seen.values:
            _set_default(seen, row)
        # A password that cannot be used has a finding of its own.
        follows = row.name == "DATABASE_URL" and "POSTGRES_PASSWORD" in seen.found
        if row.required and seen.values[row.name] is None and row.name not in seen.found and not follows:
            seen.complain("missing", row.name, f"is missing, and {seen.env} cannot run without it", row.missing)


def _set_default(seen: Examination, row: Variable) -> None:
    default = row.default_in(seen.env)
    value: Any = default
    seen.sources[row.name] = "default" if default is not None else "not set"
    if isinstance(default, Derived):
        value = default.compute(seen.values)
        seen.sources[row.name] = f"default, {default.text}"
    if value is not None:
        seen.texts[row.name] = ",".join(value) if isinstance(value, list) else str(value)
    seen.values[row.name] = parse(row, value) if isinstance(value, str) else value


def _run_checks(seen: Examination) -> None:
    deployed = (*checks.DEPLOYED_ONLY, *database_checks.DEPLOYED_ONLY) if seen.deployed else ()
    for check in (*checks.EVERYWHERE, *database_checks.EVERYWHERE, *deployed):
        check(seen)
    if seen.deployed and seen.path is None and any(finding.code == "missing" for finding in seen.findings):
        problem = f"envs/{seen.env}.env does not exist here, so only the process environment was read"
        instead = f"`make init ENV={seen.env}` writes it, with fresh secrets"
        seen.complain("file", None, problem, instead, warning=True)
