"""`read`: what one finished span is, and the `LLMCall` in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from otel_arthur.genai.bag import Bag, count, number, text
from otel_arthur.genai.call import LLMCall, Usage
from otel_arthur.genai.dialect import Dialect
from otel_arthur.genai.dialects import DIALECTS
from otel_arthur.genai.likelihoods import TIME_TO_FIRST_TOKEN, with_likelihoods
from otel_arthur.genai.span import STATUS_ERROR, SpanView

_MARKERS = ("gen_ai.operation.name", "openinference.span.kind", "llm.request.type")
_PREFIXES = ("gen_ai.", "llm.")


class Reading(NamedTuple):
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
    for marker in _MARKERS:
        if marker in attributes:
            return True
    return any(key.startswith(_PREFIXES) for key in attributes)


def read(view: SpanView, extra: Mapping[str, str] | None = None) -> Reading:
    """Read a span. `extra` maps the user's own field names to span or resource attributes."""
    if not is_candidate(view.attributes):
        return NOT_GENAI
    for dialect in DIALECTS:
        if dialect.owns(view):
            operation = dialect.operation(view)
            if operation is None:
                return Reading(None, dialect, _not_a_call(view), {})
            return _read_call(view, dialect, operation, extra or {})
    return Reading(None, None, "no dialect knows these attributes", {})


def _not_a_call(view: SpanView) -> str:
    name = view.attributes.get("gen_ai.operation.name") or view.attributes.get("openinference.span.kind")
    return f"operation {name} is not a call to a language model" if name else "not a call to a language model"


def _read_call(view: SpanView, dialect: Dialect, operation: str, extra: Mapping[str, str]) -> Reading:
    bag = Bag(view)
    keys = dialect.keys
    taken = {field: bag.take(field, names) for field, names in keys.items()}
    conversation = dialect.conversation(bag)
    usage = _usage_of(taken)
    if dialect.usage is not None:
        usage = dialect.usage(usage, conversation, bag)
    resource = view.resource
    request_model = text(taken.get("request_model"))
    call = LLMCall(
        trace_id=view.trace_id,
        span_id=view.span_id,
        parent_span_id=view.parent_span_id,
        name=view.name,
        scope=view.scope,
        dialect=dialect.name,
        start_ns=view.start_ns,
        end_ns=view.end_ns,
        messages=conversation.messages,
        choices=with_likelihoods(conversation.choices, bag),
        usage=_with_total(usage),
        operation=operation,
        provider=text(taken.get("provider")),
        request_model=request_model,
        response_model=text(taken.get("response_model")),
        response_id=text(taken.get("response_id")),
        temperature=number(taken.get("temperature")),
        top_p=number(taken.get("top_p")),
        max_tokens=count(taken.get("max_tokens")),
        time_to_first_token=number(taken.get("time_to_first_token"))
        or number(view.attributes.get(TIME_TO_FIRST_TOKEN)),
        conversation_id=text(taken.get("conversation_id")),
        user_id=text(taken.get("user_id")),
        failed=view.status_code == STATUS_ERROR,
        error_type=_error_type(view, taken),
        service_name=text(resource.get("service.name")),
        service_instance=text(resource.get("service.instance.id")),
        environment=text(
            resource.get("deployment.environment.name") or resource.get("deployment.environment")
        ),
        truncated=bag.truncated,
        extra={field: value for field, key in extra.items() if (value := _extra(view, key)) is not None},
    )
    missing = not call.failed and not (call.messages and call.choices)
    return Reading(call, dialect, "LLM call", bag.sources, missing)


def _usage_of(taken: Mapping[str, Any]) -> Usage:
    return Usage(
        count(taken.get("usage.input")),
        count(taken.get("usage.output")),
        count(taken.get("usage.total")),
        count(taken.get("usage.cached")),
        count(taken.get("usage.cache_write")),
        count(taken.get("usage.reasoning")),
    )


def _with_total(usage: Usage) -> Usage:
    if usage.total is None and usage.input is not None and usage.output is not None:
        return Usage(
            usage.input,
            usage.output,
            usage.input + usage.output,
            usage.cached,
            usage.cache_write,
            usage.reasoning,
        )
    return usage


def _error_type(view: SpanView, taken: Mapping[str, Any]) -> str | None:
    """``error.type``, or the type of the recorded exception, for a span that failed."""
    if view.status_code != STATUS_ERROR:
        return None
    kind = text(taken.get("error_type"))
    if kind is None:
        for event in view.events:
            if event.name == "exception":
                kind = text(event.attributes.get("exception.type"))
    return kind or "_OTHER"


def _extra(view: SpanView, key: str) -> Any:
    value = view.attributes.get(key)
    return view.resource.get(key) if value is None else value
