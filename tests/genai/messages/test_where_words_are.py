"""Each half of a conversation is looked for in its dialect's own places, then in everybody's, in order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest

from otel_arthur.genai.dialects import DIALECTS
from otel_arthur.genai.span import EventView
from tests.genai.spans import ANSWER, QUESTION, call_in, halves, span
from tests.genai.writers import WRITERS
from tests.genai.written import Writer

ASKED, SAID = {"role": "user", "content": "Is it late?"}, {"role": "assistant", "content": "Half past."}
WORDS = (["Is it late?"], ["Half past."])


class Place(NamedTuple):
    """One place that anybody uses, for both halves."""

    name: str
    question: Mapping[str, Any] = {}
    answer: Mapping[str, Any] = {}
    events: Sequence[EventView] = ()


PLACES = (
    Place("conventions", QUESTION, ANSWER),
    Place(
        "events",
        events=(
            EventView("gen_ai.user.message", 1, {"content": "Is it late?"}),
            EventView("gen_ai.choice", 2, {"message": "Half past.", "finish_reason": "stop"}),
        ),
    ),
    Place(
        "indexed",
        {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Is it late?"},
        {"gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "Half past."},
    ),
    Place(
        "prompt and completion",
        {"gen_ai.prompt": json.dumps([ASKED])},
        {"gen_ai.completion": json.dumps([SAID])},
    ),
    Place(
        "values",
        {"input.value": json.dumps({"messages": [ASKED]})},
        {"output.value": json.dumps({"choices": [{"message": SAID, "finish_reason": "stop"}]})},
    ),
    Place(
        "Sentry's",
        {"gen_ai.request.messages": json.dumps([ASKED])},
        {"gen_ai.response.text": json.dumps(["Half past."])},
    ),
)
FRAME: Mapping[str, Mapping[str, Any]] = {
    "openinference": {"openinference.span.kind": "LLM"},
    "langfuse": {"langfuse.observation.type": "generation"},
    "langsmith": {"langsmith.span.kind": "LLM"},
    "langwatch": {"langwatch.span.type": "llm"},
    "laminar": {"lmnr.span.type": "LLM"},
    "langtrace": {"langtrace.sdk.name": "x"},
    "mlflow": {"mlflow.spanType": '"CHAT_MODEL"'},
    "mastra": {"mastra.span.type": "model_inference"},
    "vercel-ai": {"ai.operationId": "ai.generateText.doGenerate"},
    "genkit": {"genkit:type": "action", "genkit:metadata:subtype": "model"},
    "haystack": {"haystack.component.type": "OpenAIGenerator"},
    "braintrust": {"braintrust.span_attributes": '{"type":"llm"}'},
    "traceai": {"gen_ai.span.kind": "LLM"},
    "monocle": {"span.type": "inference", "entity.1.type": "inference.openai"},
    "openllmetry-legacy": {"llm.request.type": "chat"},
}
"""What makes a span one of a dialect, where its scope alone does not; without any word."""
NOT_BY_WORDS = {"llama-index-events"}
"""A span of these is a call only by its own words."""
SCOPE = {writer.dialect: writer.scope for writer in WRITERS}


@pytest.mark.parametrize("place", PLACES, ids=[place.name for place in PLACES])
@pytest.mark.parametrize("dialect", sorted({one.name for one in DIALECTS} - NOT_BY_WORDS))
def test_every_dialect_looks_everywhere(dialect: str, place: Place) -> None:
    frame = FRAME.get(dialect, {"gen_ai.operation.name": "chat"})
    model = {"gen_ai.request.model": "wren-1", "gen_ai.response.id": "r-1"}
    view = span({**frame, **model, **place.question, **place.answer}, *place.events, scope=SCOPE[dialect])
    assert halves(view) == WORDS


@pytest.mark.parametrize("other", PLACES, ids=[place.name for place in PLACES])
@pytest.mark.parametrize("place", [place for place in PLACES if place.question])
def test_each_half_is_looked_for_by_itself(place: Place, other: Place) -> None:
    model = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "wren-1"}
    assert halves(span({**model, **place.question, **other.answer}, *other.events)) == WORDS


@pytest.mark.parametrize("writer", WRITERS, ids=[f"{w.dialect}-{w.write.__name__}" for w in WRITERS])
def test_a_dialects_own_place_comes_first(writer: Writer) -> None:
    written = writer.span("My own?", "My own.")
    others = {"gen_ai.prompt.0.content": "Another's?", "gen_ai.completion.0.content": "Another's."}
    if writer.write.__name__ not in ("write", "_openinference_values", "sentry"):  # theirs are everybody's
        assert halves(
            span({**others, **written.attributes}, *written.events, scope=written.scope, name=written.name)
        ) == (
            ["My own?"],
            ["My own."],
        )


def test_a_message_that_says_nothing_is_filled_from_the_next_place() -> None:
    flat = {
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": "Is it late?",
        "llm.output_messages.0.message.role": "assistant",
    }
    whole = {
        "input.value": json.dumps({"messages": [{"role": "system", "content": "Be brief."}, ASKED]}),
        "output.value": json.dumps({"choices": [{"message": SAID, "finish_reason": "stop"}]}),
    }
    view = span({**flat, **whole, "openinference.span.kind": "LLM"})
    assert halves(view) == (["Be brief.", "Is it late?"], ["Half past."])
    assert call_in(view).choices[0].finish_reason == "stop"


def test_a_system_prompt_that_stands_apart_comes_first_and_once() -> None:
    apart = {"gen_ai.system_instructions": '[{"type": "text", "content": "Be brief."}]'}
    model = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "wren-1"}
    assert halves(span({**model, **apart, **QUESTION, **ANSWER}))[0] == ["Be brief.", "Is it late?"]
    both = json.dumps([{"role": "system", "parts": [{"type": "text", "content": "Be brief."}]}, ASKED])
    assert halves(span({**model, **apart, "gen_ai.input.messages": both, **ANSWER}))[0] == [
        "Be brief.",
        "Is it late?",
    ]
