"""What form a recorded value has: of a message, of a part of one, of a provider's request or answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from otel_arthur.genai.json_text import parse_json
from otel_arthur.genai.messages.content.parts import MAX_PARTS

_Map: TypeAlias = Mapping[str, Any]

_SAYING = (
    *("content", "parts", "contents", "blocks", "tool_calls", "toolCalls", "function_call", "audio"),
    "refusal",
)
"""With one of these a map that has a role is a message."""
_ITEMS = frozenset(
    {
        *("message", "function_call", "function_call_output", "reasoning", "human", "ai", "system", "tool"),
        *("aimessagechunk", "humanmessagechunk", "constructor"),
    }
)
_PARTS = frozenset(
    {
        *("text", "input_text", "output_text", "tool_call", "tool_use", "tool-call", "function", "thinking"),
        *("reasoning", "image_url", "image", "tool_result", "tool-result", "tool_call_response", "refusal"),
    }
)
_MEDIA = {"image", "document", "video"}
_UNTYPED_PARTS = frozenset(
    {
        *("toolUse", "toolResult", "reasoningContent", "functionCall", "functionResponse", "function_call"),
        *("function_response", "inlineData", "inline_data", "fileData", "file_data", "cachePoint"),
        *("toolRequest", "toolResponse", "tool_call", "tool_call_result", "executableCode"),
    }
)
_REASONS = ("finish_reason", "finishReason", "stop_reason", "stopReason")
_AROUND_COMPLETION = {"completion", "reasoning", "stop", "model", "id", "usage", "type", *_REASONS}
_AROUND_TEXT = {
    *_REASONS,
    *("additional_kwargs", "raw", "generation_info", "toolCalls", "tool_calls", "logprobs"),
}
_REQUEST_LISTS = ("messages", "contents", "input", "prompts", "prompt")
_ANSWER_LISTS = ("choices", "generations", "candidates", "output", "replies", "messages")
_AROUND_REQUEST = {
    *_REQUEST_LISTS,
    *("model", "model_name", "temperature", "top_p", "max_tokens", "max_completion_tokens"),
    *("max_output_tokens", "system", "instructions", "tools", "tool_choice", "n", "stop", "stream"),
    *("stream_options", "user", "seed"),
    *("response_format", "metadata", "store", "text", "reasoning", "extra_body", "extra_headers", "timeout"),
    *("frequency_penalty", "presence_penalty", "logprobs", "top_logprobs", "logit_bias", "kwargs", "config"),
}
_REPR = re.compile(r"<[^<>]* at 0x[0-9a-fA-F]+>\Z|\[object \w+\]\Z|(?:Async)?(?:Generator|Stream|Iterator)\Z")
"""What a language makes of an object that has no text; nobody said these words."""


def is_repr(value: Any) -> bool:
    """Whether a recorded value is only the name of an object, as of a stream that was not read."""
    return isinstance(value, str) and len(value) < 300 and _REPR.match(value) is not None


def is_request(value: Any) -> bool:
    """Whether a value is a provider's request, with messages or a prompt."""
    return isinstance(value, Mapping) and _is_request(cast("_Map", value))


def is_message(item: Any) -> bool:
    """Whether a value has the form of a message, of whatever provider or framework, or of its JSON text."""
    if isinstance(item, str):
        parsed = parse_json(item)[0] if item.startswith("{") else None
        return isinstance(parsed, Mapping) and is_message(parsed)
    if not isinstance(item, Mapping):
        return False
    message = cast("_Map", item)
    if isinstance(message.get("role"), str):
        return any(key in message for key in _SAYING)
    inner = message.get("message", message.get("kwargs", message.get("data")))
    if isinstance(inner, Mapping):
        kind = message.get("type")
        return is_message(inner) or (isinstance(kind, str) and kind.lower() in _ITEMS and "content" in inner)
    return is_item(message) or (
        isinstance(message.get("parts"), list) and all(_is_part(part) for part in message["parts"])
    )


def are(is_one: Callable[[Any], bool], items: Sequence[Any]) -> bool:
    """Whether these are what `is_one` says, but for items of a type that nobody knows yet."""
    return any(map(is_one, items)) and all(is_one(item) or _is_typed(item) for item in items)


def _is_typed(item: Any) -> bool:
    return isinstance(item, Mapping) and isinstance(cast("_Map", item).get("type"), str)


def is_item(item: Any) -> bool:
    """An item of the Responses API, or a message whose class stands in its type."""
    if not isinstance(item, Mapping):
        return False
    kind = cast("_Map", item).get("type")
    return isinstance(kind, str) and (kind.lower() in _ITEMS or kind.endswith(("_call", "_call_output")))


def has_form_of_parts(value: Any) -> bool:
    """Whether a value is a list of a message's parts and of nothing else."""
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return bool(items) and all(_is_part(item) for item in items)


def parts_in(value: Any) -> Any:
    """The parts in a text of JSON; a text that is some other JSON is the words themselves."""
    parsed = parse_json(value)[0] if isinstance(value, str) else value
    return parsed if has_form_of_parts(parsed) else value


def _is_part(item: Any) -> bool:
    """A part of a message's content: by its type, or, of Bedrock and Gemini, by its one key."""
    if not isinstance(item, Mapping):
        return False
    part = cast("_Map", item)
    kind = part.get("type", part.get("block_type"))
    if isinstance(kind, str):
        return "role" not in part and kind.lower() in _PARTS and len(part) > 1
    if len(part) == 1 and not _MEDIA.isdisjoint(part):
        return isinstance(next(iter(part.values())), Mapping)
    if isinstance(part.get("text"), str):
        return part.keys() <= {"text", "thought", "thoughtSignature", "citations"}
    return "role" not in part and not _UNTYPED_PARTS.isdisjoint(part)


def is_choice(item: Any) -> bool:
    """An answer of a completion model, or a message beside its finish reason."""
    if not isinstance(item, Mapping):
        return False
    choice = cast("_Map", item)
    if isinstance(choice.get("text", ""), str | None) and isinstance(choice.get("tool_calls"), list):
        return True
    if isinstance(choice.get("text"), str):
        return not _AROUND_TEXT.isdisjoint(choice)
    return isinstance(choice.get("message"), Mapping | str) and not _AROUND_TEXT.isdisjoint(choice)


def _is_request(request: _Map) -> bool:
    """A provider's request: messages, or a prompt beside nothing but what belongs to a request."""
    for key in _REQUEST_LISTS:
        value = request.get(key)
        if isinstance(value, list) and value:
            items = flat(cast("Sequence[Any]", value), MAX_PARTS)
            return are(lambda item: is_message(item) or _is_part(item), items) or (
                key in ("prompts", "prompt") and all(isinstance(item, str) for item in items)
            )
        if isinstance(value, str):
            return request.keys() <= _AROUND_REQUEST
    return False


def is_response(response: _Map) -> bool:
    """A provider's answer, or what a framework keeps of it."""
    for key in _ANSWER_LISTS:
        value = response.get(key)
        if isinstance(value, list) and value:
            items = flat(cast("Sequence[Any]", value))
            return all(isinstance(item, Mapping) for item in items) and (
                any(is_message(item) or is_choice(item) for item in items) or "text" in items[0]
            )
    if isinstance(response.get("text"), str):
        return not _AROUND_TEXT.isdisjoint(response)
    if "content" in response and any(reason in response for reason in _REASONS):
        return True
    if isinstance(response.get("completion"), str):
        return response.keys() <= _AROUND_COMPLETION
    message = response.get("message")
    return isinstance(message, Mapping) and is_message(cast("_Map", message))


def flat(items: Sequence[Any], most: int | None = None) -> list[Any]:
    """Items of which some may be lists of items, as LangChain nests them for a batch.

    Args:
        most: where they are no answers.
    """
    flat: list[Any] = []
    for item in items[:most]:
        flat += cast("list[Any]", item)[:most] if isinstance(item, list) else [item]
    return flat
