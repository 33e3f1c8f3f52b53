"""This will load the configuration: find every value, collect every problem, raise once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from todo_project.config import envfile, problems, sources
from todo_project.config.problems import BadValueError, ConfigurationError, Problem
from todo_project.config.schema import BY_NAME, VARIABLES
from todo_project.config.urls import BACKEND_DIR
from todo_project.config.values import parse
from todo_project.config.variable import DEPLOYED, ENVIRONMENTS, Derived, Variable

ENVS_DIR = BACKEND_DIR.parent / "envs"


class Config:
    """The loaded values, as attributes named like the variables; its repr shows no secret."""

    def __init__(self, values: Mapping[str, Any], origins: Mapping[str, str]) -> None:
        self._values = dict(values)
        self._origins = dict(origins)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError(f"there is no variable {name}; see todo_project/config/schema.py") from None

    def source(self, name: str) -> str:
        """This will say where a value came from."""
        return self._origins[name]

    def __repr__(self) -> str:
        return f"<Config {self._values.get('DJANGO_ENV')}>"


@dataclass(slots=True)
class Examination:
    """What was found out about a configuration."""

    env: str | None
    path: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    found: dict[str, sources.Found] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def load(
    env: str | None = None, *, env_file: str | Path | None = None, environ: Mapping[str, str] | None = None
) -> Config:
    """This will return the configuration of an environment, DJANGO_ENV's unless `env` names one.

    Raises ConfigurationError, whose text reports every problem at once.
    """
    seen = examine(env, env_file=env_file, environ=environ)
    if problems.errors(seen.problems):
        raise ConfigurationError(problems.report(seen.problems, env=seen.env, path=seen.path), seen.problems)
    return Config(seen.values, seen.origins)


def examine(
    env: str | None = None, *, env_file: str | Path | None = None, environ: Mapping[str, str] | None = None
) -> Examination:
    """This will find every value and every problem of a configuration, and raise nothing."""
    environ = os.environ if environ is None else environ
    file = envfile.read(Path(env_file)) if env_file else None
    chosen = env or environ.get("DJANGO_ENV") or _named_in(file)
    seen = Examination(env=chosen if chosen in ENVIRONMENTS else None)
    if seen.env is None:
        seen.problems.append(_no_environment(chosen))
        chosen = "prod"  # the strictest, so that the rest of the report misses nothing
    if file is None and (ENVS_DIR / f"{chosen}.env").is_file():
        file = envfile.read(ENVS_DIR / f"{chosen}.env")
    if file is not None:
        seen.path = str(file.path)
        seen.problems += file.problems
    seen.found, trouble = sources.collect(environ, file)
    seen.problems += trouble
    seen.found.pop("DJANGO_ENV", None)
    seen.values["DJANGO_ENV"] = chosen
    seen.origins["DJANGO_ENV"] = "chosen"
    broken = {problem.variable for problem in trouble}
    for variable in VARIABLES:
        if variable.name != "DJANGO_ENV":
            _settle(variable, str(chosen), seen, broken)
    return seen


def _named_in(file: envfile.EnvFile | None) -> str | None:
    names = [entry.text for entry in file.entries if entry.name == "DJANGO_ENV"] if file else []
    return names[-1] if names else None


def _no_environment(chosen: str | None) -> Problem:
    return Problem(
        code="missing" if not chosen else "invalid",
        variable="DJANGO_ENV",
        problem="is missing" if not chosen else f"is {chosen!r}, which is no environment",
        instead=f"write one of {', '.join(ENVIRONMENTS)}",
    )


def _settle(variable: Variable, env: str, seen: Examination, broken: set[str | None]) -> None:
    """Give one variable its value: what was found, or else its default."""
    found = seen.found.get(variable.name)
    if found is not None:
        seen.origins[variable.name] = found.source
        seen.values[variable.name] = _parsed(variable, found, seen)
        return
    default = variable.default_in(env)
    value: Any = default
    seen.origins[variable.name] = "default"
    if isinstance(default, Derived):
        seen.origins[variable.name] = f"default: {default.text}"
        value = default.compute(seen.values, env)
    seen.values[variable.name] = parse(variable, value) if isinstance(value, str) else value
    if value is None and not broken & {variable.name, f"{variable.name}_FILE"}:
        _missing(variable, env, seen)


def _parsed(variable: Variable, found: sources.Found, seen: Examination) -> Any:
    try:
        return parse(variable, found.text)
    except BadValueError as bad:
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


def _missing(variable: Variable, env: str, seen: Examination) -> None:
    name = variable.name
    if name == "DATABASE_URL" and env in DEPLOYED:
        instead = "set POSTGRES_PASSWORD, from which it is derived, or DATABASE_URL itself"
    elif env in variable.required_in:
        instead = BY_NAME[name].doc
    else:
        return
    seen.problems.append(Problem(code="missing", variable=name, problem=f"is missing in {env}", instead=instead))
