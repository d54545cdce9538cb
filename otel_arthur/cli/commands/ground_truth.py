"""``otel-arthur ground-truth``: ground truth from a file, for inferences that Arthur has or will have."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, Final

import click
import orjson

from otel_arthur.cli.configured import SENDING, configured, refuse
from otel_arthur.cli.connection import ground_truth_types
from otel_arthur.cli.files.table_file import BadRow, TableFile, kind_of
from otel_arthur.cli.parameters import given, rows_of_a_file
from otel_arthur.cli.sending import Words, send_rows
from otel_arthur.cli.terminal.errors import WorkFailed, WrongUse
from otel_arthur.cli.terminal.output import plural
from otel_arthur.inference import fields
from otel_arthur.inference.identity import partner_inference_id
from otel_arthur.inference.schema import coerced

_IDS: Final = (("partner_inference_id",), ("trace_id", "span_id"))
"""The columns that name an inference: one of these sets."""
_IDENTITY: Final = ("partner_inference_id", "trace_id", "span_id", "choice_index")
_TIME: Final = "ground_truth_timestamp"
_OWN: Final = (*_IDENTITY, _TIME, "ground_truth_data")
_CHOICE_DIGITS: Final = 9
_LISTS: Final = (fields.STRINGS, fields.TOKENS, fields.LIKELIHOODS)
_WORDS: Final = Words(
    "ground truth",
    "Arthur",
    {"sent": "sent", "known": "known before", "refused": "refused", "waiting": "waiting"},
    no_room="; OTEL_EXPORTER_ARTHUR_SPOOL_MAX_MB sets it",
    waiting="`otel-arthur spool status` shows the last error",
    asked="Arthur has no inference for {} of them so far",
)


@click.command(
    epilog='Example: echo \'{"partner_inference_id": "…", "expected_text": "Paris"}\' > gt.jsonl; '
    "otel-arthur ground-truth gt.jsonl"
)
@click.option("--model", "model_id", callback=given, help="The Arthur model, if not the configured one.")
@rows_of_a_file
def command(file: str, model_id: str | None, timeout: float, as_json: bool) -> None:
    """FILE holds JSON lines, or CSV with a header as spreadsheets write it; - is standard input.

    A row has partner_inference_id (or trace_id and span_id, with choice_index for another choice than
    the first), if known ground_truth_timestamp (RFC 3339, by default now), and values: under
    ground_truth_data, or all other fields, named as the model's ground truth attributes. All of the file
    is checked before any is sent. Rows that cannot be sent within the timeout wait in the spool.
    """
    configuration = configured(*SENDING, model_id=model_id)
    if configuration.missing is not None:
        raise WrongUse(configuration.missing)
    with TableFile(file, _IDS) as table:
        types = ground_truth_types(configuration, [model_id] if model_id else configuration.models)
        rows = _Rows(table, types)
        # A mistake in the last line must not leave half a file sent.
        for _ in rows:
            pass
        refuse(table.problems)
        if types is None and table.delimiter:
            raise WorkFailed(
                "Arthur cannot be asked for the types that the columns have; run the same command again, "
                "or give JSON lines"
            )
        send_rows(
            configuration,
            rows,
            lambda delivery, some, watch: delivery.submit_ground_truth(some, model_id, watch),
            timeout,
            _WORDS,
            as_json=as_json,
        )


class _Rows:
    """The ground truth in a file, as it is sent: values fit the types of the model's attributes.

    Each bad row and each unknown name is a problem of the file, once.

    Args:
        types: the model's ground truth attributes with their value types; None where Arthur could not be
            asked: then values go as they are.
    """

    def __init__(self, file: TableFile, types: Mapping[str, str] | None) -> None:
        self._file = file
        self._types = types
        self._now = datetime.now(timezone.utc).isoformat()
        self._unknown: Counter[str] = Counter()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._unknown.clear()
        yield from self._file.read(self._row)
        there = ", ".join(f"{name} ({kind})" for name, kind in (self._types or {}).items())
        there = there or "none; `otel-arthur onboard NAME --ground-truth` makes a model that has one"
        for name, rows in self._unknown.items():
            self._file.problems.append(
                f"{self._file.name}: the model has no ground truth attribute {name!r} "
                f"({plural(rows, 'row')}); it has {there}"
            )

    def _row(self, record: Mapping[str, Any]) -> dict[str, Any]:
        identity = _identity(record)
        values = record.get("ground_truth_data")
        if values is None:
            values = {name: value for name, value in record.items() if name not in _OWN and value is not None}
        if not isinstance(values, dict):
            raise BadRow(
                f"ground_truth_data is {kind_of(values)}; it must be an object of attribute and value"
            )
        if not values:
            raise BadRow("no ground truth value; add a field named as the model's ground truth attribute")
        given: dict[str, Any] = values  # pyright: ignore[reportUnknownVariableType]
        return {
            "partner_inference_id": identity,
            _TIME: _timestamp(record.get(_TIME), self._now),
            "ground_truth_data": {name: self._value(name, value) for name, value in given.items()},
        }

    def _value(self, name: str, value: Any) -> Any:
        if self._types is None:
            return value
        value_type = self._types.get(name)
        if value_type is None:
            self._unknown[name] += 1
            return value
        if not value_type:
            return value
        fitted = coerced(_of_cell(value, value_type, self._file.delimiter), value_type)
        if fitted is None or not _is_number_of_arthur(fitted):
            raise BadRow(f"{name} is {kind_of(value)} that is no {value_type}")
        return fitted


def _is_number_of_arthur(value: Any) -> bool:
    """Whether it is no number at all, or one that JSON and 64 bits can hold."""
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _of_cell(value: Any, value_type: str, delimiter: str) -> Any:
    """A text as spreadsheets write numbers and lists, for the attribute's type."""
    if not isinstance(value, str):
        return value
    if value_type in _LISTS and value.lstrip().startswith("["):
        try:
            return orjson.loads(value)
        except ValueError:
            return value
    if value_type in (fields.FLOAT, fields.INTEGER):
        text = value.strip()
        # Where a comma is the decimal point, a semicolon parts the cells.
        text = text.replace(",", ".") if delimiter == ";" and "." not in text else text
        try:
            return float(text) if value_type == fields.FLOAT or "." in text else text
        except ValueError:
            return text
    return value.strip() if value_type in (fields.BOOLEAN, fields.TIMESTAMP) else value


def _identity(record: Mapping[str, Any]) -> str:
    given = record.get("partner_inference_id")
    if given is not None:
        return _text("partner_inference_id", given)
    if "trace_id" not in record or "span_id" not in record:
        raise BadRow("partner_inference_id is missing; give it, or trace_id and span_id")
    trace_id, span_id = (_hexadecimal(record, *field) for field in (("trace_id", 32), ("span_id", 16)))
    choice = str(record.get("choice_index", "0"))
    if not choice.isascii() or not choice.isdigit() or len(choice) > _CHOICE_DIGITS:
        kind = kind_of(record["choice_index"])
        raise BadRow(f"choice_index is {kind}; it must be a whole number of at most {_CHOICE_DIGITS} digits")
    return partner_inference_id(trace_id, span_id, int(choice))


def _hexadecimal(record: Mapping[str, Any], name: str, digits: int) -> str:
    text = _text(name, record[name]).lower()
    if len(text) != digits or any(digit not in "0123456789abcdef" for digit in text):
        raise BadRow(f"{name} must be {digits} hexadecimal digits; it has {len(text)} characters")
    return text


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadRow(f"{name} is {kind_of(value)}; it must be a text")
    return value.strip()


def _timestamp(value: Any, now: str) -> str:
    if value is None:
        return now
    text = _text(_TIME, value)
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise BadRow(f"{_TIME} is no time; write it as 2026-11-22T12:00:00+00:00") from None
    if moment.tzinfo is None:
        raise BadRow(f"{_TIME} has no time zone; end it with Z or an offset such as +01:00")
    return moment.isoformat()
