"""``otel-arthur feedback``: what people think of answers, from a file, as the Arthur Engine's annotations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click

from otel_arthur.cli.configured import SENDING, configured, refuse
from otel_arthur.cli.files.table_file import BadRow, TableFile, kind_of
from otel_arthur.cli.parameters import rows_of_a_file
from otel_arthur.cli.sending import Words, send_rows
from otel_arthur.cli.terminal.errors import WrongUse
from otel_arthur.cli.terminal.output import say
from otel_arthur.sdk.api.feedback import feedback_ids
from otel_arthur.target.contract import Feedback

_SCORES: Final = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
_IDS: Final = (("partner_inference_id",), ("trace_id",))
_FIELDS: Final = ("partner_inference_id", "trace_id", "score", "explanation")
_NAMED: Final = 10
_NAME_LENGTH: Final = 60
_WORDS: Final = Words(
    "feedback",
    "the Engine",
    {"sent": "sent", "refused": "refused", "waiting": "waiting"},
    no_room="",
    waiting="the Engine may not have the trace yet; `otel-arthur spool status` shows the last error",
)


@click.command(
    epilog='Example: echo \'{"trace_id": "…", "score": 0, "explanation": "wrong city"}\' > feedback.jsonl; '
    "otel-arthur feedback feedback.jsonl"
)
@rows_of_a_file
def command(file: str, timeout: float, as_json: bool) -> None:
    """FILE holds JSON lines, or CSV with a header as spreadsheets write it; - is standard input.

    A row has partner_inference_id or trace_id, score (1 is good, 0 is bad), and if known explanation. All of
    the file is checked before any is sent. The Engine keeps one annotation for each trace: the last row about
    a trace counts. Rows that cannot be sent within the timeout wait in the spool.
    """
    configuration = configured(*SENDING, "engine_endpoint", "engine_api_key")
    if configuration.engine is None:
        raise WrongUse("feedback is for Arthur Engine; set OTEL_EXPORTER_ARTHUR_ENGINE_ENDPOINT")
    if configuration.engine.missing is not None:
        raise WrongUse(configuration.engine.missing)
    with TableFile(file, _IDS) as table:
        # A mistake in the last line must not leave half a file sent.
        rows = _rows(table)
        refuse(table.problems)
    send_rows(
        configuration,
        rows,
        lambda delivery, some, watch: delivery.submit_feedback(some, watch),
        timeout,
        _WORDS,
        as_json=as_json,
    )


def _rows(table: TableFile) -> list[Feedback]:
    unused: dict[str, None] = {}

    def parse(record: Mapping[str, Any]) -> Feedback:
        if len(unused) < _NAMED:
            unused.update(dict.fromkeys(name for name in record if name not in _FIELDS))
        return _feedback(record)

    rows = [*table.read(parse)]
    if unused:
        names = ", ".join(repr(name[:_NAME_LENGTH]) for name in [*unused][:_NAMED])
        say(f"Note: {table.name}: feedback is {', '.join(_FIELDS)}; left out: {names}", err=True)
    return rows


def _feedback(record: Mapping[str, Any]) -> Feedback:
    ids = feedback_ids(record.get("partner_inference_id") or None, record.get("trace_id"))
    if ids is None:
        raise BadRow("it needs a partner_inference_id of otel-arthur, or a trace_id of 32 hexadecimal digits")
    if "score" not in record:
        raise BadRow("score is missing; write 1 for good, 0 for bad")
    given = record["score"]
    score = _SCORES.get(str(given).strip().lower())
    if score is None:
        is_close = isinstance(given, str | int | float) and str(given).strip()
        kind = kind_of(given) + (" that is neither 0 nor 1" if is_close else "")
        raise BadRow(f"score is {kind}; write 1 for good, 0 for bad")
    explanation = record.get("explanation")
    if not isinstance(explanation, str | None):
        raise BadRow(f"explanation is {kind_of(explanation)}; it must be a text")
    return Feedback(*ids, score, explanation or None)
