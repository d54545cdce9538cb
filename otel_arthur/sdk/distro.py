"""The distro: ``OTEL_PYTHON_DISTRO=arthur`` sets what a user of ours would have to set by hand.

Everything is a default that an explicit variable overrides. It never turns on the capture of
content into spans or events, for those reach every other backend too: the completion hook gives
Arthur the content alone.
"""

from __future__ import annotations

import logging
import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.instrumentation.distro import BaseDistro

_logger = logging.getLogger("otel_arthur")

NAME = "arthur"
DEFAULTS = {
    "OTEL_TRACES_EXPORTER": "arthur",
    "OTEL_LOGS_EXPORTER": "arthur",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK": "arthur",
}
"""Variable -> what it is when unset or empty."""


def load_distro() -> BaseDistro | None:
    """The entry point in the group ``opentelemetry_distro``: our distro where it is asked for by name.

    With ``OTEL_PYTHON_DISTRO`` unset the loader takes the first distro that it comes to and skips
    what is no distro: None, so that having us installed changes nothing.
    """
    if os.environ.get("OTEL_PYTHON_DISTRO") != NAME:
        return None
    from opentelemetry.instrumentation.distro import BaseDistro

    class ArthurDistro(BaseDistro):
        def _configure(self, **kwargs: Any) -> None:
            set_defaults()

    return ArthurDistro()


def set_defaults() -> None:
    """Set each variable of `DEFAULTS` that has no value."""
    for name, value in DEFAULTS.items():
        if not os.environ.get(name):
            os.environ[name] = value
    if not entry_points(group="opentelemetry_configurator"):
        _logger.warning(
            "otel-arthur: OTEL_PYTHON_DISTRO=arthur needs a package that sets the SDK up; "
            "pip install opentelemetry-distro"
        )
