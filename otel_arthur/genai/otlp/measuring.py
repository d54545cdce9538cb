"""What parsing a body would hold, told from its bytes. Pure.

A span that says nothing takes two bytes in protobuf and some two hundred once it is parsed, so the size of
a body says little about what parsing makes of it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from otel_arthur.genai.otlp.json.depth import TEXT, masked
from otel_arthur.genai.otlp.pieces import varint

_LARGEST_ITEM = 260
"""Bytes of a parsed span (upb: 230 with its place in the list), which two bytes can become."""
_JSON_ITEM = 350
"""Bytes of one JSON value, as an object of Python, a copy of it, and its protobuf message."""

_MESSAGEPACK_ITEM, _ENTRY, _CHARACTER = 96, 120, 4
"""Bytes of one value with its place in a list, of its place in a map, and of a character at most."""
_WIDTHS = {
    0xC4: 1,
    0xC5: 2,
    0xC6: 4,  # binaries
    0xC7: 1,
    0xC8: 2,
    0xC9: 4,  # extensions
    0xD9: 1,
    0xDA: 2,
    0xDB: 4,  # texts
    0xDC: 2,
    0xDD: 4,
    0xDE: 2,
    0xDF: 4,  # lists, maps
}
"""First byte of a value in MessagePack -> the bytes of the length that follows."""
_STEPS = [1] * 256
"""First byte in MessagePack -> the bytes up to the next value, or to what a length counts."""
for _first, _width in _WIDTHS.items():
    _STEPS[_first] += _width
_STEPS[0xA0:0xC0] = range(1, 33)  # short texts
_STEPS[0xCA:0xD4] = (5, 9, 2, 3, 5, 9, 2, 3, 5, 9)  # numbers
_STEPS[0xD4:0xD9] = (3, 4, 6, 10, 18)  # short extensions


class TooManyItems(ValueError):
    """The body holds more items than the limit: spans, attributes, values of a list, …"""


def most_items(size: int) -> int:
    """As many items as a protobuf body of `size` bytes can hold."""
    return size // 2


def most_bytes(size: int) -> int:
    """As much as parsing a protobuf body of `size` bytes can hold."""
    return most_items(size) * _LARGEST_ITEM + size


def bytes_of_protobuf(body: bytes, kind: Descriptor, max_items: int) -> int:
    """What parsing the body would hold. Nothing is parsed; what is malformed the parser will say.

    Raises:
        TooManyItems: there are more than `max_items`.
    """
    items = size = 0
    waiting = [(0, len(body), _shape_of(kind).fields)]
    try:
        while waiting:
            position, end, fields = waiting.pop()
            while position < end:
                tag = body[position]
                position += 1
                if tag >= 0x80:
                    tag, position = varint(body, position - 1)
                wire = tag & 7
                if wire == 2:
                    length = body[position]
                    position += 1
                    if length >= 0x80:
                        length, position = varint(body, position - 1)
                    shape = fields.get(tag >> 3)
                    if shape is not None:
                        items += shape.items
                        size += shape.bytes + length * shape.bytes_a_byte
                        if items > max_items:
                            raise TooManyItems
                        if shape.fields and length:
                            waiting.append((position, position + length, shape.fields))
                    position += length
                elif wire == 0:
                    if tag < 8:  # there is no field 0
                        return size + len(body)
                    while body[position] >= 0x80:
                        position += 1
                    position += 1
                elif wire == 1:
                    position += 8
                elif wire == 5:
                    position += 4
    except IndexError:
        pass
    return size + len(body)


def bytes_of_json(body: bytes, max_items: int) -> int:
    """What parsing the body would hold, at most.

    Raises:
        TooManyItems: it has more than `max_items` values.
    """
    items = _marks(body, 0, len(body))
    if items > max_items:  # unless most of them stand in texts
        items = position = 0
        body = masked(body)
        for text in TEXT.finditer(body):
            items += 1 + _marks(body, position, text.start())
            position = text.end()
            if items > max_items:
                raise TooManyItems
        items += _marks(body, position, len(body))
        if items > max_items:
            raise TooManyItems
    return items * _JSON_ITEM + 2 * len(body)


def bytes_of_messagepack(body: bytes, max_items: int) -> int:
    """What decoding the body would hold, at most; what is malformed the decoder will say.

    Raises:
        TooManyItems: it has more than `max_items` values, keys of maps among them.
    """
    items = entries = size = position = 0
    while position < len(body):
        first = body[position]
        items += 1
        if items > max_items:
            raise TooManyItems
        position += _STEPS[first]
        width = _WIDTHS.get(first)
        if width is None:
            if 0x80 <= first < 0x90:
                entries += first - 0x80
            elif 0xA0 <= first < 0xC0:
                size += _CHARACTER * (first - 0xA0)
            continue
        count = int.from_bytes(body[position - width : position], "big")
        if first >= 0xDE:
            entries += count
        elif first < 0xDC:
            # One character beyond ASCII makes four bytes of each.
            is_text = first >= 0xD9
            wide = is_text and not body[position : position + count].isascii()
            size += count * (_CHARACTER if wide else 1)
            position += count if is_text or first < 0xC7 else count + 1
    return size + items * _MESSAGEPACK_ITEM + entries * _ENTRY + len(body)


def _marks(body: bytes, start: int, end: int) -> int:
    return sum(body.count(mark, start, end) for mark in (b",", b"{", b"["))


@dataclass(slots=True)
class _Shape:
    """What one field adds when it is met in a body."""

    items: int
    bytes: int = 0
    bytes_a_byte: int = 0
    """For lists of numbers: a byte each in the body, eight in memory."""
    fields: dict[int, _Shape] = field(default_factory=dict[int, "_Shape"])
    """Of the message that it holds, by number; empty where it holds none."""


@functools.cache
def _shape_of(kind: Descriptor) -> _Shape:
    return _Shape(0, fields=_fields(kind, {}))


def _fields(kind: Descriptor, known: dict[str, dict[int, _Shape]]) -> dict[int, _Shape]:
    if kind.full_name in known:
        return known[kind.full_name]
    fields = known[kind.full_name] = {}
    for part in kind.fields:
        repeated = _is_repeated(part)
        if part.message_type is not None:
            size = 64 + 12 * len(part.message_type.fields)
            inner = _fields(part.message_type, known)
            # A message of which there is one at most is counted with the message that holds it.
            fields[part.number] = _Shape(1, size, 0, inner) if repeated else _Shape(0, 0, 0, inner)
        elif repeated and part.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
            fields[part.number] = _Shape(1, 24)
        elif repeated:
            fields[part.number] = _Shape(1, 24, 8)
    return fields


def _is_repeated(part: Any) -> bool:
    # `label` warns since protobuf 6.31, which brought `is_repeated`.
    return part.is_repeated if hasattr(part, "is_repeated") else part.label == part.LABEL_REPEATED
