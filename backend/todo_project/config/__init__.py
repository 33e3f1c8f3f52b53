"""What can be set from outside; plain Python that needs no Django settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from todo_project.config.environments import DEPLOYED, ENVIRONMENTS
from todo_project.config.examination import examine
from todo_project.config.findings import ConfigurationError
from todo_project.config.schema import VARIABLES

__all__ = ["DEPLOYED", "ENVIRONMENTS", "VARIABLES", "Config", "ConfigurationError", "load"]


class Config(SimpleNamespace):
    """The values, as attributes named like the variables; its repr shows none of them."""

    def __repr__(self) -> str:
        return f"<Config of {self.DJANGO_ENV}>"


def load(
    env: str | None = None, *, env_file: str | Path | None = None, environ: Mapping[str, str] | None = None
) -> Config:
    """Return the configuration of an environment, DJANGO_ENV's unless `env` names one.

    A value comes from the process environment, else from the file that NAME_FILE names, else from
    envs/<env>.env (or `env_file`), else from its default. Raises ConfigurationError with the whole report.
    """
    seen = examine(env, env_file=env_file, environ=environ)
    if seen.errors:
        raise ConfigurationError(seen.report())
    return Config(**seen.values)
