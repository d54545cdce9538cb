"""Templates to pages. Model output is hostile input: all is escaped, and nothing in it is invisible."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from otel_arthur.local.dashboard.turns import readable
from otel_arthur.printable import printable

HERE: Final = Path(__file__).parent


def render(template: str, status: int = 200, **context: Any) -> Response:
    return HTMLResponse(_TEMPLATES.get_template(template).render(context), status)


def _visible(value: Any) -> Any:
    """Signs for control characters and bidirectional overrides, which would hide or reverse a text."""
    if type(value) is not str:
        return value
    return "\t".join(printable(part, keep_lines=True) for part in value.split("\t"))


def _time(milliseconds: int) -> str:
    """``2026-11-22 12:00:00.250``, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).isoformat(" ", "milliseconds")[:23]


def _seconds(value: float | None) -> str:
    """A duration in words."""
    if value is None:
        return "–"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.2f} s" if value < 60 else f"{value / 60:.1f} min"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _share(part: int, whole: int) -> str:
    """Percent; a small share is never rounded to zero."""
    share = 100 * part / whole if whole else 0
    return f"{share:.0f} %" if share in (0, 100) or 1 <= share <= 99 else f"{share:.1f} %"


_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_visible,
    trim_blocks=True,
    lstrip_blocks=True,
)
cast("Any", _TEMPLATES).filters.update(
    {"time": _time, "seconds": _seconds, "number": _number, "share": _share, "readable": readable}
)
