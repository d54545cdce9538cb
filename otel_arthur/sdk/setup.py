"""`instrument`: the in-code way, for applications that do not run under ``opentelemetry-instrument``."""

from __future__ import annotations

import logging
from importlib.metadata import entry_points
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_arthur.sdk.span_exporter import ArthurSpanExporter

_logger = logging.getLogger("otel_arthur")


def instrument(*, instrumentations: tuple[str, ...] = ("langchain",), **settings: Any) -> TracerProvider:
    """Record the application's LLM calls in Arthur, in one line.

    Adds an `ArthurSpanExporter` to the tracer provider in force (making one if there is none)
    and switches the named instrumentations on.

    Args:
        instrumentations: names in the entry-point group ``opentelemetry_instrumentor``; those that
            are not installed are said in the log.
        **settings: arguments of `ArthurSpanExporter`.

    Returns:
        The tracer provider; its ``shutdown`` runs by itself when the process ends.
    """
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    provider.add_span_processor(BatchSpanProcessor(ArthurSpanExporter(**settings)))
    for name in instrumentations:
        found = entry_points(group="opentelemetry_instrumentor", name=name)
        if not found:
            _logger.warning(
                "otel-arthur: no instrumentation called %s is installed; "
                "pip install 'otel-arthur[langchain]'",
                name,
            )
        for entry in found:
            instrumentor = entry.load()()
            if not instrumentor.is_instrumented_by_opentelemetry:
                instrumentor.instrument(tracer_provider=provider)
    return provider
