"""What was recorded as a whole: an input or an output of whatever form, as messages or as answers.

Text that is JSON is text: an answer ``{"berries": 12}`` is those words. Only what has the form of messages
(`forms`) is taken for messages; all else is kept word for word, or as its JSON where it came as a structure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

from otel_arthur.genai.call import Choice, Message, TextPart
from otel_arthur.genai.json_text import clean, json_text, parse_json
from otel_arthur.genai.messages.content.parts import MAX_PARTS, parts_of
from otel_arthur.genai.messages.documents import request_messages, response_choices
from otel_arthur.genai.messages.encoded import decoded, role_lines
from otel_arthur.genai.messages.forms import (
    are,
    flat,
    has_form_of_parts,
    is_choice,
    is_item,
    is_message,
    is_repr,
    is_request,
    is_response,
)
from otel_arthur.genai.messages.message import output_choices, role_of
from otel_arthur.genai.tables.places import structure

_Map: TypeAlias = Mapping[str, Any]


def question_in(value: Any, found: Any, *, encoded: bool = False) -> list[Message]:
    """The messages in a recorded input: a list of messages, a request, a function's arguments, or a text.

    Args:
        value: as it was written.
        found: the same with its JSON text parsed.
        encoded: the writer encodes every value, so that a text in quotes is the text between them.
    """
    value = _decoded(value) if encoded else value
    if value is None or value == "" or is_repr(value):
        return []
    found = decoded(found)
    if isinstance(found, list | tuple):
        items = flat(cast("Sequence[Any]", found), MAX_PARTS)
        if are(is_message, items):
            return request_messages(items)
        if has_form_of_parts(items):
            return [Message("user", tuple(parts_of(items)))]
    elif isinstance(found, Mapping):
        request = cast("_Map", found)
        if is_message(request) or is_request(request):
            return request_messages(request)
        argument = _argument(request)
        if argument is not None:
            return question_in(argument, argument)
    text = _as_text(value)
    lines = role_lines(text) or [("user", text)]
    return [Message(role_of(role, ""), (TextPart(words),)) for role, words in lines]


def answer_in(value: Any, found: Any, *, encoded: bool = False) -> list[Choice]:
    """The choices in a recorded output: messages, a provider's answer, or a text.

    Args:
        value: as it was written.
        found: the same with its JSON text parsed.
        encoded: as for `question_in`.
    """
    value = _decoded(value) if encoded else value
    if value is None or value == "" or is_repr(value):
        return []
    found = decoded(found)
    if isinstance(found, list | tuple):
        items = flat(cast("Sequence[Any]", found))
        if len(items) == 1 and isinstance(items[0], Mapping) and is_response(cast("_Map", items[0])):
            return response_choices(items[0])
        if are(is_item, items):
            return response_choices({"output": items})
        if has_form_of_parts(items):
            return output_choices([{"role": "assistant", "content": items}])
        if items and all(is_message(item) or is_choice(item) for item in items):
            return response_choices({"choices": [_with_calls(item) for item in items]})
    elif isinstance(found, Mapping):
        response = cast("_Map", found)
        blocked = response.get("promptFeedback", response.get("prompt_feedback"))
        if isinstance(blocked, Mapping) and not response.get("candidates"):
            return [Choice(Message("assistant", ()), "content_filter")]
        if is_response(response) or is_message(response):
            return response_choices(response)
    return [Choice(Message("assistant", (TextPart(_as_text(value)),)))]


def instructions_in(value: Any, found: Any) -> Any:
    """The parts or the text of a system prompt, however it was recorded; a text that is JSON is the text."""
    if isinstance(found, Mapping):
        document = cast("_Map", found)
        return document.get("parts", document.get("content", value))
    return found if has_form_of_parts(found) or not isinstance(value, str) else value


def _argument(call: _Map) -> Any:
    """Of a function's recorded arguments the only one, where it is a list of messages."""
    if "args" not in call or not set(call) <= {"args", "kwargs"}:
        return None
    values = [*_values(call["args"]), *_values(call.get("kwargs"))]
    if (
        len(values) == 1
        and isinstance(values[0], list)
        and all(map(is_message, cast("list[Any]", values[0])))
    ):
        return cast("list[Any]", values[0])
    # One message in place of a list, as when the list was spread over the arguments.
    return values if values and all(is_message(value) for value in values) else None


def _values(value: Any) -> Sequence[Any]:
    if isinstance(value, Mapping):
        return list(cast("_Map", value).values())
    return cast("Sequence[Any]", value) if isinstance(value, list) else ()


def _with_calls(item: Any) -> Any:
    """An answer whose tool calls are texts of Python, as DSPy records them."""
    if not isinstance(item, Mapping):
        return parse_json(item)[0]
    calls = cast("_Map", item).get("tool_calls")
    if not isinstance(calls, list) or not all(isinstance(call, str) for call in cast("list[Any]", calls)):
        return cast("_Map", item)
    said = {key: value for key, value in cast("_Map", item).items() if value is not None}
    return {**said, "tool_calls": [structure(call) for call in cast("list[str]", calls)]}


def _decoded(value: Any) -> Any:
    """The text between the quotes of a text in JSON."""
    inner = parse_json(value)[0] if isinstance(value, str) and value.startswith('"') else None
    return inner if isinstance(inner, str) else value


def _as_text(value: Any) -> str:
    return clean(value) if isinstance(value, str) else json_text(value)
