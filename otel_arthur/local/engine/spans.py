"""OTLP requests as the Engine reads them: each span is stored, rejected, or loses the whole request."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_arthur.genai.otlp.measuring import TooManyItems, bytes_of_protobuf, most_items
from otel_arthur.local.bodies import MAX_VALUES, leaves

KIND: Final = "openinference.span.kind"
TASK: Final = "arthur.task"
UNMAPPED: Final = "__unmapped__"
_COUNTS: Final = {
    "prompt": "llm.token_count.prompt",
    "completion": "llm.token_count.completion",
    "total": "llm.token_count.total",
}
_LARGEST: Final = 2**31 - 1
_JSON_TEXTS: Final = ("metadata", "llm.invocation_parameters")
_WORDS_A_TOKEN: Final = 0.75


class NoRequest(Exception):
    """A body that the Engine answers with 400; the message says why."""


class Poison(Exception):
    """A value that loses the whole request; the message is the Engine's answer, prompts included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSpan:
    """One span. Times are nanoseconds since the epoch."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    kind: str | None
    """The kind of OpenInference; None for a span of another convention."""
    name: str
    start_ns: int
    end_ns: int
    status: str
    attributes: dict[str, Any]
    prompt_tokens: int | None
    """Counts of tokens, which only spans of kind LLM have."""
    completion_tokens: int | None
    total_tokens: int | None

    @property
    def seconds(self) -> float:
        return (self.end_ns - self.start_ns) / 1e9

    @property
    def has_failed(self) -> bool:
        return self.status == "Error"

    @property
    def counts(self) -> list[int]:
        """The counts that the span has."""
        return [n for n in (self.prompt_tokens, self.completion_tokens, self.total_tokens) if n is not None]


@dataclass(frozen=True, slots=True)
class ReceivedResource:
    """The spans of one resource, and the names that decide about their task."""

    task_id: str | None
    service_name: str | None
    spans: tuple[ReceivedSpan, ...]
    rejected: tuple[str, ...]
    """A reason for each span that was rejected; reasons name no span."""


def read_request(body: bytes) -> list[ReceivedResource]:
    """The resources of a request.

    Raises:
        NoRequest: no protobuf of an export request.
        Poison: a value that the Engine's database refuses.
    """
    try:
        if most_items(len(body)) > MAX_VALUES:
            bytes_of_protobuf(body, ExportTraceServiceRequest.DESCRIPTOR, MAX_VALUES)
        request = ExportTraceServiceRequest.FromString(body)
    except (DecodeError, TooManyItems):
        raise NoRequest("Invalid protobuf message format") from None
    return [_resource(resource_spans) for resource_spans in request.resource_spans]


def _resource(resource_spans: Any) -> ReceivedResource:
    names = _attributes(resource_spans.resource.attributes)
    kept: list[ReceivedSpan] = []
    rejected: list[str] = []
    for scope_spans in resource_spans.scope_spans:
        for span in scope_spans.spans:
            attributes = {**_exception(span), **_attributes(span.attributes)}
            if any("/" in key for key in _keys(attributes)):
                rejected.append("Invalid span data format: keys should not contain keypath separator '/'")
            else:
                kept.append(_span(span, attributes))
    for span in kept:
        _refuse_poison(span, kept)
    task, service = names.get(TASK), names.get("service.name")
    return ReceivedResource(
        str(task) if task else None, str(service) if service else None, tuple(kept), tuple(rejected)
    )


def _span(span: Span, attributes: dict[str, Any]) -> ReceivedSpan:
    kind = attributes.get(KIND)
    tokens = _tokens(attributes) if kind == "LLM" else {}
    return ReceivedSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex() or None,
        kind=kind if isinstance(kind, str) else None,
        name=span.name,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        status=("Unset", "Ok", "Error")[span.status.code] if span.status.code in (0, 1, 2) else "Unset",
        attributes=attributes,
        prompt_tokens=tokens.get("prompt"),
        completion_tokens=tokens.get("completion"),
        total_tokens=tokens.get("total"),
    )


def _exception(span: Span) -> dict[str, Any]:
    """The message of the last recorded exception, for the dashboard."""
    events = [event for event in span.events if event.name == "exception"]
    return _attributes(events[-1].attributes) if events else {}


def _tokens(attributes: Mapping[str, Any]) -> dict[str, int]:
    """The counts of an LLM span; an absent count is estimated from the texts of the messages."""
    found = {name: attributes.get(key) for name, key in _COUNTS.items()}
    counts = {name: value for name, value in found.items() if isinstance(value, int)}
    for name, prefix in (("prompt", "llm.input_messages."), ("completion", "llm.output_messages.")):
        if name not in counts:
            words = [
                text
                for key, text in attributes.items()
                if key.startswith(prefix) and key.endswith(".message.content") and isinstance(text, str)
            ]
            if words:
                counts[name] = math.ceil(len(" ".join(words).split()) / _WORDS_A_TOKEN)
    if "total" not in counts and counts:
        counts["total"] = sum(counts.values())
    return counts


def _keys(attributes: Mapping[str, Any]) -> Iterator[str]:
    """The keys of the attributes, and of the JSON in attributes that the Engine parses."""
    for key, value in attributes.items():
        yield key
        if isinstance(value, str) and _is_json(key, attributes):
            yield from (leaf for leaf, is_key in leaves(_parsed(value)) if is_key)


def _is_json(key: str, attributes: Mapping[str, Any]) -> bool:
    mime_type = attributes.get(key.replace(".value", ".mime_type"))
    return key in _JSON_TEXTS or (key.endswith(".value") and mime_type == "application/json")


def _parsed(value: Any) -> Any:
    """The JSON of a text, as Python reads it: NaN and infinity too. None for any other value."""
    try:
        return json.loads(value)
    except (TypeError, ValueError, RecursionError):
        return None


def _refuse_poison(span: ReceivedSpan, all_spans: Iterable[ReceivedSpan]) -> None:
    """Fail as the Engine's database does: with the statement and the parameters of all spans.

    Raises:
        Poison: the span holds NUL, NaN, infinity, a count beyond 32 bits, or ends at 0.
    """
    fault = ""
    parsed = [_parsed(value) for key, value in span.attributes.items() if _is_parsed(key, span.attributes)]
    values = [leaf for leaf, _ in leaves([span.name, dict(span.attributes), parsed])]
    if any(isinstance(value, str) and "\x00" in value for value in values):
        fault = "unsupported Unicode escape sequence"
    elif any(isinstance(value, float) and not math.isfinite(value) for value in values):
        fault = "invalid input syntax for type json"
    elif any(not -_LARGEST <= count <= _LARGEST for count in span.counts):
        fault = "integer out of range"
    elif span.end_ns == 0:
        fault = "null value in column end_time violates not-null constraint"
    if fault:
        parameters = [dict(one.attributes) for one in all_spans]
        raise Poison(f"{fault} [SQL: INSERT INTO spans VALUES (...)] [parameters: {parameters}]")


def _is_parsed(key: str, attributes: Mapping[str, Any]) -> bool:
    """Whether the Engine parses the attribute's text as JSON, where an escape is the character itself."""
    return key.endswith(".arguments") or _is_json(key, attributes)


def _attributes(key_values: Iterable[KeyValue]) -> dict[str, Any]:
    return {one.key: _value(one.value) for one in key_values}


def _value(value: AnyValue) -> Any:
    which = value.WhichOneof("value")
    if which is None:
        return None
    if which == "array_value":
        return [_value(item) for item in value.array_value.values]
    if which == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, which)
