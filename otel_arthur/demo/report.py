"""The demo's result for people: a table of inferences and a verdict."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from otel_arthur.demo.reconciliation import FAILED, Reconciliation, data

JSON = dict[str, Any]
_TEXT_LENGTH = 160


def inference_table(rows: list[JSON]) -> Table:
    """One line per inference: when, what was asked last, what was answered, and the figures."""
    table = Table(title="Inferences in Arthur", title_justify="left", show_lines=True)
    table.add_column("time (UTC)", no_wrap=True)
    table.add_column("input (its end)", ratio=2)
    table.add_column("output", ratio=3)
    table.add_column("tokens", justify="right", no_wrap=True)
    table.add_column("finish", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("model")
    for row in rows:
        values = data(row)
        failed = values.get("status") == FAILED
        output = f"{values.get('error_type', FAILED)}" if failed else _head(values.get("output_text"))
        table.add_row(
            # 2026-11-22T12:00:00.250000+00:00
            str(row.get("inference_timestamp", ""))[11:19],
            Text(_tail(values.get("input_text"))),
            Text(output, style="red" if failed else ""),
            _tokens(values),
            Text("failed", style="red") if failed else str(values.get("finish_reason") or "-"),
            f"{values['duration']:.2f}" if "duration" in values else "-",
            Text(str(values.get("model") or values.get("request_model") or "-")),
        )
    return table


def verdict(comparison: Reconciliation) -> str:
    """One line that says whether the counts agree."""
    calls = f"{comparison.answered} answered, {comparison.refused} refused"
    if comparison.exact:
        return f"The model server's own log: {calls}. Each is in Arthur exactly once."
    return f"The model server's own log: {calls}. That is not what is in Arthur."


def _tokens(values: JSON) -> str:
    if values.get("prompt_tokens") is None and values.get("completion_tokens") is None:
        return "-"
    return f"{values.get('prompt_tokens', '?')} + {values.get('completion_tokens', '?')}"


def _tail(text: Any) -> str:
    """The last line of the transcript: the message that was answered."""
    *earlier, last = str(text or "").strip().splitlines() or [""]
    return f"{'… ' if earlier else ''}{last[-_TEXT_LENGTH:]}"


def _head(text: Any) -> str:
    whole = " ".join(str(text or "").split())
    return whole if len(whole) <= _TEXT_LENGTH else whole[:_TEXT_LENGTH] + "…"
