"""``otel-arthur ground-truth``: ground truth from a file, for inferences that Arthur has or will have."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, TextIO

import click
import orjson

from otel_arthur.cli.configured import SENDING, configured
from otel_arthur.cli.errors import WorkFailed, WrongUse
from otel_arthur.cli.output import plural, say
from otel_arthur.cli.parameters import Seconds, given
from otel_arthur.inference.identity import partner_inference_id

_IDENTITY: Final = ("partner_inference_id", "trace_id", "span_id", "choice_index")
_TIME: Final = "ground_truth_timestamp"
_AT_ONCE: Final = 500


@click.command(
    epilog='Example: echo \'{"partner_inference_id": "…", "expected_text": "Paris"}\' > gt.jsonl; '
    "otel-arthur ground-truth gt.jsonl"
)
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--model", "model_id", callback=given, help="The Arthur model, if not the configured one.")
@click.option(
    "--timeout",
    type=Seconds(min=0),
    default=60.0,
    show_default=True,
    help="Seconds to wait for the sending.",
)
def command(file: TextIO, model_id: str | None, timeout: float) -> None:
    """FILE holds JSON lines, or CSV with a header; - is standard input.

    A row has partner_inference_id (or trace_id and span_id, with choice_index for another choice than
    the first), if known ground_truth_timestamp (RFC 3339, by default now), and values: under
    ground_truth_data, or all other fields. What cannot be sent within the timeout waits in the spool.
    """
    configuration = configured(*SENDING, model_id=model_id)
    if configuration.missing is not None:
        raise WrongUse(configuration.missing)
    from otel_arthur.cli.progress import end, watched
    from otel_arthur.delivery import Delivery

    # All of it is read before any is sent: a mistake in the last line must not leave half a file sent.
    rows = list(_rows(file))
    delivery = Delivery(configuration, metrics=False)
    refused = 0
    for start in range(0, len(rows), _AT_ONCE):
        refused += delivery.submit_ground_truth(rows[start : start + _AT_ONCE], model_id).refused_full
    with watched(delivery, "Sending"):
        done = delivery.flush(timeout)
    counts = delivery.counts()
    end(delivery, 1.0)
    say(f"{len(rows)} read, {counts.sent} sent, {counts.known} known before, {counts.left} waiting")
    if refused:
        raise WorkFailed(
            f"{plural(refused, 'row')} found no room in the spool; OTEL_EXPORTER_ARTHUR_SPOOL_MAX_MB sets it"
        )
    if counts.dead_letter:
        raise WorkFailed(
            f"Arthur refused {plural(counts.dead_letter, 'row')}; "
            "`otel-arthur spool dead-letters list` says why"
        )
    if not done:
        raise WorkFailed(
            f"{plural(counts.left, 'row')} not taken within {timeout:g} s, waiting in the spool "
            "(`otel-arthur spool status` shows the last error)"
        )


def _rows(file: TextIO) -> Iterator[dict[str, Any]]:
    """The rows as they are sent.

    Raises:
        WrongUse: naming the line, the field, what it is and what it should be.
    """
    now = datetime.now(timezone.utc).isoformat()
    for line, record in _records(file):
        yield _row(f"{file.name}, line {line}", record, now)


def _records(file: TextIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if Path(file.name).suffix.lower() == ".csv":
        reader = csv.DictReader(file)
        for record in reader:
            if None in record:
                raise WrongUse(f"{file.name}, line {reader.line_num}: more values than the header has names")
            # An empty cell is no value; cells are texts, which JSON reads where they are numbers or booleans.
            yield reader.line_num, {name: _cell(name, text) for name, text in record.items() if text}
        return
    for number, text in enumerate(file, 1):
        if not text.strip():
            continue
        try:
            record = orjson.loads(text)
        except ValueError:
            raise WrongUse(
                f"{file.name}, line {number}: not JSON; write one object a line, or name a CSV file .csv"
            ) from None
        if not isinstance(record, dict):
            raise WrongUse(
                f"{file.name}, line {number}: a {type(record).__name__}; each line must be a JSON object"
            )
        yield number, record  # pyright: ignore[reportUnknownVariableType]


def _cell(name: str, text: str) -> Any:
    if name in _IDENTITY or name == _TIME:
        return text
    try:
        value: Any = orjson.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float | list) else text  # pyright: ignore[reportUnknownVariableType]


def _row(where: str, record: Mapping[str, Any], now: str) -> dict[str, Any]:
    identity = _identity(where, record)
    values = record.get("ground_truth_data")
    if values is None:
        values = {
            name: value
            for name, value in record.items()
            if name not in (*_IDENTITY, _TIME, "ground_truth_data") and value is not None
        }
    if not isinstance(values, dict):
        raise WrongUse(
            f"{where}: ground_truth_data is {_kind(values)}; it must be an object of attribute and value"
        )
    if not values:
        raise WrongUse(
            f"{where}: no ground truth value; add a field named as the model's ground truth attribute"
        )
    return {
        "partner_inference_id": identity,
        _TIME: _timestamp(where, record.get(_TIME), now),
        "ground_truth_data": values,
    }


def _identity(where: str, record: Mapping[str, Any]) -> str:
    given = record.get("partner_inference_id")
    if given is not None:
        return _text(where, "partner_inference_id", given)
    if "trace_id" not in record or "span_id" not in record:
        raise WrongUse(f"{where}: partner_inference_id is missing; give it, or trace_id and span_id")
    trace_id, span_id = (_hexadecimal(where, record, *field) for field in (("trace_id", 32), ("span_id", 16)))
    choice = str(record.get("choice_index", "0"))
    if not choice.isascii() or not choice.isdigit():
        raise WrongUse(f"{where}: choice_index is {_kind(record['choice_index'])}; it must be a whole number")
    return partner_inference_id(trace_id, span_id, int(choice))


def _hexadecimal(where: str, record: Mapping[str, Any], name: str, digits: int) -> str:
    text = _text(where, name, record[name]).lower()
    if len(text) != digits or any(digit not in "0123456789abcdef" for digit in text):
        raise WrongUse(f"{where}: {name} must be {digits} hexadecimal digits; it has {len(text)} characters")
    return text


def _text(where: str, name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise WrongUse(f"{where}: {name} is {_kind(value)}; it must be a text")
    return value.strip()


def _timestamp(where: str, value: Any, now: str) -> str:
    if value is None:
        return now
    text = _text(where, _TIME, value)
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise WrongUse(f"{where}: {_TIME} is no time; write it as 2026-11-22T12:00:00+00:00") from None
    if moment.tzinfo is None:
        raise WrongUse(f"{where}: {_TIME} has no time zone; end it with Z or an offset such as +01:00")
    return moment.isoformat()


def _kind(value: Any) -> str:
    return "empty" if value is None or value == "" else f"a {type(value).__name__}"
