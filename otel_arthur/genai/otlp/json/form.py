"""OTLP/JSON objects as protobuf messages.

Source: opentelemetry-proto, "OTLP/JSON Protobuf Encoding".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from otel_arthur.genai.json_text import clean
from otel_arthur.genai.otlp.json.tolerated import RECORDS, records_of
from otel_arthur.genai.otlp.spoiled import DEEP, MAX_LEVELS, UNFIT, OTLPError

_M = TypeVar("_M", bound=Message)
_MAX_DEPTH = 64
"""Of objects around values."""


class _TooDeepError(OTLPError):
    pass


def request_from_json(document: Any, kind: Callable[[], _M], deep: list[tuple[str, str]] | None = None) -> _M:
    """An OTLP/JSON object as its protobuf message.

    Ids are hexadecimal there, not base64, and unknown fields are ignored, unlike protobuf's own JSON. A null
    is the default, wherever it is, and a lone surrogate, which no text can have, is U+FFFD. A value that is
    nested too deep is left out.

    Args:
        deep: grows by `DEEP` for each such value.

    Raises:
        OTLPError: the object does not fit.
    """
    if not isinstance(document, Mapping):
        raise OTLPError(f"expected a JSON object, found {type(document).__name__}")
    try:
        return ParseDict(
            _normal(document, _MAX_DEPTH, [] if deep is None else deep), kind(), ignore_unknown_fields=True
        )
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise OTLPError(f"not OTLP/JSON: {str(error)[:200]}") from None


def without_bad_records(document: Any, kind: Callable[[], _M]) -> tuple[_M, list[tuple[str, str]]]:
    """As `request_from_json`, but for records that do not fit, which are left out.

    Args:
        document: an export of one signal.

    Returns:
        The message; the kind of each thing that was left out, and why.

    Raises:
        OTLPError: nothing in the object fits, or what is around the records does not.
    """
    reasons: list[tuple[str, str]] = []
    try:
        return request_from_json(document, kind, reasons), reasons
    except OTLPError as error:
        whole = error
    if not isinstance(document, Mapping):
        raise whole
    fields = cast("Mapping[str, Any]", document)
    signal = next((key for key in RECORDS if key in fields), "")
    reasons.clear()
    kept: list[Any] = []
    for alone in records_of(signal, fields.get(signal)):
        try:
            request_from_json({signal: [alone]}, kind)
        except OTLPError as error:
            reasons.append((UNFIT, str(error)))
        else:
            kept.append(alone)
    if not kept:
        raise whole
    return request_from_json({signal: kept}, kind, reasons), reasons


_ID_KEYS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})


_ANY_VALUES = frozenset({"value", "body"})
"""An attribute's, and a log record's."""


def _normal(value: Any, room: int, deep: list[tuple[str, str]] | None) -> Any:
    """A value as protobuf's own JSON has it.

    Args:
        room: so many objects may stand inside each other.
        deep: None inside an ``AnyValue``, which is left out as a whole.
    """
    if isinstance(value, dict):
        if not room:
            raise _TooDeepError("nested too deeply")
        mapping = cast("dict[str, Any]", value)
        return {
            key: _base64_id(item)
            if key in _ID_KEYS
            else _any_value(item, deep)
            if deep is not None and key in _ANY_VALUES
            else _normal(item, room - 1, deep)
            for key, item in mapping.items()
            if item is not None
        }
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return [{} if item is None else _normal(item, room, deep) for item in items]
    return clean(value) if isinstance(value, str) else value


def _any_value(value: Any, deep: list[tuple[str, str]]) -> Any:
    try:
        return _normal(value, MAX_LEVELS + 1, None)
    except (_TooDeepError, RecursionError):
        deep.append((DEEP, ""))
        return {}


def _base64_id(value: Any) -> Any:
    if not isinstance(value, str):
        raise OTLPError("an id must be a text of hexadecimal digits")
    try:
        return base64.b64encode(binascii.unhexlify(value)).decode()
    except (binascii.Error, ValueError):
        raise OTLPError("an id must be hexadecimal") from None
