"""The calls that a list shows, as CSV or as JSON lines, however many they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from otel_arthur.inference.times import rfc3339
from otel_arthur.local.dashboard.calls import Call, Calls
from otel_arthur.local.dashboard.shown import Shelf, values_of
from otel_arthur.local.dashboard.wanted import Wanted
from otel_arthur.local.engine.traces import Traces

_CHUNK: Final = 500
_FACTS: Final = (
    *("identity", "time", "status", "error_type", "error_message", "finish_reason", "duration"),
    *("first_token", "tokens_in", "tokens_out", "model", "service", "conversation", "user", "trace"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would compute a cell that begins so."""


@dataclass(frozen=True, slots=True)
class Exports:
    """Downloads of the calls that an address filters, oldest first."""

    traces: Traces

    def csv(self, request: Request) -> Response:
        """Facts and texts, one row for each call."""
        return _download(self._csv(Wanted.of(request.query_params)), "text/csv; charset=utf-8", "calls.csv")

    def json_lines(self, request: Request) -> Response:
        """All stored values, one object for each call."""
        lines = self._json_lines(Wanted.of(request.query_params))
        return _download(lines, "application/jsonl", "calls.jsonl")

    def _csv(self, wanted: Wanted) -> Iterator[str]:
        shelf = Shelf(self.traces)
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow((*_FACTS, "input", "output"))
        for call in self._every(wanted):
            facts = _facts(call)
            writer.writerow([_cell(facts[name]) for name in _FACTS] + [*map(_cell, shelf.texts(call))])
            if buffer.tell() > 1 << 16:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue()

    def _json_lines(self, wanted: Wanted) -> Iterator[bytes]:
        shelf = Shelf(self.traces)
        for call in self._every(wanted):
            record = {**_facts(call), **shelf.record(call)}
            yield orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE, default=str)

    def _every(self, wanted: Wanted) -> Iterator[Call]:
        last = (-(2**62), 0)
        calls = Calls(self.traces.store)
        while chunk := calls.after(wanted, last, _CHUNK):
            yield from chunk
            last = chunk[-1].ended, chunk[-1].id


def _facts(call: Call) -> dict[str, Any]:
    return {**values_of(call), "time": rfc3339(call.ended * 1_000_000)}


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _download(lines: Iterator[str] | Iterator[bytes], kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, media_type=kind, headers=headers)
