"""`otel-arthur ground-truth` with files of either kind, as a person or a program uses it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from click.testing import Result

from otel_arthur.cli.commands import ground_truth
from tests.support.servers.fault_server import FaultServer


def with_truth(server: FaultServer) -> None:
    """The model takes ground truth."""
    truth = {"stage": "GROUND_TRUTH", "implicit": False}
    names = {"expected_text": "UNSTRUCTURED_TEXT", "score": "INTEGER", "a": "INTEGER"}
    attributes = [{"name": name, "value_type": kind, **truth} for name, kind in names.items()]
    server.model = {**server.model, "attributes": [*server.model["attributes"], *attributes]}


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_ground_truth_from_a_file(
    server: FaultServer, invoke: Callable[..., Result], tmp_path: Path, form: str
) -> None:
    with_truth(server)
    trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    file = tmp_path / f"truth.{form}"
    if form == "jsonl":
        rows = [
            {"partner_inference_id": "one", "expected_text": "Paris", "score": 4},
            {"trace_id": trace.upper(), "span_id": span, "choice_index": 1, "expected_text": "Rome"},
            {
                "partner_inference_id": "three",
                "ground_truth_timestamp": "2026-11-22T12:00:00Z",
                "ground_truth_data": {"expected_text": "Bern"},
            },
        ]
        file.write_bytes(b"\n".join(map(orjson.dumps, rows)) + b"\n\n")
    else:
        file.write_text(
            "partner_inference_id,trace_id,span_id,choice_index,ground_truth_timestamp,expected_text,score\n"
            "one,,,,,Paris,4\n"
            f",{trace},{span},1,,Rome,\n"
            "three,,,,2026-11-22T12:00:00Z,Bern,\n"
        )
    result = invoke(str(file), command=ground_truth.command)
    assert result.exit_code == 0, result.output
    rows = {row["partner_inference_id"]: row for row in server.accepted_rows}
    assert rows["one"]["ground_truth_data"] == {"expected_text": "Paris", "score": 4}
    assert rows[f"{trace}-{span}-1"]["ground_truth_data"] == {"expected_text": "Rome"}
    assert rows["three"]["ground_truth_timestamp"] == "2026-11-22T12:00:00+00:00"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("not json", "not JSON"),
        ("[1]", "a list"),
        ("1.5", "a number; each line must be a JSON object"),
        ("{}", "partner_inference_id is missing"),
        ('{"partner_inference_id": 7, "a": 1}', "partner_inference_id is a number; it must be a text"),
        ('{"trace_id": "xyz", "span_id": "b7ad6b7169203331", "a": 1}', "32 hexadecimal digits"),
        ('{"partner_inference_id": "x"}', "no ground truth value"),
        ('{"partner_inference_id": "x", "ground_truth_data": 5}', "ground_truth_data is a number"),
        ('{"partner_inference_id": "x", "ground_truth_timestamp": "noon", "a": 1}', "is no time"),
        (
            '{"partner_inference_id": "x", "ground_truth_timestamp": "2026-11-22T12:00:00", "a": 1}',
            "no time zone",
        ),
    ],
)
def test_a_mistake_in_a_file_is_one_line_and_sends_nothing(
    server: FaultServer, invoke: Callable[..., Result], tmp_path: Path, line: str, said: str
) -> None:
    with_truth(server)
    file = tmp_path / "truth.jsonl"
    file.write_text('{"partner_inference_id": "good", "a": 1}\n' + line + "\n")
    result = invoke(str(file), command=ground_truth.command)
    assert result.exit_code == 2
    assert "line 2" in result.stderr
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not server.sends
