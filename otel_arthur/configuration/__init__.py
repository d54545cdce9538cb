"""The settings: one table, `Configuration`, and what arguments, variables and YAML make of it."""

from __future__ import annotations

from otel_arthur.configuration.configuration import (
    DEFAULT_ENDPOINT,
    PROTECTED,
    SETTINGS,
    Configuration,
    default_spool_dir,
)
from otel_arthur.configuration.engine import EngineConfiguration
from otel_arthur.configuration.kinds import Route
from otel_arthur.configuration.resolution import Problem, resolve

__all__ = [
    "DEFAULT_ENDPOINT",
    "PROTECTED",
    "SETTINGS",
    "Configuration",
    "EngineConfiguration",
    "Problem",
    "Route",
    "default_spool_dir",
    "resolve",
]
