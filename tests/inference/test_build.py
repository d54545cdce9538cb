"""Calls become inferences: identity, time, choices, text rules, and the fit to a schema."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from otel_arthur.genai.call import Choice, LLMCall, Message, TextPart, ToolCallPart, Usage
from otel_arthur.inference.build import TextRules, build, fit
from otel_arthur.inference.fields import FIELDS
from otel_arthur.inference.identity import parse, partner_inference_id
from otel_arthur.inference.schema import Schema, Slot
from otel_arthur.inference.times import rfc3339

CALL = LLMCall(
    trace_id="0af7651916cd43dd8448eb211c80319c",
    span_id="b7ad6b7169203331",
    parent_span_id=None,
    name="chat",
    scope="s",
    dialect="semconv",
    start_ns=1_763_812_799_830_000_000,
    end_ns=1_763_812_800_250_000_000,
    messages=(Message("user", (TextPart("hi"),)),),
    choices=(
        Choice(Message("assistant", (TextPart("one"),)), "stop"),
        Choice(Message("assistant", (ToolCallPart("c", "t", {"a": 1}),)), "tool_calls"),
    ),
    usage=Usage(21, 7, 28),
)
TEXTS = (
    Slot("in", "UNSTRUCTURED_TEXT", "input_text"),
    Slot("out", "UNSTRUCTURED_TEXT", "output_text"),
)


def test_each_choice_is_an_inference_that_repeats_the_calls_usage() -> None:
    first, second = build(CALL)

    assert first.data["output_text"] == "one"
    assert second.data["output_text"] == ""
    assert second.data["tool_names"] == ["t"]
    assert [i.data["prompt_tokens"] for i in (first, second)] == [21, 21]
    assert [i.data["choice_index"] for i in (first, second)] == [0, 1]
    assert first.data["choice_count"] == 2
    assert first.partner_inference_id != second.partner_inference_id


def test_a_choice_has_nothing_of_the_choices_before() -> None:
    tools = Choice(
        Message("assistant", (ToolCallPart("c", "t", {"a": 1}),)),
        "tool_calls",
        tokens=("a",),
        likelihoods=({"a": 0.5},),
    )
    plain = Choice(Message("assistant", (TextPart("one"),)), "stop")

    first, *others = build(replace(CALL, choices=(tools, plain, plain)))

    of_tools = {"tool_calls", "tool_names", "output_tokens", "output_likelihoods"}
    assert of_tools <= first.data.keys()
    for number, other in enumerate(others, 1):
        alone = build(replace(CALL, choices=(plain,)))[0].data
        assert other.data == {**alone, "choice_index": number, "choice_count": 3}


def test_the_prompt_of_a_completion_model_has_no_role() -> None:
    completion = replace(CALL, operation="text_completion")
    assert build(completion)[0].data["input_text"] == "hi"
    assert build(CALL)[0].data["input_text"] == "Human: hi"
    system = Message("system", (TextPart("be brief"),))
    with_system = replace(completion, messages=(system, *CALL.messages))
    assert build(with_system)[0].data["input_text"] == "System: be brief\nHuman: hi"


def test_identity_is_a_function_of_the_span_and_can_be_read_back() -> None:
    first = build(CALL)[0]

    assert first.partner_inference_id == partner_inference_id(CALL.trace_id, CALL.span_id, 0)
    assert parse(first.partner_inference_id) == (CALL.trace_id, CALL.span_id, 0)
    assert parse("somebody-elses-id") is None


def test_the_timestamp_is_the_end_of_the_call_in_utc() -> None:
    assert build(CALL)[0].inference_timestamp == "2025-11-22T12:00:00.250000+00:00"
    assert build(CALL)[0].data["duration"] == pytest.approx(0.42)
    assert rfc3339(2**63).startswith("2262-")


def test_a_clock_that_went_back_gives_no_negative_duration() -> None:
    assert build(replace(CALL, start_ns=CALL.end_ns + 5))[0].data["duration"] == 0.0


def test_a_failed_call_is_one_inference_without_an_answer() -> None:
    failed = replace(CALL, choices=(), failed=True, error_type="RateLimitError", error_message="slow down")
    (only,) = build(failed)

    assert only.data["status"] == "error"
    assert (only.data["error_type"], only.data["error_message"]) == ("RateLimitError", "slow down")
    assert "output_text" not in only.data


def test_what_the_model_lacks_is_not_sent_and_required_texts_always_are() -> None:
    failed = replace(CALL, choices=(), failed=True)
    (only,) = build(failed, Schema((*TEXTS, Slot("prompt_tokens", "INTEGER", "prompt_tokens"))))

    assert only.data == {"in": "Human: hi", "out": "", "prompt_tokens": 21}


def test_a_value_that_does_not_fit_is_left_out_with_the_reason() -> None:
    schema = Schema((*TEXTS, Slot("model", "INTEGER", "model")))
    (first, _) = build(replace(CALL, response_model="gpt"), schema)

    assert "model" not in first.data
    assert first.left_out == {"model": "a str does not fit INTEGER"}


def test_waiting_for_a_schema_loses_nothing() -> None:
    schema = Schema((*TEXTS, Slot("model", "STRING", "model"), Slot("tenant", "STRING", "tenant")))
    call = replace(CALL, response_model="gpt", extra={"tenant": "acme"})

    assert fit(build(call)[0].data, schema)[0] == build(call, schema)[0].data
    assert build(call, schema)[0].data["tenant"] == "acme"


def test_long_texts_are_cut_and_say_so() -> None:
    long = replace(CALL, messages=(Message("user", (TextPart("x" * 100),)),))
    cut = build(long, rules=TextRules(max_length=20))[0]

    assert len(cut.data["input_text"]) == 20
    assert cut.data["truncated"] is True
    assert build(CALL, rules=TextRules(max_length=20))[0].data["truncated"] is False


def test_redaction_reaches_every_text_field() -> None:
    rules = TextRules(redact=lambda text: text.replace("hi", "[x]").replace("one", "[y]"))
    first = build(CALL, rules=rules)[0]

    assert first.data["input_text"] == "Human: [x]"
    assert first.data["last_user_message"] == "[x]"
    assert first.data["output_text"] == "[y]"


def test_metadata_only_sends_no_words() -> None:
    secret = replace(CALL, messages=(Message("user", (TextPart("SECRET"),)),))
    for inference in build(secret, rules=TextRules(metadata_only=True)):
        assert not {"input_text", "output_text", "tool_calls", "last_user_message"} & set(inference.data)
        assert "SECRET" not in str(inference.data)
        assert inference.data["prompt_tokens"] == 21


@pytest.mark.parametrize(
    ("input_format", "text"),
    [("transcript", "Human: hi"), ("last_user", "hi"), ("json", '[{"role":"user","content":"hi"}]')],
)
def test_input_formats(input_format: str, text: str) -> None:
    assert build(CALL, rules=TextRules(input_format=input_format))[0].data["input_text"] == text


def test_the_catalogue_has_the_names_of_the_callback_handler() -> None:
    handler = ["input_text", "output_text", "prompt_tokens", "completion_tokens", "finish_reason", "duration"]

    assert list(FIELDS)[:6] == handler


def test_each_field_of_the_catalogue_has_its_own_value() -> None:
    names = ("provider", "request_model", "response_id", "conversation_id", "user_id", "service_name")
    texts = {name: name for name in (*names, "environment", "operation", "error_type", "error_message")}
    numbers = {"temperature": 0.1, "top_p": 0.2, "max_tokens": 3, "time_to_first_token": 0.4}
    message = Message("assistant", (TextPart("one"), ToolCallPart("i", "t", {})))
    choices = (Choice(message, "stop", ("on", "e"), ({"on": 1.0}, {"e": 1.0})),)
    usage = Usage(1, 2, 3, 4, 5, 6)
    call = replace(CALL, choices=choices, usage=usage, truncated=True, choices_left_out=1, **texts, **numbers)

    data = build(replace(call, response_model="answered"))[0].data

    counts = ("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "cache_write_tokens")
    assert {**data, **texts, **numbers} == data
    assert [data[name] for name in (*counts, "reasoning_tokens")] == [1, 2, 3, 4, 5, 6]
    assert data.keys() == FIELDS.keys() - {"system_prompt"}
    assert (data["input_text"], data["output_text"], data["last_user_message"]) == ("Human: hi", "one", "hi")
    assert (data["trace_id"], data["span_id"], data["model"]) == (call.trace_id, call.span_id, "answered")
    assert (data["output_tokens"], data["output_likelihoods"]) == (["on", "e"], [{"on": 1.0}, {"e": 1.0}])
    assert (data["tool_names"], data["choice_count"], data["truncated"]) == (["t"], 2, True)
