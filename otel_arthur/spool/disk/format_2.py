"""Bodies of formats 1 and 2: one JSON object a line, which were only Arthur's inferences and ground truth.

The one place where the spool looks into a row. A batch written since says itself what its rows are.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import msgspec

from otel_arthur.spool.rows import Row

_ID_PREFIX: Final = b'{"partner_inference_id":"'
_GROUND_TRUTH: Final = 2


class _Named(msgspec.Struct):
    partner_inference_id: str


_decoder: Final = msgspec.json.Decoder(_Named)


def rows_of_lines(body: bytes, kind: int) -> list[Row]:
    """The rows of a body.

    Raises:
        ValueError, msgspec.DecodeError: it is none.
    """
    return [row_of_line(line, kind) for line in (body.split(b"\n") if body else [])]


def row_of_line(line: bytes, kind: int) -> Row:
    """One row; ground truth comes after its inference, and a correction is told by its content."""
    identity = _id(line)
    stem = len(identity.rpartition("-")[0])
    if kind != _GROUND_TRUTH:
        return Row(identity, line, stem)
    return Row(identity, line, stem, blake2b(line, digest_size=8).hexdigest(), (identity,))


def _id(line: bytes) -> str:
    if line.startswith(_ID_PREFIX):
        end = line.find(b'"', len(_ID_PREFIX))
        if b"\\" not in line[len(_ID_PREFIX) : end]:
            return line[len(_ID_PREFIX) : end].decode()
    return _decoder.decode(line).partner_inference_id
