"""Parts of a message, as any of the dialects and providers write them, to ours.

Source: OpenTelemetry GenAI semantic conventions (JSON schemas of messages), and the content
forms of OpenAI (chat and responses), Anthropic, Gemini, Bedrock, LangChain and the AI SDK, which
instrumentations pass through. What fits none of them is kept as text, and nothing raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from otel_arthur.genai.call import MediaPart, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from otel_arthur.genai.messages.json_text import clean, json_text, parse_json

MAX_PARTS = 10_000
"""More messages than a model takes, more parts than a message has: a longer list is hostile."""
_MAX_NAME = 2_000
_MAX_DEPTH = 4

_Map: TypeAlias = Mapping[str, Any]

_IDS = ("id", "tool_call_id", "toolCallId", "call_id", "toolUseId", "tool_use_id", "tool_id")
_TOOL_NAMES = ("name", "tool_name", "toolName")
_ARGUMENTS = ("arguments", "args", "input", "parameters")
_DUMPED_TEXT_PARTS = '[{"type": "text"'
_RESULTS = ("response", "result", "output", "content", "text", "value")
_WORDS = ("content", "text", "refusal", "value")
_THOUGHTS = ("content", "reasoning", "thinking", "reasoningText", "text", "summary", "thought")
_URLS = (
    "uri",
    "url",
    "image_url",
    "audio_url",
    "video_url",
    "document_url",
    "file_uri",
    "fileUri",
    "s3Location",
)
_FILES = ("file_id", "fileId", "filename", "name", "title")
_TYPES = ("mime_type", "media_type", "mediaType", "mimeType", "format")
_BYTES = ("content", "data", "bytes", "file_data", "blob", "base64", "image", "binary_content")
_WRAPPERS = ("message_content", "tool_call", "file", "image", "source", "input_audio", "audio", "inline_data")


def parts_of(value: Any, depth: int = 0) -> list[Part]:
    """Parts from a list of part objects, one such object, or plain text."""
    if value is None:
        return []
    if isinstance(value, str):
        return [TextPart(clean(value))] if value else []
    if isinstance(value, list | tuple):
        plain = plain_texts(value)
        if plain is not None:
            return list(plain)
        items = cast("Sequence[Any]", value)[:MAX_PARTS]
        return [part for item in items if (part := _part(item, depth)) is not None]
    part = _part(value, depth)
    return [] if part is None else [part]


def plain_texts(items: Any) -> tuple[TextPart, ...] | None:
    """A list of ``{"type": "text", "content": …}``, what nearly all content is, or None for any other."""
    parts: list[TextPart] = []
    item: Any
    for item in items[:MAX_PARTS]:
        if item.__class__ is not dict or item.get("type") != "text":
            return None
        words: Any = item.get("content")
        if words.__class__ is not str:
            return None
        if words:
            parts.append(TextPart(words if words.isascii() else clean(words)))
    return tuple(parts)


def tool_call_of(value: Any) -> ToolCallPart | None:
    """A tool call in OpenAI's form, its flattened forms, or wrapped once more."""
    if not isinstance(value, Mapping):
        return None
    item = cast("_Map", value)
    for wrapper in ("tool_call", "toolCall"):
        if isinstance(item.get(wrapper), Mapping):
            item = cast("_Map", item[wrapper])
    function = item.get("function")
    inner = cast("_Map", function) if isinstance(function, Mapping) else item
    name = _first(inner, _TOOL_NAMES)
    if name is None and inner is not item:
        name = _first(item, _TOOL_NAMES)
    return ToolCallPart(_identity(item), result_text(name), parsed_arguments(_first(inner, _ARGUMENTS)))


def parsed_arguments(value: Any) -> Any:
    """Tool call arguments as a structure where they are JSON text."""
    return parse_json(clean(value))[0] if isinstance(value, str) else value


def result_text(value: Any) -> str:
    """A value as text: words as they are, a list of text parts joined, other structures as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list | tuple) and value:
        texts = [_plain_words(item) for item in cast("Sequence[Any]", value)[:MAX_PARTS]]
        if all(text is not None for text in texts):
            return "".join(text for text in texts if text)
    return json_text(value)


def _plain_words(item: Any) -> str | None:
    """The words of a part that has no other content, as tool results often are lists of them."""
    if not isinstance(item, Mapping):
        return None
    part = cast("_Map", item)
    words = part.get("text", part.get("content"))
    return clean(words) if isinstance(words, str) and set(part) <= {"type", "text", "content", "id"} else None


def _part(item: Any, depth: int) -> Part | None:
    if not isinstance(item, Mapping):
        return TextPart(result_text(item)) if item is not None else None
    part = cast("_Map", item)
    kind = part.get("type")
    if not isinstance(kind, str):
        kind = part.get("part_kind", part.get("kind"))
    if isinstance(kind, str):
        # Anthropic's SDK names so what the conventions have no part for.
        read = _READERS.get(kind.lower().replace("-", "_").removeprefix("anthropic_"))
        if read is not None:
            return read(part)
    if depth < _MAX_DEPTH:
        for wrapper, read_inner in _UNTYPED:
            inner = part.get(wrapper)
            if isinstance(inner, Mapping):
                # OpenInference has the call beside the part that it is the content of.
                beside = {"tool_call": part["tool_call"]} if "tool_call" in part else {}
                return read_inner({**beside, **cast("_Map", inner)}, depth + 1)
    if part.get("thought") is True:
        return _reasoning(part)
    words = _first(part, _WORDS)
    if words is not None:
        return TextPart(result_text(words))
    return TextPart(json_text(part)) if part else None


def _text(part: _Map) -> Part | None:
    words = result_text(_first(part, _WORDS))
    return TextPart(words) if words else None


def _reasoning(part: _Map) -> Part:
    inner = part.get("reasoningText")
    source = cast("_Map", inner) if isinstance(inner, Mapping) else part
    return ReasoningPart(result_text(_first(source, _THOUGHTS)))


def _tool_call(part: _Map) -> Part | None:
    return tool_call_of(part)


def _tool_result(part: _Map) -> Part:
    return ToolResultPart(_identity(part), answer_text(_first(part, _RESULTS)))


def answer_text(value: Any) -> str:
    """A tool's answer; the AI SDK wraps it as ``{"type": "text" or "json", "value": …}``.

    OpenLLMetry writes a list of text parts, as MCP tools answer, as JSON text: its words are read.
    """
    if isinstance(value, str) and value.startswith(_DUMPED_TEXT_PARTS):
        parts = parse_json(value)[0]
        if isinstance(parts, list) and all(
            _plain_words(part) is not None for part in cast("list[Any]", parts)
        ):
            return result_text(parts)
    if isinstance(value, Mapping):
        wrapped = cast("_Map", value)
        if set(wrapped) == {"type", "value"}:
            return result_text(wrapped["value"])
    return result_text(value)


def _media(part: _Map) -> Part:
    """Media by name: a URL, a file's name, or its type and size; never its content."""
    kind = (
        result_text(part.get("type") or part.get("part_kind") or part.get("kind")).lower().replace("-", "_")
    )
    source = part
    for _ in range(3):
        inner = next(
            (source[key] for key in (*_WRAPPERS, *_URLS) if isinstance(source.get(key), Mapping)), None
        )
        if inner is None:
            break
        source = {**{k: v for k, v in source.items() if k in _TYPES}, **cast("_Map", inner)}
    url = _first(source, _URLS)
    kind_of_file = result_text(_first(source, _TYPES) or _first(part, _TYPES))
    modality = result_text(part.get("modality")) or _modality(kind, kind_of_file)
    if isinstance(url, str) and not url.startswith("data:"):
        return MediaPart(modality, clean(url[:_MAX_NAME]))
    if isinstance(url, str):
        head, _, body = url[5:].partition(",")
        return MediaPart(modality, _described(head.partition(";")[0], _decoded_size(body)))
    name = _first(source, _FILES)
    if isinstance(name, str) and name:
        return MediaPart(modality, clean(name[:_MAX_NAME]))
    content = _first(source, _BYTES)
    if isinstance(content, str):
        if content.startswith(("http://", "https://")):
            return MediaPart(modality, clean(content[:_MAX_NAME]))
        return MediaPart(modality, _described(kind_of_file, _decoded_size(content)))
    return MediaPart(modality, _described(kind_of_file, len(content) if isinstance(content, bytes) else 0))


def _decoded_size(base64: str) -> int:
    return len(base64) * 3 // 4 - base64[-2:].count("=")


def _described(kind: str, size: int) -> str:
    kind = clean(kind[:_MAX_NAME]) or "data"
    return f"{kind}, {size} bytes" if size else kind


def _modality(kind: str, kind_of_file: str) -> str:
    for modality in ("image", "audio", "video"):
        if modality in kind or kind_of_file.startswith(modality):
            return modality
    return "document" if "document" in kind else "file"


def _first(part: _Map, keys: tuple[str, ...]) -> Any:
    for key in keys:
        value = part.get(key)
        if value is not None:
            return value
    return None


def _identity(part: _Map) -> str | None:
    """A tool call's id: of several, the one that its result names (Responses API items have two)."""
    value = part.get("call_id") or _first(part, _IDS)
    return (clean(value) or None) if isinstance(value, str) else None


_Reader: TypeAlias = Callable[[_Map], "Part | None"]

_READERS: Mapping[str, _Reader] = {
    **dict.fromkeys(("text", "input_text", "output_text", "summary_text", "refusal", "json"), _text),
    **dict.fromkeys(
        ("reasoning", "thinking", "redacted_thinking", "reasoning_content", "thought"), _reasoning
    ),
    **dict.fromkeys(
        (
            "tool_call",
            "tool_use",
            "function_call",
            "function",
            "server_tool_call",
            "server_tool_use",
            "tooluse",
        ),
        _tool_call,
    ),
    **dict.fromkeys(
        (
            "tool_call_response",
            "server_tool_call_response",
            "tool_result",
            "tool_call_result",
            "tool_response",
            "tool_return",
            "function_call_output",
            "function_response",
        ),
        _tool_result,
    ),
    **dict.fromkeys(
        (
            *("uri", "blob", "file", "media", "binary", "document", "input_file", "document_url"),
            *("image", "image_url", "input_image", "audio", "input_audio", "audio_url", "video", "video_url"),
        ),
        _media,
    ),
}
"""By the part's ``type``, in lower case with underscores."""

_UNTYPED: tuple[tuple[str, Callable[[dict[str, Any], int], Part | None]], ...] = (
    ("message_content", _part),
    ("functionCall", lambda part, _: _tool_call(part)),
    ("function_call", lambda part, _: _tool_call(part)),
    ("toolUse", lambda part, _: _tool_call(part)),
    ("functionResponse", lambda part, _: _tool_result(part)),
    ("function_response", lambda part, _: _tool_result(part)),
    ("toolResult", lambda part, _: _tool_result(part)),
    ("reasoningContent", lambda part, _: _reasoning(part)),
    ("inlineData", lambda part, _: _media(part)),
    ("inline_data", lambda part, _: _media(part)),
    ("fileData", lambda part, _: _media(part)),
    ("file_data", lambda part, _: _media(part)),
    ("image", lambda part, _: _media({"type": "image", **part})),
    ("document", lambda part, _: _media({"type": "document", **part})),
    ("video", lambda part, _: _media({"type": "video", **part})),
)
"""Gemini's and Bedrock's parts have no ``type``: the key names the kind."""
