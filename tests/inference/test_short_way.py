"""`ShortWays`: the rows of calls that are copies, and what a builder keeps between them."""

from __future__ import annotations

import json
import tracemalloc

import orjson
import pytest
from msgspec.structs import replace

from otel_arthur.genai.planned import Planned
from otel_arthur.genai.reading import look
from otel_arthur.genai.span import SpanView
from otel_arthur.inference import short_way
from otel_arthur.inference.build import Builder
from otel_arthur.inference.privacy import TextRules
from otel_arthur.inference.short_way import ShortWays
from tests.genai.writers import WRITERS

LONG = 5_000_000
"""Characters."""


def planned(view: SpanView) -> Planned:
    for _ in range(5):  # the first few spans of a kind have no plan
        found = look(view)
    assert isinstance(found, Planned)  # pyright: ignore[reportPossiblyUnboundVariable]
    return found


def ways() -> ShortWays:
    found = Builder(None, TextRules()).short_ways
    assert found is not None
    return found


def test_a_large_row_leaves_no_memory_behind() -> None:
    writer, short_ways = WRITERS[0], ways()
    long, short = writer.span("x" * LONG, "Red."), writer.span("Which?", "Red.")
    assert short_ways.take(planned(short)) is not None
    found = planned(long)
    tracemalloc.start()
    taken = short_ways.take(found)
    assert taken is not None
    assert len(taken[1]) > LONG
    del taken
    remains, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak > LONG
    assert remains < 100_000


def test_calls_of_two_services_in_turn_keep_their_names() -> None:
    view, short_ways = WRITERS[0].span("Which?", "Red."), ways()
    services = [planned(replace(view, resource={"service.name": name})) for name in ("one", "two")]
    for _ in range(3):
        for found in services:
            taken = short_ways.take(found)
            assert taken is not None
            data = orjson.loads(taken[1])["inference_data"]
            assert data["service_name"] == found.view.resource["service.name"]


@pytest.mark.parametrize(
    ("roles", "text"),
    [(["user", "user"], "Red?\nRed?"), (["system", "user"], "System: Red?\nHuman: Red?")],
    ids=["prompt alone", "with a system prompt"],
)
def test_a_prompt_to_a_completion_model(roles: list[str], text: str) -> None:
    """The prompt alone is the input, where nobody but the user speaks; else the transcript."""
    view = WRITERS[0].span("Which?", "Red.")
    asked = [{"role": role, "parts": [{"type": "text", "content": "Red?"}]} for role in roles]
    written = {"gen_ai.operation.name": "text_completion", "gen_ai.input.messages": json.dumps(asked)}
    taken = ways().take(planned(replace(view, attributes={**view.attributes, **written})))
    assert taken is not None
    assert orjson.loads(taken[1])["inference_data"]["input_text"] == text


def test_a_way_that_cannot_be_learnt_is_not_taken_for_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    short_ways, view = ways(), WRITERS[0].span("Which?", "Red.")
    one = planned(view)
    other = planned(replace(view, attributes={**view.attributes, "gen_ai.request.top_p": 0.5}))
    assert one.layout.plan is not other.layout.plan
    assert short_ways.take(one) is not None

    def fail(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr(short_way, "_lesson", fail)
    first, *others = short_ways.taken([one, other, other, one])
    assert first is not None
    assert [taken is None for taken in others] == [True, True, False]
