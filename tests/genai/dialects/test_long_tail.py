"""The long tail of dialects, read from what the packages really wrote, against what the server saw."""

from __future__ import annotations

import json
from fnmatch import fnmatch

import pytest

from tests.genai.matrix import products
from tests.genai.matrix.long_tail import ABSENT, LONG_TAIL, SWITCHED_OFF, Row
from tests.genai.matrix.truth import (
    Capture,
    Comparison,
    calls_served,
    captures,
    comparisons,
    verdicts_of,
    views_of,
)

DIALECT_OF = {column: entry.dialect for entry in LONG_TAIL.values() for column in entry.columns}
RECORDED = [capture for capture in captures() if f"{capture.recording}/{capture.mode}" in DIALECT_OF]
NO_CALL = {
    "logfire": ("z_abandoned",),
    "mlflow": ("z_abandoned",),
    "traceai": ("z_abandoned",),
    "monocle": ("t_stream_error", "h_completion"),
}
"""What these write no span of, or only of its beginning."""
LOST = {
    "laminar": ("t_stream_error", "z_abandoned"),
    "monocle": ("z_abandoned",),
    "llama-index-events": ("b_stream",),
}
"""Answers that these lose: the call is skipped, without advice to set anything."""


def _covers(row: Row, comparison: Comparison) -> bool:
    capture = comparison.capture
    return (
        fnmatch(f"{capture.recording}/{capture.mode}", row.columns)
        and comparison.field in row.fields
        and any(fnmatch(capture.scenario, pattern) for pattern in row.scenarios)
        and (row.instead or comparison.found is None)
    )


def test_every_column_is_recorded() -> None:
    assert {f"{capture.recording}/{capture.mode}" for capture in RECORDED} == set(DIALECT_OF)
    assert all(entry.verified == bool(entry.columns) for entry in LONG_TAIL.values())


@pytest.mark.parametrize("capture", RECORDED, ids=str)
def test_every_field_is_the_truth_or_absent_for_a_reason(capture: Capture) -> None:
    wrong = [
        f"{one.field}: {one.found!r} is not {one.expected!r}"
        for one in comparisons(capture)
        if not one.is_right and not any(_covers(row, one) for row in ABSENT)
    ]
    assert wrong == []


def test_every_reason_is_still_needed() -> None:
    compared = [one for capture in RECORDED for one in comparisons(capture) if not one.is_right]
    assert [row for row in ABSENT if not any(_covers(row, one) for one in compared)] == []


@pytest.mark.parametrize("capture", RECORDED, ids=str)
def test_each_call_is_one_inference_and_nothing_else_is(capture: Capture) -> None:
    """Agents, tools, wrappers, embeddings, raw requests and the first half of a stream are no calls."""
    dialect = DIALECT_OF[f"{capture.recording}/{capture.mode}"]
    verdicts = verdicts_of(capture)
    if dialect == "mastra":
        # It writes each call twice: as a step, and as what the model did in it.
        assert len(verdicts) == 2 * len(calls_served(capture))
        verdicts = [verdict for verdict in verdicts if verdict.decision != "duplicate"]
    assert {verdict.reading.dialect.name for verdict in verdicts if verdict.reading.dialect} <= {dialect}
    answered = [call for call in calls_served(capture) if call["status"] == 200]
    decisions = sorted(verdict.decision for verdict in verdicts)
    lost = (*LOST.get(dialect, ()), *products.LOST.get(capture.recording, ()))
    if unseen := products.UNSEEN.get(capture.recording, {}).get(capture.scenario):
        assert len(decisions) == len(calls_served(capture)) - unseen
        assert set(decisions) <= {"inference"}
    elif capture.scenario in NO_CALL.get(dialect, ()):
        assert decisions == []
    elif capture.scenario in lost:
        assert decisions == ["skipped"]
        assert verdicts[0].reason == "the answer was not recorded by the instrumentation"
    elif capture.scenario == "z_fake_model":
        assert decisions in ([], ["inference"])  # no server was asked
    elif capture.scenario == "t_stream_error":
        assert decisions in (["failed"], ["inference"])  # some do not notice
    else:
        # A client's own retries of a refused request are one call.
        refused = len(calls_served(capture)) > len(answered)
        assert decisions.count("inference") == len(answered)
        assert decisions.count("failed") >= (1 if refused else 0)
        assert set(decisions) <= {"inference", "failed"}


@pytest.mark.parametrize("column", SWITCHED_OFF)
def test_missing_content_names_its_switch(column: str) -> None:
    # Calls that broke off, or that no server was asked, may have no span.
    found = [
        capture
        for capture in captures()
        if f"{capture.recording}/{capture.mode}" == column and not capture.scenario.startswith(("t_", "z_"))
    ]
    assert found
    for capture in found:
        answered = [call for call in calls_served(capture) if call["status"] == 200]
        verdicts = [verdict for verdict in verdicts_of(capture) if verdict.decision != "failed"]
        assert len(verdicts) == len(answered)
        for verdict in verdicts:
            assert verdict.decision == "skipped"
            assert verdict.reading.content_missing
            assert SWITCHED_OFF[column] in verdict.reason


@pytest.mark.parametrize(
    "capture",
    [one for one in RECORDED if one.recording.startswith("logfire-5") and "stream" in one.scenario],
    ids=str,
)
def test_the_end_of_a_stream_of_logfire_has_the_length_of_the_call(capture: Capture) -> None:
    """Logfire writes it as a span of no length; its attribute says how long the stream took."""
    spans = {view.span_id: view for view in views_of(capture)}
    for verdict in verdicts_of(capture):
        call = verdict.reading.call
        assert call is not None
        line = spans[call.span_id]
        assert line.start_ns == line.end_ns
        assert (call.end_ns - call.start_ns) / 1e9 == pytest.approx(line.attributes["duration"], abs=1e-6)


def test_every_manifest_names_the_version_in_its_folder() -> None:
    for capture in RECORDED:
        manifest = json.loads((capture.path.parent / "manifest.json").read_text())
        assert capture.recording.rpartition("-")[2] in manifest["packages"].values()
