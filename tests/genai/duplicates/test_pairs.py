"""Two instrumentations active for the same calls: one inference for each call that the server answered."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from otel_arthur.genai.duplicates.evidence import Evidence, all_from_json, all_to_json, evidence_of
from otel_arthur.genai.duplicates.matching import duplicates
from otel_arthur.genai.duplicates.verdicts import judge
from otel_arthur.genai.reading import read
from tests.genai.matrix.truth import CAPTURES, Capture, calls_served, captures, views_of

PAIRS = list(captures("pair-"))


@pytest.mark.parametrize("capture", PAIRS, ids=str)
def test_each_call_once(capture: Capture) -> None:
    decisions = [verdict.decision for verdict in judge(views_of(capture))]
    served = calls_served(capture)
    assert decisions.count("inference") == sum(call["status"] == 200 for call in served)
    assert decisions.count("failed") == sum(call["status"] != 200 for call in served)


@pytest.mark.parametrize("capture", PAIRS, ids=str)
def test_the_order_of_arrival_has_no_part_in_it(capture: Capture) -> None:
    evidence = _evidence(capture)
    expected = duplicates(evidence)
    chance = random.Random(str(capture))
    for _ in range(5):
        chance.shuffle(evidence)
        assert duplicates(evidence) == expected
    assert duplicates(all_from_json(all_to_json(evidence))) == expected


@pytest.mark.parametrize("pair", sorted({capture.recording for capture in PAIRS}))
def test_all_scenarios_of_a_pair_at_once(pair: str) -> None:
    """As over many batches: calls of other scenarios, before and after, change nothing."""
    scenarios = [capture for capture in PAIRS if capture.recording == pair]
    alone = {
        loser: winner for capture in scenarios for loser, winner in duplicates(_evidence(capture)).items()
    }
    together = [one for capture in scenarios for one in _evidence(capture)]
    assert duplicates(together) == alone


@pytest.mark.parametrize("recording", ["oll-langchain-0.53.4", "oll-openai-0.53.4"])
def test_leaked_contexts_lose_no_call(recording: str) -> None:
    """Legacy spans are children of calls that had ended, over all scenarios: all stay."""
    evidence = [one for capture in captures(recording) for one in _evidence(capture)]
    assert len(evidence) > 20
    assert duplicates(evidence) == {}
    other = [_in_scope(one, "another") if index % 2 else one for index, one in enumerate(evidence)]
    parents = {one.key: one for one in other}
    leaked = [one for one in other if (one.trace_id, one.parent_span_id or "") in parents]
    if recording == "oll-langchain-0.53.4":
        assert leaked
    assert duplicates(other) == {}


def _in_scope(one: Evidence, scope: str) -> Evidence:
    return replace(one, scope=scope)


def _evidence(capture: Capture) -> list[Evidence]:
    readings = [read(view) for view in views_of(capture)]
    return [evidence_of(reading.call) for reading in readings if reading.call is not None]


def test_there_are_pairs() -> None:
    assert len({path.name for path in CAPTURES.glob("pair-*")}) >= 9
