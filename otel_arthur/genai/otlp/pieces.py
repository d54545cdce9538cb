"""A large message of OTLP as several that say the same together, for less memory at once. Pure.

Source: opentelemetry-proto: in each signal resources stand in field 1 of a request, and scopes and records in
field 2 of what is around them. Writers of protobuf write fields in the order of their numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import IO, Final

_LISTS: Final = (1, 2, 2)
"""The fields of resources, of scopes and of records."""


class Cut(ValueError):
    """The message ends early, or is no protobuf."""


def pieces(stream: IO[bytes], size: int, longest: int) -> Iterator[bytes]:
    """Requests of about `size` bytes each.

    Args:
        longest: bytes of a record at most.

    Raises:
        Cut: after the pieces that are whole.
    """
    start = stream.read(size + 1)
    if len(start) <= size:
        yield start
        return
    whole = Rewound(stream, start)

    def read(count: int) -> bytes:
        if count > longest:
            raise Cut(f"a record in it is longer than {longest // 1024**2} MB")
        return whole.read(count)

    yield from _split(read, None, 0, size, lambda message: message)


def _split(
    read: Callable[[int], bytes], left: int | None, level: int, size: int, whole: Callable[[bytes], bytes]
) -> Iterator[bytes]:
    """The message that comes next.

    Args:
        left: its bytes; None where it goes on to the end.
        whole: makes a request of this message.
    """
    head, room = b"", size
    part: list[bytes] = []
    while left is None or left > 0:
        tag = _varint(read)
        if not tag and left is None:
            break
        fixed = {0: 0, 1: 8, 5: 4}.get(tag[0] & 7, -1) if tag else -1
        length = _varint(read) if fixed <= 0 else b""
        if fixed < 0 and (tag[0] & 7 != 2 or not length):
            raise Cut("it ends early, or is no protobuf")
        count = fixed if fixed >= 0 else _number(length)
        start = tag + length
        if left is not None:
            left -= len(start) + count
        is_listed = fixed < 0 and _number(tag) >> 3 == _LISTS[level]
        if is_listed and count > size and level < len(_LISTS) - 1:
            if part:
                yield whole(head + b"".join(part))
                part.clear()
            yield from _split(read, count, level + 1, size, _wrapped(whole, head, tag))
            continue
        content = read(count)
        if len(content) < count or (left is not None and left < 0):
            if part:
                yield whole(head + b"".join(part))
            raise Cut("it ends early")
        if not is_listed:
            head += start + content
            continue
        part.append(start + content)
        room -= len(part[-1])
        if room <= 0:
            yield whole(head + b"".join(part))
            part.clear()
            room = size
    if part:
        yield whole(head + b"".join(part))


def _wrapped(whole: Callable[[bytes], bytes], head: bytes, tag: bytes) -> Callable[[bytes], bytes]:
    return lambda message: whole(head + tag + encoded(len(message)) + message)


def _varint(read: Callable[[int], bytes]) -> bytes:
    found = b""
    while len(found) < 10 and (byte := read(1)):
        found += byte
        if byte < b"\x80":
            break
    return found


def _number(varint: bytes) -> int:
    return sum((byte & 0x7F) << 7 * place for place, byte in enumerate(varint))


class Rewound:
    """A stream that takes bytes back."""

    def __init__(self, stream: IO[bytes], start: bytes = b"") -> None:
        self._stream = stream
        self._before = BytesIO(start)

    def take_back(self, part: bytes) -> None:
        self._before = BytesIO(part + self._before.read())

    def read(self, count: int) -> bytes:
        part = self._before.read(count)
        return part if len(part) == count else part + self._stream.read(count - len(part))

    def readline(self, count: int) -> bytes:
        part = self._before.readline(count)
        if len(part) == count or part.endswith(b"\n"):
            return part
        return part + self._stream.readline(count - len(part))


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


def encoded(value: int) -> bytes:
    """A number as protobuf has it."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
