"""Arthur's attribute value types: is this value one of that type? And the refusal of what is not."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Annotated, Any, Final, cast

import msgspec
from msgspec import Meta
from starlette.exceptions import HTTPException

from otel_arthur.inference import fields

_Probability = Annotated[float, Meta(ge=0, le=1)]
_TYPES: Final[dict[str, Any]] = {
    fields.TEXT: str,
    fields.STRING: str,
    fields.INTEGER: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)],
    fields.FLOAT: float,
    fields.BOOLEAN: bool,
    fields.TIMESTAMP: str,
    fields.STRINGS: list[str],
    fields.TOKENS: list[str],
    fields.LIKELIHOODS: list[Annotated[dict[str, _Probability], Meta(min_length=1)]],
}
VALUE_TYPES: Final = tuple(_TYPES)
_RFC_3339: Final = re.compile(
    r"(?P<to_seconds>\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?P<fraction>\.\d+)?(?P<zone>[Zz]|[+-]\d\d:\d\d)?\Z",
    re.ASCII,
)


class Refused(HTTPException):
    """A document, row or query that is answered with a 400; the detail names the key and the fix."""

    def __init__(self, detail: str) -> None:
        super().__init__(400, detail)


def object_of(value: Any, what: str) -> dict[str, Any]:
    """The value, which is an object.

    Raises:
        Refused: it is not.
    """
    if not isinstance(value, dict):
        raise Refused(f"{what} must be an object, not {json_type(value)}")
    return cast("dict[str, Any]", value)


def problem(value: Any, value_type: str) -> str | None:
    """The fault of `value` as a `value_type`, or None. The caller decides about null."""
    try:
        msgspec.convert(value, _TYPES[value_type])
        if value_type == fields.TIMESTAMP:
            utc_timestamp(value)
    except msgspec.ValidationError as error:
        return f"does not fit: {error}"
    except ValueError as error:
        return str(error)
    return None


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
    """JSON's name for the type of a value, for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    return {int: "an integer", float: "a number", str: "a string", list: "an array", dict: "an object"}.get(
        cast("type[Any]", type(value)), type(value).__name__
    )
