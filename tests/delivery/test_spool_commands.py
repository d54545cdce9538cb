"""`otel-arthur spool` and `otel-arthur ground-truth`, as a person or a program uses them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result
from conftest import MODEL
from fault_behaviours import refuse_rows
from fault_server import FaultServer
from llm_calls import ids_of, llm_calls

from otel_arthur.cli import ground_truth, spool
from otel_arthur.delivery import Delivery


@pytest.fixture
def invoke(server: FaultServer, spool_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    settings = {
        "ENDPOINT": server.url,
        "API_KEY": "k",
        "ORGANIZATION_ID": "o",
        "MODEL_ID": MODEL,
        "SPOOL_DIR": str(spool_dir),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"OTEL_EXPORTER_ARTHUR_{name}", value)

    def run(*arguments: str, command: Any = spool.command, **options: Any) -> Result:
        return CliRunner().invoke(command, list(arguments), **options)

    return run


def lines(result: Result) -> list[Any]:
    assert result.exit_code == 0, result.output
    return [orjson.loads(line) for line in result.stdout.splitlines()]


def test_without_a_spool_there_is_one_clear_line(invoke: Callable[..., Result], spool_dir: Path) -> None:
    result = invoke("status")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: there is no spool in")
    assert len(result.stderr.splitlines()) == 1
    assert not spool_dir.exists()


def test_status_drain_and_dead_letters(
    server: FaultServer, deliver: Callable[..., Delivery], invoke: Callable[..., Result], tmp_path: Path
) -> None:
    server.stop()
    delivery = deliver()
    calls = llm_calls(6)
    delivery.submit(calls)
    delivery.shutdown(2)

    (status,) = lines(invoke("status", "--json"))
    assert status["waiting"] == 6
    assert "127.0.0.1" in status["destinations"][0]["last_error"]
    assert "last error" in invoke("status").stdout

    result = invoke("drain", "--timeout", "1")
    assert result.exit_code == 1
    assert "6 records were not sent" in result.stderr

    server.start()
    poison = ids_of(calls)[2]
    server.always(
        refuse_rows(lambda row: (400, "[bad] row") if row["partner_inference_id"] == poison else None)
    )
    assert lines(invoke("drain", "--json")) == [{"sent": 5, "dead_letters": 1, "duplicates": 0, "left": 0}]

    (letter,) = lines(invoke("dead-letters", "list", "--json"))
    assert (letter["partner_inference_id"], letter["reason"]) == (poison, "400 [bad] row")
    assert "[bad] row" in invoke("dead-letters", "list", env={"COLUMNS": "250"}).stdout
    (exported,) = lines(invoke("dead-letters", "export"))
    assert exported["row"]["partner_inference_id"] == poison

    assert invoke("dead-letters", "resend").exit_code == 2
    assert invoke("dead-letters", "resend", "no-such-id").exit_code == 1
    server.always(None)
    assert invoke("dead-letters", "resend", poison).exit_code == 0
    assert lines(invoke("drain", "--json"))[0]["sent"] == 1
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))
    assert not lines(invoke("dead-letters", "list", "--json"))


def test_drain_without_credentials_says_what_to_set(
    invoke: Callable[..., Result], deliver: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_ARTHUR_API_KEY")
    result = invoke("drain")
    assert result.exit_code == 2
    assert "OTEL_EXPORTER_ARTHUR_API_KEY" in result.stderr


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_ground_truth_from_a_file(
    server: FaultServer, invoke: Callable[..., Result], tmp_path: Path, form: str
) -> None:
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
        ("{}", "partner_inference_id is missing"),
        ('{"partner_inference_id": 7, "a": 1}', "partner_inference_id is a int; it must be a text"),
        ('{"trace_id": "xyz", "span_id": "b7ad6b7169203331", "a": 1}', "32 hexadecimal digits"),
        ('{"partner_inference_id": "x"}', "no ground truth value"),
        ('{"partner_inference_id": "x", "ground_truth_data": 5}', "ground_truth_data is a int"),
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
    file = tmp_path / "truth.jsonl"
    file.write_text('{"partner_inference_id": "good", "a": 1}\n' + line + "\n")
    result = invoke(str(file), command=ground_truth.command)
    assert result.exit_code == 2
    assert "line 2" in result.stderr
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not server.sends
