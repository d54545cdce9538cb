"""The forms in which inferences and ground truth wait: rows of JSON bytes, batches of them, their keys."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from enum import IntEnum
from hashlib import blake2b
from typing import Final

import orjson
from msgspec import Struct

_ID_PREFIX: Final = b'{"partner_inference_id":"'
_SEPARATOR: Final = b"\n"


class Kind(IntEnum):
    """What a record is to Arthur. Stored: never renumber."""

    INFERENCE = 1
    GROUND_TRUTH = 2


class Form(IntEnum):
    """How a record is written. Stored: never renumber."""

    ROW = 1
    """The row of the request, as its model takes it."""
    CATALOGUE = 2
    """All fields of the catalogue that have a value: the model's schema was not known."""


class Record(Struct, frozen=True, gc=False):
    """One row of a request and the id of the inference it is about."""

    id: str
    row: bytes
    """JSON of one object, without line breaks, beginning with its ``partner_inference_id``."""


def join(rows: Iterable[bytes]) -> bytes:
    """Rows as the body of a batch. JSON as we write it has no line break, so a line is a row."""
    return _SEPARATOR.join(rows)


def with_breaks(rows: Sequence[bytes]) -> list[bytes]:
    """The parts of what `join` gives."""
    parts = [_SEPARATOR] * max(2 * len(rows) - 1, 0)
    parts[::2] = rows
    return parts


def split(body: bytes) -> list[bytes]:
    """The rows of a batch's body."""
    return body.split(_SEPARATOR) if body else []


def row_id(row: bytes) -> str:
    """The ``partner_inference_id`` at the head of a row."""
    if row.startswith(_ID_PREFIX):
        end = row.find(b'"', len(_ID_PREFIX))
        if b"\\" not in row[len(_ID_PREFIX) : end]:
            return row[len(_ID_PREFIX) : end].decode()
    return orjson.loads(row)["partner_inference_id"]


def call_of(inference_id: str) -> str:
    """The part of an id of ours that names the call: all choices of a call share it."""
    return inference_id.rpartition("-")[0]


def key_of(destination: int, kind: Kind, record: Record) -> int:
    """The record's unique key as a signed 64-bit integer: a digest of destination, kind and id.

    Ground truth may be corrected later under the same id, so there the row itself is digested.
    """
    return keys_of(destination, kind, (record,))[0]


def keys_of(destination: int, kind: Kind, records: Sequence[Record]) -> tuple[int, ...]:
    """The keys of several records (see `key_of`)."""
    prefix = b"%d %d " % (destination, kind)
    content = (
        [prefix + record.id.encode() for record in records]
        if kind is Kind.INFERENCE
        else [prefix + record.row for record in records]
    )
    return unpack_keys(b"".join([blake2b(one, digest_size=8).digest() for one in content]))


def pack_keys(keys: Sequence[int]) -> bytes:
    """Keys as they are kept with their batch."""
    return struct.pack(f">{len(keys)}q", *keys)


def unpack_keys(packed: bytes) -> tuple[int, ...]:
    """The inverse of `pack_keys`."""
    return struct.unpack(f">{len(packed) // 8}q", packed)
