"""The short ways, from attributes to a call and from a call to its rows, give what the long ways give."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.arthur.target.records import put_inferences, put_planned
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.dialects import DIALECTS
from otel_arthur.genai.duplicates.evidence import evidence_in, evidence_of
from otel_arthur.genai.otlp.views import span_views
from otel_arthur.genai.planned import Planned
from otel_arthur.genai.reading import Reading, look, read
from otel_arthur.genai.span import Kin, SpanView
from otel_arthur.genai.tables.layout import layout_of
from otel_arthur.inference.build import Builder
from otel_arthur.inference.privacy import TextRules
from otel_arthur.inference.schema import Schema, Slot
from otel_arthur.spool.rows import Packing
from tests.genai.writers import WRITERS
from tests.genai.written import Writer
from tests.support.paths import CAPTURES

PLANNED = frozenset({"semconv", "openllmetry", "openllmetry-legacy", "openinference", "traceai"})
"""Dialects whose usual span has a plan, among others."""
EXTRA = {"tenant": "user.id"}
SCHEMA = Schema(
    (
        Slot("question", "UNSTRUCTURED_TEXT", "input_text"),
        Slot("answer", "UNSTRUCTURED_TEXT", "output_text"),
        Slot("tokens in", "INTEGER", "prompt_tokens"),
        Slot("finish_reason", "STRING", "finish_reason"),
        Slot("temperature", "STRING", "temperature"),
        Slot("tool_names", "ARRAY(STRING)", "tool_names"),
        Slot('of "its" own', "STRING", "provider"),
        Slot("system_prompt", "STRING", "system_prompt"),
    ),
)
PLAIN_SCHEMA = Schema(tuple([slot for slot in SCHEMA.slots if slot.attribute.isidentifier()][:3]))
RULES = (
    TextRules(),
    TextRules(input_format="last_user"),
    TextRules(input_format="json"),
    TextRules(redact=str.upper),
    TextRules(max_length=7),
    TextRules(metadata_only=True),
)
BUILDERS = [Builder(schema, rules) for schema in (None, SCHEMA, PLAIN_SCHEMA) for rules in RULES]


def the_long_way(view: SpanView, extra: Mapping[str, str] | None = None) -> Reading:
    """A plan takes attributes as the SDK and OTLP have them, a plain dict, and no other mapping."""
    return read(replace(view, attributes=MappingProxyType(dict(view.attributes))), extra)


def compare(view: SpanView) -> LLMCall | None:
    for _ in range(5):  # the first few spans of a kind have no plan
        reading = read(view)
    assert reading == the_long_way(view)  # pyright: ignore[reportPossiblyUnboundVariable]
    assert read(view, EXTRA) == the_long_way(view, EXTRA)
    if reading.call is not None:
        compare_short_ways(view, reading.call)
    return reading.call


def compare_short_ways(view: SpanView, call: LLMCall) -> int:
    """Returns how many builders had a short way."""
    found, taken = look(view), 0
    if not isinstance(found, Planned):
        return taken
    assert evidence_in(found) == evidence_of(call)
    for builder in BUILDERS:
        packing = Packing()
        evidence, left = put_planned(builder, [found, found], packing)
        assert left in ([], [found, found])
        if not left:
            taken += 1
            assert evidence == [evidence_of(call)] * 2
            assert contents(packing) == rows_of(builder, call) * 2
    extra = look(view, EXTRA)
    assert not isinstance(extra, Planned) or put_planned(BUILDERS[0], [extra], Packing()) == ([], [extra])
    return taken


def rows_of(builder: Builder, call: LLMCall) -> list[tuple[str, bytes, int]]:
    packing = Packing()
    put_inferences(builder, call, packing)
    return contents(packing)


def contents(packing: Packing) -> list[tuple[str, bytes, int]]:
    return [(row.id, row.content, row.stem) for row in packing.rows()]


def recorded() -> Iterator[SpanView]:
    for path in sorted(CAPTURES.rglob("*.pb")):
        if "logs" not in path.name:
            yield from span_views(ExportTraceServiceRequest.FromString(path.read_bytes()))


def test_every_recorded_span() -> None:
    seen = {call.dialect for view in recorded() if (call := compare(view)) is not None and has_plan(view)}
    assert seen >= {"semconv", "openllmetry", "openinference", "openllmetry-legacy"}


def has_plan(view: SpanView) -> bool:
    plan = layout_of(view).plan
    return plan is not None and None not in (plan.fields(view.attributes), plan.words(view.attributes))


@pytest.mark.parametrize("writer", WRITERS, ids=[f"{w.dialect}-{w.write.__name__}" for w in WRITERS])
def test_a_usual_span(writer: Writer) -> None:
    view = writer.span("Which berries?", "The red ones.")
    call = compare(view)
    assert call is not None
    if writer in USUAL:
        assert has_plan(view)
        assert compare_short_ways(view, call) == 4  # two schemas, two formats of the input


@pytest.mark.parametrize("kin", [Kin(("c" * 16, "d" * 16), ("e" * 16,)), Kin(below=("e" * 16,))])
def test_a_span_that_is_at_hand_with_others_of_its_trace(kin: Kin) -> None:
    view = replace(WRITERS[0].span("Which berries?", "The red ones."), kin=kin)
    call = compare(view)
    assert call is not None
    assert compare_short_ways(view, call) == 4


def test_tokens_that_a_dialect_does_not_take_are_in_no_evidence() -> None:
    """Of a stream that nobody counted, after one that was counted."""
    span = next(writer for writer in USUAL if writer.dialect == "openinference").span("Which?", "Red.")
    names = [f"llm.token_count.{name}" for name in ("prompt", "completion", "total")]
    for number in (3, 0):
        call = compare(replace(span, attributes={**span.attributes, **dict.fromkeys(names, number)}))
        assert call is not None
        assert (call.usage.input is None) is (number == 0)


def test_every_dialect_has_fields_that_a_plan_can_take() -> None:
    """Else `plan_of` would raise where it meets the field."""
    for dialect in DIALECTS:
        for name in dialect.fields:
            view = WRITERS[0].span("Which?", "This.")
            compare(replace(view, attributes={**view.attributes, name: 1}))


def message(role: str, *parts: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"role": role, "parts": list(parts), **more}


SAID = {"type": "text", "content": "Red."}
CALLED = {"type": "tool_call", "id": "1", "name": "pick", "arguments": {"n": 2}}
IMAGE = {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AA=="}
HALVES = [
    json.dumps(half)
    for half in (
        [message("assistant", SAID)],
        [message("assistant", SAID, finish_reason="end_turn")],
        [message("assistant", SAID, CALLED, finish_reason="tool_call")],
        [message("assistant", CALLED)],
        [message("assistant", {"type": "reasoning", "content": "Hm."}, SAID)],
        [message("user", SAID, IMAGE)],
        [message("tool", {"type": "tool_call_response", "id": "1", "response": "two"})],
        [message("assistant", SAID), message("assistant", {"type": "text", "content": "Blue."})],
        [message("assistant", {"type": "reasoning", "content": "Hm."}), message("assistant", SAID)],
        [message("assistant")],
        [message("assistant", {"type": "text", "content": "<Stream object at 0x7f>"})],
        [message("assistant", {"type": "text", "content": '{"berries": 12}'})],
        [message("assistant", {"type": "text", "content": "nul \0 and \ud83d half"})],
        {"role": "assistant", "content": "Red."},
        [{"role": "user", "content": [{"type": "text", "text": "Which?"}]}],
    )
]
VALUES: Sequence[Any] = (
    *HALVES,
    '[{"type": "text", "content": "__REDACTED__"}]',
    *("", " ", "5", "0.5", "nan", "Wörter 你好", "half \ud83d", "a\0b", "[{", "__REDACTED__", "None", "stop"),
    *(0, 1, 2, -1, 5.0, 0.25, True, float("nan"), float("inf"), 10**15, 10**15 + 1, 2**63, b"bytes", None),
    *((), ("stop",), ["stop", "length"], ("a", 1), {"a": 1}, ["text"], HALVES[2][:-20], "x" * 9000),
)
NAMES = (
    *("gen_ai.request.choice.count", "gen_ai.response.finish_reasons", "gen_ai.system_instructions"),
    *("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.reasoning_tokens", "gen_ai.usage.total_tokens"),
    *("gen_ai.request.temperature", "gen_ai.provider.name", "gen_ai.conversation.id", "user.id"),
    *(
        "error.type",
        "llm.finish_reason",
        "llm.invocation_parameters",
        "arthur.context",
        "llm.token_count.total",
    ),
    *("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.operation.name", "traceloop.entity.output"),
    *(
        "llm.input_messages.1.message.content",
        "llm.input_messages.2.message.role",
        "gen_ai.completion.1.content",
    ),
    *("gen_ai.completion.0.finish_reason", "gen_ai.prompt.0.role", "gen_ai.prompt.0.tool_calls.0.name"),
    *('of "its" own', "back\\slash", "new\nline", "lone \ud83d"),
)


USUAL = [
    writer
    for writer in WRITERS
    if writer.dialect in PLANNED and writer.write.__name__ in ("write", "_openinference", "traceai")
]


@pytest.mark.parametrize("writer", USUAL, ids=[writer.dialect for writer in USUAL])
def test_a_span_with_one_thing_unusual(writer: Writer) -> None:
    view = writer.span("Which berries?", "The red ones.")
    for name in (*view.attributes, *NAMES):
        for value in VALUES:
            odd = replace(view, attributes={**view.attributes, name: value})
            readings = [read(odd) for _ in range(5)]
            assert readings[-1] == the_long_way(odd), (name, value)
            if readings[-1].call is not None:
                compare_short_ways(odd, readings[-1].call)


DOCUMENTS = (
    {"model": "m", "model_name": "n", "temperature": 1, "top_p": 0.5, "max_tokens": 512.0, "user": None},
    {"model_id": "i", "topP": 0.5, "maxTokens": 5, "max_output_tokens": 6, "n": 1, "user": "u"},
    {"model": None, "model_name": "", "temperature": "0.5", "max_tokens": True, "n": 2},
    {"model": "half \ud83d", "top_p": 10**400, "max_tokens": -1},
    {"model": "Wörter", "id": "__fake_id__", "messages": [{"model": "other"}], "user_id": "a"},
    {
        "model": "m",
        "id": "i",
        "status": "completed",
        "usage": {"prompt_tokens_details": {"cached_tokens": 3}},
    },
    {"model": "m", "id": 5, "usage": {"cached_tokens": 3, "prompt_tokens_details": None}},
    {"id": "i", "usage": '{"cached_tokens": 4}', "input": 1},
    {"generations": [[{"message": {"kwargs": {"response_metadata": {"id": "i", "model_name": "m"}}}}]]},
    {"generations": None, "model": ["m"], "session_id": "s", "thread_id": "t"},
    [{"output": [{"provider_data": {"response_id": "r"}}]}],
    "Red.",
)


def test_documents_of_any_kind() -> None:
    span = next(writer for writer in USUAL if writer.dialect == "openinference").span("Which?", "Red.")
    texts = [json.dumps(document) for document in DOCUMENTS]
    texts += ["true", "truely", *[text[:-3] for text in texts[:7]], texts[0] + texts[1]]
    names = ("llm.invocation_parameters", "output.value", "input.value", "metadata")
    for name, other in zip(names, (*names[1:], names[0]), strict=True):
        for text in texts:
            both = {name: text, other: texts[5]}
            kept = {key: value for key, value in span.attributes.items() if key != "llm.model_name"}
            compare(replace(span, attributes={**kept, **both}))
            compare(replace(span, attributes={**span.attributes, **both}))


@settings(max_examples=150)
@given(
    writer=st.sampled_from(WRITERS),
    question=st.sampled_from(("Which berries?", "[1, 2]", "[{", "<a at 0x1>", "Wörter 你好", "half \ud83d")),
    answer=st.sampled_from(("The red ones.", '{"a": 1}', "<b at 0x1>", "a\0b", "half \ud83d", "x" * 9000)),
    changed=st.lists(st.tuples(st.integers(0, 30), st.sampled_from(VALUES)), max_size=2),
    added=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=3),
    has_failed=st.booleans(),
)
def test_a_span_with_anything_in_it(
    writer: Writer,
    question: str,
    answer: str,
    changed: list[tuple[int, Any]],
    added: dict[str, Any],
    has_failed: bool,
) -> None:
    view = writer.span(question, answer)
    attributes = dict(view.attributes)
    for place, value in changed:
        names = list(attributes)
        if names:
            attributes[names[place % len(names)]] = value
    compare(replace(view, attributes={**attributes, **added}, status_code=2 if has_failed else 0))
