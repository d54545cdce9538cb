"""MLflow Tracing in an application's own tracer provider: every attribute is JSON text.

Reference: https://mlflow.org/docs/latest/genai/tracing. Detects: ``mlflow.spanType``.
"""

from __future__ import annotations

from typing import Any

from otel_arthur.genai.bag import Bag, document
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.messages.documents import (
    request_fields,
    request_messages,
    response_choices,
    response_fields,
)
from otel_arthur.genai.span import SpanView

_TYPES = {"LLM": "chat", "CHAT_MODEL": "chat"}
_IN, _OUT, _USAGE = "mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.chat.tokenUsage"
_FORMAT = "mlflow.message.format"
_COUNTS = {
    "usage.input": "input_tokens",
    "usage.output": "output_tokens",
    "usage.total": "total_tokens",
    "usage.cached": "cache_read_input_tokens",
    "usage.cache_write": "cache_creation_input_tokens",
}
_WORDS = {"provider": "mlflow.llm.provider", "response_model": "mlflow.llm.model"}


def _operation(view: SpanView) -> str | None:
    kind = view.attributes.get("mlflow.spanType")
    # As JSON text the word has quotes.
    operation = _TYPES.get(kind.strip('"')) if isinstance(kind, str) else None
    if operation is None or "prompt" not in view.attributes:
        return operation
    return "text_completion"


def _derived(bag: Bag) -> dict[str, tuple[Any, str]]:
    attributes = bag.attributes
    usage = document(attributes.get(_USAGE))
    words = {
        field: (value.strip('"'), key)
        for field, key in _WORDS.items()
        if isinstance(value := attributes.get(key), str)
    }
    if "provider" not in words and isinstance(format_ := attributes.get(_FORMAT), str):
        words["provider"] = (format_.strip('"'), _FORMAT)
    return {
        **words,
        **{field: (value, _IN) for field, value in request_fields(document(attributes.get(_IN))).items()},
        **{field: (value, _OUT) for field, value in response_fields(document(attributes.get(_OUT))).items()},
        **{field: (usage[name], _USAGE) for field, name in _COUNTS.items() if usage.get(name) is not None},
    }


def _conversation(bag: Bag) -> Conversation:
    asked, answered = bag.take_json("messages", (_IN,)), bag.take_json("choices", (_OUT,))
    choices = response_choices(answered) if answered is not None else []
    return Conversation(tuple(request_messages(asked)), tuple(choices))


DIALECT = Dialect(
    name="mlflow",
    reference="https://mlflow.org/docs/latest/genai/tracing/",
    marker="mlflow.spanType",
    operation=_operation,
    keys={"error_type": ("error.type",), "conversation_id": ("session.id",)},
    derived=_derived,
    conversation=_conversation,
    first_token_event="mlflow.chunk.item.0",
    content_switch="no span processor that redacts inputs and outputs (mlflow.tracing.configure)",
)
