"""``otel-arthur ground-truth``: ground truth from a file, for inferences that Arthur has or will have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import click

from otel_arthur.cli.commands.ground_truth.rows import IDS, GroundTruthRows
from otel_arthur.cli.configured import SENDING, configured
from otel_arthur.cli.connection import ground_truth_types
from otel_arthur.cli.files.table_file import Problems, TableFile
from otel_arthur.cli.parameters import JSON, given, seconds
from otel_arthur.cli.terminal.errors import WorkFailed, WrongUse
from otel_arthur.cli.terminal.output import plural, print_json, say
from otel_arthur.configuration import Configuration

_AT_ONCE: Final = 500


@click.command(
    epilog='Example: echo \'{"partner_inference_id": "…", "expected_text": "Paris"}\' > gt.jsonl; '
    "otel-arthur ground-truth gt.jsonl"
)
@click.argument("file")
@click.option("--model", "model_id", callback=given, help="The Arthur model, if not the configured one.")
@seconds("--timeout", 60.0, "Seconds to wait for the sending.", min=0)
@JSON
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
    problems = Problems()
    with TableFile(file, problems, IDS) as table:
        types = ground_truth_types(configuration, [model_id] if model_id else _models(configuration))
        rows = GroundTruthRows(table, types, problems)
        # A mistake in the last line must not leave half a file sent.
        for _ in rows:
            pass
        problems.refuse()
        if types is None and table.delimiter:
            raise WorkFailed(
                "Arthur cannot be asked for the types that the columns have; run the same command again, "
                "or give JSON lines"
            )
        _send(rows, configuration, model_id, timeout, as_json)


def _models(configuration: Configuration) -> list[str]:
    """The models that rows may be for."""
    routed = [route.model_id for route in configuration.routes]
    return [model for model in dict.fromkeys([configuration.model_id, *routed]) if model]


def _send(
    rows: Iterable[Mapping[str, Any]],
    configuration: Configuration,
    model_id: str | None,
    timeout: float,
    as_json: bool,
) -> None:
    from otel_arthur.cli.terminal.progress import end, send
    from otel_arthur.delivery import Delivery

    delivery = Delivery(configuration, metrics=False)
    watch = delivery.watch()
    read = no_room = 0
    for some in _chunks(rows):
        read += len(some)
        no_room += delivery.submit_ground_truth(some, model_id, watch).refused
    send(delivery, watch, timeout)
    known = delivery.counts().known
    end(delivery, 1.0)
    waiting, refused = watch.waiting(), watch.refused()
    sent = max(read - known - no_room - refused - waiting.rows, 0)
    counts = {"read": read, "sent": sent, "known": known, "refused": refused, "waiting": waiting.rows}
    if as_json:
        print_json(counts)
    else:
        say(
            f"{plural(read, 'row')} of ground truth read: {sent} sent, {known} known before, "
            f"{refused} refused, {waiting.rows} waiting"
        )
    if no_room:
        raise WorkFailed(
            f"{plural(no_room, 'row')} found no room in the spool; OTEL_EXPORTER_ARTHUR_SPOOL_MAX_MB sets it"
        )
    if refused:
        raise WorkFailed(
            f"Arthur refused {plural(refused, 'row')}; `otel-arthur spool dead-letters list` says why"
        )
    if waiting.rows:
        why = "`otel-arthur spool status` shows the last error"
        if waiting.asked:
            why = f"Arthur has no inference for {waiting.asked} of them so far"
        raise WorkFailed(
            f"{plural(waiting.rows, 'row')} not taken within {timeout:g} s, waiting in the spool: {why}"
        )


def _chunks(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    left = iter(rows)
    while some := list(islice(left, _AT_ONCE)):
        yield some
