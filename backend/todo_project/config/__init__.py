"""What can be set from outside; plain Python that needs no Django settings."""

from __future__ import annotations

from todo_project.config.environments import DEPLOYED, ENVIRONMENTS
from todo_project.config.loading import Config, load
from todo_project.config.problems import ConfigurationError
from todo_project.config.schema import VARIABLES

__all__ = ["DEPLOYED", "ENVIRONMENTS", "VARIABLES", "Config", "ConfigurationError", "load"]
