"""The distro: ``OTEL_PYTHON_DISTRO=arthur`` sets what a user of ours would have to set by hand.

Everything is a default that an explicit variable overrides. It never turns on the capture of
content into spans or events, for those reach every other backend too: the completion hook gives
Arthur the content alone. It also has SIGTERM export what the batch processor holds, where nobody
else handles the signal: under uvicorn, and in plain scripts.
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
            _end_in_order()

    return ArthurDistro()


def _end_in_order() -> None:
    """A process ended by SIGTERM exports what the batch processor has, where nobody handles the signal."""
    if NAME in os.environ["OTEL_TRACES_EXPORTER"].split(","):
        from otel_arthur.delivery.life_cycle import flush_on_sigterm

        flush_on_sigterm()


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
