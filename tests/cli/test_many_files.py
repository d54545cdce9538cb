"""Several files are read by time, in bounded memory, and told in the order in which they were given."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator, Sequence
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from otel_arthur.cli import cli
from otel_arthur.cli.commands.replay.around import Traces
from otel_arthur.cli.commands.replay.work import Work
from otel_arthur.cli.files.ordered import Ordered
from otel_arthur.cli.files.trace_files import TraceFiles
from otel_arthur.cli.files.verdicts import Placed, Verdicts
from otel_arthur.configuration import Configuration
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.verdicts import InOrder, Verdict, judge
from otel_arthur.genai.events.log_events import Contents
from otel_arthur.genai.planned import Planned, whole
from otel_arthur.genai.reading import NOT_GENAI
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.steps.step import Meaning, Step, Wordless
from tests.cli.test_passing import call, told

SETTINGS = Configuration.from_environment({"OTEL_EXPORTER_ARTHUR_SPOOL_DIR": "off"})


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InOrder, "AT_ONCE", 40)


def attributes(of: Any) -> list[Any]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in of.items()]


def write(file: Path, views: Sequence[SpanView]) -> str:
    """JSON lines of five spans each."""
    with file.open("w") as lines:
        for first in range(0, len(views), 5):
            scopes = [
                {
                    "scope": {"name": view.scope},
                    "spans": [
                        {
                            "traceId": view.trace_id,
                            "spanId": view.span_id,
                            "name": view.name,
                            "startTimeUnixNano": str(view.start_ns),
                            "endTimeUnixNano": str(view.end_ns),
                            "attributes": attributes(view.attributes),
                        }
                    ],
                }
                for view in views[first : first + 5]
            ]
            resource = {"attributes": attributes(views[0].resource)}
            lines.write(json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}) + "\n")
    return str(file)


def of(scope: str, numbers: Sequence[int]) -> list[SpanView]:
    early, seconds = (0.0, 0.5) if scope == "provider" else (0.1, 0.7)
    return [call(number, scope, number - early, seconds) for number in numbers]


def verdicts_of(*names: str) -> Verdicts:
    return Verdicts(TraceFiles(names), SETTINGS, metadata_only=False)


def test_doubles_in_several_files_are_found_and_told_in_their_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exports = [of("provider", range(150, 300)), of("framework", range(300)), of("provider", range(150))]
    names = [write(tmp_path / f"{number}.jsonl", views) for number, views in enumerate(exports)]
    expected = told(judge([view for views in exports for view in views]))
    for given in (names, [str(tmp_path)]):
        verdicts = verdicts_of(*given)
        found: list[Placed] = []
        ordered = Ordered(verdicts, 500)
        for placed in verdicts:
            found.append(placed)
            ordered.put(placed.file, f"{placed.file} {placed.position}\n")
        ordered.end()
        in_order = sorted(found, key=lambda one: (one.file, one.position))
        assert told(one.verdict for one in in_order) == expected
        printed = [tuple(map(int, line.split())) for line in capsys.readouterr().out.splitlines()]
        assert printed == [(one.file, one.position) for one in in_order][:500]
        assert ordered.is_full


def log_lines(file: Path, numbers: Sequence[int], spans: Sequence[SpanView]) -> str:
    with file.open("w") as lines:
        for number, view in zip(numbers, spans, strict=True):
            record = {
                "timeUnixNano": str(view.end_ns),
                "traceId": view.trace_id,
                "spanId": view.span_id,
                "eventName": "gen_ai.client.inference.operation.details",
                "attributes": attributes(call(number, "x", 0).attributes),
            }
            lines.write(json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}) + "\n")
    return str(file)


def bare(view: SpanView) -> SpanView:
    words = {key: value for key, value in view.attributes.items() if not key.endswith("messages")}
    fields = [getattr(view, name) for name in SpanView.__struct_fields__]
    fields[SpanView.__struct_fields__.index("attributes")] = words
    return SpanView(*fields)


def test_logs_in_another_file_come_with_their_spans_or_what_is_lost_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spans = [bare(view) for view in of("provider", range(300))]
    names = [write(tmp_path / "spans", spans), log_lines(tmp_path / "logs", range(300), spans)]
    monkeypatch.setattr(Contents, "MAX_BYTES", 100_000)
    verdicts = verdicts_of(*names)
    assert {one.verdict.decision for one in verdicts} == {"inference"}
    verdicts.say_end()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(Contents, "MAX_BYTES", 10_000)
    verdicts = verdicts_of(*names)
    assert len([*verdicts]) == 300
    verdicts.say_end()
    assert "log events found no span: the span may stand more than" in capsys.readouterr().err


def test_a_window_that_is_too_large_for_memory_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(InOrder, "MAX_BYTES", 20_000)
    spans = [call(number, "provider", number / 100) for number in range(400)]
    verdicts = verdicts_of(write(tmp_path / "spans", spans))
    assert len([*verdicts]) == 400
    verdicts.say_end()
    assert "wait for the end of the duplicate window" in capsys.readouterr().err


def placed_traces(count: int, seconds: float) -> list[Placed]:
    """Traces of a call, a step before and an agent behind, mixed as programs run side by side."""
    views: list[tuple[SpanView, bool]] = []
    for trace in range(count):
        for start, is_call in ((0.0, False), (0.3, True), (0.6, False)):
            one = call(trace, "framework", trace * 2 + start * seconds)
            fields = [getattr(one, name) for name in SpanView.__struct_fields__]
            fields[1] = f"{trace * 10 + round(start * 10) + 1:016x}"
            views.append((SpanView(*fields), is_call))
    views.sort(key=lambda one: one[0].end_ns)
    found: list[Placed] = []
    for number, (view, is_call) in enumerate(views, 1):
        (verdict,) = judge([view]) if is_call else [Verdict(view, NOT_GENAI, "skipped", "")]
        found.append(Placed(verdict, 0, number))
    return found


@pytest.mark.parametrize(("seconds", "torn"), [(30.0, False), (900.0, True)])
def test_traces_go_whole_once_nothing_of_their_time_may_follow(seconds: float, torn: bool) -> None:
    placed = placed_traces(300, seconds)
    read = 0

    def passing() -> Iterator[Placed]:
        nonlocal read
        for one in placed:
            read += 1
            yield one

    traces = Traces(passing(), Work([0], (None, None), None, wants_wordless=True), 10)
    calls: list[str] = []
    around: list[str] = []
    for chunk in traces:
        if len(calls) < 100:
            assert read < len(placed)
        calls += [whole(item.call).trace_id for item in chunk.calls]
        around += [_trace_id(one) for one in chunk.around]
        dealt_with = {
            one.verdict.view.trace_id for one in placed[: chunk.done[0]] if one.verdict.reading.call
        }
        assert dealt_with <= {*calls}
    assert sorted(calls) == sorted({one.verdict.view.trace_id for one in placed})
    assert bool(traces.torn) is torn
    if not torn:
        assert sorted(around) == sorted(calls * 2)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, stdin: bytes = b"") -> None:
    monkeypatch.setenv("OTEL_EXPORTER_ARTHUR_SPOOL_DIR", "off")
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin)))
    assert not cli.main(list(arguments), standalone_mode=False)


@pytest.mark.parametrize("target", ["v3", "engine"])
def test_commands_take_a_folder_and_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    if target == "engine":
        monkeypatch.setenv("ARTHUR_BASE_URL", "http://127.0.0.1:9")
    views = of("provider", range(200))
    random.Random(1).shuffle(views[:60])
    content = Path(write(tmp_path / "a.jsonl", views[:120])).read_bytes()
    rest = Path(write(tmp_path / "b.jsonl", views[120:])).read_bytes()
    for arguments, stdin in ((str(tmp_path), b""), ("-", content + rest)):
        run(monkeypatch, "replay", arguments, "--dry-run", "--json", stdin=stdin)
        assert json.loads(capsys.readouterr().out)["calls"] == 200
        run(monkeypatch, "replay", arguments, "--dry-run", "--json", "--limit", "7", stdin=stdin)
        assert json.loads(capsys.readouterr().out)["calls"] == 7
        run(monkeypatch, "inspect", arguments, "--target", "engine", stdin=stdin)
        spans = json.loads(capsys.readouterr().out)["resourceSpans"]
        assert len(spans) == 200


def _trace_id(around: Meaning) -> str:
    if isinstance(around, LLMCall | Planned):
        return whole(around).trace_id
    if isinstance(around, Wordless):
        return around.call.trace_id
    return around.frame.trace_id if isinstance(around, Step) else around.trace_id
