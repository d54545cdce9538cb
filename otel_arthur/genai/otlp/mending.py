"""Messages of protobuf of which a part is bad: the part is mended or left out, the rest of it stays. Pure.

Parsers of protobuf give a whole message up for one text that is no UTF-8, for one field of an impossible
form, and for one value that is nested deeper than a hundred levels (upb's default), wherever they are.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple, TypeVar, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from otel_arthur.genai.otlp.pieces import encoded, varint
from otel_arthur.genai.otlp.spoiled import DEEP, MAX_LEVELS, RECORD, TEXT

_ANY_VALUE = "opentelemetry.proto.common.v1.AnyValue"
_RECORDS = frozenset({"Span", "LogRecord", "Metric"})
_MAX_FIELDS = 1_000_000
_M = TypeVar("_M", bound=Message)


def parsed(body: bytes, kind: type[_M], spoiled: Counter[str]) -> _M | None:
    """The message in `body`, without what of it is bad; None where it is no such message at all.

    Args:
        body: bytes of protobuf.
        kind: the class of the message.
        spoiled: what was bad -> how often, counted up.
    """
    try:
        return kind.FromString(body)
    except DecodeError:
        pass
    try:
        scan = _Scan(body, itertools.count(_MAX_FIELDS, -1), Counter())
        message = kind.FromString(_mended(scan, cast("Descriptor", kind.DESCRIPTOR), 0, len(body)) or body)
    except (DecodeError, IndexError):
        return None
    spoiled.update(scan.spoiled)
    return message


class _Scan(NamedTuple):
    body: bytes
    left: Iterator[int]
    spoiled: Counter[str]


class _TooDeep(Exception):
    pass


def _mended(scan: _Scan, kind: Descriptor, position: int, end: int, level: int = 0) -> bytes | None:
    """The message between two positions without what is bad in it; None where nothing is.

    Args:
        level: of messages inside one value, beginning with the value's own; 0 outside.

    Raises:
        IndexError: it is cut short, no protobuf, or of more than a million fields.
        _TooDeep: a part of the value is nested too deep.
    """
    if level > MAX_LEVELS + 1:
        raise _TooDeep
    body = scan.body
    parts: list[bytes] = []
    kept = position
    while position < end:
        start = position
        tag, position = varint(body, position)
        if not tag >> 3 or not next(scan.left):
            raise IndexError
        if tag & 7 != 2:
            position = _after(body, position, tag & 7)
            continue
        length, content = varint(body, position)
        position = content + length
        if position > end:
            raise IndexError
        field = kind.fields_by_number.get(tag >> 3)
        mended = None if field is None else _field(scan, field, content, position, level)
        if mended is not None:
            parts.append(body[kept:start])
            if mended or field is None or not _is_record(field):
                parts += (encoded(tag), encoded(len(mended)), mended)
            kept = position
    if position != end:
        raise IndexError
    return b"".join((*parts, body[kept:end])) if parts else None


def _field(scan: _Scan, field: FieldDescriptor, start: int, end: int, level: int) -> bytes | None:
    """A field's content without what is bad, empty where it has to be left out; None if all is good."""
    if field.type == FieldDescriptor.TYPE_STRING:
        text = scan.body[start:end]
        mended = text.decode("utf-8", "replace").encode()
        scan.spoiled[TEXT] += mended != text
        return None if mended == text else mended
    inner = field.message_type
    if inner is None:
        return None
    try:
        return _mended(scan, inner, start, end, level + 1 if level or inner.full_name == _ANY_VALUE else 0)
    except _TooDeep:
        if level:
            raise
        scan.spoiled[DEEP] += 1
    except IndexError:
        if not _is_record(field):
            raise
        scan.spoiled[RECORD] += 1
    return b""


def _is_record(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.name in _RECORDS


def _after(body: bytes, position: int, wire: int) -> int:
    if wire == 0:
        return varint(body, position)[1]
    if wire in (1, 5):
        return position + (8 if wire == 1 else 4)
    raise IndexError
