"""Which open span an instrumentation made of a LangChain run: each keeps them by run id in its handler.

What we know of the insides of these handlers stands here alone; where it is gone, no span is found and the
call is recorded without its likelihoods.
"""

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
    """Read from opentelemetry-instrumentation-langchain 0.55.0 and 0.62.4: ``handler.spans[run_id].span``."""
    spans = getattr(handler, "spans", None)
    return getattr(spans.get(run_id), "span", None) if isinstance(spans, dict) else None  # type: ignore[reportUnknownMemberType]


def _of_openinference(handler: Any, run_id: UUID) -> Any:
    """Read from openinference-instrumentation-langchain 0.1.80: ``handler.get_span(run_id)``."""
    get_span = getattr(handler, "get_span", None)
    return get_span(run_id) if callable(get_span) else None


def _of_opentelemetry(handler: Any, run_id: UUID) -> Any:
    """Read from opentelemetry-instrumentation-genai-langchain 1.3b0: ``handler._invocation_manager``."""
    invocations = getattr(handler, "_invocation_manager", None)
    get_invocation = getattr(invocations, "get_invocation", None)
    return getattr(get_invocation(run_id), "span", None) if callable(get_invocation) else None


_WAYS: tuple[Callable[[Any, UUID], Any], ...] = (_of_openllmetry, _of_openinference, _of_opentelemetry)
