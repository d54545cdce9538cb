"""Parts of a message, as any of the dialects and providers write them, to ours.

Source: OpenTelemetry GenAI semantic conventions (JSON schemas of messages), and the content
forms of OpenAI (chat and responses), Anthropic, Gemini, Bedrock, LangChain, Genkit, Haystack, LlamaIndex
and the AI SDK, which instrumentations pass through. What fits none of them is kept, as text where it has
any and else as a part that says nothing; and nothing raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from otel_arthur.genai.call import OtherPart, Part, ReasoningPart, TextPart
from otel_arthur.genai.json_text import clean, json_text, parse_json
from otel_arthur.genai.messages.content.media import media_of
from otel_arthur.genai.messages.content.tools import (
    each_call_once,
    provider_call_of,
    tool_call_of,
    tool_result_of,
)
from otel_arthur.genai.messages.texts import MAX_PARTS, Map, first, plain_texts, result_text

_MAX_DEPTH = 4
_MAX_OTHER = 2_000
_KINDS = ("type", "part_kind", "kind", "block_type")
_WORDS = ("content", "text", "refusal", "value")
_UNTYPED_WORDS = ("text", "content", "refusal")
_THOUGHTS = ("content", "reasoning", "thinking", "reasoningText", "text", "summary", "thought")
_MARKS_OF_A_PART = (
    *("id", "call_id", "tool_use_id", "toolCallId", "signature", "data", "encrypted_content"),
    *("server_label", "status"),
)


def parts_of(value: Any) -> list[Part]:
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
        return each_call_once([part for item in items if (part := _part(item)) is not None])
    part = _part(value)
    return [] if part is None else [part]


def kind_of(part: Any) -> str:
    """The kind that a part or an item names, in lower case without separators; empty where it names none."""
    if not isinstance(part, Mapping):
        return ""
    for key in _KINDS:
        kind = cast("Map", part).get(key)
        if isinstance(kind, str):
            # Anthropic's SDK names so what the conventions have no part for.
            return kind.lower().removeprefix("anthropic_").replace("-", "").replace("_", "")
    return ""


def is_known(kind: str) -> bool:
    """Whether parts of this kind (as `kind_of` spells it) have a form of their own."""
    return kind in _READERS or _reader_by_ending(kind) is not None


def _part(item: Any, depth: int = 0) -> Part | None:
    if not isinstance(item, Mapping):
        return TextPart(result_text(item)) if item is not None else None
    part = cast("Map", item)
    kind = kind_of(part)
    if kind:
        read = _READERS.get(kind) or _reader_by_ending(kind)
        if read is not None:
            return read(part)
    if depth < _MAX_DEPTH:
        for wrapper, read_inner in _UNTYPED:
            inner: Any = part.get(wrapper)
            if isinstance(inner, Mapping):
                # OpenInference has the call beside the part that it is the content of.
                beside = {key: part[key] for key in ("tool_call",) if key in part and key != wrapper}
                return read_inner({**beside, **cast("Map", inner)}, depth + 1)
    if part.get("thought") is True:
        return _reasoning(part)
    words = first(part, _WORDS if kind else _UNTYPED_WORDS)
    if isinstance(words, str | list | tuple):
        return TextPart(result_text(words))
    return (
        _other(part) if kind or not _SILENT.isdisjoint(part) else TextPart(json_text(part)) if part else None
    )


def _reader_by_ending(kind: str) -> _Reader | None:
    """For what no table can list: the tools that providers run, each with kinds of its own."""
    if kind.endswith(
        ("toolresult", "calloutput", "callresult", "callresponse", "executionresult", "searchresult")
    ):
        return tool_result_of
    if kind.endswith(("call", "tooluse", "approvalrequest")):
        return provider_call_of
    if "reasoning" in kind or "thinking" in kind or "thought" in kind:
        return _reasoning
    return None


def _text(part: Map) -> Part | None:
    words = result_text(first(part, _WORDS))
    if words[:1] == "{":
        return _was_dumped(words) or TextPart(words)
    return TextPart(words) if words else None


def _was_dumped(words: str) -> Part | None:
    """The part in a text that is its JSON: OpenLLMetry's LangChain writes what it has no name for so."""
    if '"type"' not in words or words[-1:] != "}":
        return None
    item = parse_json(words)[0]
    kind = kind_of(item)
    read = _READERS.get(kind) or _reader_by_ending(kind)
    if read is None or read is _text or first(cast("Map", item), _MARKS_OF_A_PART) is None:
        return None
    return read(cast("Map", item))


def _reasoning(part: Map) -> Part:
    inner = part.get("reasoningText")
    source = cast("Map", inner) if isinstance(inner, Mapping) else part
    thoughts = first(source, _THOUGHTS)
    return ReasoningPart("" if isinstance(thoughts, bool) else result_text(thoughts))


def _call(part: Map) -> Part | None:
    return tool_call_of(part)


def _image_made(part: Map) -> Part:
    return media_of({"mime_type": "image/png", **part})


def _other(part: Map) -> Part:
    """Cache points, signatures, references and whatever comes next: kept, and no words of anyone."""
    return OtherPart(kind_of(part) or next(iter(part), ""), json_text(part)[:_MAX_OTHER])


_Reader: TypeAlias = Callable[[Map], "Part | None"]

_READERS: Mapping[str, _Reader] = {
    **dict.fromkeys(("text", "inputtext", "outputtext", "summarytext", "refusal", "json"), _text),
    **dict.fromkeys(("reasoning", "thinking", "redactedthinking", "reasoningcontent", "thought"), _reasoning),
    **dict.fromkeys(
        (
            *("toolcall", "tooluse", "functioncall", "function", "customtoolcall", "toolrequest", "custom"),
            # Tools of OpenAI's that the caller runs.
            *("computercall", "localshellcall", "shellcall", "applypatchcall"),
        ),
        _call,
    ),
    **dict.fromkeys(("servertoolcall", "servertooluse", "mcptooluse", "mcplisttools"), provider_call_of),
    "imagegenerationcall": _image_made,
    **dict.fromkeys(
        (
            *("toolcallresponse", "servertoolcallresponse", "toolresult", "toolcallresult", "toolresponse"),
            *("toolreturn", "functioncalloutput", "functionresponse", "builtintoolreturn", "websearchresult"),
        ),
        tool_result_of,
    ),
    **dict.fromkeys(
        (
            *("uri", "blob", "file", "media", "binary", "document", "inputfile", "documenturl"),
            *(
                "image",
                "imageurl",
                "inputimage",
                "outputimage",
                "audio",
                "inputaudio",
                "outputaudio",
                "audiourl",
            ),
            *("video", "videourl", "filedata", "inputvideo"),
        ),
        media_of,
    ),
    **dict.fromkeys(("cachepoint", "signature", "itemreference", "compaction"), _other),
}
"""By the part's kind, as `kind_of` spells it."""

_UNTYPED: tuple[tuple[str, Callable[[dict[str, Any], int], Part | None]], ...] = (
    ("message_content", _part),
    *(
        (key, lambda part, _: _call(part))
        for key in ("functionCall", "function_call", "toolUse", "toolRequest")
    ),
    ("tool_call", lambda part, _: _call(part)),
    *(
        (key, lambda part, _: tool_result_of(part))
        for key in ("functionResponse", "function_response", "toolResult", "toolResponse", "tool_call_result")
    ),
    *(
        (key, lambda part, _, key=key: provider_call_of({"name": key, "arguments": part}))
        for key in ("executableCode", "executable_code")
    ),
    *(
        (key, lambda part, _: tool_result_of(part))
        for key in ("codeExecutionResult", "code_execution_result")
    ),
    ("reasoningContent", lambda part, _: _reasoning(part)),
    *(
        (key, lambda part, _: media_of(part))
        for key in ("inlineData", "inline_data", "fileData", "file_data")
    ),
    *(
        (key, lambda part, _, key=key: media_of({"type": key, **part}))
        for key in ("image", "document", "video", "audio")
    ),
    ("guardContent", lambda part, depth: _part(part.get("text"), depth)),
    ("citationsContent", lambda part, _: TextPart(result_text(part.get("content")))),
)
"""Gemini's, Bedrock's, Genkit's and Haystack's parts have no ``type``: the key names the kind."""

_SILENT = frozenset(
    {
        "cachePoint",
        "cache_point",
        "thoughtSignature",
        "thought_signature",
        "searchResult",
        "videoMetadata",
        "signature",
    }
)
"""A part without a kind that has one of these, and no words, says nothing."""
