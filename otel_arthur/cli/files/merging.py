"""The exports of several files in one stream, by time: what belongs together comes together."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final, NamedTuple

from otel_arthur.cli.files.trace_files import TraceFiles
from otel_arthur.genai.events.log_events import LogEvent
from otel_arthur.genai.otlp.json.typed import Export
from otel_arthur.genai.span import SpanView

_SPANS: Final = 64


class Part(NamedTuple):
    """What a file holds next."""

    time_ns: int
    """When the first of its spans ended, or the last of its log records was written."""
    is_spans: bool
    """At the same time, logs come first."""
    file: int
    """The file's number."""
    views: list[SpanView]
    events: list[LogEvent]


class Merging:
    """The parts of all files. A file is open from its own time on: files that follow each other, in turn."""

    def __init__(self, files: TraceFiles) -> None:
        self._files = files
        self._opened: dict[int, tuple[Part, Iterator[Part]]] = {}
        self._waiting: list[tuple[int, bool, int]] = []

    def __iter__(self) -> Iterator[Part]:
        names = self._files.names
        for number, name in enumerate(names):
            if len(names) > 1 and self._files.is_read_once(name):
                self._put(number, self._parts(number))
            else:
                first = self._files.first(name) if len(names) > 1 else None
                self._waiting.append(
                    (0, False, number) if first is None else next(_parts_of(number, first))[:3]
                )
        heapq.heapify(self._waiting)
        while self._waiting:
            number = self._waiting[0][2]
            if number in self._opened:
                part, rest = self._opened.pop(number)
                yield part
            else:
                rest = self._parts(number)
            heapq.heappop(self._waiting)
            self._put(number, rest)

    def first(self, but: int) -> int:
        """The first of the files that are not read to their ends, or `but`."""
        return min([number for _, _, number in self._waiting], default=but)

    def _put(self, number: int, parts: Iterator[Part]) -> None:
        part = next(parts, None)
        if part is not None:
            self._opened[number] = part, parts
            heapq.heappush(self._waiting, part[:3])

    def _parts(self, number: int) -> Iterator[Part]:
        for export in self._files.exports(self._files.names[number]):
            yield from _parts_of(number, export)


def _parts_of(number: int, export: Export) -> Iterator[Part]:
    """An export in parts of so few spans that those of several files come at their times."""
    views, events = list(export.views), list(export.events)
    if events or not views:
        yield Part(export.time_ns, False, number, [], events)
    for first in range(0, len(views), _SPANS):
        some = views[first : first + _SPANS]
        yield Part(min([view.end_ns for view in some]), True, number, some, [])
