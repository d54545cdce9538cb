"""``otel-arthur inspect``: what would become of each span, sending nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import click

from otel_arthur.cli.configured import CONNECTION, READING, configured
from otel_arthur.cli.connection import fetch_schema
from otel_arthur.cli.files.trace_files import FILES, FORMATS, Passing, passing, read_export
from otel_arthur.cli.parameters import given
from otel_arthur.cli.terminal.output import plural, print_json, say
from otel_arthur.genai.duplicates.verdicts import InOrder, Verdict, judge
from otel_arthur.inference.build import Builder, Inference
from otel_arthur.inference.privacy import rules_of
from otel_arthur.inference.redaction.redactors import redactor_of


@click.command(
    help=f"{FORMATS}\n\n"
    "The table shows each LLM call and, of what it would become, each field with the attribute that "
    "filled it. JSON is one object per span, in file order.",
    epilog="Example: otel-arthur inspect traces.jsonl logs.jsonl --format json",
)
@FILES
@click.option(
    "--format",
    "output",
    type=click.Choice(["table", "json"]),
    default="table",
    help="For people or programs.",
)
@click.option(
    "--model", "model_id", callback=given, help="Show the inferences as this Arthur model would get them."
)
@click.option(
    "--target",
    type=click.Choice(["v3", "engine"]),
    default="v3",
    help="engine: print the OTLP/JSON that Arthur Engine would get.",
)
@click.option("--limit", type=click.IntRange(min=0), help="Show so many spans at most; all are counted.")
@click.option("--summary", is_flag=True, help="Show the counts alone.")
@click.option("--all", "show_all", is_flag=True, help="In the table, show spans that are no LLM calls too.")
def command(
    files: Sequence[str],
    output: str,
    model_id: str | None,
    target: str,
    show_all: bool,
    limit: int | None,
    summary: bool,
) -> None:
    configuration = configured(*READING, *(CONNECTION if model_id else ()))
    schema = fetch_schema(configuration, model_id) if model_id else None
    rules = rules_of(configuration, redactor_of(configuration.redact))
    builder = Builder(schema, rules)
    stream = passing(files) if target == "v3" else None
    if stream is None:
        export = read_export(files)
        if export.unjoined:
            _say_unjoined(export.unjoined)
        verdicts: Iterable[Verdict] = judge(export.views, configuration.attributes, rules.metadata_only)
    else:
        window = round(configuration.duplicate_window * 1e9)
        verdicts = InOrder(stream, configuration.attributes, rules.metadata_only, window, stream.with_content)
    if target == "engine":
        from otel_arthur.engine.otlp.as_json import as_otlp_json
        from otel_arthur.engine.preview import preview

        print_json(as_otlp_json(preview(list(verdicts), configuration, rules)))
        return
    if output == "json":
        if summary:
            print_json(Counter(verdict.decision for verdict in verdicts))
            return
        for verdict in islice(verdicts, limit):
            print_json(_as_json(verdict, builder))
        if limit is None:
            _say_end(verdicts, stream)
        return
    from otel_arthur.cli.commands.inspect.table import InspectTable

    table = InspectTable(show_all, 0 if summary else limit)
    for verdict in verdicts:
        table.show(verdict, _inferences(verdict, builder))
    table.end()
    _say_end(verdicts, stream)


def _say_end(verdicts: Iterable[Verdict], stream: Passing | None) -> None:
    """What is known only when all has been read."""
    if stream is not None and stream.unjoined:
        _say_unjoined(stream.unjoined)
    if isinstance(verdicts, InOrder) and verdicts.late:
        say(
            f"Note: {plural(verdicts.late, 'span')} stood further from others of the same time than the "
            "duplicate window, so that a double of one may have been missed. Sort the file by time, or set "
            "OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW to more seconds.",
            err=True,
        )


def _say_unjoined(number: int) -> None:
    say(f"{plural(number, 'log event')} with content found no span in these files.", err=True)


def _inferences(verdict: Verdict, builder: Builder) -> list[Inference]:
    call = verdict.reading.call
    if call is None or verdict.decision not in ("inference", "failed"):
        return []
    return builder.inferences(call)


def _as_json(verdict: Verdict, builder: Builder) -> dict[str, Any]:
    view, reading = verdict.view, verdict.reading
    return {
        "trace_id": view.trace_id,
        "span_id": view.span_id,
        "parent_span_id": view.parent_span_id,
        "name": view.name,
        "scope": view.scope,
        "decision": verdict.decision,
        "reason": verdict.reason,
        "dialect": reading.dialect.name if reading.dialect is not None else None,
        "duplicate_of": verdict.duplicate_of[1] if verdict.duplicate_of is not None else None,
        "inferences": [inference.as_json() for inference in _inferences(verdict, builder)],
    }
