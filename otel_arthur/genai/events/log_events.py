"""Content that comes beside a span: GenAI log events, joined to their span by trace and span id.

Source: OpenTelemetry GenAI semantic conventions, "Events": ``gen_ai.client.inference.operation.details``
repeats the span's attributes and adds the messages; the older form is one event a message. Both are
log records that carry the ids of the LLM span itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from otel_arthur.genai.events.agentcore import conversation_in, may_be_conversation
from otel_arthur.genai.events.waiting import Age, Waiting, size_of
from otel_arthur.genai.reading import Reading
from otel_arthur.genai.span import EventView, SpanKey, SpanView
from otel_arthur.genai.tables.event_words import MESSAGE_EVENTS, OPERATION_DETAILS

if TYPE_CHECKING:
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.sdk._logs import ReadableLogRecord

CONTENT_ATTRIBUTES = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions")


class Content(NamedTuple):
    """What belongs to a span but did not come on it."""

    attributes: Mapping[str, Any]
    """As a span's attributes, of any AnyValue type."""
    events: tuple[EventView, ...] = ()
    """Per-message events in the order in which they came."""


class LogEvent(NamedTuple):
    """A GenAI event that carries content. `key` is None when it names no span."""

    key: SpanKey | None
    content: Content


def log_events(request: ExportLogsServiceRequest) -> Iterator[LogEvent]:
    """The GenAI events with content in an OTLP log export, in order."""
    from otel_arthur.genai.otlp.views import any_value, attribute_map

    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                name = record.event_name or _named_by_attribute(record.attributes)
                if not _may_have_content(name) and not may_be_conversation(record.body):
                    continue
                key = (record.trace_id.hex(), record.span_id.hex())
                time_ns = record.time_unix_nano or record.observed_time_unix_nano
                attributes = attribute_map(record.attributes)
                event = log_event(record.event_name, key, time_ns, attributes, any_value(record.body))
                if event is not None:
                    yield event


def from_sdk_log(record: ReadableLogRecord) -> LogEvent | None:
    """A log record of the SDK as an event, or None when it is no GenAI event with content."""
    inner = record.log_record
    # The SDK keeps an attribute of a log record that is None; OTLP has none for it.
    attributes = {key: value for key, value in (inner.attributes or {}).items() if value is not None}
    key = (f"{inner.trace_id or 0:032x}", f"{inner.span_id or 0:016x}")
    time_ns = inner.timestamp or inner.observed_timestamp or 0
    return log_event(inner.event_name, key, time_ns, attributes, inner.body)


def log_event(
    event_name: str | None, key: SpanKey, time_ns: int, attributes: Mapping[str, Any], body: Any
) -> LogEvent | None:
    """An event from its parts, or None when it is none of GenAI, or carries no content as the switch for
    content is off."""
    name: Any = event_name or attributes.get("event.name")
    if not _may_have_content(name) and not isinstance(body, Mapping):
        return None
    if name in MESSAGE_EVENTS:
        content = Content({}, (EventView(name, time_ns, attributes, body),))
    elif any(attributes.get(key) is not None for key in CONTENT_ATTRIBUTES):
        content = Content(attributes)
    elif words := conversation_in(body):
        content = Content(words)
    else:
        return None
    return LogEvent(key if int(key[0] or "0", 16) and int(key[1] or "0", 16) else None, content)


def joined(view: SpanView, content: Content) -> SpanView:
    """The span with what came beside it; what the span has itself is kept."""
    events = [*view.events, *sorted(content.events, key=lambda event: event.time_ns)]
    return replace(view, attributes={**content.attributes, **view.attributes}, events=events)


def lacks_content(reading: Reading) -> bool:
    """Whether events could still complete a call: it has no messages, and its instrumentation emits them.

    A failed call has no answer, but its prompt may be in an event.
    """
    call = reading.call
    if call is None or reading.dialect is None or not reading.dialect.emits_log_events:
        return False
    return reading.content_missing or (call.failed and not call.messages)


class Contents:
    """What came for spans in log events, until they are done with; the oldest go where it is too much."""

    MAX_BYTES = 32 * 1024**2

    def __init__(self) -> None:
        self._waiting = Waiting[Content](self.MAX_BYTES)
        self._keyless = 0
        self.given_up = 0
        """Events that had no span yet when there was no room for them."""

    def add(self, events: Iterable[LogEvent]) -> None:
        for key, content in events:
            if key is None:
                self._keyless += 1
                continue
            self.given_up += sum(map(count_of, put_content(self._waiting, key, content)))

    def joined(self, view: SpanView) -> SpanView:
        """The span with what came for it."""
        found = self._waiting.by_key.get((view.trace_id, view.span_id)) if self._waiting.by_key else None
        return view if found is None else joined(view, found[0])

    def done(self, view: SpanView) -> None:
        """Drop what came for a span."""
        self._waiting.take((view.trace_id, view.span_id))

    @property
    def unjoined(self) -> int:
        """How many events had no span among those that are done with."""
        return self._keyless + sum([count_of(content) for content, _ in self._waiting.by_key.values()])


def put_content(waiting: Waiting[Content], key: SpanKey, content: Content, now: float = 0.0) -> list[Content]:
    """Let a piece of a span's content wait with those before; returns what is given up, the oldest first."""
    before = waiting.take(key)
    if before is None:
        return waiting.put(key, content, Age(now, size_of((key, content))))
    whole = merged(before[0], content)
    # Messages add to those before, which need not be measured again; an attribute may replace another one.
    size = size_of((key, whole)) if content.attributes else before[1].size + size_of(content)
    return waiting.put(key, whole, Age(now, size))


def count_of(content: Content) -> int:
    """How many events a content came in."""
    return max(len(content.events), 1)


def merged(first: Content | None, second: Content) -> Content:
    """Two pieces of one span's content; the later attributes win."""
    if first is None:
        return second
    return Content({**first.attributes, **second.attributes}, (*first.events, *second.events))


def _may_have_content(name: Any) -> bool:
    """Whether an event of this name may carry content."""
    return name == OPERATION_DETAILS or name in MESSAGE_EVENTS


def _named_by_attribute(attributes: Iterable[Any]) -> str:
    """Before log records had a name of their own, an attribute held it."""
    return next((pair.value.string_value for pair in attributes if pair.key == "event.name"), "")
