"""Feedback becomes annotations: spooled, retried, in order, after its call."""

from __future__ import annotations

import csv
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import otel_arthur
from otel_arthur.cli.commands.feedback import command
from otel_arthur.delivery import Delivery
from otel_arthur.local.server import LocalArthur
from otel_arthur.sdk.api import ground_truth
from otel_arthur.target.contract import Feedback
from tests.support.processes.running import finished
from tests.support.servers.ports import free_port
from tests.support.spans.llm_calls import llm_call
from tests.support.waiting import PATIENCE, eventually


@pytest.fixture
def by_variables(
    engine: LocalArthur, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.MonkeyPatch]:
    """A process without an exporter, configured by the variables."""
    monkeypatch.setenv("ARTHUR_BASE_URL", engine.url)
    monkeypatch.setenv("ARTHUR_API_KEY", engine.api_key)
    monkeypatch.setenv("OTEL_EXPORTER_ARTHUR_SPOOL_DIR", str(tmp_path / "spool"))
    yield monkeypatch
    own = ground_truth._own
    if own is not None:
        own[1].shutdown(5)
        ground_truth._own = None


def test_the_later_of_two_counts_and_waits_for_its_call(
    engine: LocalArthur, deliver: Callable[..., Delivery]
) -> None:
    delivery = deliver(redact="email")
    call = llm_call()
    wrong = "wrong, says a@b.example"
    for score, why in ((0, wrong), (1, "fine"), (0, wrong)):
        delivery.submit_feedback([Feedback(call.trace_id, call.span_id, score, why)])
    delivery.submit([call])
    eventually(lambda: delivery.flush(1), "all sent")
    found = engine.traces.annotation(call.trace_id)
    assert found is not None
    assert found[0] == 0
    assert "wrong" in str(found[1])
    assert "a@b.example" not in str(found[1])
    counts = delivery.counts()
    assert counts.sent + sum(counts.skipped.values()) == 4
    assert counts.unaccounted == 0


def test_feedback_of_an_application(
    engine: LocalArthur, by_variables: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    call, other = llm_call(), llm_call()
    delivery = ground_truth.delivery_in_use()
    delivery.submit([call, other])
    inference = f"{call.trace_id}-{call.span_id}-0"
    assert otel_arthur.record_feedback(inference, score=1)
    assert otel_arthur.record_feedback(trace_id=other.trace_id, score=0, explanation="no")
    with caplog.at_level(logging.WARNING, "otel_arthur"):
        assert otel_arthur.record_feedback(f"{call.trace_id}-{'a' * 16}-0", score=0)
        assert "one annotation for each trace" in caplog.text
        assert not otel_arthur.record_feedback("mine", score=1)
        assert not otel_arthur.record_feedback(inference, score=2)
        assert not otel_arthur.record_feedback(inference, score=1, explanation=3)  # type: ignore[arg-type]
        assert [word in caplog.text for word in ("inference_id", "score", "explanation")] == [True] * 3
    eventually(lambda: delivery.flush(1), "all sent")
    assert engine.traces.annotation(call.trace_id) == (0, None)
    assert engine.traces.annotation(other.trace_id) == (0, "no")


def test_feedback_without_an_engine_is_counted_and_said(
    deliver: Callable[..., Delivery], caplog: pytest.LogCaptureFixture
) -> None:
    delivery = deliver(engine_endpoint="", engine_api_key=None, model_id="m")
    with caplog.at_level(logging.WARNING, "otel_arthur"):
        taken = delivery.submit_feedback([Feedback("a" * 32, None, 1, None)])
    assert taken.skipped == {"feedback without an Engine": 1}
    assert "OTEL_EXPORTER_ARTHUR_ENGINE_ENDPOINT" in caplog.text


def run(file: Path) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "otel_arthur", "feedback", str(file), "--json"]
    return finished(arguments)


def test_a_file_of_feedback(
    engine: LocalArthur, by_variables: pytest.MonkeyPatch, deliver: Callable[..., Delivery], tmp_path: Path
) -> None:
    calls = [llm_call(), llm_call()]
    delivery = deliver()
    delivery.submit(calls)
    assert delivery.flush(PATIENCE)
    file = tmp_path / "feedback.csv"
    file.write_text(
        "partner_inference_id,trace_id,score,explanation\n"
        f"{calls[0].trace_id}-{calls[0].span_id}-0,,1,good\n,{calls[1].trace_id},0,\n"
    )
    done = run(file)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"read": 2, "sent": 2, "refused": 0, "waiting": 0}
    assert engine.traces.annotation(calls[0].trace_id) == (1, "good")
    assert engine.traces.annotation(calls[1].trace_id) == (0, None)
    file.write_text(f"trace_id,score\n{calls[0].trace_id},2\nshort,1\n")
    done = run(file)
    assert done.returncode == 2
    assert "line 2: score" in done.stderr
    assert "line 3: it needs" in done.stderr


def test_a_long_explanation_is_taken_from_csv_too(
    engine: LocalArthur,
    by_variables: pytest.MonkeyPatch,
    deliver: Callable[..., Delivery],
    tmp_path: Path,
) -> None:
    call = llm_call()
    delivery = deliver()
    delivery.submit([call])
    assert delivery.flush(PATIENCE)
    file = tmp_path / "feedback.csv"
    file.write_text(f"trace_id,score,explanation\n{call.trace_id},0,{'why ' * 50_000}\n")
    limit = csv.field_size_limit()
    result = CliRunner().invoke(command, [str(file)])
    assert result.exit_code == 0, result.output
    assert engine.traces.annotation(call.trace_id) == (0, "why " * 50_000)
    assert csv.field_size_limit() == limit, "another program's limit"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "score is missing; write 1 for good"),
        ({"score": None}, "score is null; write 1 for good"),
        ({"score": "good"}, "score is a text that is neither 0 nor 1"),
        ({"score": 0.5}, "score is a number that is neither 0 nor 1"),
        ({"score": [1]}, "score is a list; write 1 for good"),
        ({"score": 1, "explanation": {"a": 1}}, "explanation is an object; it must be a text"),
        ({"score": 1, "explanation": False}, "explanation is false; it must be a text"),
    ],
)
def test_a_bad_row_is_told_in_words_for_a_person(
    by_variables: pytest.MonkeyPatch, tmp_path: Path, fields: dict[str, object], said: str
) -> None:
    file = tmp_path / "feedback.jsonl"
    file.write_text(json.dumps({"trace_id": "a" * 32, **fields}))
    result = CliRunner().invoke(command, [str(file)])
    assert result.exit_code == 2
    assert f"line 1: {said}" in str(result.exception) + result.stderr


def test_the_line_at_an_end_counts_rows_by_their_names(
    deliver: Callable[..., Delivery], caplog: pytest.LogCaptureFixture
) -> None:
    """Of the Engine's kinds none is a ground truth, and none is unknown to the line."""
    delivery = deliver(engine_endpoint=f"http://127.0.0.1:{free_port()}")
    call = llm_call()
    delivery.submit([call])
    delivery.submit_feedback([Feedback(call.trace_id, call.span_id, 1, None)])
    with caplog.at_level(logging.WARNING, "otel_arthur"):
        assert not delivery.shutdown(0.2)
    assert "0 spans sent, 1 span and 1 feedback not sent, left in " in caplog.text


def test_the_command_says_what_waits_where_nobody_answers(tmp_path: Path) -> None:
    file = tmp_path / "feedback.jsonl"
    file.write_text(json.dumps({"trace_id": "a" * 32, "score": 1}))
    done = finished(
        [sys.executable, "-m", "otel_arthur", "feedback", str(file), "--timeout", "0", "--json"],
        env={
            **os.environ,
            "ARTHUR_BASE_URL": f"http://127.0.0.1:{free_port()}",
            "ARTHUR_API_KEY": "k",
            "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path / "spool"),
        },
    )
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"read": 1, "sent": 0, "refused": 0, "waiting": 1}
    assert "1 row not taken within 0 s, waiting in the spool" in done.stderr
