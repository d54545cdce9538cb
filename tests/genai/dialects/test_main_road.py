"""The main road is whole: LangChain under OpenLLMetry, over OpenAI's two APIs and Anthropic's.

Every field that the server said is in the inference, but for those that the instrumentation records
nowhere (`LOST`). Anthropic's client writes spans without words beside, which complete OpenLLMetry's.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any

import pytest

from otel_arthur.genai.call import LLMCall, ReasoningPart
from tests.genai.matrix.truth import FIELDS, Capture, calls_served, captures, shape_of, verdicts_of, views_of

CAPTURES = list(captures("main-road-"))
SYSTEM, BOT = ("system", "You are a helpful assistant."), ("system", "You are a weather bot.")
PARIS = ("call", "call_abc123", "get_weather", {"city": "Paris"})
ROME = ("call", "call_def456", "get_weather", {"city": "Rome"})
SUNNY, SUNNY_TOO = ("tool", "sunny in Paris, 21C"), ("tool", "sunny in Rome, 21C")
HELLO = ("assistant", "Hello from the fake model.")
FIRST, SECOND = ("user", "first question"), ("user", "second question")
OTEL, JSON = ("user", "What is OpenTelemetry?"), ("user", "JSON how many?")


def agent(text: str, *calls: Any) -> list[list[Any]]:
    asked = [BOT, ("user", text)]
    results = [SUNNY, SUNNY_TOO][: len(calls)]
    return [asked, [*asked, ("assistant", *calls), *results]]


ASKED: Mapping[str, list[list[Any]]] = {
    **{name: [[SYSTEM, OTEL]] for name in ("a_invoke", "b_stream")},
    "c_multiturn": [[SYSTEM, FIRST, ("assistant", "first answer"), SECOND]],
    "d_agent": agent("TOOLS weather in Paris?", PARIS),
    "d_parallel": [
        [SYSTEM, ("user", "TOOLS PARALLEL TALK weather?")],
        [
            *(SYSTEM, ("user", "TOOLS PARALLEL TALK weather?")),
            *(("assistant", "Let me look.", PARIS, ROME), SUNNY, SUNNY_TOO),
        ],
    ],
    "d_parallel_agent": agent("TOOLS PARALLEL weather in both?", PARIS, ROME),
    "d_stream_tools": [[SYSTEM, ("user", "TOOLS PARALLEL weather?")]],
    "d_stream_words_and_tools": [[SYSTEM, ("user", "TOOLS TALK weather?")]],
    **{f"e_err{code}": [[SYSTEM, ("user", f"ERR{code}")]] for code in (400, 429, 500)},
    "e_err500_stream": [[SYSTEM, ("user", "ERR500")]],
    "g_refused": [[SYSTEM, ("user", "FILTER What is OpenTelemetry?")]],
    "h_length": [[SYSTEM, ("user", "LONG 20")]],
    **{name: [[SYSTEM, ("user", "two choices")]] for name in ("i_n2", "i_n2_stream")},
    **{
        name: [[SYSTEM, JSON]]
        for name in ("j_json", "j_json_by_schema", "j_json_by_function", "j_json_stream")
    },
    "j_json_agent": agent("TOOLS JSON weather and berries?", PARIS),
    "k_async": [[SYSTEM, ("user", f"ECHO async{number}")] for number in range(3)],
    "l_cached": [[SYSTEM, ("user", "CACHE What is OpenTelemetry?")]],
    **{
        name: [[SYSTEM, ("user", "REASON What is OpenTelemetry?")]]
        for name in ("r_reasoning", "r_reasoning_stream")
    },
    "r_reasoning_tools": [[SYSTEM, ("user", "REASON TOOLS weather?")]],
    "r_reasoning_history": [
        [SYSTEM, ("user", "REASON first question")],
        [SYSTEM, ("user", "REASON first question"), HELLO, SECOND],
    ],
    "s_image": [[SYSTEM, ("user", "What is in this image?", "image/png")]],
    **{name: [[SYSTEM, ("user", "SEARCH news?")]] for name in ("s_search", "s_search_stream")},
    "t_cut_stream": [[SYSTEM, ("user", "DISCONNECT LONG 20")]],
    "t_stream_error": [[SYSTEM, ("user", "STREAMERR LONG 20")]],
    "x_async_stream": [[SYSTEM, ("user", "ECHO streamed")]],
    "z_abandoned": [[SYSTEM, ("user", "LONG 20")]],
}
"""What was asked, call by call, whatever the API. `s_search_history` has a test of its own."""

LOST: Mapping[str, Mapping[str, str]] = {
    "chat": {
        "reasoning_tokens": "*",
        "time_to_first_token": "*",
        "response_id": "*stream*",
        "response_model": "*stream*",
    },
    "responses": dict.fromkeys(
        ("reasoning_tokens", "time_to_first_token", "response_id", "response_model", "finish_reason"), "*"
    ),
    "anthropic": {},
}
"""API -> field -> scenarios in which OpenLLMetry's instrumentation records it nowhere."""
UNFINISHED = ("t_cut_stream", "t_stream_error", "z_abandoned")
MERGED = "i_n2_stream"
"""LangChain itself makes one answer of the pieces of two."""


def recorded(capture: Capture) -> list[LLMCall]:
    """The calls of a scenario that become inferences, failed ones too."""
    verdicts = [one for one in verdicts_of(capture) if one.decision in ("inference", "failed")]
    calls = [verdict.reading.call for verdict in verdicts if verdict.reading.call is not None]
    # Those at a time are told by their words.
    return sorted(calls, key=lambda call: call.messages[-1].text) if capture.scenario == "k_async" else calls


def said(capture: Capture, call: Mapping[str, Any]) -> dict[str, Any]:
    """Field -> what the server said, or was asked for."""
    truth: dict[str, Any] = {
        "operation": "chat",
        "provider": "anthropic" if capture.mode == "anthropic" else "openai",
        "request_model": call["model"],
    }
    if "reasoning" not in capture.scenario:
        truth["temperature"] = 0.2
        truth["max_tokens"] = 3 if capture.scenario == "h_length" else 64
    if "agent" in capture.scenario:
        truth["conversation_id"] = "thread-42"
    if call["status"] != 200:
        return truth | {"error_type": lambda value: value.rpartition(".")[2].endswith("Error")}
    if capture.scenario in UNFINISHED:
        return truth
    truth |= {
        "answer": call["texts"] if capture.scenario != MERGED else ["".join(call["texts"])],
        "finish_reason": call["finish_reason"],
        "response_model": "gpt-4o-mini-2026-01-01",
        "response_id": call["response_id"],
        "input_tokens": call["prompt_tokens"],
        "output_tokens": call["completion_tokens"],
        "total_tokens": call["prompt_tokens"] + call["completion_tokens"],
        "cached_tokens": call["cached_tokens"],
        "reasoning_tokens": call["reasoning_tokens"],
    }
    if "tool_calls" in call:
        truth["tool_calls"] = call["tool_calls"]
    if call["streamed"]:
        truth["time_to_first_token"] = lambda value: 0 < value < 100
    return truth


def is_right(expected: Any, found: Any) -> bool:
    return found is not None and bool(expected(found) if callable(expected) else found == expected)


def is_lost(capture: Capture, field: str) -> bool:
    return fnmatch(capture.scenario, LOST[capture.mode].get(field, ""))


@pytest.mark.parametrize("capture", CAPTURES, ids=str)
def test_every_field_that_the_server_said_is_in_the_inference(capture: Capture) -> None:
    served = calls_served(capture)
    if capture.scenario == "k_async":
        served = sorted(served, key=lambda call: call["texts"])
    calls = recorded(capture)
    assert len(calls) == len(served)
    wrong = [
        f"{field}: {FIELDS[field](call)!r} is not {expected!r}"
        for call, told in zip(calls, served, strict=True)
        for field, expected in said(capture, told).items()
        if not is_right(expected, FIELDS[field](call)) and not is_lost(capture, field)
    ]
    assert wrong == []
    assert [call.failed for call in calls] == [
        told["status"] != 200 or capture.scenario in UNFINISHED for told in served
    ]


@pytest.mark.parametrize("capture", [one for one in CAPTURES if one.scenario in ASKED], ids=str)
def test_what_was_asked_is_in_the_inference(capture: Capture) -> None:
    asked = [[shape_of(message) for message in call.messages] for call in recorded(capture)]
    assert asked == (ASKED[capture.scenario] if calls_served(capture) else [])


@pytest.mark.parametrize("api", LOST)
def test_what_is_lost_is_on_no_span(api: str) -> None:
    """Else it would have to be read. Agents' spans repeat some, those of several calls at once."""
    answered = [one for one in CAPTURES if one.mode == api and one.scenario not in UNFINISHED]
    for capture in answered:
        calls = [view for view in views_of(capture) if view.attributes["gen_ai.operation.name"] == "chat"]
        for told in calls_served(capture):
            if "response_id" in told and is_lost(capture, "response_id"):
                assert told["response_id"] not in "".join(str(view.attributes) for view in calls)
    found = {
        field
        for capture in answered
        for call, told in zip(recorded(capture), calls_served(capture), strict=True)
        for field, expected in said(capture, told).items()
        if is_lost(capture, field) and not is_right(expected, FIELDS[field](call))
    }
    assert found == set(LOST[api])


def test_the_counts_of_two_choices_are_those_of_one_call() -> None:
    """LangChain repeats the usage with each choice, and OpenLLMetry adds up."""
    capture = Capture("main-road-1.5.2", "chat", "i_n2")
    [view] = [one for one in views_of(capture) if "gen_ai.usage.input_tokens" in one.attributes]
    [told], [call] = calls_served(capture), recorded(capture)
    assert view.attributes["gen_ai.usage.input_tokens"] == 2 * told["prompt_tokens"]
    assert (call.usage.input, call.usage.output) == (told["prompt_tokens"], told["completion_tokens"])
    assert (call.usage.total, call.usage.cached) == (28, told["cached_tokens"])


def test_what_is_put_into_a_cache_is_counted() -> None:
    [call] = recorded(Capture("main-road-1.5.2", "anthropic", "l_cached"))
    assert (call.usage.input, call.usage.cached, call.usage.cache_write) == (21, 4, 3)


@pytest.mark.parametrize("api", ["responses", "anthropic"])
def test_thoughts_are_no_words(api: str) -> None:
    for scenario in ("r_reasoning_tools", "r_reasoning_history"):
        capture = Capture("main-road-1.5.2", api, scenario)
        for call in recorded(capture):
            thoughts = [
                part.text
                for message in (*call.messages, *(choice.message for choice in call.choices))
                for part in message.parts
                if isinstance(part, ReasoningPart)
            ]
            assert set(thoughts) <= {calls_served(capture)[0]["reasoning"]}
            assert not any("They greet" in message.text for message in call.messages)
    [call] = recorded(Capture("main-road-1.5.2", api, "r_reasoning_tools"))
    assert [type(part).__name__ for part in call.choices[0].message.parts] == [
        "ReasoningPart",
        "ToolCallPart",
    ]


@pytest.mark.parametrize("api", ["responses", "anthropic"])
def test_what_a_provider_s_search_found_is_nobody_s_words(api: str) -> None:
    [first, second] = recorded(Capture("main-road-1.5.2", api, "s_search_history"))
    assert first.choices[0].message.text == "Hello from the fake model."
    assert [(message.role, message.text) for message in second.messages] == [
        SYSTEM,
        ("user", "SEARCH first question"),
        HELLO,
        SECOND,
    ]
    [search] = second.messages[2].tool_calls
    assert search.name == "web_search"
