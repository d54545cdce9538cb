"""The OpenTelemetry GenAI semantic conventions: every span that no other dialect owns."""

from __future__ import annotations

from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import Table
from otel_arthur.genai.tables.switches import by_scope


def _usage(names: str) -> tuple[str, ...]:
    """Attributes of usage by the ends of their names; those of `llm.` are whole."""
    return tuple(name if name.startswith("llm.") else f"gen_ai.usage.{name}" for name in names.split())


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
        *("gen_ai.response.time_to_first_chunk", "gen_ai.client.operation.time_to_first_chunk"),
        "gen_ai.performance.time_to_first_token",
    ),
    "conversation_id": ("gen_ai.conversation.id", "session.id"),
    "user_id": ("user.id", "enduser.id"),
    "error_type": ("error.type",),
    "usage.input": _usage("input_tokens prompt_tokens"),
    "usage.output": _usage("output_tokens completion_tokens"),
    "usage.total": _usage("total_tokens llm.usage.total_tokens"),
    "usage.cached": _usage(
        "cache_read.input_tokens cached_tokens cache_read_input_tokens cached_input_tokens "
        "input_tokens.cached cache_read_tokens input_cached_tokens prompt_tokens.cached "
        "details.cache_read_tokens details.cache_read_input_tokens details.cached_tokens "
        "details.prompt_cache_hit_tokens prompt_tokens_details.cached_tokens "
        "input_tokens_details.cached_tokens"
    ),
    "usage.cache_write": _usage(
        "cache_creation.input_tokens cache_write.input_tokens cache_creation_input_tokens "
        "cache_write_input_tokens input_tokens.cache_write cache_write_tokens cache_creation_tokens "
        "details.cache_write_tokens details.cache_creation_input_tokens"
    ),
    "usage.reasoning": _usage(
        "reasoning.output_tokens reasoning_tokens llm.usage.reasoning_tokens output_tokens.reasoning "
        "details.reasoning_tokens reasoning_output_tokens output_reasoning_tokens thoughts_token_count "
        "completion_tokens_details.reasoning_tokens output_tokens_details.reasoning_tokens"
    ),
}
"""Every spelling that is in use; dialects put their own before them."""


DIALECT = Dialect(
    name="semconv",
    reference="https://github.com/open-telemetry/semantic-conventions-genai",
    scopes=("",),
    fields=FIELDS,
    emits_log_events=True,
    content_switch=by_scope,
)
