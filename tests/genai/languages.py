"""Frameworks in Go, Java, Kotlin and JavaScript: as `products`, which takes these rows in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.genai.rows import ALL, COUNTS, NOT_RECORDED, STREAMS, Dialect, Row


def _one(name: str, dialect: str, version: str) -> Dialect:
    """One recording with the mode ``default``."""
    return Dialect(dialect, version, True, (f"{name}-{version}/default",))


LANGUAGES: Mapping[str, Dialect] = {
    "Genkit for Go": _one("genkit-go", "genkit", "1.4.0"),
    "LangChain for JavaScript by OpenInference": _one("oi-js-langchain", "openinference", "4.1.1"),
    "LangChain for JavaScript by LangWatch": _one("langwatch-js-langchain", "langwatch", "0.16.1"),
    "Google ADK for JavaScript": _one("adk-js", "google-adk", "2.0.0"),
    "Google ADK for Java": _one("adk-java", "google-adk", "1.8.0"),
}
"""Name for people -> what is known of it."""

SWITCHED_OFF: Mapping[str, str] = {
    "adk-js-2.0.0/content_false": "ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS=true",
    "adk-java-1.8.0/content_false": "ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS=true",
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
)
