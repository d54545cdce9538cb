"""OTLP/JSON objects as protobuf messages.

Source: opentelemetry-proto, "OTLP/JSON Protobuf Encoding".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar, cast

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from otel_arthur.genai.json_text import clean

_M = TypeVar("_M", bound=Message)
_MAX_DEPTH = 64


class OTLPError(ValueError):
    """The bytes are not an OTLP export; the message says what they seem to be."""


def request_from_json(document: Any, kind: Callable[[], _M]) -> _M:
    """An OTLP/JSON object as its protobuf message.

    Ids are hexadecimal there, not base64, and unknown fields are ignored, unlike protobuf's own JSON. A null
    is the default, wherever it is, and a lone surrogate, which no text can have, is U+FFFD.

    Raises:
        OTLPError: the object does not fit.
    """
    if not isinstance(document, Mapping):
        raise OTLPError(f"expected a JSON object, found {type(document).__name__}")
    try:
        return ParseDict(_normal(document, 0), kind(), ignore_unknown_fields=True)
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise OTLPError(f"not OTLP/JSON: {str(error)[:200]}") from None


UNFIT: Final = "a record that does not fit"
_RECORDS: Final = {
    "resourceSpans": ("scopeSpans", "spans"),
    "resourceLogs": ("scopeLogs", "logRecords"),
    "resourceMetrics": ("scopeMetrics", "metrics"),
}


def without_bad_records(document: Any, kind: Callable[[], _M]) -> tuple[_M, list[str]]:
    """As `request_from_json`, but for records that do not fit, which are left out; and why, for each.

    Args:
        document: an export of one signal.

    Raises:
        OTLPError: nothing in the object fits, or what is around the records does not.
    """
    try:
        return request_from_json(document, kind), []
    except OTLPError as error:
        whole = error
    if not isinstance(document, Mapping):
        raise whole
    fields = cast("Mapping[str, Any]", document)
    signal = next((key for key in _RECORDS if key in fields), "")
    reasons: list[str] = []
    kept: list[Any] = []
    for alone in _records_of(fields.get(signal), *_RECORDS.get(signal, ("", ""))):
        try:
            request_from_json({signal: [alone]}, kind)
        except OTLPError as error:
            reasons.append(str(error))
        else:
            kept.append(alone)
    if not kept:
        raise whole
    return request_from_json({signal: kept}, kind), reasons


def _records_of(resources: Any, scopes: str, records: str) -> Iterator[dict[str, Any]]:
    """Each record alone, in its resource and scope."""
    for resource in cast("list[Any]", resources) if isinstance(resources, list) else ():
        for scope in _list(resource, scopes):
            for record in _list(scope, records):
                yield {**resource, scopes: [{**scope, records: [record]}]}


def _list(value: Any, key: str) -> list[Any]:
    inner = cast("Mapping[str, Any]", value).get(key) if isinstance(value, Mapping) else None
    return cast("list[Any]", inner) if isinstance(inner, list) else []


_ID_KEYS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})


def _normal(value: Any, depth: int) -> Any:
    """A value as protobuf's own JSON has it."""
    if depth > _MAX_DEPTH:
        raise OTLPError("nested too deeply")
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        return {
            key: _base64_id(item) if key in _ID_KEYS else _normal(item, depth + 1)
            for key, item in mapping.items()
            if item is not None
        }
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return [{} if item is None else _normal(item, depth + 1) for item in items]
    return clean(value) if isinstance(value, str) else value


def _base64_id(value: Any) -> Any:
    if not isinstance(value, str):
        raise OTLPError("an id must be a text of hexadecimal digits")
    try:
        return base64.b64encode(binascii.unhexlify(value)).decode()
    except (binascii.Error, ValueError):
        raise OTLPError("an id must be hexadecimal") from None
