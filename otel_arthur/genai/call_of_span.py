"""`call_of`: the call that a span tells of, once its words and fields are read.

Beside words and fields, the call has its service, the user's and the application's own fields, and what an
event says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from otel_arthur.genai.attributes import SpanAttributes, text
from otel_arthur.genai.call import NO_EXTRA, Choice, LLMCall, Usage
from otel_arthur.genai.calls import IF_SAID
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.stated import CONVERSATION, STATED, USER, stated
from otel_arthur.genai.tables.dialect import Conversation
from otel_arthur.genai.tables.layout import FIELDS, OF_CALL, Layout
from otel_arthur.genai.usage import inclusive

_CALL: Final = slice(0, len(OF_CALL))
_PROVIDER, _START = FIELDS.index("provider"), FIELDS.index("start_ns")
_ERROR_TYPE, _ERROR_MESSAGE = FIELDS.index("error_type"), FIELDS.index("error_message")
_TIME_TO_FIRST_TOKEN = FIELDS.index("time_to_first_token")
_CONVERSATION, _USER = FIELDS.index("conversation_id"), FIELDS.index("user_id")


def call_of(
    attributes: SpanAttributes,
    layout: Layout,
    operation: str,
    conversation: Conversation,
    choices: tuple[Choice, ...],
    usage: Usage,
    fields: list[Any],
    extra: Mapping[str, str] | None,
    failed: bool = False,
    left_out: int = 0,
) -> LLMCall:
    """The call, once its words and fields are known; `conversation` is as it was written."""
    view, dialect = attributes.view, layout.dialect
    if failed:
        fields[_ERROR_TYPE] = _error_type(attributes, fields[_ERROR_TYPE])
        fields[_ERROR_MESSAGE] = fields[_ERROR_MESSAGE] or _error_message(attributes)
    else:
        fields[_ERROR_TYPE] = fields[_ERROR_MESSAGE] = None
    if fields[_TIME_TO_FIRST_TOKEN] is None and view.events and dialect.first_token_event is not None:
        fields[_TIME_TO_FIRST_TOKEN] = _time_to_first_token(attributes, dialect.first_token_event)
    if dialect.usage is not None:
        usage = dialect.usage(usage, conversation, attributes)
    own = _extra(view, extra) if extra else NO_EXTRA
    if STATED in view.attributes:
        said = stated(view.attributes)
        fields[_CONVERSATION] = text(said.pop(CONVERSATION, None)) or fields[_CONVERSATION]
        fields[_USER] = text(said.pop(USER, None)) or fields[_USER]
        own = {**own, **said}
    service_name, service_instance, environment = resource_fields(view.resource)
    # By position: naming the fields costs as much again as all else here.
    return LLMCall(
        view.trace_id,
        view.span_id,
        view.parent_span_id,
        view.name,
        view.scope,
        dialect.name,
        # A span that is only the end of a call says when the call began.
        fields[_START] or view.start_ns,
        view.end_ns,
        conversation.messages,
        choices,
        inclusive(usage, fields[_PROVIDER]),
        "chat" if operation == IF_SAID else operation,
        failed,
        service_name,
        service_instance,
        environment,
        attributes.truncated,
        own,
        False,
        view.kin,
        left_out,
        *fields[_CALL],
    )


_ResourceFields: TypeAlias = tuple[str | None, str | None, str | None]
_last_resource: tuple[Mapping[str, Any], _ResourceFields] = ({}, (None, None, None))


def resource_fields(resource: Mapping[str, Any]) -> _ResourceFields:
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


def _time_to_first_token(attributes: SpanAttributes, event_name: str) -> float | None:
    """Seconds from the start to the event that marks the first token."""
    view = attributes.view
    for event in view.events:
        if event.name == event_name and event.time_ns >= view.start_ns:
            attributes.sources["time_to_first_token"] = f"event {event_name}"
            return (event.time_ns - view.start_ns) / 1e9
    return None


def _error_type(attributes: SpanAttributes, kind: str | None) -> str:
    """``error.type``, or the type of the recorded exception, of a span that failed."""
    if kind is None:
        event = attributes.event("exception")
        kind = None if event is None else text(event.attributes.get("exception.type"))
    if kind is not None and kind.startswith("<class '"):
        return kind[8:-2]
    return kind or "_OTHER"


def _error_message(attributes: SpanAttributes) -> str | None:
    """The message of the recorded exception, or else the description of the span's status."""
    event = attributes.event("exception")
    said = None if event is None else text(event.attributes.get("exception.message"))
    return said or attributes.view.status_message or None


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
