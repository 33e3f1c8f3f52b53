"""This will read what the outside world may set; plain Python that knows no Django settings."""

from __future__ import annotations

from todo_project.config.loader import Config, load
from todo_project.config.problems import ConfigurationError
from todo_project.config.schema import VARIABLES

__all__ = ["VARIABLES", "Config", "ConfigurationError", "load"]
