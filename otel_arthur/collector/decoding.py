"""Bodies of requests: decompression within a limit, and OTLP in either encoding. Pure.

Sources: opentelemetry-proto ``docs/specification.md``, "OTLP/HTTP Request" and "JSON Protobuf Encoding".
"""

from __future__ import annotations

import zlib
from typing import Any

import orjson
import zstandard
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message

from otel_arthur.collector.signals import Signal
from otel_arthur.genai.otlp.json_form import OTLPError, request_from_json

COMPRESSIONS = ("gzip", "zstd", "deflate")
"""What ``Accept-Encoding`` of a 415 names; no compression is always understood."""


_ZSTD_WINDOW = 8 * 1024 * 1024
"""RFC 8878, 3.1.1.1.2: decoders should support windows of at least this size."""


class TooLarge(ValueError):
    """The body would be larger than the limit once decompressed."""


class BadBody(ValueError):
    """The body is not what its headers say; the message is for the sender."""


def decompress(body: bytes, compression: str | None, limit: int) -> bytes:
    """The body without its compression, never inflated past `limit` bytes.

    Raises:
        TooLarge: it would be larger; at most `limit` bytes were ever held.
        BadBody: it is not that compression, or ends early.
    """
    if compression is None:
        if len(body) > limit:
            raise TooLarge
        return body
    if compression == "zstd":
        return _zstd(body, limit)
    # 32 + 15: a gzip or a zlib header, whichever is there ("deflate" is zlib's format, RFC 9110 8.4.1.2).
    return _zlib(body, limit, compression)


def _zlib(body: bytes, limit: int, name: str) -> bytes:
    pieces: list[bytes] = []
    left = limit
    rest = body
    while rest:  # gzip may have several members
        inflater = zlib.decompressobj(47)
        try:
            piece = inflater.decompress(rest, left + 1)
        except zlib.error:
            raise BadBody(f"the body is not {name}, though Content-Encoding says so") from None
        left -= len(piece)
        if left < 0:
            raise TooLarge
        if not inflater.eof:
            raise BadBody(f"the {name} body ends early")
        pieces.append(piece)
        rest = inflater.unused_data
    if not pieces and body == b"":
        raise BadBody(f"the body is empty, though Content-Encoding says {name}")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _zstd(body: bytes, limit: int) -> bytes:
    # A frame may ask for a window of gigabytes: no more than what the encoder's highest levels use.
    window = max(limit, _ZSTD_WINDOW)
    try:
        frame = zstandard.get_frame_parameters(body)
        known = frame.content_size not in (zstandard.CONTENTSIZE_UNKNOWN, zstandard.CONTENTSIZE_ERROR)
        if (known and frame.content_size > limit) or frame.window_size > window:
            raise TooLarge
        inflater = zstandard.ZstdDecompressor(max_window_size=window)
        content = inflater.stream_reader(body, read_across_frames=True).read(limit + 1)
    except zstandard.ZstdError:
        raise BadBody("the body is not zstd, though Content-Encoding says so") from None
    if len(content) > limit:
        raise TooLarge
    if not _is_complete_zstd(body, len(content)):
        raise BadBody("the zstd body ends early")
    return content


def _is_complete_zstd(body: bytes, size: int) -> bool:
    """Whether the frames end properly, which a reader does not tell. They hold `size` bytes."""
    try:
        if zstandard.get_frame_parameters(body).content_size == size:
            return True
        rest = body
        while rest:
            inflater = zstandard.ZstdDecompressor().decompressobj()
            inflater.decompress(rest)
            if not inflater.eof:
                return False
            rest = inflater.unused_data
    except zstandard.ZstdError:
        return False
    return bool(body)


def parse(signal: Signal, content: bytes, json: bool) -> Any:
    """A request as its protobuf message.

    Raises:
        BadBody: the content is not an OTLP request of this signal.
    """
    if json:
        try:
            return request_from_json(orjson.loads(content) if content.strip() else {}, signal.request)
        except (orjson.JSONDecodeError, OTLPError, RecursionError) as error:
            raise BadBody(f"the body is not OTLP/JSON: {str(error)[:200]}") from None
    try:
        return signal.request.FromString(content)
    except DecodeError:
        raise BadBody(f"the body is not an {signal.request.DESCRIPTOR.full_name} in protobuf") from None


def response_json(signal: Signal, response: bytes) -> bytes:
    """An ``Export…ServiceResponse`` from protobuf to JSON."""
    return orjson.dumps(_message_dict(signal.response.FromString(response))) if response else b"{}"


def response_protobuf(signal: Signal, content: bytes) -> bytes:
    """An ``Export…ServiceResponse`` from JSON to protobuf; an unreadable one is a full success."""
    try:
        return request_from_json(orjson.loads(content or b"{}"), signal.response).SerializeToString()
    except (orjson.JSONDecodeError, OTLPError):
        return b""


def _message_dict(message: Message) -> dict[str, Any]:
    return MessageToDict(message)
