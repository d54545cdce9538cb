"""Trace exports given on the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from otel_arthur.cli.errors import WrongUse
from otel_arthur.genai.otlp import OTLPError, span_views, trace_requests
from otel_arthur.genai.span import SpanView

FILES = click.argument("files", metavar="FILE...", nargs=-1, required=True)


def views_in(files: Sequence[str]) -> Iterator[SpanView]:
    """The spans of all files in order.

    Raises:
        WrongUse: a file that is missing, unreadable or no trace export; the message names it.
    """
    for name in files:
        try:
            for request in trace_requests(content_of(name)):
                yield from span_views(request)
        except OTLPError as error:
            raise WrongUse(f"{name}: {error}") from None


def content_of(name: str) -> bytes:
    """The bytes of a file, or of standard input for ``-``."""
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise WrongUse(f"{name}: {error.strerror or type(error).__name__}") from None
