"""Relations: a call that may have been told before is found, whichever comes first, and memory is bounded."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from otel_arthur.genai.duplicates.evidence import Evidence, evidence_of
from otel_arthur.genai.duplicates.relations import RELATED, Relations
from tests.support.spans.llm_calls import llm_call


def evidence(**fields: Any) -> Evidence:
    return evidence_of(llm_call(**fields))


def is_related(relations: Relations, one: Evidence) -> bool:
    return RELATED in relations.labels([one])


OUTER = evidence()
PAIRS = {
    "child": (OUTER, evidence(trace_id=OUTER.trace_id, parent_span_id=OUTER.span_id)),
    "far below": (OUTER, replace(evidence(trace_id=OUTER.trace_id), above=("a" * 16, OUTER.span_id))),
    "below a span of the call": (
        replace(OUTER, below=("b" * 16,)),
        evidence(trace_id=OUTER.trace_id, parent_span_id="b" * 16),
    ),
    "one answer": (replace(OUTER, response_id="r1"), replace(OUTER, response_id="r1", span_id="c" * 16)),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("in_order", [True, False])
def test_a_relation_is_seen_in_either_order(name: str, in_order: bool) -> None:
    first, second = PAIRS[name] if in_order else PAIRS[name][::-1]
    relations = Relations()
    assert not is_related(relations, first)
    assert is_related(relations, second)
    assert RELATED in Relations().labels([first, second])


def test_other_calls_have_one_label_a_scope_and_service() -> None:
    relations = Relations()
    calls = [evidence(trace_id=OUTER.trace_id, response_id=str(number)) for number in range(100)]
    assert len(relations.labels(calls)) == 1
    other = evidence(service_name="another")
    assert relations.labels([other]).isdisjoint(relations.labels(calls[:1]))


def test_what_is_remembered_is_bounded() -> None:
    relations = Relations(limit=100)
    for number in range(1000):
        is_related(relations, evidence(response_id=str(number)))
    assert len(relations._latest.ends) + len(relations._earlier.ends) < 300
    assert is_related(relations, evidence(response_id="999"))
