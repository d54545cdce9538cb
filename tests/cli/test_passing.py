"""Large files: a span is shown once nothing within the window can change it, not when all has been read."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from typing import Any

import pytest
from msgspec.structs import replace

from otel_arthur.genai.duplicates.verdicts import InOrder, judge
from otel_arthur.genai.events.log_events import Contents
from otel_arthur.genai.span import EventView, SpanView

SECOND = 10**9


def call(number: int, scope: str, start: float, seconds: float = 0.5) -> SpanView:
    message: dict[str, Any] = {"parts": [{"type": "text", "content": f"words {number}"}]}
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.input.messages": json.dumps([{"role": "user", **message}]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", **message}]),
    }
    return SpanView(
        f"{number + 1:032x}",
        f"{number + 1:08x}{len(scope):08x}",
        None,
        "chat m",
        scope,
        "",
        round((1_000 + start) * SECOND),
        round((1_000 + start + seconds) * SECOND),
        0,
        "",
        attributes,
        (),
        {"service.name": "app"},
        0,
    )


def pairs(count: int) -> list[SpanView]:
    """Calls that a provider's and a framework's instrumentation both wrote, in the order of their ends."""
    both = [
        view
        for number in range(count)
        for view in (call(number, "provider", number, 0.5), call(number, "framework", number - 0.1, 0.7))
    ]
    return sorted(both, key=lambda view: view.end_ns)


def in_order(views: list[SpanView]) -> InOrder:
    return InOrder(views, None, False, 10 * SECOND, Contents())


def told(verdicts: Any) -> list[Any]:
    return [(one.view.span_id, one.decision, one.duplicate_of) for one in verdicts]


def test_verdicts_in_passing_are_those_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InOrder, "AT_ONCE", 40)
    views = pairs(300)
    verdicts = in_order(views)
    assert told(verdicts) == told(judge(views))
    assert verdicts.late == 0
    random.Random(3).shuffle(views)
    verdicts = in_order(views)
    assert len(told(verdicts)) == 600
    assert verdicts.late


def test_no_more_is_held_than_the_window_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InOrder, "AT_ONCE", 40)
    read, most = 0, 0

    def views() -> Any:
        nonlocal read
        for view in pairs(1_000):
            read += 1
            yield view

    for given, _ in enumerate(in_order(views()), 1):  # pyright: ignore[reportArgumentType]
        most = max(most, read - given)
    assert most <= 3 * 40 + 2 * 20


def test_words_in_events_of_spans_take_room_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InOrder, "AT_ONCE", 40)
    monkeypatch.setattr(InOrder, "MAX_BYTES", 1_000_000)
    said = [EventView("gen_ai.user.message", 1, {"content": "x" * 10_000})]
    views = [replace(call(number, "provider", number / 100), events=said) for number in range(400)]
    verdicts = in_order(views)
    assert len(told(verdicts)) == 400
    assert verdicts.early


def test_the_first_span_is_out_before_the_file_ends() -> None:
    def line(number: int) -> bytes:
        ids = {"traceId": f"{number + 1:032x}", "spanId": f"{number + 1:016x}"}
        start = 1_000_000 + number
        times = {"startTimeUnixNano": f"{start}{'0' * 9}", "endTimeUnixNano": f"{start}{'5' + '0' * 8}"}
        span = {**ids, **times, "name": "GET /"}
        return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode() + b"\n"

    process = subprocess.Popen(
        [sys.executable, "-m", "otel_arthur", "inspect", "-", "--format", "json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    stdin, seen = process.stdin, threading.Event()

    def write() -> None:
        for number in range(3_000):
            stdin.write(line(number))
        stdin.flush()
        seen.wait()
        stdin.close()

    writer = threading.Thread(target=write)
    writer.start()
    first = json.loads(process.stdout.readline())
    seen.set()
    rest = process.stdout.readlines()
    writer.join()
    process.stdout.close()
    assert process.wait() == 0
    assert (first["span_id"], len(rest)) == (f"{1:016x}", 2_999)
