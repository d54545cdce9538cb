"""The long tail of dialects: what is recorded of each, and why a field is not there.

`LONG_TAIL` names the captures; `ABSENT` the reasons, as a `Row` each. What could
not be run is in ``test_long_tail_documented.py``, and its `verified` is False.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.genai.matrix import products
from tests.genai.matrix.rows import ALL, COUNTS, OWN_ERROR, RESPONSES, STREAMS, Dialect, Row

LONG_TAIL: Mapping[str, Dialect] = {
    "Pydantic AI": Dialect(
        "pydantic-ai",
        "1.9.1, 2.68.0",
        True,
        (
            "pydantic-ai-2.68.0/default",
            *(f"pydantic-ai-1.9.1/version_{version}" for version in (1, 2, 3)),
        ),
    ),
    "LiteLLM": Dialect("litellm", "1.106.2", True, ("litellm-1.106.2/default", "litellm-1.106.2/latest")),
    "Strands Agents": Dialect("strands", "1.62.0", True, ("strands-1.62.0/default", "strands-1.62.0/latest")),
    "Google ADK": Dialect("google-adk", "2.13.0", True, ("google-adk-2.13.0/span_only",)),
    "Microsoft Agent Framework": Dialect(
        "agent-framework", "1.23.0", True, ("agent-framework-1.23.0/default",)
    ),
    "Semantic Kernel": Dialect("semantic-kernel", "1.45.0", True, ("semantic-kernel-1.45.0/default",)),
    "Logfire": Dialect("logfire", "5.2.0", True, ("logfire-5.2.0/default", "logfire-5.2.0/version_1")),
    "Langfuse": Dialect("langfuse", "5.0.4", True, ("langfuse-5.0.4/default",)),
    "LangSmith": Dialect("langsmith", "0.15.0", True, ("langsmith-langchain-0.15.0/default",)),
    "MLflow": Dialect("mlflow", "3.17.2", True, ("mlflow-3.17.2/default",)),
    "Vercel AI SDK": Dialect("vercel-ai", "6.0.326", True, ("vercel-ai-6.0.326/default",)),
    "Anthropic's SDK itself": Dialect("anthropic-sdk", "2.12.0", True, ("anthropic-sdk-2.12.0/content",)),
    "Anthropic by OpenInference": Dialect("openinference", "3.1.0", True, ("oi-anthropic-3.1.0/default",)),
    "Anthropic by OpenTelemetry": Dialect("semconv", "1.3b0", True, ("genai-anthropic-1.3b0/span_only",)),
    "Anthropic by OpenLLMetry": Dialect("openllmetry", "0.62.4", True, ("oll-anthropic-0.62.4/default",)),
    "LlamaIndex by OpenInference": Dialect("openinference", "4.6.1", True, ("oi-llama-index-4.6.1/default",)),
    "Haystack": Dialect("haystack", "3.0.0", True, ("haystack-3.0.0/default",)),
    "LlamaIndex's own OpenTelemetry": Dialect(
        "llama-index-events", "0.7.0", True, ("llama-index-events-0.7.0/default",)
    ),
    "traceAI": Dialect("traceai", "0.1.10", True, ("traceai-0.1.10/default",)),
    "Laminar": Dialect("laminar", "0.8.2", True, ("laminar-0.8.2/default",)),
    "Monocle": Dialect("monocle", "0.8.15", True, ("monocle-0.8.15/default",)),
    **products.PRODUCTS,
    "Collector `gen_ai_normalizer`": Dialect(
        "openinference, openllmetry-legacy",
        "alpha",
        False,
        reference=(
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/"
            "processor/genainormalizerprocessor"
        ),
    ),
}
"""Name for people -> what is known of it."""

SWITCHED_OFF: Mapping[str, str] = {
    "pydantic-ai-2.68.0/content_false": "include_content=True",
    "litellm-1.106.2/content_false": "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only",
    "google-adk-2.13.0/content_false": "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only",
    "google-adk-2.13.0/default": "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only",
    "agent-framework-1.23.0/content_false": "ENABLE_SENSITIVE_DATA=true",
    "semantic-kernel-1.45.0/content_false": (
        "SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE=true"
    ),
    "vercel-ai-6.0.326/content_false": "recordOutputs: true",
    "haystack-3.0.0/content_false": "HAYSTACK_CONTENT_TRACING_ENABLED=true",
    "anthropic-sdk-2.12.0/content_false": "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE=content",
    **products.SWITCHED_OFF,
}
"""Captures made with content off -> what must be named to turn it on."""

ABSENT: Sequence[Row] = (
    Row("oi-llama-index-*", ("max_tokens", "temperature", "response_id"), ALL, "not recorded"),
    Row("oi-llama-index-*", ("response_model",), ALL, "it is the model asked for", instead=True),
    Row(
        "oi-llama-index-*",
        ("input_tokens", "output_tokens", "total_tokens", "cached_tokens", "reasoning_tokens"),
        STREAMS,
        "in streams",
    ),
    Row("anthropic-sdk-*", ("error_type",), ("e_err429",), "the API's word for it", instead=True),
    Row("anthropic-sdk-*", ("messages",), ("s_image",), "an image's type is not recorded", instead=True),
    Row("genai-anthropic-*", ("time_to_first_token",), STREAMS, "not recorded"),
    Row("oi-*", ("time_to_first_token",), STREAMS, "not recorded"),
    Row("oll-anthropic-*", ("time_to_first_token",), STREAMS, "not recorded"),
    Row("oll-anthropic-*", ("reasoning_tokens",), ALL, "not recorded"),
    Row(
        "oll-anthropic-*",
        ("output_tokens", "total_tokens"),
        STREAMS,
        "in streams the tokens of the first event are added to those of the last",
        instead=True,
    ),
    Row("pydantic-ai-*", ("time_to_first_token",), STREAMS, "not recorded"),
    Row("pydantic-ai-*", ("messages",), ("e_err429",), "of a call that failed"),
    Row(
        "pydantic-ai-1.9.1/*",
        ("input_tokens", "output_tokens", "total_tokens", "cached_tokens"),
        ALL,
        "of servers that it does not know",
    ),
    Row("litellm-*", ("time_to_first_token",), STREAMS, "not recorded"),
    Row("litellm-*", ("response_model",), STREAMS, "in streams it is the model asked for", instead=True),
    Row("litellm-*", ("tool_calls",), ("d_tools",), "tool calls have no id", instead=True),
    Row("strands-*", ("provider",), ALL, "the framework is named in its place"),
    Row(
        "strands-*",
        ("max_tokens", "temperature", "response_model", "response_id", "reasoning_tokens"),
        ALL,
        "not recorded",
    ),
    Row("strands-*", ("messages",), ("s_image",), "an image's type is not recorded", instead=True),
    Row("google-adk-*", ("operation",), ALL, "as Gemini's API has it", instead=True),
    Row("google-adk-*", ("request_model",), ALL, "with LiteLLM's prefix", instead=True),
    Row("google-adk-*", ("temperature", "response_model", "response_id"), ALL, "not recorded"),
    Row("google-adk-*", ("messages",), ALL, "ADK adds to the instructions", instead=True),
    Row("google-adk-*", ("finish_reason",), ("d_tools",), "Gemini's own word for tool calls", instead=True),
    Row("agent-framework-*", ("max_tokens", "temperature"), ALL, "on the agent's span only"),
    Row("agent-framework-*", ("time_to_first_token",), STREAMS, "not recorded"),
    Row("agent-framework-*", ("error_type",), ("e_err429",), OWN_ERROR, instead=True),
    Row(
        "semantic-kernel-*",
        ("response_model", "cached_tokens", "reasoning_tokens", "time_to_first_token"),
        ALL,
        "not recorded",
    ),
    Row("semantic-kernel-*", ("error_type",), ("e_err429",), OWN_ERROR, instead=True),
    Row("logfire-*", ("response_model",), STREAMS, "in streams it is the model asked for", instead=True),
    Row("logfire-*", ("response_id", "time_to_first_token"), STREAMS, "in streams"),
    Row("logfire-*", ("finish_reason",), RESPONSES, "with the Responses API"),
    Row("logfire-*/version_1", ("finish_reason",), STREAMS, "in streams"),
    Row("logfire-*/default", ("messages",), ("h_completion",), "of completion models"),
    Row("logfire-*/default", ("user_id",), ("q_metadata",), "not recorded"),
    Row("logfire-*/version_1", ("answer",), ("i_n2",), "the first of several only", instead=True),
    Row("langfuse-*", ("provider", "request_model", "response_id", "user_id"), ALL, "not recorded"),
    Row("langfuse-*", ("finish_reason",), ALL, "only in streams of chat completions"),
    Row("langfuse-*", ("error_type",), ("e_err429",), "only the message is recorded", instead=True),
    Row("langfuse-*", ("operation",), ("h_completion",), "all calls are generations", instead=True),
    Row("langfuse-*", ("messages",), ("s_image",), "its upload's name", instead=True),
    Row(
        "langsmith-*",
        ("response_id",),
        (*STREAMS, "h_completion"),
        "in streams and of completion models",
    ),
    Row("langsmith-*", ("time_to_first_token",), STREAMS, "not recorded"),
    Row("langsmith-*", ("operation",), ("h_completion",), "all calls are chats", instead=True),
    Row("langsmith-*", ("response_model",), ("h_completion",), "it is the model asked for", instead=True),
    Row("langsmith-*", ("cached_tokens", "reasoning_tokens"), ("h_completion",), "of completion models"),
    Row("langsmith-*", ("finish_reason",), RESPONSES, "with the Responses API"),
    Row("langsmith-*", ("provider",), ("o_fallback",), "langchain, where it is in doubt", instead=True),
    Row("mlflow-*", ("messages",), ("s_image",), "its attachment's name", instead=True),
    Row(
        "haystack-*",
        ("provider", "request_model", "max_tokens", "temperature", "response_id"),
        ALL,
        "not recorded: a component is set up before its span",
    ),
    Row("haystack-*", COUNTS, STREAMS, "in streams"),
    Row("llama-index-events-*", ("provider", "max_tokens", "temperature"), ALL, "not recorded"),
    Row(
        "llama-index-events-*",
        (*COUNTS, "answer", "finish_reason", "response_model", "response_id", "time_to_first_token"),
        STREAMS,
        "the span of a stream ends before the answer",
    ),
    Row("laminar-*", ("time_to_first_token",), STREAMS, "not recorded"),
    Row("laminar-*", ("operation",), ("h_completion",), "all calls are LLM", instead=True),
    Row("laminar-*", ("max_tokens", "finish_reason"), RESPONSES, "with the Responses API"),
    Row("laminar-*", ("user_id",), ("q_metadata",), "not recorded"),
    Row(
        "monocle-*",
        ("max_tokens", "temperature", "response_model", "response_id", "reasoning_tokens", "user_id"),
        ALL,
        "not recorded",
    ),
    Row("monocle-*", ("time_to_first_token",), STREAMS, "not recorded"),
    Row("monocle-*", ("messages",), ("d_tools", "s_image"), "ids and media are not recorded", instead=True),
    Row("monocle-*", ("error_type",), ("e_err429",), "only the message is recorded", instead=True),
    Row("monocle-*", ("answer",), ("i_n2",), "the first of several only", instead=True),
    Row("traceai-*", ("request_model",), ALL, "it is the model that answered", instead=True),
    Row(
        "traceai-*",
        ("finish_reason", "response_model", "response_id", "cached_tokens", "reasoning_tokens"),
        ALL,
        "not recorded",
    ),
    Row("traceai-*", ("time_to_first_token",), STREAMS, "not recorded"),
    Row("traceai-*", ("operation",), ("h_completion",), "all calls are LLM", instead=True),
    Row(
        "traceai-*",
        ("provider", "max_tokens", "temperature", "messages"),
        ("p_long_history",),
        "dropped by the limit of attributes",
        instead=True,
    ),
    Row("traceai-*", ("messages",), ("s_image",), "an image's type is not recorded", instead=True),
    *products.ABSENT,
)
