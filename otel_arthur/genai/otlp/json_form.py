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

_M = TypeVar("_M", bound=Message)
_MAX_DEPTH = 64


class OTLPError(ValueError):
    """The bytes are not an OTLP export; the message says what they seem to be."""


def request_from_json(document: Any, kind: Callable[[], _M]) -> _M:
    """An OTLP/JSON object as its protobuf message.

    Ids are hexadecimal there, not base64, and unknown fields are ignored, unlike protobuf's own JSON.

    Raises:
        OTLPError: the object does not fit.
    """
    if not isinstance(document, Mapping):
        raise OTLPError(f"expected a JSON object, found {type(document).__name__}")
    try:
        return ParseDict(_with_base64_ids(document, 0), kind(), ignore_unknown_fields=True)
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise OTLPError(f"not OTLP/JSON: {str(error)[:200]}") from None


_ID_KEYS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})


def _with_base64_ids(value: Any, depth: int) -> Any:
    if isinstance(value, dict | list) and depth > _MAX_DEPTH:
        # A value nested so deep spoils its attribute, not the request.
        return {} if isinstance(value, dict) else []
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        return {
            key: _base64_id(item) if key in _ID_KEYS else _with_base64_ids(item, depth + 1)
            for key, item in mapping.items()
        }
    if isinstance(value, list):
        return [_with_base64_ids(item, depth + 1) for item in cast("list[Any]", value)]
    return value


def _base64_id(value: Any) -> Any:
    if not isinstance(value, str):
        raise OTLPError("an id must be a text of hexadecimal digits")
    try:
        return base64.b64encode(binascii.unhexlify(value)).decode()
    except (binascii.Error, ValueError):
        raise OTLPError("an id must be hexadecimal") from None
