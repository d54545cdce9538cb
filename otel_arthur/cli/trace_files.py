"""OTLP exports given on the command line: their spans, with the content of their log events joined."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.cli.errors import WrongUse
from otel_arthur.cli.output import say
from otel_arthur.genai.events.log_events import LogEvent, join_all, log_events
from otel_arthur.genai.otlp.files import EmptyExport, requests_in
from otel_arthur.genai.otlp.json_form import OTLPError
from otel_arthur.genai.otlp.views import span_views
from otel_arthur.genai.span import SpanView

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


def read_export(contents: Sequence[tuple[str, bytes]]) -> Export:
    """The spans of files, given by name and content, joined with the events in any of them.

    An empty file is an export without spans (OTLP: an empty request succeeds); it is told on stderr.

    Raises:
        WrongUse: a file that is no trace or log export; the message names it.
    """
    views: list[SpanView] = []
    events: list[LogEvent] = []
    ends: list[int] = []
    for name, content in contents:
        try:
            for request in requests_in(content):
                if isinstance(request, ExportTraceServiceRequest):
                    views += span_views(request)
                else:
                    events += log_events(request)
        except EmptyExport as error:
            say(f"Note: {name}: {error}", err=True)
        except OTLPError as error:
            raise WrongUse(f"{name}: {error}") from None
        ends.append(len(views))
    joined, unjoined = join_all(views, events)
    return Export(joined, unjoined, tuple(ends))


def contents_of(names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file; ``-`` is standard input.

    Raises:
        WrongUse: a file that cannot be read; the message names it.
    """
    for name in names:
        if name == "-":
            yield "standard input", sys.stdin.buffer.read()
            continue
        try:
            yield name, Path(name).read_bytes()
        except OSError as error:
            raise WrongUse(f"{name}: {error.strerror or type(error).__name__}") from None
