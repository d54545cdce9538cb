"""The OpenTelemetry GenAI semantic conventions, as any instrumentation may write them.

Reference: open-telemetry/semantic-conventions-genai, "Semantic conventions for generative
client AI spans". Detects: ``gen_ai.operation.name`` or any other ``gen_ai.*`` of a call.
"""

from __future__ import annotations

from collections.abc import Mapping

from otel_arthur.genai.bag import Bag
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.messages import schema_form
from otel_arthur.genai.messages.message import input_messages, output_choices, system_instructions
from otel_arthur.genai.span import SpanView

LLM_OPERATIONS: Mapping[str, str] = {
    "chat": "chat",
    "text_completion": "text_completion",
    "generate_content": "generate_content",
    # Not of the registry, but written before it was closed.
    "completion": "text_completion",
    "completions": "text_completion",
    "chat.completions": "chat",
    "chat_completion": "chat",
    "responses": "chat",
}
"""The values of ``gen_ai.operation.name`` that are one call to a language model."""

_SPAN_ONLY = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only (the value true is not valid)"
_SWITCHES = (
    ("opentelemetry.instrumentation.genai", _SPAN_ONLY),
    ("opentelemetry.util.genai", _SPAN_ONLY),
    ("opentelemetry.instrumentation.", "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true"),
)

KEYS: Mapping[str, tuple[str, ...]] = {
    "provider": ("gen_ai.provider.name", "gen_ai.system"),
    "request_model": ("gen_ai.request.model",),
    "response_model": ("gen_ai.response.model",),
    "response_id": ("gen_ai.response.id",),
    "temperature": ("gen_ai.request.temperature",),
    "top_p": ("gen_ai.request.top_p",),
    "max_tokens": ("gen_ai.request.max_tokens",),
    "time_to_first_token": ("gen_ai.response.time_to_first_chunk",),
    "conversation_id": ("gen_ai.conversation.id", "session.id"),
    "user_id": ("user.id", "enduser.id"),
    "error_type": ("error.type",),
    "usage.input": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "usage.output": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "usage.total": ("gen_ai.usage.total_tokens",),
    "usage.cached": ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cached_tokens"),
    "usage.cache_write": (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
    ),
    "usage.reasoning": ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
}

INPUT = ("gen_ai.input.messages",)
OUTPUT = ("gen_ai.output.messages",)
SYSTEM = ("gen_ai.system_instructions",)
FINISH_REASONS = ("gen_ai.response.finish_reasons", "gen_ai.response.finish_reason")

_ANSWERS = frozenset(
    {
        "gen_ai.output.messages",
        "gen_ai.response.finish_reasons",
        "gen_ai.response.id",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
    }
)


def operation(view: SpanView) -> str | None:
    """``gen_ai.operation.name`` where it names a call to a language model."""
    name = view.attributes.get("gen_ai.operation.name")
    if name is not None:
        return LLM_OPERATIONS.get(name) if isinstance(name, str) else None
    return "chat" if _answered(view) else None


def _answered(view: SpanView) -> bool:
    """A span that lost its operation to a limit, or never had one, but has a model and its answer."""
    attributes = view.attributes
    if "gen_ai.agent.name" in attributes or "gen_ai.tool.name" in attributes:
        return False
    has_model = "gen_ai.request.model" in attributes or "gen_ai.response.model" in attributes
    return has_model and not _ANSWERS.isdisjoint(attributes)


def switch_of(view: SpanView) -> str:
    """The variable that turns content on in the package that wrote `view`."""
    return next((switch for scope, switch in _SWITCHES if view.scope.startswith(scope)), _SPAN_ONLY)


def conversation(bag: Bag) -> Conversation:
    """Messages from the three message attributes."""
    asked, answered = bag.take("messages", INPUT), bag.take("choices", OUTPUT)
    messages = schema_form.messages(asked)
    if messages is None:
        messages = input_messages(bag.parsed(asked))
    system = bag.take_json("system", SYSTEM)
    if system is not None:
        messages = [*system_instructions(system), *messages]
    reasons = bag.take_json("finish_reasons", FINISH_REASONS)
    choices = schema_form.choices(answered, reasons)
    if choices is None:
        choices = output_choices(bag.parsed(answered), reasons)
    return Conversation(tuple(messages), tuple(choices))


DIALECT = Dialect(
    name="semconv",
    reference="https://github.com/open-telemetry/semantic-conventions-genai",
    scopes=("",),
    operation=operation,
    keys=KEYS,
    conversation=conversation,
    emits_log_events=True,
    content_switch=switch_of,
)
