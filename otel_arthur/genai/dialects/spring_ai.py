"""Spring AI: semantic conventions through Micrometer, so that every value is text.

Reference: https://docs.spring.io/spring-ai/reference/observability. Detects: ``spring.ai.*``, or the
scopes of Micrometer's bridge. What has a ``spring.ai.kind`` (chat client, advisor, tool, vector store)
is around the call. Version 2 writes messages, milestones before 1.0 wrote texts without roles into
``gen_ai.prompt`` and ``gen_ai.completion``, and 1.x writes them to the application's log only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from otel_arthur.genai.bag import Bag
from otel_arthur.genai.call import Choice
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.dialects import semconv, semconv_events
from otel_arthur.genai.messages.finish_reasons import finish_reason_of
from otel_arthur.genai.span import SpanView

_MODELS = {"request_model": "gen_ai.request.model", "response_model": "gen_ai.response.model"}

KEYS: Mapping[str, tuple[str, ...]] = {
    **{field: keys for field, keys in semconv.KEYS.items() if field not in _MODELS},
    "conversation_id": ("spring.ai.chat.client.conversation.id", *semconv.KEYS["conversation_id"]),
}


def _operation(view: SpanView) -> str | None:
    return None if "spring.ai.kind" in view.attributes else semconv.operation(view)


def _derived(bag: Bag) -> dict[str, tuple[Any, str]]:
    """Micrometer has no absent value: a model that is not known is ``none``."""
    models = {field: (bag.attributes.get(key), key) for field, key in _MODELS.items()}
    return {field: (model, key) for field, (model, key) in models.items() if model != "none"}


def _conversation(bag: Bag) -> Conversation:
    told = semconv.conversation(bag)
    if not told.messages and not told.choices:
        told = semconv_events.conversation(bag)
    # A list is written as its JSON text.
    parsed = bag.take_json("finish_reasons", semconv.FINISH_REASONS)
    reasons = cast("list[Any]", parsed) if isinstance(parsed, list) else [parsed]
    if not reasons:
        return told
    choices = [
        Choice(choice.message, finish_reason_of(reasons[min(index, len(reasons) - 1)]))
        for index, choice in enumerate(told.choices)
    ]
    return Conversation(told.messages, tuple(choices))


DIALECT = Dialect(
    name="spring-ai",
    reference="https://docs.spring.io/spring-ai/reference/observability/",
    marker="spring.ai.kind",
    scopes=("org.springframework.boot", "org.springframework.ai", "io.micrometer.tracing"),
    operation=_operation,
    keys=KEYS,
    derived=_derived,
    conversation=_conversation,
    content_switch=(
        "spring.ai.chat.observations.log-prompt=true and log-completion=true, from version 2 on; "
        "version 1 writes content to its log only"
    ),
)
