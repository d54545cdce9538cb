"""Which open span an instrumentation made of a LangChain run: each keeps them by run id in its handler."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from opentelemetry.trace import Span


def spans_of(handlers: Iterable[Any], run_id: UUID) -> list[Span]:
    """The open spans of a run, one for each instrumentation among `handlers`."""
    return [
        span
        for handler in handlers
        for span_of in _WAYS
        if isinstance(span := span_of(handler, run_id), Span) and span.is_recording()
    ]


def _of_openllmetry(handler: Any, run_id: UUID) -> Any:
    spans = getattr(handler, "spans", None)
    return getattr(spans.get(run_id), "span", None) if isinstance(spans, dict) else None  # type: ignore[reportUnknownMemberType]


def _of_openinference(handler: Any, run_id: UUID) -> Any:
    get_span = getattr(handler, "get_span", None)
    return get_span(run_id) if callable(get_span) else None


def _of_opentelemetry(handler: Any, run_id: UUID) -> Any:
    invocations = getattr(handler, "_invocation_manager", None)
    get_invocation = getattr(invocations, "get_invocation", None)
    return getattr(get_invocation(run_id), "span", None) if callable(get_invocation) else None


_WAYS: tuple[Callable[[Any, UUID], Any], ...] = (_of_openllmetry, _of_openinference, _of_opentelemetry)
