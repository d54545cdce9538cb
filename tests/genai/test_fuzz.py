"""Hostile input: `read` never raises, what it gives can be sent, and its cost is bounded."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_arthur.genai.dialects import DIALECTS, MARKERS
from otel_arthur.genai.dialects import EVENTS as DIALECT_EVENTS
from otel_arthur.genai.duplicates.evidence import all_to_json, evidence_of
from otel_arthur.genai.events.log_events import MESSAGE_EVENTS
from otel_arthur.genai.json_text import parse_json
from otel_arthur.genai.reading import read
from otel_arthur.genai.span import EventView, SpanView
from otel_arthur.genai.tables.places import Place, place_of
from otel_arthur.genai.tables.words import ANYWHERE_ANSWER, ANYWHERE_QUESTION
from otel_arthur.inference.build import TextRules, build

SCOPES = ("", *sorted({scope for dialect in DIALECTS for scope in dialect.scopes}))
KINDS = (
    "chat",
    "LLM",
    "llm",
    "generation",
    '"CHAT_MODEL"',
    "ai.generateText.doGenerate",
    "model_generation",
    1,
)
"""Values by which one marker or another says that a span is a call."""
HOSTILE_KEYS = (
    "gen_ai.prompt.0.content",
    "gen_ai.prompt.999999999.role",
    "gen_ai.prompt.1.tool_calls.0.arguments",
    "gen_ai.prompt.0.content.0.deep",
    "gen_ai.completion.0.content",
    "gen_ai.completion.00000000000000000000000000001.role",
    "gen_ai.completion.²",
    "llm.input_messages.0.message.role",
    "llm.input_messages.0.message.contents.0.message_content.type",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments",
    "metadata",
    "arthur.output.likelihoods",
    "arthur.output.tokens",
    "error.type",
)
"""Besides those that the tables of the dialects name."""


def _places() -> list[Place]:
    """Every place that the table of a dialect names."""
    rows = [
        row for dialect in DIALECTS for row in (*dialect.fields.values(), dialect.system, dialect.reasons)
    ]
    return [place_of(one) for row in (*rows, *(source.places for source in SOURCES)) for one in row]


SOURCES = (
    *ANYWHERE_QUESTION,
    *ANYWHERE_ANSWER,
    *(source for dialect in DIALECTS for source in (*dialect.question, *dialect.answer)),
)
PLACES = _places()
KEYS = tuple(
    sorted(
        {
            *HOSTILE_KEYS,
            *MARKERS,
            *(place.attribute for place in PLACES if place.event is None),
            *(f"{source.prefix}0.content" for source in SOURCES if source.prefix),
        }
    )
)
EVENTS = tuple(
    sorted(
        {
            *MESSAGE_EVENTS,
            *DIALECT_EVENTS,
            *(event for source in SOURCES for event in source.events),
            *(dialect.first_token_event for dialect in DIALECTS if dialect.first_token_event),
            *(place.event for place in PLACES if place.event is not None),
            "exception",
        }
    )
)
OF_EVENTS = ("content", "message", "role", *sorted({place.attribute for place in PLACES if place.event}))

texts = st.text(st.characters(), max_size=20) | st.sampled_from(
    [
        "\ud800",
        "a\udfffb",
        "\x00",
        "__REDACTED__",
        "[",
        '{"a":',
        "[{",
        '"',
        "\\",
        "system",
        "NaN",
        "1e999",
        "-1",
    ]
)
words = texts | st.sampled_from(
    [
        *("role", "content", "parts", "type", "text", "tool_calls", "message", "messages", "choices"),
        *("generations", "output", "kwargs", "data", "function", "arguments", "image_url", "url", "usage"),
    ]
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | words
    | st.binary(max_size=12)
    | st.sampled_from([10**400, -(10**400), float("inf"), float("nan")])
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(words, inner, max_size=4)
        | st.fixed_dictionaries({"role": words, "content": inner})
        | st.fixed_dictionaries({"type": words, "content": inner})
    ),
    max_leaves=12,
)
json_texts = values.map(lambda value: json.dumps(value, default=repr)[:200])
cut_texts = st.tuples(json_texts, st.integers(0, 200)).map(lambda pair: pair[0][: pair[1]])
attributes = st.dictionaries(st.sampled_from(KEYS), values | json_texts | cut_texts, max_size=8)


@st.composite
def views(draw: st.DrawFn) -> SpanView:
    own = {**draw(attributes), draw(st.sampled_from(sorted(MARKERS))): draw(st.sampled_from(KINDS))}
    events = draw(
        st.lists(
            st.builds(
                EventView,
                st.sampled_from(EVENTS),
                st.integers(0, 2**64),
                st.dictionaries(st.sampled_from(OF_EVENTS), values),
                values,
            ),
            max_size=3,
        )
    )
    return SpanView(
        "a" * 32,
        "b" * 16,
        None,
        draw(texts),
        draw(st.sampled_from(SCOPES)),
        "",
        draw(st.integers(0, 2**64)),
        draw(st.integers(0, 2**64)),
        draw(st.sampled_from([0, 1, 2])),
        "",
        own,
        events,
        {"service.name": draw(texts)},
        draw(st.sampled_from([0, 5])),
    )


@pytest.mark.slow
@settings(max_examples=400)
@given(views(), st.sampled_from(["transcript", "last_user", "json"]))
def test_any_span_is_read_and_can_be_sent(view: SpanView, form: str) -> None:
    reading = read(view)
    if reading.call is None:
        return
    all_to_json([evidence_of(reading.call)])
    for inference in build(reading.call, rules=TextRules(input_format=form)):
        orjson.dumps(inference.as_json())


@given(st.text(st.characters(), max_size=60) | cut_texts)
def test_any_text_is_parsed(text: str) -> None:
    parse_json(text)


@given(
    st.lists(
        st.fixed_dictionaries({"role": st.text(max_size=5), "content": st.text(max_size=30)}), min_size=2
    ),
    st.data(),
)
def test_what_stands_before_a_cut_is_kept(messages: list[dict[str, str]], data: st.DataObject) -> None:
    text = orjson.dumps(messages).decode()
    at = data.draw(st.integers(len(orjson.dumps(messages[:1]).decode()) + 2, len(text) - 1))
    value, cut = parse_json(text[:at])
    assert cut
    assert value[0] == messages[0]
    assert value[1:] == [] or messages[1]["role"].startswith(value[1].get("role", "")) or value[1] == {}


def _read(own: dict[str, Any], dropped: int = 0) -> Any:
    view = SpanView("a" * 32, "b" * 16, None, "chat", "", "", 0, 1, 0, "", own, [], {}, dropped)
    return read(view).call


def test_an_index_of_a_billion_costs_one_message() -> None:
    call = _read({"gen_ai.prompt.0.content": "first", "gen_ai.prompt.999999999.content": "last"})
    assert [message.text for message in call.messages] == ["first", "last"]


def test_an_index_of_many_digits_is_no_index() -> None:
    call = _read({"gen_ai.completion.0.content": "x", f"gen_ai.completion.{'9' * 10_000}.content": "y"})
    assert [choice.message.text for choice in call.choices] == ["x"]


@pytest.mark.parametrize("depth", [50, 190, 5_000, 200_000])
def test_deep_nesting_is_bounded(depth: int) -> None:
    for text in ("[" * depth + "]" * depth, "[" * depth, '{"content":' * depth, '[{"parts":' * depth):
        _read({"gen_ai.operation.name": "chat", "gen_ai.input.messages": text})


def test_deep_native_structures_are_bounded() -> None:
    value: Any = "x"
    for _ in range(5_000):
        value = {"role": "user", "content": [value]}
    call = _read({"gen_ai.operation.name": "chat", "gen_ai.input.messages": [value]})
    orjson.dumps([inference.as_json() for inference in build(call)])


@pytest.mark.parametrize(
    "text",
    [
        '[{"role":"user","parts":[{"type":"text","content":"' + "x" * 3_000_000,
        '[{"role":"user","parts":[{"type":"text","content":"' + "\\u00e9" * 500_000,
        "[" + '{"role":"user","content":"hi"},' * 60_000,
        "[" + '"\\"",' * 300_000,
        "{" + '"a":[],' * 300_000 + "x",
        '["' + "\\" * 2_000_001,
    ],
    ids=["long text", "escapes", "many messages", "quotes", "broken", "backslashes"],
)
@pytest.mark.timeout(60)
def test_megabytes_that_were_cut(text: str) -> None:
    """In linear time: a quadratic pass over these takes hours."""
    _read({"gen_ai.operation.name": "chat", "gen_ai.input.messages": text})


def test_more_messages_than_a_model_takes() -> None:
    messages = [{"role": "user", "content": "x"}] * 50_000
    call = _read({"gen_ai.operation.name": "chat", "gen_ai.input.messages": orjson.dumps(messages).decode()})
    assert len(call.messages) == 10_000


@pytest.mark.parametrize(
    "value", [10**400, -(10**400), float("nan"), float("inf"), True, "1e400", "", [1], -5]
)
def test_what_is_no_count_is_none(value: Any) -> None:
    call = _read({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": value})
    assert call.usage.input is None


def test_lone_surrogates_and_bytes_are_mended() -> None:
    own = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "a\ud800b"}]}],
        "gen_ai.output.messages": b'[{"role":"assistant","parts":[{"type":"text","content":"\xff"}]}]',
    }
    call = _read(own)
    assert call.messages[0].text == "a\ufffdb"
    assert call.choices[0].message.text == "\ufffd"
