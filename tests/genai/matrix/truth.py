"""What the recorded calls really were: the truth of each field, from the scenario and from the server.

`differences` compares it with what `read` makes of a capture; `compatibility.py` knows which
differences are the instrumentation's and why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otel_arthur.genai.call import LLMCall, MediaPart, Message, ReasoningPart, TextPart, ToolCallPart
from otel_arthur.genai.duplicates.verdicts import Verdict, judge
from otel_arthur.genai.events.log_events import log_events
from otel_arthur.genai.otlp.views import span_views
from otel_arthur.genai.span import SpanView
from tests.support.paths import CAPTURES
from tests.support.spans.exports import join_all, log_exports, trace_exports

SYSTEM = ("system", "You are a helpful assistant.")
WEATHER_CALL = ("call", "call_abc123", "get_weather", {"city": "Paris"})
WEATHER_RESULT = ("tool", "sunny in Paris, 21C")
TOOL_CALLS = [{"id": "call_abc123", "name": "get_weather", "arguments": {"city": "Paris"}}]
LONG_HISTORY = [
    SYSTEM,
    *(
        (role, f"{word} {number}")
        for number in range(70)
        for role, word in (("user", "question"), ("assistant", "answer"))
    ),
    ("user", "the last question"),
]


def _asked(text: str) -> list[Any]:
    return [SYSTEM, ("user", text)]


_ASKED = _asked("What is OpenTelemetry?")
INPUTS: Mapping[str, list[list[Any]]] = {
    "a_invoke": [_ASKED],
    "b_stream": [_ASKED],
    "c_multiturn": [
        [SYSTEM, ("user", "first question"), ("assistant", "first answer"), ("user", "second question")]
    ],
    "d_agent": [
        [("system", "You are a weather bot."), ("user", "TOOLS weather in Paris?")],
        [
            ("system", "You are a weather bot."),
            ("user", "TOOLS weather in Paris?"),
            ("assistant", WEATHER_CALL),
            WEATHER_RESULT,
        ],
    ],
    "d_tools": [
        _asked("TOOLS weather?"),
        [*_asked("TOOLS weather?"), ("assistant", WEATHER_CALL), WEATHER_RESULT],
    ],
    "d_functions": [
        _asked("TOOLS weather?"),
        [*_asked("TOOLS weather?"), ("assistant", WEATHER_CALL), WEATHER_RESULT],
    ],
    "e_err400": [_asked("ERR400")],
    "e_err429": [_asked("ERR429")],
    "f_lcel": [[("system", "You answer briefly."), ("user", "What is LCEL?")]],
    "g_unicode": [_asked('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back')],
    "h_completion": [[("user", "Once upon a time")]],
    "i_n2": [[("user", "two choices")]],
    "i_n2 of openai": [[("user", "two")]],
    "l_responses": [_ASKED],
    "n_retry": [_asked("FLAKY 1 ECHO retried")] * 2,
    "o_fallback": [_asked("ECHO fallback")] * 2,
    "p_long_history": [LONG_HISTORY],
    "q_metadata": [[("user", "plain string prompt")]],
    "q_metadata of openai": [_asked("plain string prompt")],
    "r_instructions": [_ASKED],
    "r_user_span": [_asked("inside user span")],
    "s_image": [[SYSTEM, ("user", "What is in this image?", "image/png")]],
    "t_stream_error": [_asked("STREAMERR")],
    "u_stream_no_usage": [_ASKED],
    "v_responses_stream": [_ASKED],
    "w_logprobs": [_ASKED],
    "x_async_stream": [_asked("ECHO streamed")],
    "y_rag": [_asked("Answer from: doc one")],
    "z_abandoned": [_asked("LONG 20")],
}
"""The messages of each call, in the order in which the calls were made."""

RESPONSES_API = ("l_responses", "v_responses_stream")


@dataclass(frozen=True)
class Capture:
    """One recorded scenario of one mode of one instrumentation."""

    recording: str
    mode: str
    scenario: str

    @property
    def path(self) -> Path:
        return CAPTURES / self.recording / self.mode / f"{self.scenario}.pb"

    @property
    def is_langchain(self) -> bool:
        return "langchain" in self.recording

    def __str__(self) -> str:
        return f"{self.recording}/{self.mode}/{self.scenario}"


def captures(prefix: str = "") -> Iterator[Capture]:
    """All captures whose recording begins with `prefix` and which the scenarios above describe."""
    for manifest in sorted(CAPTURES.glob(f"{prefix}*/*/manifest.json")):
        mode = manifest.parent
        for scenario in json.loads(manifest.read_text())["scenarios"]:
            yield Capture(mode.parent.name, mode.name, scenario)


def views_of(capture: Capture) -> list[SpanView]:
    """The spans of a capture, with the content of its log events."""
    content = capture.path.read_bytes()
    views = [view for request in trace_exports(content) for view in span_views(request)] if content else []
    logs = capture.path.with_suffix(".logs.pb")
    if logs.exists():
        exports = log_exports(logs.read_bytes())
        views, _ = join_all(views, [event for request in exports for event in log_events(request)])
    return views


def verdicts_of(capture: Capture) -> list[Verdict]:
    """What becomes of each span that is an LLM call, in the order in which the calls began."""
    verdicts = [verdict for verdict in judge(views_of(capture)) if verdict.reading.call is not None]
    return sorted(verdicts, key=lambda verdict: verdict.view.start_ns)


def calls_served(capture: Capture) -> list[dict[str, Any]]:
    """The calls to a language model that the server saw, in order."""
    manifest = json.loads((capture.path.parent / "manifest.json").read_text())
    return [call for call in manifest["scenarios"][capture.scenario] if "embeddings" not in call["path"]]


def inputs_of(capture: Capture) -> list[list[Any]] | None:
    """The messages of each call, or None where a scenario makes calls at a time (told by their answers)."""
    name = capture.scenario
    return INPUTS.get(name if capture.is_langchain else f"{name} of openai", INPUTS.get(name))


def shape_of(message: Message) -> tuple[Any, ...]:
    """A message as the scenarios above write it."""
    shape: list[Any] = [message.role]
    for part in message.parts:
        if isinstance(part, ToolCallPart):
            shape.append(("call", part.id, part.name, part.arguments))
        elif isinstance(part, MediaPart):
            shape.append(part.name.partition(",")[0])
        elif isinstance(part, TextPart) or not isinstance(part, ReasoningPart):
            shape.append(part.text)
    return tuple(shape)


Truth = Mapping[str, Any]


def truth_of(capture: Capture, served: Mapping[str, Any], messages: list[Any] | None) -> Truth:
    """Field -> its true value; a predicate where only the kind of value is known; absent without one."""
    scenario = capture.scenario
    answered = served["status"] == 200 and scenario not in ("t_stream_error", "z_abandoned")
    truth: dict[str, Any] = {
        "operation": "text_completion" if scenario == "h_completion" else "chat",
        "provider": "anthropic" if "anthropic" in capture.recording else "openai",
        "request_model": served["model"],
        "max_tokens": 64,
    }
    if scenario not in RESPONSES_API and (capture.is_langchain or scenario != "h_completion"):
        truth["temperature"] = 0.2
    if not capture.is_langchain and scenario in ("k_async", "x_async_stream"):
        # The asynchronous calls of the OpenAI client set nothing.
        del truth["temperature"], truth["max_tokens"]
    if capture.is_langchain and scenario in RESPONSES_API:
        truth["temperature"] = 0.2
    if "anthropic" in capture.recording:
        # Its client has no such argument any more.
        del truth["temperature"]
    if messages is not None:
        truth["messages"] = messages
    if served["status"] != 200:
        truth["error_type"] = lambda value: value.rpartition(".")[2].endswith("Error")
    if not answered:
        return truth
    tool_call = served["tool_call"]
    truth["answer"] = served["texts"]
    truth["finish_reason"] = served["finish_reason"]
    truth["response_model"] = "gpt-4o-mini-2026-01-01"
    truth["response_id"] = served["response_id"]
    if tool_call:
        truth["tool_calls"] = TOOL_CALLS
    if scenario != "u_stream_no_usage":
        truth |= {
            "input_tokens": served["prompt_tokens"],
            "output_tokens": served["completion_tokens"],
            "total_tokens": served["prompt_tokens"] + served["completion_tokens"],
            "cached_tokens": served["cached_tokens"],
            "reasoning_tokens": served["reasoning_tokens"],
        }
    if served["streamed"]:
        truth["time_to_first_token"] = lambda value: 0 < value < 10
    if scenario in ("d_agent", "q_metadata") and capture.is_langchain:
        truth["conversation_id"] = lambda value: value in ("thread-42", "thr-1", "sess-1")
        truth["user_id"] = "user-9"
    elif scenario == "q_metadata":
        truth["user_id"] = "user-9"
    return truth


FIELDS: Mapping[str, Callable[[LLMCall], Any]] = {
    "messages": lambda call: [shape_of(message) for message in call.messages] or None,
    "answer": lambda call: [choice.message.text for choice in call.choices] or None,
    "tool_calls": lambda call: (
        [
            {"id": tool.id, "name": tool.name, "arguments": tool.arguments}
            for choice in call.choices
            for tool in choice.message.tool_calls
        ]
        or None
    ),
    "finish_reason": lambda call: call.choices[0].finish_reason if call.choices else None,
    "input_tokens": lambda call: call.usage.input,
    "output_tokens": lambda call: call.usage.output,
    "total_tokens": lambda call: call.usage.total,
    "cached_tokens": lambda call: call.usage.cached,
    "reasoning_tokens": lambda call: call.usage.reasoning,
    "request_model": lambda call: call.request_model,
    "response_model": lambda call: call.response_model,
    "response_id": lambda call: call.response_id,
    "provider": lambda call: call.provider,
    "operation": lambda call: call.operation,
    "temperature": lambda call: call.temperature,
    "max_tokens": lambda call: call.max_tokens,
    "time_to_first_token": lambda call: call.time_to_first_token,
    "conversation_id": lambda call: call.conversation_id,
    "user_id": lambda call: call.user_id,
    "error_type": lambda call: call.error_type,
}
"""The fields that are compared, and columns of the matrix."""


@dataclass(frozen=True)
class Comparison:
    """One field of one call: its truth and what was read."""

    capture: Capture
    field: str
    expected: Any
    found: Any

    @property
    def is_right(self) -> bool:
        if self.found is None:
            return False
        return bool(self.expected(self.found)) if callable(self.expected) else self.found == self.expected


def comparisons(capture: Capture) -> list[Comparison]:
    """Every field of every call that the server saw and that has a span, compared."""
    verdicts = [verdict for verdict in verdicts_of(capture) if verdict.decision != "duplicate"]
    served = calls_served(capture)
    inputs = inputs_of(capture)
    if inputs is None:
        # Calls at a time: which span is whose is told by the answer.
        served = sorted(served, key=lambda call: call["texts"])
        verdicts = sorted(verdicts, key=lambda verdict: FIELDS["answer"](verdict.reading.call) or [])  # type: ignore[arg-type]
    found: list[Comparison] = []
    for index, (verdict, call) in enumerate(zip(verdicts, served, strict=False)):
        assert verdict.reading.call is not None
        for field, expected in truth_of(capture, call, inputs[index] if inputs else None).items():
            found.append(Comparison(capture, field, expected, FIELDS[field](verdict.reading.call)))
    return found
