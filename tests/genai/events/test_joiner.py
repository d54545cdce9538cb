"""Spans and the content that comes beside them, joined in any order and within bounds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from otel_arthur.genai.events.joiner import NO_ROOM, NO_SPAN, NO_SPAN_ID, Joiner
from otel_arthur.genai.events.log_events import Content, LogEvent, joined, lacks_content, log_events
from otel_arthur.genai.otlp.views import span_views
from otel_arthur.genai.reading import read
from otel_arthur.genai.span import EventView, SpanView
from tests.support.paths import CAPTURES
from tests.support.spans.exports import join_all, log_exports, trace_exports

EVENT_ONLY = CAPTURES / "genai-langchain-1.3b0" / "event_only"


def views_of(file: Path) -> list[SpanView]:
    return [view for request in trace_exports(file.read_bytes()) for view in span_views(request)]


def events_of(file: Path) -> list[LogEvent]:
    return [event for request in log_exports(file.read_bytes()) for event in log_events(request)]


def span(number: int) -> SpanView:
    return SpanView(
        f"{number:032x}", f"{number:016x}", None, "chat", "scope", "", 1, 2, 0, "",
        {"gen_ai.operation.name": "chat"}, [], {}, 0,
    )  # fmt: skip


def event(number: int, words: str = "hi") -> LogEvent:
    return LogEvent((f"{number:032x}", f"{number:016x}"), Content({"gen_ai.input.messages": words}))


def words_of(view: SpanView) -> object:
    return view.attributes.get("gen_ai.input.messages")


@given(st.permutations([("span", 1), ("event", 1), ("span", 2), ("event", 2), ("span", 3), ("event", 3)]))
def test_any_order_joins_each_span_with_its_own_event(steps: list[tuple[str, int]]) -> None:
    joiner, out = Joiner(), []
    for kind, number in steps:
        if kind == "event":
            out += [held.view for held in joiner.add([event(number, f"words {number}")], 0.0)]
        else:
            view = joiner.with_content(span(number))
            if words_of(view) is None:
                assert joiner.hold(view, 0.0) == []
            else:
                out.append(view)
    assert {view.span_id: words_of(view) for view in out} == {
        f"{number:016x}": f"words {number}" for number in (1, 2, 3)
    }
    assert not joiner.holds_spans
    joiner.release_contents()
    assert not joiner.unjoined


def test_what_waits_too_long_is_given_up_with_a_reason() -> None:
    joiner = Joiner(span_wait=15, content_wait=60)
    joiner.hold(span(1), 0.0)
    joiner.hold(span(2), 10.0)
    joiner.add([event(3)], 0.0)
    assert joiner.expire(14.9) == []
    assert [view.span_id for view in joiner.expire(15.0)] == [span(1).span_id]
    assert not joiner.unjoined
    assert [view.span_id for view in joiner.expire(60.0)] == [span(2).span_id]
    assert joiner.unjoined == {NO_SPAN: 1}
    assert words_of(joiner.with_content(span(3))) is None


def test_too_many_spans_give_up_the_oldest() -> None:
    joiner = Joiner(max_spans=2)
    assert joiner.hold(span(1), 0.0) == joiner.hold(span(2), 0.0) == []
    assert [view.span_id for view in joiner.hold(span(3), 0.0)] == [span(1).span_id]
    assert len(joiner.release_spans()) == 2


@pytest.mark.parametrize(
    "limits", [{"max_contents": 3}, {"max_content_bytes": 35_000}], ids=["count", "bytes"]
)
def test_memory_for_content_is_bounded(limits: dict[str, int]) -> None:
    joiner = Joiner(**limits)
    for number in range(1, 11):
        joiner.add([event(number, "x" * 10_000)], 0.0)
    assert joiner.unjoined == {NO_ROOM: 7}
    assert [words_of(joiner.with_content(span(n))) is not None for n in range(1, 11)] == [False] * 7 + [
        True
    ] * 3
    joiner.add([event(20, "x" * 10_000)], 0.0)
    assert joiner.unjoined == {NO_ROOM: 7}, "what was joined gives its room back"


def test_an_event_that_repeats_a_complete_span_is_no_orphan() -> None:
    joiner = Joiner()
    joiner.complete(span(1), 0.0)
    assert joiner.add([event(1)], 1.0) == []
    joiner.release_contents()
    assert not joiner.unjoined


def test_an_event_without_a_span_id_is_counted() -> None:
    joiner = Joiner()
    for found in events_of(CAPTURES / "oll-langchain-0.62.4" / "events" / "a_invoke.logs.pb"):
        joiner.add([found], 0.0)
    assert joiner.unjoined == {NO_SPAN_ID: 3}


def test_messages_in_several_events_come_in_order_of_time() -> None:
    def message(time: int, name: str) -> LogEvent:
        return LogEvent((span(1).trace_id, span(1).span_id), Content({}, (EventView(name, time, {}, {}),)))

    joiner = Joiner()
    joiner.hold(span(1), 0.0)
    (held,) = joiner.add([message(2, "gen_ai.choice"), message(1, "gen_ai.user.message")], 0.0)
    assert [e.name for e in held.view.events] == ["gen_ai.user.message", "gen_ai.choice"]


def test_what_the_span_has_itself_is_kept() -> None:
    own = replace(span(1), attributes={"gen_ai.operation.name": "chat", "gen_ai.input.messages": "own"})
    assert words_of(joined(own, event(1, "other").content)) == "own"


@pytest.mark.parametrize(
    "name", sorted(file.name[: -len(".logs.pb")] for file in EVENT_ONLY.glob("*.logs.pb"))
)
def test_a_real_call_with_content_in_events_reads_as_one_with_content_on_the_span(name: str) -> None:
    """The same scenario recorded in both modes: ids and times differ, what was said must not."""
    separate = views_of(EVENT_ONLY / f"{name}.pb")
    views, unjoined = join_all(separate, events_of(EVENT_ONLY / f"{name}.logs.pb"))
    on_span = views_of(EVENT_ONLY.parent / "span_only" / f"{name}.pb")

    assert unjoined == 0
    assert said(views) == said(on_span) != []
    without = [read(view) for view in separate]
    assert all(lacks_content(r) for r in without if r.call is not None)
    assert not any(lacks_content(read(view)) for view in views)


def said(views: list[SpanView]) -> list[tuple[str, str]]:
    calls = [reading.call for view in views if (reading := read(view)).call is not None]
    return sorted((repr(call.messages), repr(call.choices)) for call in calls if call is not None)
