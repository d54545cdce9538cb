"""OTLP exports given on the command line: their spans, with the content of their log events joined."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from io import RawIOBase
from pathlib import Path
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
    digests: tuple[bytes, ...]
    """For each file, a digest of its bytes."""


def read_export(names: Sequence[str]) -> Export:
    """The spans of files (``-`` is standard input), joined with the events in any of them.

    An empty file is an export without spans (OTLP: an empty request succeeds). A line on stderr names such
    a file, and the parts of a file that cannot be read; the rest is read.

    Raises:
        WrongUse: a file that cannot be read, or is no trace or log export; the message names it.
    """
    views: list[SpanView] = []
    events: list[LogEvent] = []
    ends: list[int] = []
    digests: list[bytes] = []
    for name in names:
        with _opened(name) as file:
            for request in _requests(name, file):
                if isinstance(request, ExportTraceServiceRequest):
                    views += span_views(request)
                else:
                    events += log_events(request)
            digests.append(file.digest())
        ends.append(len(views))
    joined, unjoined = join_all(views, events)
    return Export(joined, unjoined, tuple(ends), tuple(digests))


class Passing:
    """The spans of one file as they are read, after the events of files that hold events alone."""

    def __init__(self, traces: str, logs: Sequence[str]) -> None:
        self._traces = traces
        self._contents = Contents()
        self.is_alone = True
        """Whether no other file has spans."""
        for name in logs:
            with _opened(name) as file:
                for request in _requests(name, file):
                    if isinstance(request, ExportTraceServiceRequest):
                        self.is_alone = False
                    else:
                        self._contents.add(log_events(request))

    def __iter__(self) -> Iterator[SpanView]:
        with _opened(self._traces) as file:
            for request in _requests(self._traces, file):
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


def passing(names: Sequence[str]) -> Passing | None:
    """The spans of these files one after another, where one file alone has spans; None for any other files.

    A double of a call may be in another file, so several files of spans are read before the first verdict.
    """
    if len(names) == 1:
        return Passing(names[0], ())
    if "-" in names:
        return None
    logs = [name for name in names if _begins_with_logs(name)]
    traces = [name for name in names if name not in logs]
    found = Passing(traces[0], logs) if len(traces) == 1 else None
    return found if found is not None and found.is_alone else None


def _begins_with_logs(name: str) -> bool:
    """Whether the first request of a file has log records."""
    with _opened(name) as file:
        try:
            first = next(requests_in(cast("IO[bytes]", file), Spoiled()), None)
        except (OTLPError, OSError):
            return False
        return first is not None and not isinstance(first, ExportTraceServiceRequest)


def _requests(name: str, file: _Digested) -> Iterator[Request]:
    told = "standard input" if name == "-" else name
    spoiled = Spoiled()
    try:
        yield from requests_in(cast("IO[bytes]", file), spoiled)
    except EmptyExport as error:
        say(f"Note: {told}: {error}", err=True)
    except OTLPError as error:
        raise WrongUse(f"{told}: {error}") from None
    except OSError as error:
        raise WrongUse(f"{told}: {error.strerror or type(error).__name__}") from None
    if spoiled.counts:
        say(f"Note: {told}: not all could be read: {spoiled}", err=True)


class _Digested(RawIOBase):
    """A file, and a digest of the bytes that were read."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._digest = blake2b(digest_size=16)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part: bytes = self._file.read1(len(buffer))
        self._digest.update(part)
        buffer[: len(part)] = part
        return len(part)

    def digest(self) -> bytes:
        while self.read(_AT_ONCE):
            pass
        return self._digest.digest()


@contextmanager
def _opened(name: str) -> Generator[_Digested, None, None]:
    if name == "-":
        yield _Digested(sys.stdin.buffer)
        return
    try:
        opened = Path(name).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise WrongUse(f"{name}: {error.strerror or type(error).__name__}") from None
    with opened as file:
        yield _Digested(file)
