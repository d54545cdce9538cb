"""The part of Arthur's query language that the SDK needs to await inferences: counting."""

from __future__ import annotations

from typing import Any, cast

from otel_arthur.local.v3.models import Model

_SUPPORTED = (
    'local Arthur answers {"select": [{"function": "count"}]}, with "from" inferences or ground_truth '
    'and "filter" [{"property": ATTRIBUTE, "comparator": "NotNull"}]'
)


class QueryRefused(ValueError):
    """A query that local Arthur does not answer; the message has a query that it answers."""


def read_count(query: Any, model: Model) -> list[tuple[str, str]]:
    """The attributes that must have a value for an inference to be counted, as ``Store.count`` takes them.

    Raises:
        QueryRefused: anything but a count.
    """
    if not isinstance(query, dict):
        raise QueryRefused(f"the query must be an object: {_SUPPORTED}")
    parts = cast("dict[str, Any]", query)
    unknown = sorted(parts.keys() - {"select", "from", "filter"})
    if unknown:
        raise QueryRefused(f"unsupported key {unknown[0]!r}: {_SUPPORTED}")
    if parts.get("select") != [{"function": "count"}]:
        raise QueryRefused(f"unsupported select: {_SUPPORTED}")
    if parts.get("from") not in (None, "inferences", "ground_truth"):
        raise QueryRefused(f"unsupported from {parts['from']!r}: {_SUPPORTED}")
    filters: Any = parts.get("filter") or []
    if not isinstance(filters, list):
        raise QueryRefused(f"unsupported filter: {_SUPPORTED}")
    return [_not_null(one, model) for one in cast("list[Any]", filters)]


def _not_null(one: Any, model: Model) -> tuple[str, str]:
    if not isinstance(one, dict) or one.keys() != {"property", "comparator"}:  # type: ignore[reportUnknownMemberType]
        raise QueryRefused(f"unsupported filter: {_SUPPORTED}")
    condition = cast("dict[str, Any]", one)
    if condition["comparator"] != "NotNull":
        raise QueryRefused(f"unsupported comparator {condition['comparator']!r}: {_SUPPORTED}")
    name = condition["property"]
    attribute = model.attributes.get(name) if isinstance(name, str) else None
    if attribute is None:
        raise QueryRefused(f"filter: {name!r} is not an attribute of the model")
    return ("ground_truth_data" if attribute.is_ground_truth else "inference_data", attribute.name)
