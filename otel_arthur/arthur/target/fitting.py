"""Rows fitted to the model's schema, once the schema is known or has changed."""

from __future__ import annotations

from typing import Any

import orjson

from otel_arthur.http.encoding import encode
from otel_arthur.inference.build import fit
from otel_arthur.inference.schema import Schema


def is_wanted(failed: bool, policy: str, schema: Schema | None) -> bool:
    """Whether ``OTEL_EXPORTER_ARTHUR_ERRORS`` lets a call be sent; without a schema `auto` is undecided."""
    if not failed or policy == "send":
        return True
    return policy == "auto" and (schema is None or schema.has("status", "error_type"))


def fitted(row: bytes, schema: Schema, policy: str) -> bytes | None:
    """A catalogue row in the model's form; None for a failed call that the model has no place for."""
    record: dict[str, Any] = orjson.loads(row)
    values: dict[str, Any] = record["inference_data"]
    if not is_wanted(values.get("status") == "error", policy, schema):
        return None
    record["inference_data"] = fit(values, schema)[0]
    return encode(record)


def refitted(row: bytes, schema: Schema) -> bytes:
    """A row without the attributes that the model has lost."""
    record: dict[str, Any] = orjson.loads(row)
    names = {slot.attribute for slot in schema.slots}
    record["inference_data"] = {k: v for k, v in record["inference_data"].items() if k in names}
    return encode(record)
