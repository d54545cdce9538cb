"""Which inferences an application's own calls became: `inference_id` and `capture`."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from otel_arthur.arthur.target import intake
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.evidence import evidence_of
from otel_arthur.genai.duplicates.matching import duplicates
from otel_arthur.genai.reading import is_candidate, read
from otel_arthur.inference.identity import partner_inference_id
from otel_arthur.process.never_raises import never_raises
from otel_arthur.sdk import bridge as bridges
from otel_arthur.sdk.inside_the_sdk import attributes_of, view_of
from otel_arthur.sdk.watching import watch

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_logger = logging.getLogger("otel_arthur")


def inference_id(span: Span | None = None, choice: int = 0) -> str | None:
    """The ``partner_inference_id`` of the LLM call that `span` (default: the current span) records.

    None where the call will not be sent: there is no recording span, the span is not sampled, or
    ``OTEL_EXPORTER_ARTHUR_SAMPLE_RATIO`` leaves its trace out. Once a LangChain ``invoke`` has returned, its
    LLM span is current no more: use `capture` around it. Never raises: a bad argument is one line in the log
    and None.
    """
    if span is not None and not hasattr(span, "get_span_context"):
        return _refused("span", span, "give a span of opentelemetry, or none for the current one")
    if not isinstance(choice, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        return _refused("choice", choice, "give the index of the choice, beginning with 0")
    span = trace.get_current_span() if span is None else span
    context = span.get_span_context()
    # A span that has ended is no longer recording, but was: only a span of the SDK can be read.
    is_recorded = isinstance(span, ReadableSpan) or span.is_recording()
    if not (context.is_valid and is_recorded and context.trace_flags.sampled):
        return None
    trace_id = f"{context.trace_id:032x}"
    if not is_sampled(trace_id):
        return None
    return partner_inference_id(trace_id, f"{context.span_id:016x}", choice)


def _refused(argument: str, value: object, fix: str) -> None:
    _logger.warning(
        "otel-arthur: inference_id: argument %s is of type %s; %s", argument, type(value).__name__, fix
    )


class CapturedCalls:
    """The LLM calls that ended inside a `capture` block."""

    def __init__(self) -> None:
        self._calls: list[LLMCall] = []

    def _add(self, call: LLMCall) -> None:
        self._calls.append(call)

    @property
    def inference_ids(self) -> list[str | None]:
        """The ids in the order in which the calls began, one for each choice of each call that is kept.

        None stands for a call that will not be sent, as its trace is not sampled.
        """
        kept = self._kept()
        return [
            partner_inference_id(call.trace_id, call.span_id, choice) if is_sampled(call.trace_id) else None
            for call in kept
            for choice in range(max(len(call.choices), 1))
        ]

    def _kept(self) -> list[LLMCall]:
        """Where two instrumentations recorded one call, only the one that becomes an inference."""
        losers = duplicates([evidence_of(call) for call in self._calls])
        kept = [call for call in self._calls if (call.trace_id, call.span_id) not in losers]
        return sorted(kept, key=lambda call: (call.start_ns, call.span_id))

    def __repr__(self) -> str:
        return f"<otel_arthur.capture: inference ids {self.inference_ids}>"

    def __iter__(self) -> Iterator[str | None]:
        return iter(self.inference_ids)

    def __len__(self) -> int:
        return len(self.inference_ids)

    def __getitem__(self, index: int) -> str | None:
        """The id of a call; None where no such call was recorded, as with a tracer that samples nothing."""
        ids = self.inference_ids
        return ids[index] if -len(ids) <= index < len(ids) else None


def is_sampled(trace_id: str) -> bool:
    """Whether a call of this trace is sent by any exporter; without one of ours, another process decides."""
    ratios = [bridge.configuration.sample_ratio for bridge in bridges.live()]
    return not ratios or any(intake.is_sampled(trace_id, ratio) for ratio in ratios)


@contextmanager
def capture() -> Generator[CapturedCalls, None, None]:
    """Collect the ids of the LLM calls made inside, to send their ground truth later.

    ::

        with otel_arthur.capture() as calls:
            answer = llm.invoke("…")
        store(answer, calls[-1])

    Works across threads and tasks that inherit the context. Needs the SDK's tracer provider.
    """
    watch(_CaptureProcessor, "capture() sees no calls")
    calls = CapturedCalls()
    token = _captured.set((calls, *_captured.get()))
    try:
        yield calls
    finally:
        _captured.reset(token)


_captured: ContextVar[tuple[CapturedCalls, ...]] = ContextVar("otel_arthur_captured", default=())


class _CaptureProcessor(SpanProcessor):
    """Sees spans end on the application's thread, where the block that they belong to is known."""

    def on_end(self, span: ReadableSpan) -> None:
        captured = _captured.get()
        if not captured or span.context is None:
            return
        if not span.context.trace_flags.sampled:
            return
        with never_raises("a span could not be captured", logging.DEBUG):
            attributes = attributes_of(span)
            reading = read(view_of(span, attributes)) if is_candidate(attributes) else None
            if reading is not None and reading.call is not None:
                for calls in captured:
                    calls._add(reading.call)  # pyright: ignore[reportPrivateUsage]
