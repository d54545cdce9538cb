"""Images, files and recordings by name; never their content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from otel_arthur.genai.call import MediaPart, Part, TextPart
from otel_arthur.genai.json_text import clean
from otel_arthur.genai.messages.texts import Map, first, result_text

_MAX_NAME = 2_000
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
_TYPES = ("mime_type", "media_type", "mediaType", "mimeType", "format", "output_format")
_BYTES = (
    *("content", "data", "bytes", "file_data", "blob", "base64", "image", "binary_content"),
    *("result", "b64_json", "audio", "image_data"),
)
_WRAPPERS = ("message_content", "tool_call", "file", "image", "source", "input_audio", "audio", "inline_data")


def media_of(part: Map) -> Part:
    """Media by name: a URL, a file's name, or its type and size; the words of a recording that has them."""
    kind = result_text(part.get("type") or part.get("part_kind") or part.get("kind")).lower()
    source = part
    for _ in range(3):
        inner = next(
            (source[key] for key in (*_WRAPPERS, *_URLS) if isinstance(source.get(key), Mapping)), None
        )
        if inner is None:
            break
        source = {**{k: v for k, v in source.items() if k in _TYPES}, **cast("Map", inner)}
    spoken = source.get("transcript") or part.get("transcript")
    if isinstance(spoken, str) and spoken:
        return TextPart(clean(spoken))
    kind_of_file = result_text(first(source, _TYPES) or first(part, _TYPES))
    modality = result_text(part.get("modality")) or _modality(kind, kind_of_file)
    return MediaPart(modality, _name(source, kind_of_file))


def _name(source: Map, kind_of_file: str) -> str:
    url = first(source, _URLS)
    if isinstance(url, str) and not url.startswith("data:"):
        return clean(url[:_MAX_NAME])
    if isinstance(url, str):
        head, _, body = url[5:].partition(",")
        return _described(head.partition(";")[0], _decoded_size(body))
    name = first(source, _FILES)
    if isinstance(name, str) and name:
        return clean(name[:_MAX_NAME])
    content = first(source, _BYTES)
    if isinstance(content, str):
        if content.startswith(("http://", "https://")):
            return clean(content[:_MAX_NAME])
        return _described(kind_of_file, _decoded_size(content))
    return _described(kind_of_file, len(content) if isinstance(content, bytes) else 0)


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
