"""Values of OTLP/JSON: what an ``AnyValue`` holds, numbers and ids in each form that may be written. Pure.

Source: opentelemetry-proto, "OTLP/JSON Protobuf Encoding"; ``common/v1/common.proto``.
"""

from __future__ import annotations

import base64
from binascii import unhexlify
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import isfinite
from typing import Any, Final, TypeAlias, cast

from otel_arthur.genai.json_text import clean
from otel_arthur.genai.otlp.spoiled import MAX_LEVELS

Number: TypeAlias = int | float | str
"""64 bits are a text in JSON, and writers differ in the others."""
_INT64: Final = (-(2**63), 2**63 - 1)
_ALWAYS_FITS: Final = 19
"""Fewer decimal digits are in the limits."""
_NAMES: Final = {
    "str": "a text",
    "int": "a number",
    "float": "a number",
    "bool": "a boolean",
    "list": "a list",
    "dict": "an object",
}
_NOT_FINITE: Final = {"NaN", "Infinity", "-Infinity"}


class TooDeepError(ValueError):
    """A value is nested deeper than `MAX_LEVELS`."""


def value_of(value: Mapping[str, Any], level: int = 0) -> Any:
    """An ``AnyValue`` as text, bool, int, float, bytes, list, dict or None, as `views.any_value` has it.

    Args:
        level: how many messages it stands in, of one value.

    Raises:
        TooDeepError: a part of it is nested too deep.
        ValueError: it does not fit; the message names the field.
    """
    if level > MAX_LEVELS:
        raise TooDeepError(f"a value is nested deeper than {MAX_LEVELS} messages")
    if len(value) != 1:
        value = {kind: one for kind, one in value.items() if one is not None and kind in _KINDS}
        if not value:
            return None
        if len(value) > 1:
            raise ValueError(f"a value has both {' and '.join(sorted(value))}; write one of them")
    ((kind, one),) = value.items()
    read = _KINDS.get(kind)
    return None if one is None or read is None else read(one, level)


def number(name: str, value: Number, limits: tuple[int, int]) -> int:
    """A whole number within limits, whichever way it is written."""
    whole: int
    if value.__class__ is str and value.isdecimal():  # type: ignore[union-attr]
        whole = int(value)
    else:
        whole = value if value.__class__ is int else _whole(name, value)  # type: ignore[assignment]
    least, most = limits
    if least <= whole <= most:
        return whole
    raise ValueError(f"{name} is out of its range; write a number from {least} to {most}")


def identity(name: str, text: str) -> str:
    """An id in lower case."""
    try:
        return unhexlify(text).hex()
    except ValueError:
        raise ValueError(f"{name} is a text that is not hexadecimal; write its bytes so") from None


def _whole(name: str, value: Any) -> int:
    if isinstance(value, str) and " " not in value and "_" not in value:
        try:
            return int(value)
        except ValueError:
            with suppress(ValueError):
                value = float(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _unfit(name, value, "a whole number")


def _text(value: Any, _level: int) -> str:
    if not isinstance(value, str):
        raise _unfit("stringValue", value, "text")
    return clean(value)


def _bool(value: Any, _level: int) -> bool:
    if not isinstance(value, bool):
        raise _unfit("boolValue", value, "true or false")
    return value


def _int(value: Any, _level: int) -> int:
    if value.__class__ is str and len(value) < _ALWAYS_FITS and value.isdecimal():
        return int(value)
    return number("intValue", value, _INT64)


def _float(value: Any, _level: int) -> float:
    if value.__class__ is float and isfinite(value):
        return value
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            found = float(value)
        except (ValueError, OverflowError):
            pass
        else:
            if isfinite(found) or value in _NOT_FINITE:
                return found
    raise _unfit("doubleValue", value, "a number")


def _bytes(value: Any, _level: int) -> bytes:
    if not isinstance(value, str):
        raise _unfit("bytesValue", value, "text in base64")
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


def _list(value: Any, level: int) -> list[Any]:
    return [value_of(_object("values", one), level + 2) for one in _items("arrayValue", value)]


def _map(value: Any, level: int) -> dict[str, Any]:
    pairs = [_object("values", one) for one in _items("kvlistValue", value)]
    return {
        _text(one.get("key") or "", 0): value_of(_object("value", one.get("value")), level + 3)
        for one in pairs
    }


def _items(kind: str, value: Any) -> list[Any]:
    items: Any = _object(kind, value).get("values") or []
    if not isinstance(items, list):
        raise _unfit("values", items, "a list")
    return cast("list[Any]", items)


def _object(name: str, value: Any) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, dict):
        raise _unfit(name, value, "an object")
    return cast("dict[str, Any]", value or {})


def _unfit(name: str, value: Any, wanted: str) -> ValueError:
    kind = _NAMES.get(type(value).__name__, "null")
    return ValueError(f"{name} is {kind}; write {wanted}")


_KINDS: Final[Mapping[str, Callable[[Any, int], Any]]] = {
    name: read
    for names, read in {
        ("stringValue", "string_value"): _text,
        ("boolValue", "bool_value"): _bool,
        ("intValue", "int_value"): _int,
        ("doubleValue", "double_value"): _float,
        ("bytesValue", "bytes_value"): _bytes,
        ("arrayValue", "array_value"): _list,
        ("kvlistValue", "kvlist_value"): _map,
    }.items()
    for name in names
}
