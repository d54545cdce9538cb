"""Arthur's attribute value types: is this value one of that type?"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, Final, cast

from otel_arthur.inference import fields

_INTEGER_RANGE: Final = range(-(2**63), 2**63)
_RFC_3339: Final = re.compile(
    r"(?P<to_seconds>\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?P<fraction>\.\d+)?(?P<zone>[Zz]|[+-]\d\d:\d\d)?\Z",
    re.ASCII,
)


def problem(value: Any, value_type: str) -> str | None:
    """What is wrong with `value` as a `value_type`, or None. Null is the caller's to judge."""
    return _CHECKS[value_type](value)


def utc_timestamp(value: Any) -> str:
    """An RFC 3339 timestamp in UTC with six decimals, so that text order is time order.

    Raises:
        ValueError: not a timestamp, or one without a time zone.
    """
    if not isinstance(value, str):
        raise ValueError(f"must be an RFC 3339 timestamp, not {json_type(value)}")  # noqa: TRY004
    match = _RFC_3339.match(value)
    if match is None:
        raise ValueError("is not an RFC 3339 timestamp such as 2026-11-22T12:00:00.250000+00:00")
    if match["zone"] is None:
        raise ValueError("has no time zone: end it with Z or an offset such as +00:00")
    zone = "+00:00" if match["zone"] in "Zz" else match["zone"]
    microseconds = (match["fraction"] or ".")[1:7].ljust(6, "0")
    try:
        moment = datetime.fromisoformat(f"{match['to_seconds'].upper()}.{microseconds}{zone}")
        return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        raise ValueError("is not a moment in time") from None


def json_type(value: Any) -> str:
    """How JSON calls the type of a value, for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    return {int: "an integer", float: "a number", str: "a string", list: "an array", dict: "an object"}.get(
        cast("type[Any]", type(value)), type(value).__name__
    )


def _is_a(python_type: type, name: str) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        return None if isinstance(value, python_type) else f"must be {name}, not {json_type(value)}"

    return check


def _integer(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return f"must be an integer, not {json_type(value)}"
    return None if value in _INTEGER_RANGE else "is outside the 64-bit integers"


def _float(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"must be a number, not {json_type(value)}"
    return None


def _timestamp(value: Any) -> str | None:
    try:
        utc_timestamp(value)
    except ValueError as error:
        return str(error)
    return None


def _strings(value: Any) -> str | None:
    if not isinstance(value, list):
        return f"must be an array of strings, not {json_type(value)}"
    for index, item in enumerate(cast("list[Any]", value)):
        if not isinstance(item, str):
            return f"must be an array of strings, but item {index} is {json_type(item)}"
    return None


def _likelihoods(value: Any) -> str | None:
    if not isinstance(value, list):
        return f"must be an array with one token map per output token, not {json_type(value)}"
    for index, item in enumerate(cast("list[Any]", value)):
        if not isinstance(item, dict) or not item:
            return f"item {index} must be a map of token to probability, not {json_type(item)}"
        for token, probability in cast("dict[str, Any]", item).items():
            if _float(probability) is not None:
                return f"item {index}: the probability of {token!r} is {json_type(probability)}"
            if not 0 <= probability <= 1:
                return f"item {index}: the probability of {token!r} is {probability}, outside 0 to 1"
    return None


_CHECKS: Final[dict[str, Callable[[Any], str | None]]] = {
    fields.TEXT: _is_a(str, "a string"),
    fields.STRING: _is_a(str, "a string"),
    fields.INTEGER: _integer,
    fields.FLOAT: _float,
    fields.BOOLEAN: _is_a(bool, "a boolean"),
    fields.TIMESTAMP: _timestamp,
    fields.STRINGS: _strings,
    fields.TOKENS: _strings,
    fields.LIKELIHOODS: _likelihoods,
}

VALUE_TYPES: Final = tuple(_CHECKS)
