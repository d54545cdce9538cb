"""The part of Arthur's query language that the SDK needs to await inferences: counting."""

from __future__ import annotations

from typing import Any, cast

from otel_arthur.local.v3.models import Model
from otel_arthur.local.v3.value_types import Refused

_SUPPORTED = (
    'local Arthur answers {"select": [{"function": "count"}]}, with "from" inferences or ground_truth '
    'and "filter" [{"property": ATTRIBUTE, "comparator": "NotNull"}]'
)


def read_count(query: Any, model: Model) -> list[tuple[str, str]]:
    """The attributes that must have a value for an inference to be counted, as ``Store.count`` takes them.

    Raises:
        Refused: anything but a count; the detail has a query that local Arthur answers.
    """
    if not isinstance(query, dict):
        raise Refused(f"the query must be an object: {_SUPPORTED}")
    parts = cast("dict[str, Any]", query)
    unknown = sorted(parts.keys() - {"select", "from", "filter"})
    if unknown:
        raise Refused(f"unsupported key {unknown[0]!r}: {_SUPPORTED}")
    if parts.get("select") != [{"function": "count"}]:
        raise Refused(f"unsupported select: {_SUPPORTED}")
    if parts.get("from") not in (None, "inferences", "ground_truth"):
        raise Refused(f"unsupported from {parts['from']!r}: {_SUPPORTED}")
    filters: Any = parts.get("filter") or []
    if not isinstance(filters, list):
        raise Refused(f"unsupported filter: {_SUPPORTED}")
    return [_not_null(one, model) for one in cast("list[Any]", filters)]


def _not_null(one: Any, model: Model) -> tuple[str, str]:
    if not isinstance(one, dict) or one.keys() != {"property", "comparator"}:  # type: ignore[reportUnknownMemberType]
        raise Refused(f"unsupported filter: {_SUPPORTED}")
    condition = cast("dict[str, Any]", one)
    if condition["comparator"] != "NotNull":
        raise Refused(f"unsupported comparator {condition['comparator']!r}: {_SUPPORTED}")
    name = condition["property"]
    attribute = model.attributes.get(name) if isinstance(name, str) else None
    if attribute is None:
        raise Refused(f"filter: {name!r} is not an attribute of the model")
    return ("ground_truth_data" if attribute.is_ground_truth else "inference_data", attribute.name)
