"""Structured logs: one JSON object a line on standard error, never anything of a request's content."""

from __future__ import annotations

import logging
import sys
from datetime import datetime, timezone
from typing import Any

import orjson

from otel_arthur.printable import printable_json


class JSONLines(logging.Formatter):
    """``ts``, ``level``, ``logger``, ``msg``, and the call's ``extra={"fields": {…}}``."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
        }
        fields: dict[str, Any] | None = getattr(record, "fields", None)
        line.update(fields or {})
        if record.exc_info and record.exc_info[1] is not None:
            # The type and the place only: an exception's text may quote a request.
            line["error"] = type(record.exc_info[1]).__name__
            line["at"] = _place(record.exc_info[2])
        return printable_json(orjson.dumps(line, default=str)).decode()


def configure(level: str) -> None:
    """Send this process's logs to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("otel_arthur").setLevel(level.upper())


def _place(traceback: Any) -> str:
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return ""
    return f"{traceback.tb_frame.f_globals.get('__name__', '?')}:{traceback.tb_lineno}"
