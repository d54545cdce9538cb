"""OTLP exports given on the command line: their spans, with the content of their log events joined."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from io import RawIOBase
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple, cast

import click
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from otel_arthur.cli.terminal.errors import WrongUse
from otel_arthur.cli.terminal.output import say
from otel_arthur.genai.events.log_events import Contents, LogEvent, join_all, log_events
from otel_arthur.genai.otlp.files import EmptyExport, SpansOrLogs, requests_in, spans_and_logs_in
from otel_arthur.genai.otlp.json_form import OTLPError
from otel_arthur.genai.otlp.spoiled import Spoiled
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
        self._kept: dict[str, IO[bytes]] = {}
        """Copies of standard input and of pipes, which are read twice."""

    def digests(self) -> list[bytes]:
        """Of each file's bytes; what a pipe holds is kept in a temporary file for that."""
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
            for export in self.exports(name):
                if isinstance(export, ExportLogsServiceRequest):
                    events += log_events(export)
                else:
                    views += export
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

    def exports(self, name: str) -> Iterator[SpansOrLogs]:
        """The exports in a file."""
        spoiled = Spoiled()
        try:
            yield from self._exports(name, lambda part: self.told(len(part)), spoiled)
        except EmptyExport as error:
            say(f"Note: {_told(name)}: {error}", err=True)
        if spoiled.counts:
            say(f"Note: {_told(name)}: not all could be read: {spoiled}", err=True)

    def _exports(self, name: str, read: Callable[[bytes], object], spoiled: Spoiled) -> Iterator[SpansOrLogs]:
        try:
            with self._opened(name) as file:
                yield from spans_and_logs_in(_watched(file, read), spoiled)
        except EmptyExport:
            raise
        except OTLPError as error:
            raise WrongUse(f"{_told(name)}: {error}") from None
        except OSError as error:
            raise WrongUse(f"{_told(name)}: {error.strerror or type(error).__name__}") from None

    def _digest(self, name: str) -> bytes:
        if name not in self._kept and (name == "-" or (Path(name).exists() and not Path(name).is_file())):
            copy = TemporaryFile()  # noqa: SIM115 - gone with this object
            # Read as it is copied: a device that has no end is no export.
            with suppress(EmptyExport):
                for _ in self._exports(name, copy.write, Spoiled()):
                    pass
            self._kept[name] = copy
        digest = blake2b(digest_size=16)
        with self._opened(name) as file:
            while part := file.read(_AT_ONCE):
                digest.update(part)
        return digest.digest()

    def _begins_with_logs(self, name: str) -> bool:
        """Whether the first request of a file has log records."""
        with self._opened(name) as file:
            try:
                first = next(requests_in(_watched(file, lambda _part: None), Spoiled()), None)
            except (OTLPError, OSError):
                return False
            return isinstance(first, ExportLogsServiceRequest)

    @contextmanager
    def _opened(self, name: str) -> Generator[IO[bytes]]:
        if name == "-" or name in self._kept:
            if name in self._kept:
                self._kept[name].seek(0)
            yield self._kept.get(name, sys.stdin.buffer)
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
            for export in files.exports(name):
                if isinstance(export, ExportLogsServiceRequest):
                    self._contents.add(log_events(export))
                else:
                    self.is_alone = False

    def __iter__(self) -> Iterator[SpanView]:
        for export in self._files.exports(self._files.names[self.number]):
            if isinstance(export, ExportLogsServiceRequest):
                self._contents.add(log_events(export))
            else:
                yield from export

    def with_content(self, view: SpanView) -> SpanView:
        """The span with the content of the events that were read so far."""
        return self._contents.joined(view)

    @property
    def unjoined(self) -> int:
        """Events with content whose span was not among those that were joined."""
        return self._contents.unjoined


def _told(name: str) -> str:
    """A file's name for people."""
    return "standard input" if name == "-" else name


def _watched(file: IO[bytes], read: Callable[[bytes], object]) -> IO[bytes]:
    return cast("IO[bytes]", _Watched(file, read))


class _Watched(RawIOBase):
    """A file that reports the bytes read; closing it does not close the file below."""

    def __init__(self, file: Any, read: Callable[[bytes], object]) -> None:
        self._file = file
        self._tell = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part: bytes = self._file.read1(len(buffer))
        self._tell(part)
        buffer[: len(part)] = part
        return len(part)
