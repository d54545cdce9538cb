"""`read`: what one finished span is, and the `LLMCall` in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from otel_arthur.genai.bag import Bag, number, text
from otel_arthur.genai.call import NO_EXTRA, LLMCall, MediaPart, Message, TextPart, ToolCallPart, Usage
from otel_arthur.genai.dialect import Dialect
from otel_arthur.genai.fields import Layout, fields_of, layout_of
from otel_arthur.genai.likelihoods import TIME_TO_FIRST_TOKEN, with_likelihoods
from otel_arthur.genai.messages.answers import choices_wanted, distinct
from otel_arthur.genai.span import STATUS_ERROR, SpanView
from otel_arthur.genai.usage import inclusive

_MARKERS = frozenset(
    {
        # What an instrumentation writes first names the span best ...
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.system",
        "gen_ai.request.model",
        "llm.request.type",
        "llm.model_name",
        "ai.operationId",
        "mlflow.spanType",
        "langfuse.observation.type",
        "langsmith.span.kind",
        # ... and what it writes last is left when a limit has dropped the first.
        "openinference.span.kind",
        "gen_ai.prompt.0.content",
        "gen_ai.completion.0.role",
        "gen_ai.completion.0.content",
        "gen_ai.completion.0.finish_reason",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.prompt",
        "gen_ai.completion",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "gen_ai.response.finish_reasons",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.prompt_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.usage.total_tokens",
        "llm.token_count.total",
        "llm.output_messages.0.message.role",
    }
)
_PREFIXES = ("gen_ai.", "llm.")
MARKER_BYTES = tuple(
    sorted({*(p.encode() for p in _PREFIXES), *(m.encode() for m in _MARKERS if not m.startswith(_PREFIXES))})
)
"""Every candidate has one of these in its bytes, in protobuf and in JSON alike: a part of a key."""
_MANY_ATTRIBUTES = 64
"""From here on a limit may have dropped all markers, so every key is looked at."""


class Reading(Struct, frozen=True, gc=False):
    """What became of one span. `call` is None when it is not an LLM call."""

    call: LLMCall | None
    dialect: Dialect | None
    reason: str
    sources: Mapping[str, str]
    """Field -> the attribute that filled it."""
    content_missing: bool = False
    """It is an LLM call, but its messages were not recorded."""


NOT_GENAI = Reading(None, None, "not a GenAI span", {})


def is_candidate(attributes: Mapping[str, Any]) -> bool:
    """Whether a span's attributes could be those of an LLM call; cheap, for every span passes here."""
    if not _MARKERS.isdisjoint(attributes):
        return True
    return len(attributes) >= _MANY_ATTRIBUTES and any(key.startswith(_PREFIXES) for key in attributes)


def read(view: SpanView, extra: Mapping[str, str] | None = None) -> Reading:
    """Read a span. `extra` maps the user's own field names to span or resource attributes."""
    if not is_candidate(view.attributes):
        return NOT_GENAI
    layout = layout_of(view)
    operation = layout.dialect.operation(view)
    if operation is None:
        return Reading(None, layout.dialect, _not_a_call(view), {})
    return _read_call(view, layout, operation, extra or {})


def _not_a_call(view: SpanView) -> str:
    name = view.attributes.get("gen_ai.operation.name") or view.attributes.get("openinference.span.kind")
    return f"operation {name} is not a call to a language model" if name else "not a call to a language model"


def _read_call(view: SpanView, layout: Layout, operation: str, extra: Mapping[str, str]) -> Reading:
    dialect = layout.dialect
    bag = Bag(view)
    (
        start_ns,
        provider,
        request_model,
        response_model,
        response_id,
        temperature,
        top_p,
        max_tokens,
        time_to_first_token,
        conversation_id,
        user_id,
        error_type,
        tokens_in,
        tokens_out,
        total,
        cached,
        cache_write,
        reasoning,
    ) = fields_of(bag, layout)
    failed = view.status_code == STATUS_ERROR
    conversation = dialect.conversation(bag)
    choices = conversation.choices
    if len(choices) > 1:
        choices = tuple(distinct(choices, choices_wanted(view.attributes)))
    choices = with_likelihoods(choices, bag)
    if failed:
        # Some write the beginnings of an answer that never came.
        choices = tuple(choice for choice in choices if choice.message.parts)
    usage = Usage(tokens_in, tokens_out, total, cached, cache_write, reasoning)
    if dialect.usage is not None:
        usage = dialect.usage(usage, conversation, bag)
    service_name, service_instance, environment = _resource_fields(view.resource)
    # By position: naming the fields costs as much again as all else here.
    call = LLMCall(
        view.trace_id,
        view.span_id,
        view.parent_span_id,
        view.name,
        view.scope,
        dialect.name,
        # A span that is only the end of a call says when the call began.
        start_ns or view.start_ns,
        view.end_ns,
        conversation.messages,
        choices,
        inclusive(usage),
        operation,
        provider,
        request_model,
        response_model,
        response_id,
        temperature,
        top_p,
        max_tokens,
        _time_to_first_token(bag, time_to_first_token, dialect.first_token_event),
        conversation_id,
        user_id,
        failed,
        _error_type(view, error_type) if failed else None,
        service_name,
        service_instance,
        environment,
        bag.truncated,
        _extra(view, extra) if extra else NO_EXTRA,
    )
    lacking = None if failed else _lacking(call)
    if lacking is None:
        return Reading(call, dialect, "LLM call", bag.sources)
    reason = f"{lacking} not recorded: set {dialect.switch_for(view)}"
    return Reading(call, dialect, reason, bag.sources, content_missing=True)


_ResourceFields: TypeAlias = tuple[str | None, str | None, str | None]
_last_resource: tuple[Mapping[str, Any], _ResourceFields] = ({}, (None, None, None))


def _resource_fields(resource: Mapping[str, Any]) -> _ResourceFields:
    """Name and instance of the service, and its environment. All spans of a process share one resource."""
    global _last_resource
    last, found = _last_resource
    if last is not resource:
        environment = resource.get("deployment.environment.name") or resource.get("deployment.environment")
        found = (
            text(resource.get("service.name")),
            text(resource.get("service.instance.id")),
            text(environment),
        )
        _last_resource = resource, found
    return found


def _lacking(call: LLMCall) -> str | None:
    """What a call that succeeded must have and has not, or None. A prompt alone may be hidden on purpose."""
    for choice in call.choices:
        if _tells(choice.message):
            return None
    for message in call.messages:
        if _tells(message):
            return None if call.choices else "the answer was"
    return "messages were"


def _tells(message: Message) -> bool:
    """Whether a message has words; where content is off, some still name the tools called and the media."""
    parts = message.parts
    if len(parts) == 1 and type(parts[0]) is TextPart:
        return bool(parts[0].text)
    return any(
        part.arguments is not None if isinstance(part, ToolCallPart) else bool(part.text)
        for part in parts
        if not isinstance(part, MediaPart)
    )


def _time_to_first_token(bag: Bag, seconds: float | None, event_name: str | None) -> float | None:
    """Seconds, from an attribute, or from the event that marks the first token."""
    if seconds is None and event_name is not None:
        event = bag.event("time_to_first_token", event_name)
        if event is not None and event.time_ns >= bag.view.start_ns:
            return (event.time_ns - bag.view.start_ns) / 1e9
    return number(bag.attributes.get(TIME_TO_FIRST_TOKEN)) if seconds is None else seconds


def _error_type(view: SpanView, kind: str | None) -> str:
    """``error.type``, or the type of the recorded exception, of a span that failed."""
    if kind is None:
        for event in view.events:
            if event.name == "exception":
                kind = text(event.attributes.get("exception.type"))
    if kind is not None and kind.startswith("<class '"):
        return kind[8:-2]
    return kind or "_OTHER"


def _extra(view: SpanView, keys: Mapping[str, str]) -> Mapping[str, Any]:
    """The user's own fields, off the span or else its resource."""
    found: dict[str, Any] = {}
    for field, key in keys.items():
        value = view.attributes.get(key)
        if value is None:
            value = view.resource.get(key)
        if value is not None:
            found[field] = value
    return found
