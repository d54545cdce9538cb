"""OpenLLMetry (Traceloop) from 0.55 on: GenAI semantic conventions with its own association properties.

Reference: traceloop/openllmetry, ``opentelemetry-semantic-conventions-ai``. Detects: its scopes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from otel_arthur.genai.bag import Bag
from otel_arthur.genai.call import Usage
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView

_ASSOCIATION = "traceloop.association.properties."

KEYS: Mapping[str, tuple[str, ...]] = {
    **semconv.KEYS,
    "conversation_id": (
        "gen_ai.conversation.id",
        *(f"{_ASSOCIATION}{name}" for name in ("thread_id", "session_id", "conversation_id")),
    ),
    "user_id": (f"{_ASSOCIATION}user_id", "gen_ai.user", "llm.user"),
}


def _owns(view: SpanView) -> bool:
    # The official packages' scopes go on with ".genai." and are plain semantic conventions.
    scope = view.scope
    return scope == "opentelemetry.instrumentation.langchain" or (
        scope.startswith("opentelemetry.instrumentation.") and scope.endswith(".v1")
    )


def _usage(usage: Usage, conversation: Conversation, bag: Bag) -> Usage:
    """Undo LangChain's n-fold count: each choice repeats the call's usage, and all are summed."""
    n = len(conversation.choices)
    if n < 2 or bag.view.scope != "opentelemetry.instrumentation.langchain":
        return usage
    if any(count is not None and count % n for count in (usage.input, usage.output, usage.total)):
        return usage
    return replace(
        usage,
        input=_divided(usage.input, n),
        output=_divided(usage.output, n),
        total=_divided(usage.total, n),
        cached=_divided(usage.cached, n),
        reasoning=_divided(usage.reasoning, n),
    )


def _divided(count: int | None, n: int) -> int | None:
    return None if count is None else count // n


DIALECT = Dialect(
    name="openllmetry",
    reference="https://github.com/traceloop/openllmetry",
    owns=_owns,
    operation=semconv.operation,
    keys=KEYS,
    conversation=semconv.conversation,
    usage=_usage,
    content_switch="TRACELOOP_TRACE_CONTENT=true",
)
