"""`Assembly`: what becomes of a span, with and without content beside it; no clock, no lock, no thread."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from otel_arthur.genai.events.assembly import Assembly
from otel_arthur.genai.events.joiner import Joiner
from otel_arthur.genai.events.log_events import Content, LogEvent
from otel_arthur.genai.span import SpanView

MESSAGES = {
    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "question"}]}],
    "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "answer"}]}],
}
VIEW = SpanView(
    trace_id="0" * 31 + "1",
    span_id="0" * 15 + "1",
    parent_span_id=None,
    name="chat m",
    scope="opentelemetry.instrumentation.openai_v2",
    scope_version="2",
    start_ns=1,
    end_ns=2,
    status_code=0,
    status_message="",
    attributes={
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.provider.name": "openai",
    },
    events=(),
    resource={},
    dropped_attributes=0,
)


class Caller:
    def __init__(self, *, waits: bool = True, wants_content: bool = True, **limits: Any) -> None:
        self.counts: Counter[str] = Counter()
        self.lines: list[str] = []
        self.assembly = Assembly(
            {},
            wants_content=wants_content,
            may_wait=lambda _r: waits,
            skipped=self.skip,
            joiner=Joiner(**limits),
        )

    def skip(self, reason: str, count: int, line: str) -> None:
        self.counts[reason] += count
        self.lines += [line] if line else []


def event(view: SpanView) -> LogEvent:
    return LogEvent((view.trace_id, view.span_id), Content(MESSAGES))


def test_a_span_waits_for_its_content_and_becomes_a_call() -> None:
    caller = Caller()
    (first,) = caller.assembly.take(VIEW, 0.0)
    assert (first.waits, first.call, first.skipped) == (True, None, False)
    (second,) = caller.assembly.add([event(VIEW)], 1.0)
    assert second.call is not None
    assert not caller.assembly.holds_spans


def test_content_that_came_first_completes_the_span() -> None:
    caller = Caller()
    assert caller.assembly.add([event(VIEW)], 0.0) == []
    (only,) = caller.assembly.take(VIEW, 1.0)
    assert only.call is not None
    assert caller.counts == {}


def test_what_waited_too_long_is_skipped_and_said_once() -> None:
    caller = Caller(span_wait=15)
    for number in range(1, 4):
        caller.assembly.take(replace(VIEW, span_id=f"{number:016x}"), 0.0)
    expired = list(caller.assembly.expire(16.0))
    assert [one.skipped for one in expired] == [True] * 3
    assert caller.counts == {"no content": 3}
    assert len(caller.lines) == 1


def test_the_oldest_makes_room() -> None:
    caller = Caller(max_spans=1)
    caller.assembly.take(VIEW, 0.0)
    own, other = caller.assembly.take(replace(VIEW, span_id="f" * 16), 1.0)
    assert own.waits
    assert (other.view.span_id, other.skipped) == (VIEW.span_id, True)


def test_large_spans_make_room_and_each_is_decided_once() -> None:
    caller = Caller(max_span_bytes=40_000)
    out: list[str] = []
    for number in range(1, 11):
        view = replace(VIEW, span_id=f"{number:016x}", attributes={**VIEW.attributes, "note": "x" * 10_000})
        own, *others = caller.assembly.take(view, 0.0)
        assert own.waits
        out += [one.view.span_id for one in others if one.skipped]
    assert caller.counts == {"no content": 7}
    out += [one.view.span_id for one in caller.assembly.release_spans()]
    assert out == [f"{number:016x}" for number in range(1, 11)]
    assert caller.counts == {"no content": 10}


@pytest.mark.parametrize("waits", [True, False])
def test_where_content_is_not_wanted_nothing_waits(waits: bool) -> None:
    caller = Caller(waits=waits, wants_content=False)
    (only,) = caller.assembly.take(VIEW, 0.0)
    assert only.call is not None


def test_a_span_of_an_unforeseen_shape_is_counted() -> None:
    caller = Caller()
    (only,) = caller.assembly.take(replace(VIEW, attributes=None), 0.0)
    assert only.skipped
    assert caller.counts == {"unreadable": 1}


def test_content_without_its_span_is_counted_once() -> None:
    caller = Caller()
    caller.assembly.add([event(VIEW)], 0.0)
    caller.assembly.release_contents()
    caller.assembly.report_unjoined()
    caller.assembly.report_unjoined()
    assert caller.counts == {"event without its span": 1}
