"""``otel-arthur inspect``: what would become of each span, sending nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
import orjson

from otel_arthur.cli.configured import CONNECTION, READING, configured
from otel_arthur.cli.connection import fetch_schema
from otel_arthur.cli.files.ordered import Ordered
from otel_arthur.cli.files.trace_files import FILES, FORMATS, TraceFiles, reading
from otel_arthur.cli.files.verdicts import Verdicts
from otel_arthur.cli.parameters import JSON, given
from otel_arthur.cli.terminal.output import json_line, print_json, put, styled
from otel_arthur.genai.duplicates.evidence import Evidence
from otel_arthur.genai.duplicates.verdicts import Verdict, Write
from otel_arthur.genai.planned import Planned
from otel_arthur.inference.build import Builder, Inference
from otel_arthur.inference.privacy import rules_of
from otel_arthur.inference.redaction.redactors import redactor_of


@click.command(
    help=f"{FORMATS}\n\n"
    "The table shows each LLM call with the fields of its inference, each beside the attribute that filled "
    "it. JSON is one object for each span, in file order.",
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
@JSON
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
    as_json: bool,
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
    traces = TraceFiles(files)
    as_json = as_json or output == "json"
    with reading(traces, is_shown=summary or not sys.stdout.isatty()):
        write = _writing(builder) if as_json and limit is None and not summary else None
        verdicts = Verdicts(traces, configuration, metadata_only=rules.metadata_only, write=write)
        ordered = Ordered(verdicts, 0 if summary else limit)
        if target == "engine":
            from otel_arthur.engine.preview import preview

            _print_requests(preview((one.verdict for one in verdicts), configuration, rules))
        elif as_json and summary:
            for _ in verdicts:
                pass
            print_json(verdicts.counts)
        elif as_json:
            for verdict, file, _ in () if ordered.is_full else verdicts:
                ordered.put(file, json_line(_as_json(verdict, builder)))
                if ordered.is_full:
                    break
            ordered.end()
        else:
            from otel_arthur.cli.commands.inspect.table import InspectTable

            table = InspectTable(verdicts, show_all)
            for verdict, file, _ in verdicts:
                lines = table.of(verdict, _inferences(verdict, builder))
                if lines is not None and not ordered.is_full:
                    ordered.put(file, styled(lines))
            ordered.end()
            table.end(ordered.printed)
    if limit is None or not as_json:
        verdicts.say_end()


def _print_requests(requests: Iterable[bytes]) -> None:
    """Print one document of all requests, each as it comes."""
    from otel_arthur.engine.requests import as_otlp_json

    opening = '{"resourceSpans":['
    for request in requests:
        for one in as_otlp_json(request).get("resourceSpans", ()):
            put(opening + json_line(one).rstrip())
            opening = ","
    put("]}\n" if opening == "," else "{}\n")


def _inferences(verdict: Verdict, builder: Builder) -> list[Inference]:
    call = verdict.call if verdict.decision in ("inference", "failed") else None
    return [] if call is None else builder.inferences(call)


def _writing(builder: Builder) -> Write | None:
    """Of most calls the row as it is sent."""
    ways = builder.short_ways
    if ways is None:
        return None

    def write(planned: Planned) -> tuple[bytes, Evidence] | None:
        taken = ways.take(planned)
        # A copy is exact: the bytes of an encoder hold several times their length in memory.
        return None if taken is None else (bytes(memoryview(taken[1])), taken[2])

    return write


def _rows(verdict: Verdict, builder: Builder) -> list[Any]:
    """As `_inferences`, in JSON."""
    if verdict.row is not None:
        return [orjson.Fragment(verdict.row)]
    return [inference.as_json() for inference in _inferences(verdict, builder)]


def _as_json(verdict: Verdict, builder: Builder) -> dict[str, Any]:
    view, found = verdict.view, verdict.found
    dialect = found.layout.dialect if isinstance(found, Planned) else found.dialect
    return {
        "trace_id": view.trace_id,
        "span_id": view.span_id,
        "parent_span_id": view.parent_span_id,
        "name": view.name,
        "scope": view.scope,
        "decision": verdict.decision,
        "reason": verdict.reason,
        "dialect": dialect.name if dialect is not None else None,
        "duplicate_of": verdict.duplicate_of[1] if verdict.duplicate_of is not None else None,
        "inferences": _rows(verdict, builder),
    }
