"""Span processors of ours, each added once to the tracer provider in force."""

from __future__ import annotations

import logging
import threading
from weakref import WeakKeyDictionary

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

_logger = logging.getLogger("otel_arthur")
_lock = threading.Lock()
_watched: WeakKeyDictionary[TracerProvider, set[type[SpanProcessor]]] = WeakKeyDictionary()


def watch(processor: type[SpanProcessor], lost: str) -> None:
    """Have a `processor` see the spans of the application.

    Args:
        lost: what does not work where no SDK is set up, for the line that says so.
    """
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        _logger.warning("otel-arthur: %s: no SDK tracer provider is set up", lost)
        return
    with _lock:
        present = _watched.setdefault(provider, set())
        if processor not in present:
            present.add(processor)
            provider.add_span_processor(processor())
