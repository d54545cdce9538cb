"""Frameworks in Go, Java, Kotlin and JavaScript: as `products`, which takes these rows in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.genai.matrix.rows import ALL, COUNTS, NOT_RECORDED, OWN_ERROR, STREAMS, Dialect, Row


def _one(name: str, dialect: str, version: str) -> Dialect:
    """One recording with the mode ``default``."""
    return Dialect(dialect, version, True, (f"{name}-{version}/default",))


LANGUAGES: Mapping[str, Dialect] = {
    "Genkit for Go": _one("genkit-go", "genkit", "1.4.0"),
    "LangChain for JavaScript by OpenInference": _one("oi-js-langchain", "openinference", "4.1.1"),
    "LangChain for JavaScript by LangWatch": _one("langwatch-js-langchain", "langwatch", "0.16.1"),
    "Google ADK for JavaScript": _one("adk-js", "google-adk", "2.0.0"),
    "Google ADK for Java": _one("adk-java", "google-adk", "1.8.0"),
    "Gemini CLI": _one("gemini-cli", "gemini-cli", "0.61.0"),
    "Koog": _one("koog", "koog", "1.1.1"),
    "Quarkus LangChain4j": _one("quarkus-langchain4j", "quarkus", "1.7.0"),
    "Spring AI with an observation filter": Dialect(
        "spring-ai", "1.1.2, 2.0.1", True, ("spring-ai-1.1.2/default", "spring-ai-2.0.1/default")
    ),
}
"""Name for people -> what is known of it."""

SWITCHED_OFF: Mapping[str, str] = {
    "adk-js-2.0.0/content_false": "ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS=true",
    "adk-java-1.8.0/content_false": "ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS=true",
    "gemini-cli-0.61.0/content_false": "GEMINI_TELEMETRY_TRACES_ENABLED=true",
    "koog-1.1.1/content_false": "setVerbose(true)",
    "quarkus-langchain4j-1.7.0/content_false": "quarkus.langchain4j.tracing.include-prompt=true",
    **{
        f"spring-ai-{version}/{mode}": "ObservationFilter"
        for version in ("1.1.2", "2.0.1")
        for mode in ("content_false", "logged")
    },
}

UNSEEN: Mapping[str, Mapping[str, int]] = {"adk-js-2.0.0": {"e_err429": 1}}
"""As `products.UNSEEN`: ADK for JavaScript writes nothing onto the span of a call that is refused."""

_REQUEST = ("provider", "request_model", "max_tokens", "temperature", "messages")

ABSENT: Sequence[Row] = (
    Row("genkit-go-*", (*COUNTS, "time_to_first_token"), STREAMS, "in streams"),
    Row("oi-js-langchain-*", ("provider", "response_id"), ALL, "inside the whole answer only"),
    Row("oi-js-langchain-*", ("messages", "tool_calls"), ("d_tools",), "tool calls have no id", True),
    Row("oi-js-langchain-*", ("error_type",), ALL, "only the message is recorded", True),
    Row(
        "langwatch-js-*",
        ("finish_reason", "response_model", "response_id", "cached_tokens", "reasoning_tokens"),
        ALL,
        NOT_RECORDED,
    ),
    Row("langwatch-js-*", ("time_to_first_token",), STREAMS, NOT_RECORDED),
    Row("langwatch-js-*", COUNTS, ("l_responses",), "with the Responses API"),
    Row("langwatch-js-*", ("messages", "tool_calls"), ("d_tools",), "tool calls are left out", True),
    Row("langwatch-js-*", ("error_type",), ALL, "the API's word for it", True),
    Row("adk-j*", ("operation",), ALL, "as Gemini's API has it", True),
    Row("adk-j*", ("provider",), ALL, "the framework is named in its place", True),
    Row("adk-j*", ("messages",), ALL, "ADK adds to the instructions", True),
    Row("adk-j*", ("response_model", "response_id"), ALL, NOT_RECORDED),
    Row("adk-j*", ("time_to_first_token",), STREAMS, NOT_RECORDED),
    Row("adk-j*", ("finish_reason",), ("d_tools",), "Gemini's own word for tool calls", True),
    Row("adk-java-*", _REQUEST, ("e_err429",), "of a call that failed"),
    Row("adk-java-*", ("error_type",), ALL, "the exception around it", True),
    Row(
        "gemini-cli-*",
        ("max_tokens", "finish_reason", "response_model", "response_id", "cached_tokens", "reasoning_tokens"),
        ALL,
        "in a log record that names no span",
    ),
    Row("gemini-cli-*", ("provider", "temperature"), ALL, "the CLI chooses them", True),
    Row("gemini-cli-*", ("messages",), ALL, "the CLI adds to the instructions", True),
    Row("gemini-cli-*", ("output_tokens", "total_tokens"), ALL, "thoughts are left out", True),
    Row("gemini-cli-*", ("time_to_first_token",), ALL, NOT_RECORDED),
    Row("koog-*", ("max_tokens", "response_id", "cached_tokens", "reasoning_tokens"), ALL, NOT_RECORDED),
    Row("koog-*", ("response_model",), ALL, "it is the model asked for", True),
    Row("koog-*", ("error_type",), ALL, "the status of HTTP", True),
    Row("quarkus-*", ("provider", "max_tokens", "cached_tokens", "reasoning_tokens"), ALL, NOT_RECORDED),
    Row("quarkus-*", ("messages",), ALL, "all of them are one text without roles", True),
    Row("quarkus-*", ("tool_calls",), ALL, NOT_RECORDED),
    Row("quarkus-*", ("error_type",), ALL, OWN_ERROR, True),
    Row("spring-ai-*", ("reasoning_tokens",), ALL, NOT_RECORDED),
    Row("spring-ai-1*", ("cached_tokens",), ALL, NOT_RECORDED),
    Row("spring-ai-1*", COUNTS, STREAMS, "in streams"),
    Row(
        "spring-ai-1*",
        ("input_tokens", "output_tokens", "total_tokens"),
        ("d_tools",),
        "after a tool the tokens of the call before are added",
        True,
    ),
    Row("spring-ai-2*", ("cached_tokens",), STREAMS, "in streams"),
    Row("spring-ai-*", ("time_to_first_token",), STREAMS, NOT_RECORDED),
    Row("spring-ai-*", ("messages",), ("d_tools",), "a tool's text is in quotation marks", True),
    Row("spring-ai-*", ("messages",), ("e_err429",), "of a call that failed"),
    Row("spring-ai-*", ("error_type",), ALL, OWN_ERROR, True),
)
