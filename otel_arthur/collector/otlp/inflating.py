"""Compressed bodies, inflated within a limit and counted while they grow. Pure.

Both formats may consist of several members: each byte of the body is looked at once.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Protocol

from otel_arthur.genai.otlp.zstd import WINDOW, ZstdDecompressor, ZstdError

COMPRESSIONS = ("gzip", "zstd", "deflate")
"""The ``Accept-Encoding`` of a 415; an uncompressed body is always understood."""

_PIECE = 64 * 1024
_MAX_MEMBERS = 1_000
_MEMBER_PIECE = 2 * 1024
"""Bytes to look at once where members are short: the bytes after a member are copied."""


class TooLarge(ValueError):
    """The body would be larger than the limit once decompressed."""


class BadBody(ValueError):
    """The body does not fit its headers; the message is for the sender."""


class TooManyMembers(BadBody):
    """The body has too many compressed members or frames: each costs as much as kilobytes."""


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def decompress(
    body: bytes,
    compression: str | None,
    limit: int,
    grow: Callable[[int], None] | None = None,
    max_members: int = _MAX_MEMBERS,
) -> bytes:
    """The body without its compression, never inflated past `limit` bytes.

    Args:
        grow: called with the size of each piece before it is kept; may raise.

    Raises:
        TooLarge: it would be larger; at most `limit` bytes were ever held.
        TooManyMembers: it has more than `max_members`.
        BadBody: it is not that compression, or ends early.
    """
    if compression is None:
        if len(body) > limit:
            raise TooLarge
        return body
    if not body:
        raise BadBody(f"the body is empty, though Content-Encoding says {compression}")
    try:
        return _inflated(memoryview(body), compression, limit, grow, max_members)
    except (zlib.error, ZstdError):
        raise BadBody(f"the body is not {compression}, though Content-Encoding says so") from None


def _inflated(
    body: memoryview,
    compression: str,
    limit: int,
    grow: Callable[[int], None] | None,
    max_members: int,
) -> bytes:
    # Its value is handed out without a copy.
    content = io.BytesIO()
    size = position = members = 0
    while position < len(body):
        if members == max_members:
            raise TooManyMembers(f"the {compression} body has more than {max_members} members or frames")
        inflater = _inflater(compression)
        step = _MEMBER_PIECE if members else _PIECE
        members += 1
        while not inflater.eof:
            data = bytes(body[position : position + step])
            position += len(data)
            piece = inflater.decompress(data, min(_PIECE, limit - size + 1))
            if not data and not piece and not inflater.eof:
                raise BadBody(f"the {compression} body ends early")
            while piece:
                size += len(piece)
                if size > limit:
                    raise TooLarge
                if grow is not None:
                    grow(len(piece))
                content.write(piece)
                piece = inflater.decompress(b"", min(_PIECE, limit - size + 1)) if not inflater.eof else b""
        position -= len(inflater.unused_data)
    return content.getvalue()


class _Zlib:
    """zlib's decompressor with the interface of the others, which keep unread bytes themselves."""

    def __init__(self) -> None:
        # 32 + 15: a gzip or a zlib header, whichever is there ("deflate" is zlib's format, RFC 9110 8.4.1.2).
        self._inflater = zlib.decompressobj(47)

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inflater.decompress(self._inflater.unconsumed_tail + data, max_length)


def _inflater(compression: str) -> _Inflater:
    if compression == "zstd":
        return ZstdDecompressor(options=WINDOW)
    return _Zlib()
