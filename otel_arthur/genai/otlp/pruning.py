"""Values nested deeper than the parser goes: their attributes lose them, the rest of the request stays. Pure.

Parsers of protobuf give a whole message up at a hundred levels (upb's default), wherever they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor

_ANY_VALUE = "opentelemetry.proto.common.v1.AnyValue"
_MAX_FIELDS = 1_000_000
_MAX_LEVELS = 80
"""Of messages inside one value; lists take two for each level, maps three."""


def without_deep_values(body: bytes, kind: Descriptor) -> bytes | None:
    """The message with an empty value wherever one is nested too deep; None where none is.

    Raises:
        IndexError: the body is cut short, no protobuf, or of more than a million fields.
    """
    return _pruned(body, kind, 0, len(body), itertools.count(_MAX_FIELDS, -1))


def _pruned(body: bytes, kind: Descriptor, position: int, end: int, left: Iterator[int]) -> bytes | None:
    parts: list[bytes] = []
    kept = position
    while position < end:
        start = position
        tag, position = varint(body, position)
        if not tag >> 3 or not next(left):
            raise IndexError
        if tag & 7 != 2:
            position = _after(body, position, tag & 7)
            continue
        length, content = varint(body, position)
        position = content + length
        if position > end:
            raise IndexError
        part = kind.fields_by_number.get(tag >> 3)
        if part is None or part.message_type is None:
            continue
        if part.message_type.full_name == _ANY_VALUE:
            inner = b"" if _is_deep(body[content:position], part.message_type) else None
        else:
            inner = _pruned(body, part.message_type, content, position, left)
        if inner is not None:
            parts += (body[kept:start], _encoded(tag), _encoded(len(inner)), inner)
            kept = position
    return b"".join((*parts, body[kept:end])) if parts else None


def _is_deep(body: bytes, kind: Descriptor) -> bool:
    waiting = [(0, len(body), kind, 0)]
    while waiting:
        position, end, kind, level = waiting.pop()
        if level > _MAX_LEVELS:
            return True
        while position < end:
            tag, position = varint(body, position)
            if tag & 7 != 2:
                position = _after(body, position, tag & 7)
                continue
            length, position = varint(body, position)
            part = kind.fields_by_number.get(tag >> 3)
            if part is not None and part.message_type is not None:
                waiting.append((position, position + length, part.message_type, level + 1))
            position += length
    return False


def _after(body: bytes, position: int, wire: int) -> int:
    if wire == 0:
        return varint(body, position)[1]
    if wire in (1, 5):
        return position + (8 if wire == 1 else 4)
    raise IndexError


def varint(body: bytes, position: int) -> tuple[int, int]:
    """A number of protobuf and the position after it; raises IndexError where there is none."""
    value = shift = 0
    while shift < 64:
        byte = body[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise IndexError


def _encoded(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
