"""``otel-arthur inspect``: every form of export, traces and logs together, and what it says of bad input."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.genai.otlp import zstd
from tests.support.paths import CAPTURES
from tests.support.processes.terminal import shown_in_terminal
from tests.support.spans.otlp_requests import llm_request, otlp_json
from tests.support.waiting import PATIENCE

EVENT_ONLY = CAPTURES / "genai-langchain-1.3b0" / "event_only"
TRUTH = json.loads((EVENT_ONLY / "manifest.json").read_text())["scenarios"]
SCENARIOS = sorted(file.name.removesuffix(".logs.pb") for file in EVENT_ONLY.glob("*.logs.pb"))
KEYS = [
    "trace_id", "span_id", "parent_span_id", "name", "scope",
    "decision", "reason", "dialect", "duplicate_of", "inferences",
]  # fmt: skip


def inspect(
    *arguments: str | Path, stdin: bytes = b"", columns: int = 200, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "otel_arthur", "inspect", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        env={"COLUMNS": str(columns), "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": "off", **(environ or {})},
    )


def records(*arguments: str | Path, stdin: bytes = b"") -> list[dict[str, Any]]:
    done = inspect(*arguments, "--format", "json", stdin=stdin)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def prefixed(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(4, "big") + message for message in messages)


TRACES = (EVENT_ONLY / "a_invoke.pb").read_bytes()
LOGS = (EVENT_ONLY / "a_invoke.logs.pb").read_bytes()
JSON_LINES = b"%b\n%b\n" % (
    orjson.dumps(otlp_json(ExportLogsServiceRequest.FromString(LOGS))),
    orjson.dumps(otlp_json(ExportTraceServiceRequest.FromString(TRACES))),
)
FORMS = {
    "JSON lines, both signals": JSON_LINES,
    "length-prefixed protobuf": prefixed(TRACES, LOGS),
    "length-prefixed, each compressed": prefixed(zstd.compress(LOGS), zstd.compress(TRACES)),
    "length-prefixed JSON": prefixed(*JSON_LINES.splitlines()),
    "zstd as a whole": zstd.compress(JSON_LINES),
    "gzip as a whole": gzip.compress(prefixed(LOGS, TRACES)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_reads_the_same(tmp_path: Path, form: str) -> None:
    file = tmp_path / "export"
    file.write_bytes(FORMS[form])
    expected = records(EVENT_ONLY / "a_invoke.pb", EVENT_ONLY / "a_invoke.logs.pb")
    assert [one["decision"] for one in expected] == ["inference"]
    assert records(file) == expected
    assert records("-", stdin=FORMS[form]) == expected


def test_the_truth_comes_out_of_spans_and_events_in_separate_files() -> None:
    files = [EVENT_ONLY / f"{name}{end}" for name in SCENARIOS for end in (".pb", ".logs.pb")]
    found = records(*files)
    assert all(list(record) == KEYS for record in found)
    served = [call for name in SCENARIOS for call in TRUTH[name] if "embeddings" not in call["path"]]
    answered = [call for call in served if call["complete"]]
    texts = sorted(text for call in answered if not call.get("tool_call") for text in call["texts"])
    rows = [
        row["inference_data"] for one in found if one["decision"] == "inference" for row in one["inferences"]
    ]
    assert sorted(row["output_text"] for row in rows if "tool_calls" not in row) == texts
    assert sum("tool_calls" in row for row in rows) == sum(call.get("tool_call", False) for call in answered)
    assert all(row["prompt_tokens"] == 21 for row in rows if "prompt_tokens" in row)
    failed = [one for one in found if one["decision"] == "failed"]
    assert len(failed) == sum(not call["complete"] for call in served)


def test_spans_alone_are_skipped_and_events_alone_are_told() -> None:
    (record,) = records(EVENT_ONLY / "a_invoke.pb")
    assert (record["decision"], record["inferences"]) == ("skipped", [])
    done = inspect(EVENT_ONLY / "a_invoke.logs.pb")
    assert done.returncode == 0
    assert done.stderr.decode().strip() == "1 log event with content found no span in these files."


METRICS = ExportMetricsServiceRequest()
_metric = (
    METRICS.resource_metrics.add()
    .scope_metrics.add()
    .metrics.add(name="sixteen.letters.", description="12345678")
)
_metric.sum.data_points.add(as_int=1, time_unix_nano=1)
_JSON_METRICS = json.dumps({"resourceMetrics": []}).encode()
BAD = {
    "text": (b"hello world, this is no export", "no OTLP export"),
    "random bytes": (bytes(range(256)) * 4, "no OTLP export"),
    "metrics": (METRICS.SerializeToString(), "metrics"),
    "JSON metrics": (_JSON_METRICS, "metrics"),
    "other JSON": (b'{"name": "x"}', "name"),
    "JSON list": (b"[1, 2]", "list"),
    "JSON cut short": (JSON_LINES[:20], "line 1"),
    "zstd cut short": (zstd.compress(JSON_LINES)[:30], "compression"),
    "gzip cut short": (gzip.compress(JSON_LINES)[:30], "compression"),
    "deep JSON": (b'{"resourceSpans":' + b"[" * 3000 + b"]" * 3000 + b"}", ""),
    "odd id": (b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}', "hexadecimal"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line(tmp_path: Path, case: str) -> None:
    content, words = BAD[case]
    file = tmp_path / "bad"
    file.write_bytes(content)
    for source, stdin in ((str(file), b""), ("-", content)):
        done = inspect(source, stdin=stdin)
        (line,) = done.stderr.decode().splitlines()
        assert done.returncode == 2, line
        assert line.startswith(f"Error: {'standard input' if source == '-' else file}: ")
        assert words in line
        assert done.stdout == b""


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for source, words in (
        (tmp_path / "none", "No such file or directory"),
        (tmp_path, "there is no file in the folder; name a file, or a folder of exports"),
    ):
        done = inspect(source)
        assert done.returncode == 2
        assert done.stderr.decode() == f"Error: {source}: {words}\n"
    assert inspect().returncode == 2


def test_an_empty_file_among_others_is_passed_over(tmp_path: Path) -> None:
    """A program that made no span leaves one, and a glob takes it along."""
    empty = tmp_path / "empty.pb"
    empty.touch()
    done = inspect(empty, EVENT_ONLY / "a_invoke.pb", EVENT_ONLY / "a_invoke.logs.pb", "--format", "json")
    assert done.returncode == 0
    assert done.stderr.decode() == f"Note: {empty}: it is empty\n"
    assert [json.loads(line)["decision"] for line in done.stdout.splitlines()] == ["inference"]


@pytest.mark.parametrize("content", [b"", b" \n "])
def test_an_empty_file_is_an_export_without_spans(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "empty.pb"
    file.write_bytes(content)
    done = inspect(file, "--format", "json")

    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode() == f"Note: {file}: it is empty\n"


def test_metrics_beside_traces_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "mixed.jsonl"
    file.write_bytes(_JSON_METRICS + b"\n" + JSON_LINES)
    assert [one["decision"] for one in records(file)] == ["inference"]


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits_its_terminal_and_says_what_filled_what(columns: int) -> None:
    files = [
        EVENT_ONLY / f"{name}{end}" for name in ("i_n2", "e_err429", "d_agent") for end in (".pb", ".logs.pb")
    ]
    command = [sys.executable, "-m", "otel_arthur", "inspect", *map(str, files)]
    lines = shown_in_terminal(command, columns=columns).splitlines()
    assert max(map(len, lines)) <= columns
    table = "\n".join(lines)
    (input_line,) = [line for line in lines if line.split()[:2] == ["input_text", "Human:"]][:1]
    assert "<- gen_ai.input.messages" in input_line
    assert "choice 2 of 2" in table
    assert "execute_tool" not in table.partition(" spans: ")[0], "only --all shows what is no LLM call"
    assert "Nothing was sent." in table
    everything = shown_in_terminal([*command, "--all"], columns=columns)
    assert "execute_tool" in everything.partition(" spans: ")[0]


def test_what_is_shown_is_redacted_as_it_would_be_sent() -> None:
    capture = CAPTURES / "oll-langchain-0.62.4" / "default" / "a_invoke.pb"
    settings = {
        "OTEL_EXPORTER_ARTHUR_REDACT": "html.escape",
        "OTEL_EXPORTER_ARTHUR_ATTRIBUTES": "asked=gen_ai.input.messages",
    }
    done = inspect(capture, "--format", "json", environ=settings)
    (inference,) = json.loads(done.stdout)["inferences"]
    assert inference["inference_data"]["asked"].startswith("[{&quot;role&quot;")


def test_a_summary_and_a_limit() -> None:
    files = [EVENT_ONLY / "d_agent.pb", EVENT_ONLY / "d_agent.logs.pb"]
    whole = inspect(*files).stdout.decode()
    counts = whole.splitlines()[-3:]
    summary = inspect(*files, "--summary").stdout.decode()
    assert "input_text" in whole
    assert "input_text" not in summary
    assert [line for line in counts if line not in summary.splitlines()] == []
    shown = inspect(*files, "--limit", "1").stdout.decode()
    assert shown.count("input_text") == 1
    assert "more not shown" in shown
    assert len(inspect(*files, "--format", "json", "--limit", "2").stdout.splitlines()) == 2
    decisions = json.loads(inspect(*files, "--format", "json", "--summary").stdout)
    assert decisions == {"inference": whole.count("input_text"), "skipped": decisions["skipped"]}


def test_rows_that_are_written_early_are_the_same(tmp_path: Path) -> None:
    """With a limit none is written before the verdict on its span."""
    file = tmp_path / "calls.json"
    file.write_bytes(orjson.dumps(otlp_json(llm_request(20))))
    early = records(file)
    assert [len(record["inferences"]) for record in early] == [1] * 20
    assert records(file, "--limit", "20") == early
