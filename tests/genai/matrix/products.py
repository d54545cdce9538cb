"""Products for observability and frameworks in other languages: as `long_tail`, which takes these rows in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.genai.matrix import languages
from tests.genai.matrix.rows import ALL, COUNTS, NOT_RECORDED, RESPONSES, STREAMS, Dialect, Row


def _one(name: str, dialect: str, version: str) -> Dialect:
    """One recording with the mode ``default``."""
    return Dialect(dialect, version, True, (f"{name}-{version}/default",))


def _two(name: str, dialect: str, version: str) -> Dialect:
    """One over the Responses API, and one over Chat Completions."""
    return Dialect(dialect, version, True, (f"{name}-{version}/default", f"{name}-{version}/chat"))


PRODUCTS: Mapping[str, Dialect] = {
    "Langfuse for JavaScript": _one("langfuse-js", "langfuse", "5.11.1"),
    "OpenLIT": _one("openlit", "openlit", "1.45.0"),
    "OpenLIT, older": _one("openlit", "semconv-events", "1.33.8"),
    "OpenLIT for JavaScript": _one("openlit-js", "openlit", "1.15.0"),
    "AgentOps": _one("agentops", "openllmetry-legacy", "0.4.21"),
    "LangWatch": _one("langwatch", "langwatch", "1.4.0"),
    "Netra": _one("netra", "netra", "1.2.2"),
    "Langtrace": _one("langtrace", "langtrace", "3.8.21"),
    "Langtrace for JavaScript": _one("langtrace-js", "langtrace", "6.3.7"),
    "Sentry for JavaScript": _one("sentry-js", "sentry", "10.78.0"),
    "AI SDK 7": _one("ai-sdk-otel", "semconv", "1.0.173"),
    "AI SDK 7, as version 6 wrote": Dialect("vercel-ai", "1.0.173", True, ("ai-sdk-otel-1.0.173/legacy",)),
    "AI SDK under Traceloop for JavaScript": _one("traceloop-ai-sdk", "vercel-ai", "0.27.0"),
    "Mastra": _one("mastra", "mastra", "1.4.0"),
    "Genkit for JavaScript": _one("genkit-js", "genkit", "1.42.0"),
    "Groq by OpenInference": _one("oi-groq", "openinference", "0.1.33"),
    "Portkey by OpenInference": _one("oi-portkey", "openinference", "0.1.22"),
    "DSPy by OpenInference": _one("oi-dspy", "openinference", "0.1.48"),
    "AutoGen by OpenInference": _one("oi-autogen", "openinference", "0.1.22"),
    "OpenAI Agents by OpenInference": _two("oi-openai-agents", "openinference", "2.6.0"),
    "OpenAI Agents by Logfire": _two("logfire-agents", "logfire", "5.4.0"),
    "Traceloop for JavaScript": _one("traceloop-js", "semconv", "0.27.0"),
    **languages.LANGUAGES,
}
"""Name for people -> what is known of it."""

SWITCHED_OFF: Mapping[str, str] = {
    "openlit-1.45.0/content_false": "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true",
    "ai-sdk-otel-1.0.173/content_false": "recordInputs: true, recordOutputs: true",
    "langtrace-3.8.21/content_false": "TRACE_PROMPT_COMPLETION_DATA=true",
    "openlit-js-1.15.0/content_false": "captureMessageContent: true",
    "traceloop-js-0.27.0/content_false": "TRACELOOP_TRACE_CONTENT=true",
    "sentry-js-10.78.0/content_false": "sendDefaultPii: true",
    **languages.SWITCHED_OFF,
}

UNSEEN: Mapping[str, Mapping[str, int]] = {
    "openlit-1.33.8": {"d_tools": 1, "e_err429": 1, "l_responses": 1},
    "traceloop-js-0.27.0": {"e_err429": 1},
    "langtrace-js-6.3.7": {"l_responses": 1, "v_responses_stream": 1},
    **languages.UNSEEN,
}
"""Recording -> scenario -> how many calls of it have no span."""

LOST: Mapping[str, Sequence[str]] = {
    "openlit-1.33.8": ("i_n2",),
    "traceloop-js-0.27.0": ("v_responses_stream",),
    "oi-groq-0.1.33": ("b_stream",),
    "oi-portkey-0.1.22": ("b_stream",),
}
"""Recording -> scenarios whose answers it loses."""

_FIRST = "the first of several only"

ABSENT: Sequence[Row] = (
    Row("langfuse-js-*", ("provider", "request_model", "finish_reason", "response_id"), ALL, NOT_RECORDED),
    Row("langfuse-js-*", ("response_model",), ("b_stream",), "in streams it is the model asked for", True),
    Row("langfuse-js-*", ("error_type",), ALL, "only the message is recorded", True),
    Row("langfuse-js-*", ("answer",), ("i_n2",), _FIRST, True),
    Row("langfuse-js-*", ("max_tokens",), RESPONSES, "with the Responses API"),
    Row("openlit-1.45*", ("reasoning_tokens",), ALL, "only with the Responses API"),
    Row("openlit-1.45*", ("messages",), ("d_tools",), "a call of the history has no part", True),
    Row("openlit-1.45*", ("answer",), ("i_n2",), "several answers are one text", True),
    Row("openlit-*", ("messages", "max_tokens", "temperature"), ("e_err429",), "of a call that failed"),
    Row(
        "openlit-1.33*",
        ("response_model", "cached_tokens", "reasoning_tokens", "tool_calls", "user_id"),
        ALL,
        NOT_RECORDED,
    ),
    Row("openlit-1.33*", ("answer",), ("d_tools", "i_n2"), "only that a tool was called", True),
    Row("openlit-1.33*", ("finish_reason",), ("d_tools", "i_n2"), "of tools and of several answers"),
    Row("openlit-js-*", ("reasoning_tokens",), ALL, "only with the Responses API"),
    Row("openlit-js-*", ("answer",), ("i_n2",), _FIRST, True),
    Row("agentops-*", ("provider",), ALL, "spelled OpenAI", True),
    Row(
        "agentops-*",
        ("cached_tokens", "reasoning_tokens", "time_to_first_token"),
        ALL,
        NOT_RECORDED,
    ),
    Row("agentops-*", ("tool_calls",), ALL, "on a span of its own"),
    Row("langwatch-1*", ("request_model",), ALL, "with the provider before it", True),
    Row(
        "langwatch-1*",
        ("finish_reason", "response_model", "response_id", "cached_tokens"),
        ALL,
        NOT_RECORDED,
    ),
    Row("netra-*", ("provider", "response_id", "user_id"), ALL, NOT_RECORDED),
    Row("netra-*", ("finish_reason",), RESPONSES, "with the Responses API"),
    Row(
        "langtrace-3*",
        ("finish_reason", "reasoning_tokens", "time_to_first_token", "user_id"),
        ALL,
        NOT_RECORDED,
    ),
    Row("langtrace-3*", ("response_id",), ALL, "only with the Responses API, not in streams"),
    Row("langtrace-3*", ("cached_tokens",), (*STREAMS, *RESPONSES), "in streams and with the Responses API"),
    Row("langtrace-3*", ("messages",), ("d_tools",), "a call of the history has no words", True),
    Row("langtrace-3*", ("max_tokens",), RESPONSES, "with the Responses API"),
    Row("langtrace-3*", ("answer",), ("v_responses_stream",), "a streamed response twice over", True),
    Row("langtrace-3*", ("response_model",), ("v_responses_stream",), "in streams of the Responses API"),
    Row("sentry-js-*", ("max_tokens", "reasoning_tokens", "time_to_first_token"), ALL, NOT_RECORDED),
    Row("sentry-js-*", ("error_type",), ALL, NOT_RECORDED, True),
    Row("sentry-js-*", ("messages",), RESPONSES, "the instructions of a response are not recorded", True),
    Row(
        "traceloop-js-*",
        ("cached_tokens", "reasoning_tokens", "time_to_first_token"),
        ALL,
        NOT_RECORDED,
    ),
    Row("traceloop-js-*", ("input_tokens", "output_tokens", "total_tokens"), STREAMS, "in streams"),
    Row("traceloop-js-*", ("answer",), ("i_n2",), _FIRST, True),
    Row("traceloop-js-*", ("messages",), RESPONSES, "the instructions of a response are not recorded", True),
    Row(
        "traceloop-js-*",
        ("answer", "finish_reason", "response_model", "response_id"),
        ("v_responses_stream",),
        "in streams of the Responses API",
    ),
    Row(
        "langtrace-js-*",
        ("finish_reason", "response_id", "cached_tokens", "reasoning_tokens", "time_to_first_token"),
        ALL,
        NOT_RECORDED,
    ),
    Row(
        "langtrace-js-*",
        ("input_tokens", "output_tokens", "total_tokens"),
        ("b_stream",),
        "in streams it counts by itself",
        True,
    ),
    Row("langtrace-js-*", ("messages",), ("e_err429",), "of a call that failed"),
    Row("langtrace-js-*", ("error_type",), ALL, "the API's word for it", True),
    Row("ai-sdk-otel-*/default", ("reasoning_tokens",), ALL, NOT_RECORDED),
    Row("mastra-*", ("response_id",), STREAMS, "in streams"),
    Row("mastra-*", ("messages",), ("d_tools",), "of tools in the history only the names", True),
    Row("mastra-*", ("error_type",), ALL, "on the agent's span", True),
    Row("genkit-js-*", ("time_to_first_token",), STREAMS, NOT_RECORDED),
    Row("genkit-js-*", ("error_type",), ALL, "the status of HTTP", True),
    Row("oi-groq-*", ("provider",), ALL, "it is Groq's client", True),
    Row("oi-portkey-*", ("provider",), ALL, NOT_RECORDED),
    *(
        Row(
            f"oi-{name}-*",
            ("answer", "finish_reason", "response_model", "response_id", *COUNTS, "time_to_first_token"),
            STREAMS,
            "the span of a stream has the name of an object in the answer's place",
        )
        for name in ("groq", "portkey")
    ),
    Row("oi-dspy-*", ("request_model", "finish_reason", "response_id", *COUNTS), ALL, NOT_RECORDED),
    Row("oi-[ad]*", ("response_model",), ALL, "the model asked for, or one that it stands for", True),
    Row(
        "oi-autogen-*",
        ("provider", "request_model", "max_tokens", "temperature", "response_id"),
        ALL,
        NOT_RECORDED,
    ),
    Row("oi-autogen-*", ("cached_tokens", "reasoning_tokens", "time_to_first_token"), ALL, NOT_RECORDED),
    Row("oi-autogen-*", ("input_tokens", "output_tokens", "total_tokens"), STREAMS, "in streams"),
    Row(
        "oi-openai-agents-*",
        ("request_model",),
        ALL,
        "the model that answered, or none",
        True,
    ),
    Row("oi-openai-agents-*/chat", ("response_model",), ALL, "it is the model asked for", True),
    Row("oi-openai-agents-*", ("error_type",), ALL, NOT_RECORDED, True),
    Row("oi-openai-agents-*/default", ("max_tokens", "time_to_first_token"), ALL, NOT_RECORDED),
    Row("oi-openai-agents-*/default", ("finish_reason",), ("d_tools",), "stop, of tools too", True),
    Row("oi-openai-agents-*/default", ("temperature", "messages"), ("e_err429",), "of a call that failed"),
    Row(
        "oi-openai-agents-*/chat",
        ("finish_reason", "cached_tokens", "reasoning_tokens", "time_to_first_token"),
        ALL,
        NOT_RECORDED,
    ),
    Row("oi-openai-agents-*/chat", ("response_id",), ALL, "only in streams"),
    Row("oi-openai-agents-*/chat", ("input_tokens", "output_tokens", "total_tokens"), STREAMS, "in streams"),
    Row("logfire-agents-*", ("time_to_first_token",), ALL, NOT_RECORDED),
    Row("logfire-agents-*/default", ("messages",), ("e_err429",), "of a call that failed"),
    Row("logfire-agents-*/chat", ("finish_reason",), ALL, NOT_RECORDED),
    Row("logfire-agents-*/chat", ("response_model",), ALL, "it is the model asked for", True),
    Row("logfire-agents-*/chat", ("response_id",), ALL, "only in streams"),
    Row("logfire-agents-*/chat", COUNTS, STREAMS, "in streams"),
    *languages.ABSENT,
)
