"""A row: what the spool knows of it, its content, and how rows are written down together."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import Struct

FIRST_KIND: Final = 1
"""The kind of the rows that others come after."""
FRAMED: Final = 2
"""A body as `framed` gives it. 1 is one of the formats 1 and 2 (`format_2`)."""
_LENGTH: Final = struct.Struct(">I")


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


class _Head(Struct, frozen=True, array_like=True):
    """What is known of the rows of a body, column by column; None where all have the default."""

    sizes: Sequence[int]
    ids: Sequence[str]
    stems: Sequence[int] | None
    versions: Sequence[str] | None
    afters: Sequence[tuple[str, ...]] | None


_encode: Final = msgspec.msgpack.Encoder().encode
_decoder: Final = msgspec.msgpack.Decoder(_Head)


def framed(rows: Sequence[Row]) -> list[bytes]:
    """The parts of a body: the length of its head, the head, the contents one after the other."""
    stems = [row.stem for row in rows]
    versions = [row.version for row in rows]
    afters = [row.after for row in rows]
    head = _encode(
        _Head(
            [len(row.content) for row in rows],
            [row.id for row in rows],
            stems if any(stems) else None,
            versions if any(versions) else None,
            afters if any(afters) else None,
        )
    )
    return [_LENGTH.pack(len(head)) + head, *[row.content for row in rows]]


def unframed(body: bytes) -> list[Row]:
    """The rows of a body.

    Raises:
        ValueError: it is not what `framed` gave.
    """
    if len(body) < _LENGTH.size:
        raise ValueError("a body without a head")
    start = _LENGTH.size + _LENGTH.unpack_from(body)[0]
    head = _decoder.decode(body[_LENGTH.size : start])
    count = len(head.sizes)
    nothing: tuple[str, ...] = ()
    rows: list[Row] = []
    for identity, size, stem, version, after in zip(
        head.ids,
        head.sizes,
        head.stems or [0] * count,
        head.versions or [""] * count,
        head.afters or [nothing] * count,
        strict=True,
    ):
        rows.append(Row(identity, body[start : start + size], stem, version, after))
        start += size
    if start != len(body):
        raise ValueError("a body of another length than its head says")
    return rows


def keys_of(destination: int, kind: int, rows: Sequence[Row]) -> tuple[int, ...]:
    """The unique keys of rows as signed 64-bit integers: digests of destination, kind, id and version."""
    prefix = b"%d %d " % (destination, kind)
    names = [prefix + (f"{row.id} {row.version}" if row.version else row.id).encode() for row in rows]
    return unpack_keys(b"".join([blake2b(name, digest_size=8).digest() for name in names]))


def names_of(destination: int, kind: int, rows: Sequence[Row]) -> tuple[int, ...]:
    """The keys of the ids alone, of rows that have versions: a later row of one id is told by it."""
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
