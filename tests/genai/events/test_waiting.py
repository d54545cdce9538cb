"""What waits is bounded by what it holds on to, whatever it is made of, and gives its room back."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from msgspec.structs import replace

from otel_arthur.genai.events.joiner import NO_ROOM, Joiner
from otel_arthur.genai.events.log_events import Content, Contents, LogEvent
from otel_arthur.genai.events.waiting import size_of
from otel_arthur.genai.span import EventView, Kin, SpanKey, SpanView
from tests.genai.events.test_joiner import event, span

LARGE = 10_000


def nested(value: Any) -> Any:
    for _ in range(40):
        value = [value]
    return value


def message(number: int, attributes: Mapping[str, Any], body: Any = None) -> LogEvent:
    """An older event, of one message."""
    key = (f"{number:032x}", f"{number:016x}")
    return LogEvent(key, Content({}, (EventView("gen_ai.user.message", number, attributes, body),)))


def large(number: int, **changed: Any) -> SpanView:
    return replace(span(number), **(changed or {"attributes": {"note": "x" * LARGE}}))


CARRIERS: dict[str, Callable[[str], Any]] = {
    "text": lambda text: text,
    "bytes": lambda text: text.encode(),
    "value": lambda text: {"key": text},
    "key": lambda text: {text: 1},
    "mapping": lambda text: MappingProxyType({"key": text}),
    "depth": nested,
    "attribute of an event": lambda text: message(1, {"content": text}),
    "body of an event": lambda text: message(1, {}, {"content": text}),
    "name of a span": lambda text: large(1, name=text),
    "event on a span": lambda text: large(1, events=[EventView("e", 1, {"content": text})]),
    "resource of a span": lambda text: large(1, resource={"process": text}),
    "kin of a span": lambda text: large(1, kin=Kin(below=(text,))),
}


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
def test_a_text_has_its_size_wherever_it_is(carrier: Callable[[str], Any]) -> None:
    assert LARGE < size_of(carrier("x" * LARGE)) < LARGE + 10_000
    assert size_of(carrier("")) < 3_000


def test_one_wide_character_widens_a_text() -> None:
    assert size_of("x" * LARGE + "😀") > 4 * LARGE


def test_what_holds_itself_has_a_size() -> None:
    own: list[Any] = ["x" * LARGE]
    own += [own, own]
    assert LARGE < size_of(own) < 2 * LARGE


def test_the_size_is_what_python_takes() -> None:
    tracemalloc.start()
    try:
        kept = [large(number, attributes={f"key {number} {n}": f"{n}" * 50 for n in range(40)})
                for number in range(100)]  # fmt: skip
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.7 < size_of(kept) / taken < 1.5


@pytest.mark.parametrize(
    "carried", [lambda text: ({"content": text}, None), lambda text: ({}, {"content": text})]
)
def test_messages_that_wait_are_bounded_by_bytes(carried: Callable[[str], Any]) -> None:
    joiner = Joiner(max_content_bytes=35_000)
    for number in range(1, 11):
        joiner.add([message(number, *carried("x" * LARGE))], 0.0)
    assert joiner.unjoined == {NO_ROOM: 7}
    assert [len(joiner.with_content(span(number)).events) for number in (7, 8, 9, 10)] == [0, 1, 1, 1]


def test_a_further_message_of_one_call_counts_as_well() -> None:
    joiner = Joiner(max_content_bytes=35_000)
    for _ in range(4):
        joiner.add([message(1, {}, "x" * LARGE)], 0.0)
    assert joiner.unjoined == {NO_ROOM: 4}


def test_spans_that_wait_are_bounded_by_bytes() -> None:
    joiner = Joiner(max_span_bytes=35_000)
    given_up = [view.span_id for number in range(1, 11) for view in joiner.hold(large(number), 0.0)]
    assert given_up == [span(number).span_id for number in range(1, 8)], "the oldest go first"
    assert [view.span_id for view in joiner.release_spans()] == [span(n).span_id for n in (8, 9, 10)]


def test_a_span_that_is_larger_than_all_room_is_decided_at_once() -> None:
    joiner = Joiner(max_span_bytes=LARGE)
    assert joiner.hold(large(1), 0.0) == [large(1)]
    assert not joiner.holds_spans
    assert joiner.hold(span(2), 0.0) == []


def key_of(number: int) -> SpanKey:
    return span(number).trace_id, span(number).span_id


LEAVES: dict[str, Callable[[Joiner], object]] = {
    "its content came": lambda joiner: joiner.add([event(number) for number in (1, 2, 3)], 1.0),
    "released": lambda joiner: [joiner.release(key_of(number), 1.0) for number in (1, 2, 3)],
    "expired": lambda joiner: joiner.expire(15.0),
    "all released": lambda joiner: joiner.release_spans(),
    "sent again": lambda joiner: [joiner.hold(span(number), 1.0) for number in (1, 2, 3)],
}


@pytest.mark.parametrize("leave", LEAVES.values(), ids=LEAVES)
def test_a_span_that_waits_no_more_gives_its_room_back(leave: Callable[[Joiner], object]) -> None:
    joiner = Joiner(max_span_bytes=45_000)
    for number in (1, 2, 3):
        assert joiner.hold(large(number), 0.0) == []
    leave(joiner)
    for number in (4, 5, 6):
        assert joiner.hold(large(number), 15.0) == []


def test_an_event_that_comes_again_takes_no_more_room() -> None:
    joiner = Joiner(max_content_bytes=15_000)
    joiner.add([event(1, "x" * LARGE)] * 10, 0.0)
    assert not joiner.unjoined


def test_an_event_that_comes_again_in_a_file_takes_no_more_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Contents, "MAX_BYTES", 15_000)
    contents = Contents()
    contents.add([event(1, "x" * LARGE)] * 10)
    contents.done(span(1))
    contents.add([event(2, "x" * LARGE)] * 10)
    assert (contents.given_up, contents.unjoined) == (0, 1)


def test_messages_in_a_file_are_bounded_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Contents, "MAX_BYTES", 35_000)
    contents = Contents()
    contents.add([message(number, {}, {"content": "x" * LARGE}) for number in range(1, 11)])
    assert (contents.given_up, contents.unjoined) == (7, 3)
