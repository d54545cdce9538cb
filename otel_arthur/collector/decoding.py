"""OTLP messages in either encoding. Pure.

Source: opentelemetry-proto ``docs/specification.md``, "OTLP/HTTP Request" and "JSON Protobuf Encoding".
"""

from __future__ import annotations

from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

from otel_arthur.collector.inflating import BadBody
from otel_arthur.collector.signals import Signal
from otel_arthur.genai.otlp.json_form import OTLPError, request_from_json
from otel_arthur.genai.otlp.pruning import without_deep_values


def parse(signal: Signal, content: bytes, json: bool) -> Any:
    """A request as its protobuf message.

    Raises:
        BadBody: the content is not an OTLP request of this signal.
    """
    if json:
        try:
            return request_from_json(orjson.loads(content) if content.strip() else {}, signal.request)
        except (orjson.JSONDecodeError, OTLPError, RecursionError) as error:
            raise BadBody(f"the body is not OTLP/JSON: {str(error)[:200]}") from None
    try:
        return signal.request.FromString(content)
    except DecodeError:
        pass
    try:
        pruned = without_deep_values(content, signal.request.DESCRIPTOR)
        if pruned is not None:
            return signal.request.FromString(pruned)
    except (DecodeError, IndexError):
        pass
    raise BadBody(f"the body is not an {signal.request.DESCRIPTOR.full_name} in protobuf")


def response_json(signal: Signal, response: bytes) -> bytes:
    """An ``Export…ServiceResponse`` from protobuf to JSON."""
    return orjson.dumps(MessageToDict(signal.response.FromString(response))) if response else b"{}"


def response_protobuf(signal: Signal, content: bytes) -> bytes:
    """An ``Export…ServiceResponse`` from JSON to protobuf.

    Raises:
        BadBody: it is none.
    """
    try:
        return request_from_json(orjson.loads(content or b"{}"), signal.response).SerializeToString()
    except (orjson.JSONDecodeError, OTLPError):
        raise BadBody("the body is not an OTLP/JSON answer") from None


def is_response(signal: Signal, content: bytes) -> bool:
    """Whether this is an ``Export…ServiceResponse`` in protobuf."""
    try:
        signal.response.FromString(content)
    except DecodeError:
        return False
    return True
