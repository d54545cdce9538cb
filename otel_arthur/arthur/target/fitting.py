"""Rows fitted to the model's schema, once that is known or has changed."""

from __future__ import annotations

from typing import Any

import orjson

from otel_arthur.http.encoding import encode
from otel_arthur.inference.build import fit
from otel_arthur.inference.schema import Schema


def is_wanted(failed: bool, policy: str, schema: Schema | None) -> bool:
    """Whether a call is sent by ``OTEL_EXPORTER_ARTHUR_ERRORS``; with no schema `auto` cannot tell yet."""
    if not failed or policy == "send":
        return True
    return policy == "auto" and (schema is None or schema.has("status", "error_type"))


def fitted(row: bytes, schema: Schema, policy: str) -> bytes | None:
    """A catalogue row as the model's; None for a failed call that the model has no place for."""
    record: dict[str, Any] = orjson.loads(row)
    values: dict[str, Any] = record["inference_data"]
    if not is_wanted(values.get("status") == "error", policy, schema):
        return None
    record["inference_data"] = fit(values, schema)[0]
    return encode(record)


def refitted(row: bytes, schema: Schema) -> bytes:
    """A row without the attributes that the model has no more."""
    record: dict[str, Any] = orjson.loads(row)
    names = {slot.attribute for slot in schema.slots}
    record["inference_data"] = {k: v for k, v in record["inference_data"].items() if k in names}
    return encode(record)
