"""A row: what the spool knows of it, its content, and how rows are written down together."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple, cast

import msgspec
from msgspec import Struct

FIRST_KIND: Final = 1
"""The kind of the rows that others come after."""
FRAMED: Final = 2
"""A body as `Rows.framed` gives it. 1 is one of the formats 1 and 2 (`format_2`)."""
_LENGTH: Final = struct.Struct(">I")
HEAD_START: Final = _LENGTH.size
_ROOMS: Final = 32 * 1024 * 1024
_rooms: Final[list[bytearray]] = []
"""Memory of rows that have left, `_ROOMS` bytes at most: a page of new memory costs ten times as much."""
Contents = bytes | memoryview


class Row(Struct, frozen=True, gc=False):
    """One row, and all that the spool knows of it besides destination and kind, which its batch has."""

    id: str
    """Its name, for people too. With `version` it is the key: unique within destination and kind."""
    content: bytes
    """The target's business: any bytes."""
    stem: int = 0
    """So many leading characters of the id name its group: what belongs together. 0: it has no group."""
    version: str = ""
    """What tells it from an earlier row of the same id, where a correction is news."""
    after: tuple[str, ...] = ()
    """Ids of rows of the first kind that must be gone from the spool before this one leaves."""

    @property
    def group(self) -> str:
        """What it belongs to; empty for nothing."""
        return self.id[: self.stem]


class Around(NamedTuple):
    """What a target has before, between and after the contents, so that they can leave as one piece."""

    before: bytes = b""
    between: bytes = b""
    after: bytes = b""


class _Head(Struct, frozen=True, array_like=True):
    """What is known of the rows of a body, column by column; None where all have the default."""

    sizes: Sequence[int]
    ids: Sequence[str]
    stems: Sequence[int] | None
    versions: Sequence[str] | None
    afters: Sequence[tuple[str, ...]] | None
    around: Around | None = None
    """Since format 4."""


_encode: Final = msgspec.msgpack.Encoder().encode
_decoder: Final = msgspec.msgpack.Decoder(_Head)


class Rows(Sequence[Row]):
    """Rows as they lie in a body: one piece, told apart only when somebody asks for one of them."""

    __slots__ = ("_head", "_room", "_rows", "contents")

    def __init__(self, head: _Head, contents: Contents, room: bytearray | None = None) -> None:
        self._head = head
        self._rows: list[Row] | None = None
        self._room = room
        self.contents = contents
        """All of them, with what is around and between them; a view is good as long as these rows live."""

    def __del__(self, rooms: list[bytearray] = _rooms, most: int = _ROOMS) -> None:
        # The arguments are there when modules are no more.
        room, view = self._room, self.contents
        if room and isinstance(view, memoryview) and len(room) + sum(map(len, rooms)) <= most:
            try:
                view.release()
                room.pop()
                rooms.append(room)
            except BufferError:
                pass  # Somebody looks at it still.

    @property
    def around(self) -> Around:
        """What is around and between the contents."""
        return self._head.around or Around()

    @property
    def names(self) -> Sequence[str]:
        """What tells each from the others: its id, and its version if it has one."""
        head = self._head
        named = zip(head.ids, head.versions or (), strict=True)
        return head.ids if head.versions is None else [f"{i} {v}" if v else i for i, v in named]

    @property
    def are_versioned(self) -> bool:
        """Whether one may be a correction of another."""
        return self._head.versions is not None

    @property
    def are_free(self) -> bool:
        """Whether none must come after another."""
        return self._head.afters is None

    def framed(self) -> tuple[bytes, Contents]:
        """The body: the length of its head and the head; the contents."""
        head = _encode(self._head)
        return _LENGTH.pack(len(head)) + head, self.contents

    def only(self, remaining: bytes | None) -> Rows:
        """The rows whose byte is not 0; all for None.

        Raises:
            ValueError: there are more or fewer bytes than rows.
        """
        if remaining is None:
            return self
        stay = [row for row, stays in zip(self, remaining, strict=True) if stays]
        return packed(stay, self._head.around)

    def __len__(self) -> int:
        return len(self._head.ids)

    def __getitem__(self, index: Any) -> Any:
        return cast("Any", self._apart()[index])

    def __iter__(self) -> Iterator[Row]:
        return iter(self._apart())

    def __eq__(self, other: object) -> bool:
        return other is self or (isinstance(other, Sequence) and self._apart() == list(cast("Any", other)))

    __hash__ = None  # type: ignore[assignment]

    def _apart(self) -> list[Row]:
        if self._rows is None:
            head, contents, nothing = self._head, self.contents, tuple[str, ...]()
            start, gap = len(self.around.before), len(self.around.between)
            rows: list[Row] = []
            for identity, size, stem, version, after in zip(
                head.ids,
                head.sizes,
                head.stems or [0] * len(self),
                head.versions or [""] * len(self),
                head.afters or [nothing] * len(self),
                strict=True,
            ):
                rows.append(Row(identity, bytes(contents[start : start + size]), stem, version, after))
                start += size + gap
            self._rows = rows
        return self._rows


class Packing:
    """Rows that become one piece as they are made, so that large contents are copied but once.

    Args:
        around: as of `packed`.
    """

    __slots__ = ("_around", "_end", "_ids", "_room", "_sizes", "_stems", "_view")

    def __init__(self, around: Around | None = None) -> None:
        self._around = around or Around()
        try:
            self._room = _rooms.pop()
        except IndexError:
            self._room = bytearray()
        self._view = memoryview(self._room)
        self._end = 0
        self._ids: list[str] = []
        self._sizes: list[int] = []
        self._stems: list[int] = []

    def add(self, identity: str, content: bytes, stem: int) -> None:
        """Add a row, of which nothing is kept but a copy of its content."""
        self._put(self._around.between if self._ids else self._around.before, content)
        self._ids.append(identity)
        self._sizes.append(len(content))
        self._stems.append(stem)

    def rows(self) -> Rows:
        """All of them; none can be added any more."""
        if self._ids:
            self._put(self._around.after, b"")
        stems = self._stems if any(self._stems) else None
        head = _Head(self._sizes, self._ids, stems, None, None, self._around)
        contents = self._view[: self._end]
        self._view.release()
        return Rows(head, contents, self._room)

    def _put(self, gap: bytes, part: bytes) -> None:
        start, middle = self._end, self._end + len(gap)
        end = middle + len(part)
        if end > len(self._view):
            before, self._room = self._view, bytearray(end * 3 // 2)
            self._view = memoryview(self._room)
            self._view[:start] = before[:start]
        self._view[start:middle] = gap
        self._view[middle:end] = part
        self._end = end


def packed(rows: Sequence[Row], around: Around | None = None) -> Rows:
    """Rows as one piece; `around` is by default what they came with."""
    if isinstance(rows, Rows) and around in (None, rows.around):
        return rows
    stems = [row.stem for row in rows]
    versions = [row.version for row in rows]
    afters = [row.after for row in rows]
    contents = [row.content for row in rows]
    head = _Head(
        [len(content) for content in contents],
        [row.id for row in rows],
        stems if any(stems) else None,
        versions if any(versions) else None,
        afters if any(afters) else None,
        around,
    )
    if around is None or not contents:
        return Rows(head, b"".join(contents))
    # What is before and after goes to the ends first: each sum with the whole would copy it.
    contents[0] = around.before + contents[0]
    contents[-1] += around.after
    return Rows(head, around.between.join(contents))


def around_of(rows: Sequence[Row]) -> Around | None:
    """What is around rows that came as one piece."""
    return rows.around if isinstance(rows, Rows) else None


def head_size(start: bytes) -> int:
    """Bytes of a body's head, by its first `HEAD_START` bytes; 0 where there are fewer."""
    return _LENGTH.size + _LENGTH.unpack(start)[0] if len(start) == _LENGTH.size else 0


def unframed(body: bytes, contents: bytes | None = None) -> Rows:
    """The rows of a body.

    Args:
        contents: where they lie apart, and `body` is the head alone.

    Raises:
        ValueError: it is not what `Rows.framed` gave.
    """
    start = head_size(body[: _LENGTH.size])
    if not start:
        raise ValueError("a body without a head")
    contents = body[start:] if contents is None else contents
    head = _decoder.decode(body[_LENGTH.size : start])
    count = len(head.sizes)
    before, between, after = head.around or Around()
    size = sum(head.sizes) + (len(before) + len(after) + len(between) * (count - 1) if count else 0)
    if size != len(contents) or any(
        column is not None and len(column) != count
        for column in (head.ids, head.stems, head.versions, head.afters)
    ):
        raise ValueError("a body of another length than its head says")
    return Rows(head, contents)


def keys_of(destination: int, kind: int, rows: Sequence[Row]) -> tuple[int, ...]:
    """The unique keys of rows as signed 64-bit integers: digests of destination, kind, id and version."""
    prefix = b"%d %d " % (destination, kind)
    names = packed(rows).names
    digests = [blake2b(prefix + name.encode(), digest_size=8).digest() for name in names]
    return unpack_keys(b"".join(digests))


def names_of(destination: int, kind: int, rows: Sequence[Row]) -> tuple[int, ...]:
    """The keys of the ids alone, of rows that have versions: a later row of one id is told by it."""
    if isinstance(rows, Rows) and not rows.are_versioned:
        return ()
    versioned = {row.id: Row(row.id, b"") for row in rows if row.version}
    return keys_of(destination, kind, list(versioned.values()))


def key_of(destination: int, kind: int, identity: str) -> int:
    """The key of a row that has no version."""
    return keys_of(destination, kind, (Row(identity, b""),))[0]


def pack_keys(keys: Sequence[int]) -> bytes:
    """Keys as they are kept with their batch."""
    return struct.pack(f">{len(keys)}q", *keys)


def unpack_keys(packed: bytes) -> tuple[int, ...]:
    """The inverse of `pack_keys`."""
    return struct.unpack(f">{len(packed) // 8}q", packed)
