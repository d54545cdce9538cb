"""The verdict on each span of files, given once no span within the duplicate window can change it."""

from __future__ import annotations

import gc
from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Final, NamedTuple, TypeVar

from otel_arthur.cli.files.merging import Merging
from otel_arthur.cli.files.trace_files import TraceFiles
from otel_arthur.cli.terminal.output import plural, say
from otel_arthur.configuration import Configuration
from otel_arthur.genai.duplicates.verdicts import InOrder, Verdict, Write
from otel_arthur.genai.events.log_events import Contents
from otel_arthur.genai.span import SpanView

_T = TypeVar("_T")
_NEW_OBJECTS: Final = 100_000


class Placed(NamedTuple):
    """A verdict, and where its span stands."""

    verdict: Verdict
    file: int
    """The file's number."""
    position: int
    """The span's number in its file, from 1 on."""


class Verdicts:
    """The verdicts about the spans of files: in the order of each file, and of the files by time."""

    def __init__(
        self,
        files: TraceFiles,
        configuration: Configuration,
        *,
        metadata_only: bool,
        write: Write | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        """Spans so far, by decision."""
        self.ends: dict[int, int] = {}
        """File -> how many of its spans have their verdict."""
        self.before_reading: Callable[[], None] = lambda: None
        """Called each time before more is read, which may take long."""
        self._merging = Merging(files)
        self._read: Counter[int] = Counter()
        """File -> how many of its spans were read."""
        self._places: deque[int] = deque()
        """The files of the spans that wait for their verdicts."""
        self._contents = Contents()
        window = round(configuration.duplicate_window * 1e9)
        self._in_order = InOrder(
            self._views(), configuration.attributes, metadata_only, window, self._contents, write
        )

    def __iter__(self) -> Iterator[Placed]:
        for verdict in self._in_order:
            file = self._places.popleft()
            self.counts[verdict.decision] += 1
            self.ends[file] = position = self.ends.get(file, 0) + 1
            yield Placed(verdict, file, position)

    @property
    def first_file(self) -> int:
        """The first file that has spans without a verdict, as far as is known."""
        held = [file for file, count in self._read.items() if count > self.ends.get(file, 0)]
        return min([*held, self._merging.first(max(self._read, default=0))])

    def told(self) -> str:
        """The counts for people."""
        told = ", ".join(f"{number} {decision}" for decision, number in sorted(self.counts.items())) or "none"
        return f"{plural(self.counts.total(), 'span')}: {told}"

    def say_end(self) -> None:
        """Print what is known only when all has been read."""
        contents, in_order = self._contents, self._in_order
        if contents.unjoined:
            say(
                f"{plural(contents.unjoined, 'log event')} with content found no span in these files.",
                err=True,
            )
        if contents.given_up:
            say(
                f"Note: {plural(contents.given_up, 'log event')} found no span: the span may stand more than "
                f"{Contents.MAX_BYTES // 1024**2} MB of log events later; sort the files by time",
                err=True,
            )
        if in_order.late:
            say(
                f"Note: {plural(in_order.late, 'span')} came after the duplicate window of spans of the same "
                "time, so a duplicate may have been missed; sort the file by time, or set "
                "OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW to more seconds",
                err=True,
            )
        if in_order.early:
            say(
                f"Note: {plural(in_order.early, 'span')} could not wait for the end of the duplicate window, "
                f"as {InOrder.MAX_BYTES // 1024**2} MB of spans waited, so a duplicate may have been missed; "
                "set OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW to fewer seconds",
                err=True,
            )

    def _views(self) -> Iterator[SpanView]:
        # Spans are many objects in no circles; the garbage collector would look at all that wait each time.
        gc.set_threshold(_NEW_OBJECTS, 50)
        read = self._in_time()
        first = deque(islice(read, InOrder.AT_ONCE + 1))
        if len(first) <= InOrder.AT_ONCE:
            # All are at hand, so they come in the order of the files.
            first = deque(sorted(first, key=lambda one: one[0]))
        for file, view in chain(_drained(first), read):
            self._places.append(file)
            yield view

    def _in_time(self) -> Iterator[tuple[int, SpanView]]:
        for part in self._merging:
            self._contents.add(part.events)
            self._read[part.file] += len(part.views)
            for view in part.views:
                yield part.file, view
            self.before_reading()


def _drained(values: deque[_T]) -> Iterator[_T]:
    """Values in turn, none of them kept."""
    while values:
        yield values.popleft()
