"""The verdict on each span of files, given once no span within the duplicate window can change it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from otel_arthur.cli.files.trace_files import TraceFiles
from otel_arthur.cli.terminal.output import plural, say
from otel_arthur.configuration import Configuration
from otel_arthur.genai.duplicates.verdicts import InOrder, Verdict, judge


class Placed(NamedTuple):
    """A verdict, and where its span stands."""

    verdict: Verdict
    file: int
    """The file's number."""
    position: int
    """The span's number in its file, from 1 on."""


class Verdicts:
    """The verdicts about the spans of files, in their order.

    Args:
        at_once: all is read before the first verdict.
    """

    def __init__(
        self, files: TraceFiles, configuration: Configuration, *, metadata_only: bool, at_once: bool = False
    ) -> None:
        self.counts: Counter[str] = Counter()
        """Spans so far, by decision."""
        self.ends: dict[int, int] = {}
        """File -> how many of its spans have their verdict."""
        self._ends: tuple[int, ...] = ()
        self._stream = None if at_once else files.passing()
        self._in_order: InOrder | None = None
        extra = configuration.attributes
        if self._stream is None:
            export = files.whole()
            self._ends, self._unjoined = export.ends, export.unjoined
            self._verdicts: Iterator[Verdict] = iter(judge(export.views, extra, metadata_only))
        else:
            window = round(configuration.duplicate_window * 1e9)
            self._in_order = InOrder(self._stream, extra, metadata_only, window, self._stream.with_content)
            self._verdicts = iter(self._in_order)

    def __iter__(self) -> Iterator[Verdict]:
        return (placed.verdict for placed in self.placed())

    def placed(self) -> Iterator[Placed]:
        """The verdicts with their places."""
        file, start = (0, 0) if self._stream is None else (self._stream.number, 0)
        for number, verdict in enumerate(self._verdicts, 1):
            while self._ends and number > self._ends[file]:
                file, start = file + 1, self._ends[file]
            self.counts[verdict.decision] += 1
            self.ends[file] = number - start
            yield Placed(verdict, file, number - start)

    def told(self) -> str:
        """The counts for people."""
        told = ", ".join(f"{number} {decision}" for decision, number in sorted(self.counts.items())) or "none"
        return f"{plural(self.counts.total(), 'span')}: {told}"

    def say_end(self) -> None:
        """Print what is known only when all has been read."""
        unjoined = self._unjoined if self._stream is None else self._stream.unjoined
        if unjoined:
            say(f"{plural(unjoined, 'log event')} with content found no span in these files.", err=True)
        if self._in_order is not None and self._in_order.late:
            say(
                f"Note: {plural(self._in_order.late, 'span')} stood further from others of the same time "
                "than the duplicate window, so a double of one may have been missed; sort the file by time, "
                "or set OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW to more seconds",
                err=True,
            )
