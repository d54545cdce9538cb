"""Every field of every recorded call is what the server saw, or absent for a reason that is written down."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.tables import layout
from tests.genai.matrix import compatibility, long_tail
from tests.genai.matrix.compatibility import ABSENT, PAGE, cell, column_of, columns, unexplained
from tests.genai.matrix.compatibility_page import page
from tests.genai.matrix.truth import (
    FIELDS,
    Capture,
    Comparison,
    calls_served,
    captures,
    comparisons,
    verdicts_of,
)

LONG_TAIL = {column for entry in long_tail.LONG_TAIL.values() for column in entry.columns}
MAIN = [capture for capture in captures() if column_of(capture) in set(columns()) - LONG_TAIL]
"""The long tail's own calls are counted in ``test_long_tail.py``."""


@cache
def results() -> dict[tuple[str, str], list[Comparison]]:
    return compatibility.results()


@pytest.mark.parametrize("column", columns())
def test_every_field_is_the_truth_or_absent_for_a_reason(column: str) -> None:
    wrong = [
        f"{one.capture} {one.field}: {one.found!r} is not {one.expected!r}"
        for field in FIELDS
        for one in unexplained(column, results().get((column, field), []))
    ]
    assert wrong == []


def test_every_reason_is_still_needed() -> None:
    unused = [
        row
        for row in ABSENT
        if not any(
            row.covers(column, one) and not one.is_right
            for (column, _), compared in results().items()
            for one in compared
        )
    ]
    assert unused == []


@pytest.mark.parametrize("capture", MAIN, ids=str)
def test_as_many_calls_as_the_server_saw(capture: Capture) -> None:
    """Each answered call is an inference and each refused one a failure; nothing else is either."""
    served = calls_served(capture)
    verdicts = verdicts_of(capture)
    if capture.scenario == "h_completion" and capture.recording.startswith("genai-"):
        assert verdicts == []  # the official packages do not know completion models
    elif capture.scenario == "z_fake_model":
        assert len(verdicts) <= 1  # the server saw nothing
    else:
        assert len(verdicts) == len(served)
        failed = [verdict.decision == "failed" for verdict in verdicts]
        if capture.scenario != "t_stream_error":  # some do not notice
            assert failed.count(True) == sum(call["status"] != 200 for call in served)


def test_the_page_is_what_the_readers_do() -> None:
    assert PAGE.read_text() == page(), "run python -m tests.genai.matrix.compatibility, look at the changes"


def test_a_deleted_reader_turns_its_cell_red(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delete one line of a dialect's table, and the matrix says WRONG."""
    column, field = "genai-openai-1.3b0/span_only", "input_tokens"
    assert cell(column, results()[column, field]) == "present"
    rows = {name: row for name, row in semconv.FIELDS.items() if name != "usage.input"}
    blind = replace(semconv.DIALECT, fields=rows)
    monkeypatch.setattr(layout, "dialect_of", lambda view: blind)
    monkeypatch.setattr(layout, "_layouts", {})
    capture = Capture("genai-openai-1.3b0", "span_only", "a_invoke")
    compared = [one for one in comparisons(capture) if one.field == field]
    assert cell(column, compared) == "WRONG"


OFF = {
    "oll-langchain-0.62.4/content_false": "TRACELOOP_TRACE_CONTENT=true",
    "oll-openai-0.62.4/content_false": "TRACELOOP_TRACE_CONTENT=true",
    "genai-langchain-1.3b0/default": "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only",
    "genai-openai-1.3b0/default": "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only",
    "oi-langchain-0.1.80/hidden": "OPENINFERENCE_HIDE_INPUTS=false",
    "oi-openai-0.1.66/hidden": "OPENINFERENCE_HIDE_INPUTS=false",
}
CONTENT_FIELDS = {"messages", "answer", "tool_calls", "finish_reason", "response_id", "response_model"}


@pytest.mark.parametrize("capture", [c for c in captures() if column_of(c) in OFF], ids=str)
def test_content_switched_off_is_explained_and_all_else_is_there(capture: Capture) -> None:
    for verdict in verdicts_of(capture):
        if verdict.decision == "failed":
            continue
        assert verdict.reading.content_missing
        assert verdict.decision == "skipped"
        assert OFF[column_of(capture)] in verdict.reason
    if capture.scenario in ("p_long_history", "i_n2"):
        return  # the count of choices is content too
    kept = column_of(capture).replace("content_false", "default").replace("hidden", "default")
    kept = kept.replace("genai-langchain-1.3b0/default", "genai-langchain-1.3b0/span_only")
    kept = kept.replace("genai-openai-1.3b0/default", "genai-openai-1.3b0/span_only")
    lost = [
        f"{one.field}: {one.found!r} is not {one.expected!r}"
        for one in comparisons(capture)
        if not one.is_right and one.field not in CONTENT_FIELDS and unexplained(kept, [one])
    ]
    assert lost == []
