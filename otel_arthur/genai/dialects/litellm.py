"""LiteLLM's OpenTelemetry callback: GenAI semantic conventions now, numbered attributes before.

Its child ``raw_gen_ai_request`` repeats the provider's request for debugging and is no call. Its messages
leave out the tools that were called; the numbered attributes beside them do not.
"""

from __future__ import annotations

from otel_arthur.genai import calls
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import joined, within
from otel_arthur.genai.tables.provider_fields import COUNTS

_TYPES = {"completion": "chat", "acompletion": "chat", "text_completion": "text_completion"}
"""LiteLLM's own name of a chat call is completion."""


def _operation(view: SpanView) -> str | None:
    if view.name == "raw_gen_ai_request":
        return None
    kind = view.attributes.get("llm.request.type")
    if isinstance(kind, str) and view.attributes.get("gen_ai.operation.name") in (kind, None, *_TYPES):
        return _TYPES.get(kind) or calls.named(kind)
    return calls.operation(view)


DIALECT = Dialect(
    name="litellm",
    reference="https://docs.litellm.ai/docs/observability/opentelemetry_integration",
    markers=("litellm.call_id",),
    scopes=("litellm",),
    operation=_operation,
    fields=joined(
        {"user_id": ("llm.user", "metadata.user_api_key_end_user_id", "metadata.user_api_key_user_id")},
        semconv.FIELDS,
        within("metadata.usage_object", COUNTS),
    ),
    content_switch=(
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only "
        "and litellm.turn_off_message_logging = False"
    ),
)
