"""This will examine a configuration: every value with its source, and every problem."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from todo_project.config import checks, envfile, names, sources
from todo_project.config.envfile import EnvFile
from todo_project.config.problems import BadValueError, Problem, without
from todo_project.config.schema import BY_NAME, VARIABLES
from todo_project.config.sources import Found, Sources
from todo_project.config.urls import BACKEND_DIR
from todo_project.config.values import parse, shown
from todo_project.config.variable import DEPLOYED, ENVIRONMENTS, Derived, Variable

ENVS_DIR = BACKEND_DIR.parent / "envs"
_ALIASES = {"production": "prod", "development": "dev", "stage": "staging", "testing": "test", "local": "dev"}
_CHOICE = f"write one of {', '.join(ENVIRONMENTS)}"
# Weak as passwords, but words of our own messages, which would otherwise be blotted out of them.
_OWN_WORDS = {"password", "postgres", "postgresql", "todo_user"}


@dataclass(slots=True)
class Examination:
    """What was found out about a configuration.

    `env` is the environment by whose rules it was read; `texts` holds each value as it was written, and
    `meant` what could be read of a value that cannot be used.
    """

    env: str
    path: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    meant: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    found: dict[str, Found] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def complain(self, code: str, variable: str, problem: str, instead: str, *, warning: bool = False) -> None:
        """This will note a problem of a variable, with the line that set it."""
        place = self.found.get(variable)
        self.problems.append(
            Problem(
                code=code,
                variable=variable,
                problem=problem,
                instead=instead,
                where=place.where if place else self.path,
                line=place.line if place else None,
                warning=warning,
            )
        )

    def complain_of_file(self, code: str, problem: str, instead: str) -> None:
        """This will warn of something about the whole file."""
        self.problems.append(Problem(code=code, problem=problem, instead=instead, where=self.path, warning=True))

    @property
    def deployed(self) -> bool:
        """This will say whether the rules of staging and prod hold."""
        return self.env in DEPLOYED


def examine(
    env: str | None = None, *, env_file: str | Path | None = None, environ: Mapping[str, str] | None = None
) -> Examination:
    """This will find every value and every problem of a configuration, and raise nothing.

    Without `env` it is DJANGO_ENV's; without `env_file` it is envs/<env>.env, if there is one.
    """
    environ = os.environ if environ is None else environ
    file = envfile.read(Path(env_file), environ) if env_file is not None else None
    chosen = (env or environ.get("DJANGO_ENV") or "").strip()
    named = chosen or _named_in(file)
    # An unknown environment is read by the strictest rules, so that the report misses nothing.
    seen = Examination(env=named if named in ENVIRONMENTS else "prod")
    if file is None and os.path.lexists(ENVS_DIR / f"{seen.env}.env"):
        file = envfile.read(ENVS_DIR / f"{seen.env}.env", environ)
    if not named:
        seen.complain("missing", "DJANGO_ENV", "is missing, read as prod", _CHOICE)
    elif chosen and chosen not in ENVIRONMENTS:
        seen.complain("invalid", "DJANGO_ENV", f"is {shown(chosen)}, which is no environment", _meant(chosen))
    _look_into(seen, file, environ)
    return seen


def _look_into(seen: Examination, file: EnvFile | None, environ: Mapping[str, str]) -> None:
    texts = sources.collect(environ, file)
    seen.found = texts.found
    if file is not None:
        seen.path = str(file.path)
        seen.problems += file.problems
        seen.problems += names.unknown_in_file([(entry.name, entry.line) for entry in file.entries], seen.path)
        _environment_named(seen, file)
    seen.problems += names.unknown_in_process(environ)
    seen.problems += texts.problems
    for name, hidden in texts.hidden:
        _parsed(BY_NAME[name], hidden, seen)
    for variable in VARIABLES:
        _settle(variable, seen, texts)
    checks.run(seen)
    if file is None and seen.deployed and any(problem.code == "missing" for problem in seen.problems):
        problem = f"envs/{seen.env}.env does not exist here, so only the process environment was read"
        seen.complain_of_file("file", problem, f"`make init ENV={seen.env}` writes it, with fresh secrets")
    seen.problems = without(_sorted(seen.problems), secret_words(seen, texts))


def _named_in(file: EnvFile | None) -> str | None:
    """Return the environment that an env file names, in it or in its own name."""
    if file is None:
        return None
    named = [entry.text for entry in file.entries if entry.name == "DJANGO_ENV"]
    stem = file.path.name.partition(".")[0]
    return named[-1] if named else stem if stem in ENVIRONMENTS else None


def _meant(text: str) -> str:
    alias = _ALIASES.get(text.lower(), text.lower())
    return f"write {alias}" if alias in ENVIRONMENTS else _CHOICE


def _environment_named(seen: Examination, file: EnvFile) -> None:
    """Hold the DJANGO_ENV in a file against the environment that was asked for and the file's own name."""
    stem = file.path.name.partition(".")[0]
    named = [entry.text for entry in file.entries if entry.name == "DJANGO_ENV"]
    for text in named:
        if text not in ENVIRONMENTS:
            seen.complain("invalid", "DJANGO_ENV", f"is {shown(text)}, which is no environment", _meant(text))
        elif text != seen.env:
            problem = f"is {text}, but this is read as the configuration of {seen.env}"
            seen.complain(
                "contradiction", "DJANGO_ENV", problem, f"write DJANGO_ENV={seen.env} or choose the other"
            )
        elif stem in ENVIRONMENTS and stem != text:
            problem = f"is {text} in a file named {file.path.name}"
            seen.complain("contradiction", "DJANGO_ENV", problem, f"write DJANGO_ENV={stem} or rename the file")
    if not named and seen.deployed and not file.path.name.endswith(".example"):
        problem = "is not in the file, so containers that get only this file would not start"
        seen.complain("missing", "DJANGO_ENV", problem, f"add DJANGO_ENV={seen.env}", warning=True)


def _settle(variable: Variable, seen: Examination, texts: Sources) -> None:
    """Give one variable its value: what was found, or else its default."""
    name = variable.name
    if name == "DJANGO_ENV":
        seen.values[name] = seen.texts[name] = seen.env
        seen.origins[name] = seen.found[name].source if name in seen.found else "chosen"
    elif name in seen.found:
        seen.texts[name] = seen.found[name].text
        seen.origins[name] = seen.found[name].source
        seen.values[name] = _parsed(variable, seen.found[name], seen)
    else:
        _default(variable, seen)
        if seen.values[name] is None and seen.env in variable.required_in and name not in texts.unreadable:
            _missing(variable, seen)


def _default(variable: Variable, seen: Examination) -> None:
    name = variable.name
    default = variable.default_in(seen.env)
    value: Any = default
    seen.origins[name] = "default" if default is not None else "not set"
    if isinstance(default, Derived):
        value = default.compute(seen.values, seen.env)
        seen.origins[name] = f"default, {default.text}"
    if isinstance(value, str):
        seen.texts[name] = value
        value = parse(variable, value)
    elif value is not None:
        seen.texts[name] = ",".join(value) if isinstance(value, list) else str(value)
    seen.values[name] = value


def _parsed(variable: Variable, found: Found, seen: Examination) -> Any:
    try:
        return parse(variable, found.text)
    except BadValueError as bad:
        seen.meant[variable.name] = bad.meant
        seen.problems.append(
            Problem(
                code=bad.code,
                variable=variable.name,
                where=found.where,
                line=found.line,
                problem=bad.problem,
                instead=bad.instead,
            )
        )
        return None


def _missing(variable: Variable, seen: Examination) -> None:
    instead = variable.missing or f"set {variable.name}"
    if variable.name == "DATABASE_URL" and "POSTGRES_PASSWORD" in seen.found:
        return  # its own problem has been told
    seen.complain("missing", variable.name, f"is missing; {seen.env} cannot run without it", instead)


def _sorted(problems: list[Problem]) -> list[Problem]:
    """Put what concerns the whole file first, then the lines in their order, then what is on no line."""
    return sorted(
        problems, key=lambda problem: (problem.variable is not None and not problem.line, problem.line or 0)
    )


def secret_words(seen: Examination, texts: Sources) -> set[str]:
    """This will return every secret that was read, and the passwords in URLs, so that none is printed."""
    words: set[str] = set()
    found = [*texts.found.items(), *texts.hidden]
    for text in (place.text for name, place in found if BY_NAME[name].secret):
        password = re.search(r"//[^:@/]*:(.*)@", text)
        if password:
            words |= {password[1], unquote(password[1])}
        elif "://" not in text:
            words |= {text, *(item.strip() for item in text.split(","))}
    return words - _OWN_WORDS - set(BY_NAME)
