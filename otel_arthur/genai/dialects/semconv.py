"""The OpenTelemetry GenAI semantic conventions, as any instrumentation may write them.

Reference: open-telemetry/semantic-conventions-genai, "Semantic conventions for generative client AI spans".
Takes every span that no other dialect owns.
"""

from __future__ import annotations

from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import Table

_USAGE = "gen_ai.usage."
_SPAN_ONLY = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only (the value true is not valid)"
_SWITCHES = (
    # The AI SDK of Vercel from version 7 on.
    ("gen_ai", "telemetry: { recordInputs: true, recordOutputs: true }"),
    ("@traceloop/", "TRACELOOP_TRACE_CONTENT=true"),
    ("openlit", "capture_message_content=True in openlit.init"),
    ("opentelemetry.instrumentation.genai", _SPAN_ONLY),
    ("opentelemetry.util.genai", _SPAN_ONLY),
    ("opentelemetry.instrumentation.google_genai", _SPAN_ONLY),
    ("opentelemetry.instrumentation.", "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true"),
)

FIELDS: Table = {
    "provider": ("gen_ai.provider.name", "gen_ai.system"),
    "request_model": ("gen_ai.request.model",),
    "response_model": ("gen_ai.response.model",),
    "response_id": ("gen_ai.response.id", "gen_ai.response_id"),
    "temperature": ("gen_ai.request.temperature",),
    "top_p": ("gen_ai.request.top_p", "llm.top_p"),
    "max_tokens": ("gen_ai.request.max_tokens",),
    "choice_count": ("gen_ai.request.choice.count",),
    "time_to_first_token": (
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai.performance.time_to_first_token",
    ),
    "conversation_id": ("gen_ai.conversation.id", "session.id"),
    "user_id": ("user.id", "enduser.id"),
    "error_type": ("error.type",),
    "usage.input": (f"{_USAGE}input_tokens", f"{_USAGE}prompt_tokens"),
    "usage.output": (f"{_USAGE}output_tokens", f"{_USAGE}completion_tokens"),
    "usage.total": (f"{_USAGE}total_tokens", "llm.usage.total_tokens"),
    "usage.cached": (
        *(f"{_USAGE}cache_read.input_tokens", f"{_USAGE}cached_tokens", f"{_USAGE}cache_read_input_tokens"),
        *(f"{_USAGE}cached_input_tokens", f"{_USAGE}input_tokens.cached"),
        *(f"{_USAGE}cache_read_tokens", f"{_USAGE}input_cached_tokens", f"{_USAGE}prompt_tokens.cached"),
        *(f"{_USAGE}details.{name}" for name in ("cache_read_tokens", "cache_read_input_tokens")),
        *(f"{_USAGE}details.{name}" for name in ("cached_tokens", "prompt_cache_hit_tokens")),
        *(f"{_USAGE}{side}_tokens_details.cached_tokens" for side in ("prompt", "input")),
    ),
    "usage.cache_write": (
        *(f"{_USAGE}cache_creation.input_tokens", f"{_USAGE}cache_write.input_tokens"),
        *(f"{_USAGE}cache_creation_input_tokens", f"{_USAGE}cache_write_input_tokens"),
        *(
            f"{_USAGE}input_tokens.cache_write",
            f"{_USAGE}cache_write_tokens",
            f"{_USAGE}cache_creation_tokens",
        ),
        *(f"{_USAGE}details.{name}" for name in ("cache_write_tokens", "cache_creation_input_tokens")),
    ),
    "usage.reasoning": (
        *(f"{_USAGE}reasoning.output_tokens", f"{_USAGE}reasoning_tokens", "llm.usage.reasoning_tokens"),
        *(f"{_USAGE}output_tokens.reasoning", f"{_USAGE}details.reasoning_tokens"),
        *(
            f"{_USAGE}reasoning_output_tokens",
            f"{_USAGE}output_reasoning_tokens",
            f"{_USAGE}thoughts_token_count",
        ),
        *(f"{_USAGE}{side}_tokens_details.reasoning_tokens" for side in ("completion", "output")),
    ),
}
"""Every spelling that is in use; dialects put their own before them."""


def switch_of(view: SpanView) -> str:
    """The variable that turns content on in the package that wrote `view`."""
    return next((switch for scope, switch in _SWITCHES if view.scope.startswith(scope)), _SPAN_ONLY)


DIALECT = Dialect(
    name="semconv",
    reference="https://github.com/open-telemetry/semantic-conventions-genai",
    scopes=("",),
    fields=FIELDS,
    emits_log_events=True,
    content_switch=switch_of,
)
