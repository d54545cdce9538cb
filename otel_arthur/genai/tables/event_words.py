"""Messages in span events, and in log events joined to their span: the conventions of 2024 and 2025.

Source: semantic-conventions v1.27 to v1.36, "GenAI events": one event a message, or one event of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from otel_arthur.genai.attributes import SpanAttributes, as_map
from otel_arthur.genai.call import Choice, Message
from otel_arthur.genai.json_text import parse_json
from otel_arthur.genai.messages import schema_form
from otel_arthur.genai.messages.encoded import role_lines
from otel_arthur.genai.messages.forms import has_form_of_parts, is_message, parts_in
from otel_arthur.genai.messages.message import input_messages, output_choices, system_instructions
from otel_arthur.genai.messages.recorded import answer_in, question_in
from otel_arthur.genai.span import EventView

_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE = "gen_ai.choice"
_PROMPT, _COMPLETION = "gen_ai.content.prompt", "gen_ai.content.completion"
OPERATION_DETAILS: Final = "gen_ai.client.inference.operation.details"
MESSAGE_EVENTS: Final = frozenset({*_ROLES, _CHOICE})
"""One event a message."""
QUESTION_EVENTS: Final = frozenset({*_ROLES, _PROMPT, OPERATION_DETAILS})
ANSWER_EVENTS: Final = frozenset({_CHOICE, _COMPLETION, OPERATION_DETAILS})


def question_in_events(attributes: SpanAttributes) -> Sequence[Message]:
    """The messages of a span's events, in the order of the events."""
    return messages_of(attributes, attributes.view.events)


def answer_in_events(attributes: SpanAttributes) -> Sequence[Choice]:
    """The answers of a span's events, in their order."""
    return choices_of(attributes, attributes.view.events)


def messages_of(attributes: SpanAttributes, events: Sequence[EventView]) -> list[Message]:
    """The messages in these events."""
    messages: list[Message] = []
    for event in events:
        if event.name not in QUESTION_EVENTS:
            continue
        attributes.sources["messages"] = f"event {event.name}"
        if event.name in _ROLES:
            messages += input_messages({"role": _ROLES[event.name], **_fields(event)})
            continue
        if event.name == OPERATION_DETAILS:
            system = attributes.parsed(event.attributes.get("gen_ai.system_instructions"))
            messages += system_instructions(system)
        value = event.attributes.get("gen_ai.prompt" if event.name == _PROMPT else "gen_ai.input.messages")
        exact = schema_form.messages(value) or None
        if exact is None and event.name == _PROMPT and isinstance(value, str) and role_lines(value):
            # Older OpenLIT writes all messages into one text.
            exact = input_messages(value)
        messages += question_in(value, attributes.parsed(value)) if exact is None else exact
    return messages


def choices_of(attributes: SpanAttributes, events: Sequence[EventView]) -> list[Choice]:
    """The answers in these events."""
    choices: list[Choice] = []
    for event in events:
        if event.name not in ANSWER_EVENTS:
            continue
        attributes.sources["choices"] = f"event {event.name}"
        if event.name == _CHOICE:
            choices += output_choices([_choice(_fields(event))])
            continue
        value = event.attributes.get(
            "gen_ai.completion" if event.name == _COMPLETION else "gen_ai.output.messages"
        )
        exact = schema_form.choices(value) or None
        choices += answer_in(value, attributes.parsed(value)) if exact is None else exact
    return choices


def _fields(event: EventView) -> dict[str, Any]:
    """A message's fields: the body of a log event, a JSON text of all, or the attributes of a span event."""
    attributes = event.attributes
    body: Any = event.body
    if isinstance(body, str):
        body = parse_json(body)[0] if body.startswith("{") else body
    for whole in (body, as_map(attributes.get("gen_ai.event.content"))):
        if isinstance(whole, Mapping) and whole:
            return dict(cast("Mapping[str, Any]", whole))
    fields = {
        key.removeprefix("gen_ai.event."): parts_in(value) if key == "content" else _structure(key, value)
        for key, value in attributes.items()
        if key not in ("gen_ai.system", "event.name")
    }
    if isinstance(body, str):
        fields["content"] = body
    return fields


def _structure(key: str, value: Any) -> Any:
    """A message, tool calls or parts in a text of JSON."""
    is_json = key in ("message", "tool_calls", "parts") and isinstance(value, str)
    parsed: Any = parse_json(value)[0] if is_json else value
    return value if key == "message" and not (is_json and _is_message(parsed)) else parsed


def _is_message(value: Any) -> bool:
    """Whether a choice's message is one; it may leave out its role."""
    keys = set(as_map(value))
    is_bare = {"content"} <= keys <= {"content", "tool_calls", "refusal"}
    return is_bare or is_message(value) or has_form_of_parts(value)


def _choice(fields: dict[str, Any]) -> dict[str, Any]:
    """A choice, whose message may be inside, beside the finish reason, or plain text."""
    message = fields.get("message")
    reason = fields.get("finish_reason")
    if isinstance(message, Mapping):
        inner = dict(cast("Mapping[str, Any]", message))
        inner.setdefault("tool_calls", fields.get("tool_calls"))
        return {"role": "assistant", **inner, "finish_reason": reason}
    if message is not None:
        return {"role": "assistant", "content": message, "finish_reason": reason}
    return {"role": "assistant", **fields}
