"""Rows of one call told twice: the row that is sent takes what it lacks from the one that is not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from otel_arthur.genai.duplicates.completion import TAKEN


def completed_row(row: bytes, others: Iterable[bytes]) -> bytes:
    """A row with what it lacks, as `genai.duplicates.completion.completed` has it; the same bytes if nothing.

    Fields are told by their names in the catalogue, which a model's attributes have too.
    """
    record: dict[str, Any] = orjson.loads(row)
    values: dict[str, Any] = record["inference_data"]
    before = dict(values)
    for other in others:
        found: dict[str, Any] = orjson.loads(other)["inference_data"]
        values.update({name: found[name] for name in TAKEN if name in found and name not in values})
        if "model" in found and values.get("model") in (None, values.get("request_model")):
            values["model"] = found["model"]
        if found.get("status") == "error" != values.get("status"):
            values.update({name: found[name] for name in ("status", "error_type") if name in found})
    return row if values == before else orjson.dumps(record)
