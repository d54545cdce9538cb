"""The GenAI semantic conventions of 2024 and 2025: messages in events, one each, or in one event of all.

Reference: semantic-conventions v1.27 to v1.36, "GenAI events". Detects: such events on the span, or
joined to it from the log; and ``gen_ai.prompt`` / ``gen_ai.completion``, which came before them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from msgspec.structs import replace

from otel_arthur.genai.bag import Bag
from otel_arthur.genai.call import Choice, Message
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.messages.json_text import parse_json
from otel_arthur.genai.messages.message import input_messages, output_choices
from otel_arthur.genai.span import EventView, SpanView

_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE = "gen_ai.choice"
_PROMPT, _COMPLETION = "gen_ai.content.prompt", "gen_ai.content.completion"
_DETAILS = "gen_ai.client.inference.operation.details"
_EVENTS = frozenset({*_ROLES, _CHOICE, _PROMPT, _COMPLETION, _DETAILS})
_JSON_FIELDS = ("content", "message", "tool_calls", "parts")


def _owns(view: SpanView) -> bool:
    attributes = view.attributes
    if "gen_ai.input.messages" in attributes or "gen_ai.output.messages" in attributes:
        return False
    if "gen_ai.prompt" in attributes or "gen_ai.completion" in attributes:
        return True
    return any(event.name in _EVENTS for event in view.events)


def conversation(bag: Bag) -> Conversation:
    """Messages in the order of their events; the plain attributes where there are none."""
    messages: list[Message] = []
    choices: list[Choice] = []
    reasons = bag.take_json("finish_reasons", semconv.FINISH_REASONS)
    for event in bag.view.events:
        if event.name not in _EVENTS:
            continue
        bag.sources["choices" if event.name in (_CHOICE, _COMPLETION) else "messages"] = f"event {event.name}"
        if event.name in _ROLES:
            messages += input_messages({"role": _ROLES[event.name], **_fields(event)})
        elif event.name == _CHOICE:
            choices += output_choices([_choice(_fields(event))], reasons)
        elif event.name == _PROMPT:
            messages += input_messages(_parsed(event.attributes.get("gen_ai.prompt")))
        elif event.name == _COMPLETION:
            choices += output_choices(_parsed(event.attributes.get("gen_ai.completion")), reasons)
        else:
            told = semconv.conversation(Bag(replace(bag.view, attributes=event.attributes)))
            messages += told.messages
            choices += told.choices
    if not messages:
        messages = input_messages(_messages_in(bag.take_json("messages", ("gen_ai.prompt",))))
    if not choices:
        choices = output_choices(_messages_in(bag.take_json("choices", ("gen_ai.completion",))), reasons)
    return Conversation(tuple(messages), tuple(choices))


def _fields(event: EventView) -> dict[str, Any]:
    """A message's fields: the body of a log event, a JSON text of all, or the attributes of a span event."""
    attributes = event.attributes
    body: Any = event.body
    if isinstance(body, str):
        body = _parsed(body)
    if isinstance(body, Mapping):
        return dict(cast("Mapping[str, Any]", body))
    whole = _parsed(attributes.get("gen_ai.event.content"))
    if isinstance(whole, Mapping):
        return dict(cast("Mapping[str, Any]", whole))
    fields = {
        key.removeprefix("gen_ai.event."): _parsed(value) if key in _JSON_FIELDS else value
        for key, value in attributes.items()
        if key not in ("gen_ai.system", "event.name")
    }
    if isinstance(body, str):
        fields["content"] = body
    return fields


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


def _messages_in(value: Any) -> Any:
    """The list of messages in what was logged: itself, or inside a request or a response."""
    if not isinstance(value, Mapping):
        return value
    document = cast("Mapping[str, Any]", value)
    for key in ("messages", "choices", "generations"):
        inner = document.get(key)
        while isinstance(inner, list) and len(cast("list[Any]", inner)) == 1 and isinstance(inner[0], list):
            inner = cast("Sequence[Any]", inner)[0]
        if isinstance(inner, list | tuple):
            return cast("Sequence[Any]", inner)
    return document


def _parsed(value: Any) -> Any:
    return parse_json(value)[0] if isinstance(value, str) else value


DIALECT = Dialect(
    name="semconv-events",
    reference="https://github.com/open-telemetry/semantic-conventions/blob/v1.36.0/docs/gen-ai/gen-ai-events.md",
    owns=_owns,
    operation=semconv.operation,
    keys=semconv.KEYS,
    conversation=conversation,
    emits_log_events=True,
    content_switch=semconv.switch_of,
)
