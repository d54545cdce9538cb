"""Google's Agent Development Kit: semantic conventions from 1.17 or so on, JSON of its own before.

Reference: https://google.github.io/adk-docs, ``google.adk.telemetry``. Detects: its scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from otel_arthur.genai.bag import Bag, document
from otel_arthur.genai.call import Choice, Usage
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.messages.finish_reasons import finish_reason_of
from otel_arthur.genai.messages.message import input_messages, message_of, system_instructions
from otel_arthur.genai.span import SpanView

_REQUEST, _RESPONSE = "gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response"

KEYS: Mapping[str, tuple[str, ...]] = {
    **semconv.KEYS,
    "conversation_id": (*semconv.KEYS["conversation_id"], "gcp.vertex.agent.session_id"),
}


def _operation(view: SpanView) -> str | None:
    if "gen_ai.operation.name" in view.attributes:
        return semconv.operation(view)
    return "generate_content" if view.name == "call_llm" else None


def _derived(bag: Bag) -> dict[str, tuple[Any, str]]:
    config = document(document(bag.attributes.get(_REQUEST)).get("config"))
    response = document(bag.attributes.get(_RESPONSE))
    usage = document(response.get("usage_metadata"))
    return {
        "temperature": (config.get("temperature"), _REQUEST),
        "top_p": (config.get("top_p"), _REQUEST),
        "usage.cached": (usage.get("cached_content_token_count"), _RESPONSE),
        "usage.reasoning": (usage.get("thoughts_token_count"), _RESPONSE),
        "usage.total": (usage.get("total_token_count"), _RESPONSE),
        "error_type": (response.get("error_code"), _RESPONSE),
    }


def _conversation(bag: Bag) -> Conversation:
    told = semconv.conversation(bag)
    if told.messages or told.choices:
        return told
    request = document(bag.take("messages", (_REQUEST,)))
    response = document(bag.take("choices", (_RESPONSE,)))
    system = system_instructions(document(request.get("config")).get("system_instruction"))
    content = response.get("content")
    reason = finish_reason_of(response.get("finish_reason"))
    choices = (Choice(message_of(content, "assistant"), reason),) if content else ()
    return Conversation((*system, *input_messages(request.get("contents"))), choices)


def _usage(usage: Usage, _: Conversation, bag: Bag) -> Usage:
    """Undo the thoughts that ADK adds to the counts of LiteLLM's models, which include them."""
    model = bag.attributes.get("gen_ai.request.model")
    of_litellm = isinstance(model, str) and model.startswith(("openai/", "azure/"))
    if not of_litellm or usage.output is None or not usage.reasoning or usage.total is not None:
        return usage
    return replace(usage, output=max(usage.output - usage.reasoning, usage.reasoning))


DIALECT = Dialect(
    name="google-adk",
    reference="https://google.github.io/adk-docs/observability/",
    scopes=("gcp.vertex.agent",),
    operation=_operation,
    keys=KEYS,
    derived=_derived,
    conversation=_conversation,
    usage=_usage,
    emits_log_events=True,
    content_switch=(
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only "
        "with OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental"
    ),
)
