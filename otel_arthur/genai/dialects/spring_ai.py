"""Spring AI: semantic conventions of 2024 through Micrometer; content in events, attributes or nowhere.

Reference: https://docs.spring.io/spring-ai/reference/observability. Detects: ``spring.ai.*``, or the
conventional name of its scope; ``framework`` operations (chat client, advisors) are around the call.
"""

from __future__ import annotations

from collections.abc import Mapping

from otel_arthur.genai.dialect import Dialect
from otel_arthur.genai.dialects import semconv, semconv_events
from otel_arthur.genai.span import SpanView

KEYS: Mapping[str, tuple[str, ...]] = {
    **semconv.KEYS,
    "conversation_id": ("spring.ai.chat.client.conversation.id", *semconv.KEYS["conversation_id"]),
}

_SCOPES = ("org.springframework.boot", "org.springframework.ai", "io.micrometer.tracing")


def _owns(view: SpanView) -> bool:
    return view.scope.startswith(_SCOPES) or "spring.ai.kind" in view.attributes


DIALECT = Dialect(
    name="spring-ai",
    reference="https://docs.spring.io/spring-ai/reference/observability/",
    owns=_owns,
    operation=semconv.operation,
    keys=KEYS,
    conversation=semconv_events.conversation,
    content_switch=(
        "spring.ai.chat.observations.include-prompt=true and include-completion=true; "
        "from 1.0.0-RC1 on Spring AI writes content to its log only"
    ),
)
