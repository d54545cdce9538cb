"""Tools that a model asked for, what they answered, and their definitions, in any provider's form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from otel_arthur.genai.attributes import as_map
from otel_arthur.genai.call import Part, ToolCallPart, ToolResultPart
from otel_arthur.genai.json_text import clean, parse_json
from otel_arthur.genai.messages.texts import Map, first, plain_words, result_text

_IDS = ("id", "tool_call_id", "toolCallId", "call_id", "toolUseId", "tool_use_id", "tool_id", "ref")
_NAMES = ("name", "tool_name", "toolName")
_ARGUMENTS = ("arguments", "args", "input", "parameters", "tool_kwargs", "tool_arguments")
_RESULTS = ("response", "server_tool_call_response", "result", "output", "content", "text", "value")
_DUMPED_TEXT_PARTS = '[{"type": "text"'
_NO_ARGUMENTS = frozenset(
    {"type", "kind", "part_kind", "id", "name", "status", "server_label", "error", "provider_name"}
    | {"output", "outputs", "result", "results", "tools", "index", "call_id", "signature", "caller"}
)
"""What an item of a provider's own tool holds besides its arguments."""


def tool_call_of(value: Any) -> ToolCallPart | None:
    """A tool call in OpenAI's form, its flattened forms, or wrapped once more.

    A mere definition is None, and so is the empty map in which LangChain for JavaScript has no call.
    """
    if not isinstance(value, Mapping) or not value:
        return None
    item = cast("Map", value)
    for wrapper in ("tool_call", "toolCall", "custom"):
        if isinstance(item.get(wrapper), Mapping):
            item = {**item, **cast("Map", item[wrapper])}
    function = item.get("function")
    inner = cast("Map", function) if isinstance(function, Mapping) else item
    name = first(inner, _NAMES)
    if name is None and inner is not item:
        name = first(item, _NAMES)
    if is_definition(item):
        return None
    return ToolCallPart(identity(item), result_text(name), parsed_arguments(_arguments(inner)))


def provider_call_of(part: Map) -> ToolCallPart:
    """A call of a tool that the provider runs: its arguments are all that is neither name nor result."""
    payload = part.get("server_tool_call")
    arguments = payload if payload is not None else _arguments(part)
    if arguments is None:
        arguments = {key: value for key, value in part.items() if key not in _NO_ARGUMENTS} or None
    name = result_text(first(part, _NAMES))
    if not name and isinstance(payload, Mapping):
        name = result_text(cast("Map", payload).get("type"))
    kind = result_text(part.get("type")).removesuffix("_call")
    return ToolCallPart(identity(part), name or kind, parsed_arguments(arguments), True)


def tool_result_of(part: Map) -> Part:
    """What a tool answered."""
    origin = part.get("origin")
    called = identity(part) or (identity(cast("Map", origin)) if isinstance(origin, Mapping) else None)
    return ToolResultPart(called, answer_text(first(part, _RESULTS)))


def answer_text(value: Any) -> str:
    """A tool's answer; the AI SDK wraps it as ``{"type": "text" or "json", "value": …}``.

    OpenLLMetry writes a list of text parts, as MCP tools answer, as JSON text: its words are read.
    """
    if isinstance(value, str) and value.startswith(_DUMPED_TEXT_PARTS):
        parts = parse_json(value)[0]
        if isinstance(parts, list) and all(
            plain_words(part) is not None for part in cast("list[Any]", parts)
        ):
            return result_text(parts)
    if isinstance(value, Mapping):
        wrapped = cast("Map", value)
        if set(wrapped) == {"type", "value"}:
            return result_text(wrapped["value"])
    return result_text(value)


def is_definition(item: Map) -> bool:
    """Whether this describes a tool that the model may call, and is no call."""
    function = item.get("function")
    inner = cast("Map", function) if isinstance(function, Mapping) else item
    if "name" not in inner or identity(item) is not None:
        return False
    schema = cast("Map | None", first(inner, ("parameters", "input_schema", "inputSchema")))
    if isinstance(schema, Mapping) and ("properties" in schema or schema.get("type") == "object"):
        return True
    return "description" in inner and _arguments(inner) is None


def parsed_arguments(value: Any) -> Any:
    """Tool call arguments as a structure where they are JSON text."""
    return parse_json(clean(value))[0] if isinstance(value, str) else value


def identity(part: Map) -> str | None:
    """A tool call's id: of several, the one that its result names (Responses API items have two)."""
    value = part.get("call_id") or first(part, _IDS)
    return (clean(value) or None) if isinstance(value, str) else None


def each_call_once(parts: list[Part]) -> list[Part]:
    """`parts` without a second call of the same id; of the two the one that has arguments is kept."""
    places: dict[str, int] = {}
    kept: list[Part] = []
    for part in parts:
        if isinstance(part, ToolCallPart) and part.id is not None:
            place = places.setdefault(part.id, len(kept))
            if place < len(kept):
                if not cast("ToolCallPart", kept[place]).arguments:
                    kept[place] = part
                continue
        kept.append(part)
    return kept


def with_calls(parts: list[Part], calls: Iterable[ToolCallPart]) -> list[Part]:
    """`parts` and those of `calls` that are not among them: writers give some in two spellings.

    One of the two may lack the arguments, as the beginning of a stream does, or the id.
    """
    merged = list(parts)
    open_ = {place: part for place, part in enumerate(parts) if isinstance(part, ToolCallPart)}
    for call in calls:
        place = next((place for place, other in open_.items() if _is_same(call, other)), None)
        if place is None:
            merged.append(call)
        elif not open_.pop(place).arguments:
            merged[place] = call
    return merged


def _is_same(call: ToolCallPart, other: ToolCallPart) -> bool:
    if call.id is not None and other.id is not None:
        return call.id == other.id
    return (call.name, call.arguments) == (other.name, other.arguments)


def _arguments(part: Map) -> Any:
    return next((part[key] for key in _ARGUMENTS if part.get(key) is not None), None)


def with_autogen_results(item: Any) -> Any:
    """AutoGen has the results of tools beside the message that gives them, each as JSON."""
    results = as_map(item).get("function")
    if not isinstance(results, list):
        return item
    parts = [
        {"type": "tool_call_response", "id": result.get("call_id"), "response": result.get("content")}
        for result in map(as_map, cast("list[Any]", results))
    ]
    return {"role": "tool", "parts": parts}
