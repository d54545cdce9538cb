"""OTLP messages in either encoding. Pure.

Source: opentelemetry-proto ``docs/specification.md``, "OTLP/HTTP Request" and "JSON Protobuf Encoding".
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

from otel_arthur.collector.otlp.inflating import BadBody
from otel_arthur.collector.otlp.signals import Signal
from otel_arthur.genai.otlp.json.form import request_from_json, without_bad_records
from otel_arthur.genai.otlp.json.texts import json_document
from otel_arthur.genai.otlp.mending import parsed
from otel_arthur.genai.otlp.spoiled import OTLPError


def parse(signal: Signal, content: bytes, json: bool, spoiled: Counter[str] | None = None) -> Any:
    """A request as its protobuf message, without its bad parts.

    Args:
        spoiled: what was bad -> how often, counted up.

    Raises:
        BadBody: the content is not an OTLP request of this signal.
    """
    spoiled = Counter() if spoiled is None else spoiled
    if json:
        try:
            message, reasons = without_bad_records(json_document(content, spoiled), signal.request)
        except (orjson.JSONDecodeError, OTLPError, RecursionError) as error:
            raise BadBody(f"the body is not OTLP/JSON: {str(error)[:200]}") from None
        spoiled.update(reason for reason, _ in reasons)
        return message
    message = parsed(content, signal.request, spoiled)
    if message is None:
        raise BadBody(f"the body is not an {signal.request.DESCRIPTOR.full_name} in protobuf")
    return message


def response_json(signal: Signal, response: bytes) -> bytes:
    """An ``Export…ServiceResponse`` from protobuf to JSON."""
    return orjson.dumps(MessageToDict(signal.response.FromString(response))) if response else b"{}"


def response_protobuf(signal: Signal, content: bytes) -> bytes:
    """An ``Export…ServiceResponse`` from JSON to protobuf.

    Raises:
        BadBody: it is none.
    """
    try:
        return request_from_json(json_document(content), signal.response).SerializeToString()
    except (orjson.JSONDecodeError, OTLPError):
        raise BadBody("the body is not an OTLP/JSON answer") from None


def is_response(signal: Signal, content: bytes) -> bool:
    """Whether this is an ``Export…ServiceResponse`` in protobuf."""
    try:
        signal.response.FromString(content)
    except DecodeError:
        return False
    return True
