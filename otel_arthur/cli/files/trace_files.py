"""OTLP exports given on the command line: their spans, with the content of their log events joined."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from io import RawIOBase
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple, cast

import click
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.cli.terminal.errors import WrongUse
from otel_arthur.cli.terminal.output import say
from otel_arthur.genai.events.log_events import Contents, LogEvent, join_all, log_events
from otel_arthur.genai.otlp.files import EmptyExport, Request, requests_in
from otel_arthur.genai.otlp.json_form import OTLPError
from otel_arthur.genai.otlp.spoiled import Spoiled
from otel_arthur.genai.otlp.views import span_views
from otel_arthur.genai.span import SpanView

_AT_ONCE = 1024 * 1024

FILES = click.argument("files", metavar="FILE...", nargs=-1, required=True)

FORMATS = (
    "FILE is an OTLP export of traces, logs or both: binary protobuf, OTLP/JSON, or JSON lines or "
    "length-prefixed protobuf as a Collector's file exporter writes them, plain or compressed with gzip "
    "or zstd; - is standard input. Log events give their content to the spans of all files."
)
"""For the help of commands that take such files."""


class Export(NamedTuple):
    """What the files hold together."""

    views: list[SpanView]
    """In file order."""
    unjoined: int
    """Events with content whose span is in none of the files."""
    ends: tuple[int, ...]
    """For each file, the index in `views` behind its last span."""


class TraceFiles:
    """Files as they were named; ``-`` is standard input.

    An empty file is an export without spans (OTLP: an empty request succeeds). A line on stderr names such
    a file, and the parts of a file that cannot be read; the rest is read. Each method that reads raises
    WrongUse for a file that cannot be read, or is no trace or log export; the message names the file.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.told: Callable[[int], object] = lambda _bytes: None
        """Called with the number of bytes that were read."""
        self._kept: IO[bytes] | None = None
        """Standard input, where it is read twice."""

    def digests(self) -> list[bytes]:
        """Of each file's bytes; what standard input holds is kept in a temporary file for that."""
        return [self._digest(name) for name in self.names]

    def size(self) -> int | None:
        """Bytes of all files; None where that is unknown."""
        total = 0
        for name in self.names:
            with self._opened(name) as file:
                if not file.seekable():
                    return None
                total += file.seek(0, 2)
                file.seek(0)
        return total

    def whole(self) -> Export:
        """The spans of all files, joined with the events in any of them."""
        views: list[SpanView] = []
        events: list[LogEvent] = []
        ends: list[int] = []
        for name in self.names:
            for request in self.requests(name):
                if isinstance(request, ExportTraceServiceRequest):
                    views += span_views(request)
                else:
                    events += log_events(request)
            ends.append(len(views))
        joined, unjoined = join_all(views, events)
        return Export(joined, unjoined, tuple(ends))

    def passing(self) -> Passing | None:
        """The spans one after another, where one file alone has spans; None for any other files.

        A double of a call may be in another file, so several files of spans are read whole.
        """
        if len(self.names) == 1:
            return Passing(self, 0, ())
        if "-" in self.names:
            return None
        logs = [name for name in self.names if self._begins_with_logs(name)]
        traces = [number for number, name in enumerate(self.names) if name not in logs]
        found = Passing(self, traces[0], logs) if len(traces) == 1 else None
        return found if found is not None and found.is_alone else None

    def requests(self, name: str) -> Iterator[Request]:
        """The export requests in a file."""
        told = "standard input" if name == "-" else name
        spoiled = Spoiled()
        try:
            with self._opened(name) as file:
                yield from requests_in(_told(file, self.told), spoiled)
        except EmptyExport as error:
            say(f"Note: {told}: {error}", err=True)
        except OTLPError as error:
            raise WrongUse(f"{told}: {error}") from None
        except OSError as error:
            raise WrongUse(f"{told}: {error.strerror or type(error).__name__}") from None
        if spoiled.counts:
            say(f"Note: {told}: not all could be read: {spoiled}", err=True)

    def _digest(self, name: str) -> bytes:
        if name == "-" and self._kept is None:
            self._kept = TemporaryFile()  # noqa: SIM115 - gone with this object
            copyfileobj(sys.stdin.buffer, self._kept, _AT_ONCE)
        digest = blake2b(digest_size=16)
        with self._opened(name) as file:
            while part := file.read(_AT_ONCE):
                digest.update(part)
        return digest.digest()

    def _begins_with_logs(self, name: str) -> bool:
        """Whether the first request of a file has log records."""
        with self._opened(name) as file:
            try:
                first = next(requests_in(_told(file, lambda _bytes: None), Spoiled()), None)
            except (OTLPError, OSError):
                return False
            return first is not None and not isinstance(first, ExportTraceServiceRequest)

    @contextmanager
    def _opened(self, name: str) -> Generator[IO[bytes]]:
        if name == "-":
            if self._kept is not None:
                self._kept.seek(0)
            yield self._kept or sys.stdin.buffer
            return
        try:
            opened = Path(name).open("rb")  # noqa: SIM115 - closed below
        except OSError as error:
            raise WrongUse(f"{name}: {error.strerror or type(error).__name__}") from None
        with opened as file:
            yield file


class Passing:
    """The spans of one file as they are read, after the events of files that hold events alone.

    Args:
        number: the file's, among all.
        logs: names of the other files.
    """

    def __init__(self, files: TraceFiles, number: int, logs: Sequence[str]) -> None:
        self._files = files
        self.number = number
        self._contents = Contents()
        self.is_alone = True
        """Whether no other file has spans."""
        for name in logs:
            for request in files.requests(name):
                if isinstance(request, ExportTraceServiceRequest):
                    self.is_alone = False
                else:
                    self._contents.add(log_events(request))

    def __iter__(self) -> Iterator[SpanView]:
        for request in self._files.requests(self._files.names[self.number]):
            if isinstance(request, ExportTraceServiceRequest):
                yield from span_views(request)
            else:
                self._contents.add(log_events(request))

    def with_content(self, view: SpanView) -> SpanView:
        """The span with the content of the events that were read so far."""
        return self._contents.joined(view)

    @property
    def unjoined(self) -> int:
        """Events with content whose span was not among those that were joined."""
        return self._contents.unjoined


def _told(file: IO[bytes], told: Callable[[int], object]) -> IO[bytes]:
    return cast("IO[bytes]", _Told(file, told))


class _Told(RawIOBase):
    """A file that tells how many bytes were read; closing it does not close the file below."""

    def __init__(self, file: Any, told: Callable[[int], object]) -> None:
        self._file = file
        self._tell = told

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part: bytes = self._file.read1(len(buffer))
        self._tell(len(part))
        buffer[: len(part)] = part
        return len(part)
