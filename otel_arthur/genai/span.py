"""`SpanView`: a finished span as a dialect reads it, wherever it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

STATUS_ERROR = 2
"""``Status.StatusCode.STATUS_CODE_ERROR`` in OTLP and `StatusCode.ERROR` in the SDK."""

_HAS_IS_REMOTE, _IS_REMOTE = 0x100, 0x200
"""``SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK`` and ``SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK`` of ``trace.proto``."""
_FROM_ELSEWHERE = (2, 5)
"""``SPAN_KIND_SERVER`` and ``SPAN_KIND_CONSUMER`` there."""

SpanKey: TypeAlias = tuple[str, str]
"""Trace id and span id, in hexadecimal."""
_LAST_NS = 2**63 - 1
"""In the year 2262. OTLP's 64 bits without a sign reach further, databases and clocks do not."""


def period(start_ns: int | None, end_ns: int | None) -> tuple[int, int]:
    """When a span began and ended: no end is no length, and a time that no clock shows is the nearest one.

    Raises:
        TypeError, ValueError, OverflowError: a time is no number.
    """
    if start_ns.__class__ is int is end_ns.__class__ and 0 < start_ns <= end_ns <= _LAST_NS:  # type: ignore[operator]
        return start_ns, end_ns  # type: ignore[return-value]  # as nearly all
    # An application may give a float.
    start = int(start_ns or 0)
    end = int(end_ns or start)
    return min(max(start, 0), _LAST_NS), min(max(end, 0), _LAST_NS)


def is_remote(flags: int, kind: int) -> bool:
    """Whether a parent is in another process: by its child's flags, where they say so, else by the kind."""
    if flags & _HAS_IS_REMOTE:
        return bool(flags & _IS_REMOTE)
    return kind in _FROM_ELSEWHERE


class EventView(Struct, frozen=True):
    """A span event, or a log event that was joined to the span."""

    name: str
    time_ns: int
    attributes: Mapping[str, Any]
    body: Any = None


class Kin(Struct, frozen=True, gc=False):
    """Other spans of the trace, as far as they were at hand; empty where only the parent is known."""

    above: tuple[str, ...] = ()
    """Ids of the spans above, the nearest first."""
    below: tuple[str, ...] = ()
    """Ids of spans below that are no calls."""
    is_parent_remote: bool = False
    """The parent is in another process."""


NO_KIN = Kin()
REMOTE_PARENT = Kin(is_parent_remote=True)


class SpanView(Struct, frozen=True):
    """The parts of a finished span that reading needs. Times are nanoseconds since the epoch."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    scope: str
    scope_version: str
    start_ns: int
    end_ns: int
    status_code: int
    status_message: str
    attributes: Mapping[str, Any]
    """Values may be of any AnyValue type: text, numbers, bytes, nested lists and maps."""
    events: Sequence[EventView]
    resource: Mapping[str, Any]
    dropped_attributes: int
    kin: Kin = NO_KIN
