"""Rows for Arthur's v3 API: inferences and ground truth, as JSON objects of the request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from hashlib import blake2b
from typing import Any, Final

import orjson

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.evidence import Evidence
from otel_arthur.genai.planned import Planned
from otel_arthur.http.encoding import encode
from otel_arthur.inference.build import Builder
from otel_arthur.inference.identity import partner_inference_id
from otel_arthur.spool.rows import FIRST_KIND, Around, Packing, Row


class Kind(IntEnum):
    """The kinds of Arthur's rows. Stored: never renumber."""

    INFERENCE = FIRST_KIND
    GROUND_TRUTH = 2


ARRAY: Final = Around(b"[", b",", b"]")
"""Rows that leave together are the body of a request."""


class Form(IntEnum):
    """How an inference is written. Stored: never renumber."""

    ROW = 1
    """The row of the request, as its model takes it."""
    CATALOGUE = 2
    """All fields of the catalogue that have a value: the model's schema was not known."""


def put_inferences(builder: Builder, call: LLMCall, packing: Packing) -> None:
    """Add the rows of a call's inferences; all choices of a call are one group.

    Raises:
        TypeError: a value cannot be written as JSON; no row was added.
    """
    # All are written before one is added.
    rows = [(one.partner_inference_id, encode(one.as_json()), one.stem) for one in builder.inferences(call)]
    for row in rows:
        packing.add(*row)


def put_planned(
    builder: Builder, calls: Sequence[Planned], packing: Packing
) -> tuple[list[Evidence], list[Planned]]:
    """Add the rows of the calls that have a short way; returns their evidence, and the other calls."""
    evidence: list[Evidence] = []
    left: list[Planned] = []
    if builder.short_ways is None:
        return evidence, list(calls)
    for planned, taken in zip(calls, builder.short_ways.taken(calls), strict=True):
        if taken is None:
            left.append(planned)
            continue
        identity, row, one = taken
        try:
            packing.add(identity, row, _STEM)
        except MemoryError:  # the other way counts the call
            left.append(planned)
        else:
            evidence.append(one)
    return evidence, left


def truth_row(truth: Mapping[str, Any]) -> Row:
    """The row of ground truth, which waits for its inference; with other content it is a correction."""
    identity = str(truth["partner_inference_id"])
    content = encode({"partner_inference_id": identity, **truth})
    version = blake2b(content, digest_size=8).hexdigest()
    return Row(identity, content, stem_of(identity), version, (identity,))


def renamed(content: bytes, identity: str) -> bytes:
    """The content of a row under another id."""
    record: dict[str, Any] = orjson.loads(content)
    if record["partner_inference_id"] == identity:
        return content
    return encode({**record, "partner_inference_id": identity})


def stem_of(inference_id: str) -> int:
    """How many characters of an id of ours name the call: all choices of a call share them."""
    return max(inference_id.rfind("-"), 0)


_STEM: Final = stem_of(partner_inference_id("0" * 32, "0" * 16))
