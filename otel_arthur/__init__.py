"""OpenTelemetry bridge to the Arthur AI monitoring platform.

LLM spans in, Arthur inferences out: as a span exporter (``OTEL_TRACES_EXPORTER=arthur``), in
code (`instrument`), or as a stage of a Collector pipeline (``otel-arthur collector``).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from otel_arthur.printable import one_line

if TYPE_CHECKING:
    from otel_arthur.sdk.api.capture import capture, inference_id
    from otel_arthur.sdk.api.context import context
    from otel_arthur.sdk.api.feedback import record_feedback
    from otel_arthur.sdk.api.flush import force_flush
    from otel_arthur.sdk.api.ground_truth import record_ground_truth
    from otel_arthur.sdk.log_exporter import ArthurLogExporter
    from otel_arthur.sdk.setup.instrument import instrument
    from otel_arthur.sdk.span_exporter import ArthurSpanExporter

# The one place that each of our log lines passes: what came from outside forges no second line.
logging.getLogger(__name__).addFilter(one_line)

__version__ = "0.1.0"

__all__ = [
    "ArthurLogExporter",
    "ArthurSpanExporter",
    "capture",
    "context",
    "force_flush",
    "inference_id",
    "instrument",
    "record_feedback",
    "record_ground_truth",
]

_HOMES = {
    "ArthurLogExporter": "otel_arthur.sdk.log_exporter",
    "ArthurSpanExporter": "otel_arthur.sdk.span_exporter",
    "capture": "otel_arthur.sdk.api.capture",
    "context": "otel_arthur.sdk.api.context",
    "force_flush": "otel_arthur.sdk.api.flush",
    "inference_id": "otel_arthur.sdk.api.capture",
    "instrument": "otel_arthur.sdk.setup.instrument",
    "record_feedback": "otel_arthur.sdk.api.feedback",
    "record_ground_truth": "otel_arthur.sdk.api.ground_truth",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: importing the package costs nothing but this file."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
