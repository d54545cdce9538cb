"""OTLP exports given on the command line: their spans, with the content of their log events joined."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from io import RawIOBase
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import click
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.cli.terminal.errors import WrongUse
from otel_arthur.cli.terminal.output import say
from otel_arthur.genai.events.log_events import LogEvent, join_all, log_events
from otel_arthur.genai.otlp.files import EmptyExport, requests_in
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
        told = "standard input" if name == "-" else name
        spoiled = Spoiled()
        with _opened(name) as file:
            try:
                for request in requests_in(cast("IO[bytes]", file), spoiled):
                    if isinstance(request, ExportTraceServiceRequest):
                        views += span_views(request)
                    else:
                        events += log_events(request)
            except EmptyExport as error:
                say(f"Note: {told}: {error}", err=True)
            except OTLPError as error:
                raise WrongUse(f"{told}: {error}") from None
            except OSError as error:
                raise WrongUse(f"{told}: {error.strerror or type(error).__name__}") from None
            digests.append(file.digest())
        if spoiled.counts:
            say(f"Note: {told}: not all could be read: {spoiled}", err=True)
        ends.append(len(views))
    joined, unjoined = join_all(views, events)
    return Export(joined, unjoined, tuple(ends), tuple(digests))


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
