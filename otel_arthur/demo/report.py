"""The demo's result for people: a table of inferences and a verdict."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from otel_arthur.demo.reconciliation import FAILED, Reconciliation, data
from otel_arthur.demo.served_call import JSON

_FIGURES_WIDTH = 48
"""Characters that the columns without running text take, and the space between columns."""
_MIN_TEXTS_WIDTH = 30
_LINES = 3
"""Lines of running text that an inference gets, more or less: words wrap."""
_FILL = 0.8


def inference_table(rows: list[JSON], width: int) -> Table:
    """One entry per inference: when, what was asked last, what was answered, and the figures.

    ``width`` is the console's, in characters: texts are cut to fit.
    """
    texts_width = max(width - _FIGURES_WIDTH, _MIN_TEXTS_WIDTH)
    input_width, output_width = texts_width * 2 // 5, texts_width * 3 // 5
    table = Table(
        title="Inferences in Arthur (texts shortened)",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_lines=True,
    )
    table.add_column("UTC", no_wrap=True)
    table.add_column("input", width=input_width)
    table.add_column("output", width=output_width)
    table.add_column("tokens", justify="right", no_wrap=True)
    table.add_column("finish", no_wrap=True)
    table.add_column("sec", justify="right", no_wrap=True)
    table.add_column("model", overflow="fold", min_width=7)
    for row in rows:
        values = data(row)
        failed = values.get("status") == FAILED
        output = values.get("error_type") or FAILED if failed else values.get("output_text")
        table.add_row(
            # 2026-11-22T12:00:00.250000+00:00
            str(row.get("inference_timestamp", ""))[11:19],
            Text(_last_line(values.get("input_text"), int(input_width * _LINES * _FILL))),
            Text(_one_line(output, int(output_width * _LINES * _FILL)), style="red" if failed else ""),
            _tokens(values),
            Text("failed", style="red") if failed else str(values.get("finish_reason") or "-"),
            f"{values['duration']:.2f}" if "duration" in values else "-",
            Text(str(values.get("model") or values.get("request_model") or "-")),
        )
    return table


def verdict(comparison: Reconciliation) -> str:
    calls = f"{comparison.answered} answered, {comparison.refused} refused"
    if comparison.exact:
        return f"The model server's own log: {calls}. Each is in Arthur exactly once."
    return f"The model server's own log: {calls}. That is not what is in Arthur."


def _tokens(values: JSON) -> str:
    if values.get("prompt_tokens") is None and values.get("completion_tokens") is None:
        return "-"
    return f"{values.get('prompt_tokens', '?')}+{values.get('completion_tokens', '?')}"


def _last_line(text: Any, length: int) -> str:
    """The transcript's last line, which is the message that was answered."""
    *earlier, last = str(text or "").strip().splitlines() or [""]
    return f"{'… ' if earlier else ''}{_one_line(last, length)}"


def _one_line(text: Any, length: int) -> str:
    whole = " ".join(str(text or "").split())
    return whole if len(whole) <= length else whole[:length] + "…"
