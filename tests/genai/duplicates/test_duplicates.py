"""One call, one inference: which spans are one call, whatever the order in which they come."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from otel_arthur.genai.call import Choice, LLMCall, Message, TextPart, Usage
from otel_arthur.genai.duplicates.evidence import all_from_json, all_to_json, evidence_of
from otel_arthur.genai.duplicates.matching import duplicates

MS = 1_000_000
FRAMEWORK, PROVIDER, OTHER = "framework", "provider", "other"


def llm_call(number: int, scope: str, start: int, end: int, **more: Any) -> LLMCall:
    """A call of a scope; times in milliseconds. Each span is in a trace of its own."""
    answer = more.pop("answer", "an answer")
    question = more.pop("question", "a question")
    defaults: dict[str, Any] = {
        "trace_id": f"{number:032x}",
        "span_id": f"{number:016x}",
        "parent_span_id": None,
        "name": "chat",
        "scope": scope,
        "dialect": "semconv",
        "start_ns": start * MS,
        "end_ns": end * MS,
        "messages": () if question is None else (Message("user", (TextPart(question),)),),
        "choices": () if answer is None else (Choice(Message("assistant", (TextPart(answer),)), "stop"),),
        "usage": Usage(21, 7, 28),
        "request_model": "gpt-4o-mini",
        "service_name": "app",
    }
    return LLMCall(**(defaults | more))


def losers(*calls: LLMCall) -> dict[int, int]:
    """Loser -> winner by number, having checked that order does not matter."""
    evidence = [evidence_of(call) for call in calls]
    result = duplicates(evidence)
    orders = itertools.permutations(evidence) if len(evidence) <= 5 else [evidence[::-1]]
    for order in orders:
        assert duplicates(list(order)) == result
    return {int(loser[1], 16): int(winner[1], 16) for loser, winner in result.items()}


def test_nothing_to_compare() -> None:
    assert losers() == {}
    assert losers(llm_call(1, FRAMEWORK, 0, 100)) == {}


def test_the_same_response_id_in_other_traces() -> None:
    outer = llm_call(1, FRAMEWORK, 0, 100, response_id="r1", conversation_id="c")
    inner = llm_call(2, PROVIDER, 40, 60, response_id="r1", answer="other words", question="and others")
    assert losers(outer, inner) == {2: 1}


def test_a_response_id_that_returns_later_is_another_call() -> None:
    first = llm_call(1, FRAMEWORK, 0, 100, response_id="r1")
    later = llm_call(2, PROVIDER, 5_000, 5_100, response_id="r1")
    assert losers(first, later) == {}


def test_differing_response_ids_speak_against_all_else() -> None:
    outer = llm_call(1, FRAMEWORK, 0, 100, response_id="r1")
    inner = llm_call(2, PROVIDER, 40, 60, response_id="r2", trace_id=f"{1:032x}", parent_span_id=f"{1:016x}")
    assert losers(outer, inner) == {}


def test_a_child_that_recorded_no_words() -> None:
    outer = llm_call(1, FRAMEWORK, 0, 100)
    inner = llm_call(
        2,
        PROVIDER,
        40,
        60,
        trace_id=f"{1:032x}",
        parent_span_id=f"{1:016x}",
        answer=None,
        question=None,
        usage=Usage(),
        request_model=None,
    )
    assert losers(outer, inner) == {2: 1}


def test_a_leaked_context_does_not_suppress() -> None:
    """OpenLLMetry 0.53: an unrelated later call is a child of a call that had ended."""
    first = llm_call(1, FRAMEWORK, 0, 100)
    later = llm_call(2, PROVIDER, 101, 102, trace_id=f"{1:032x}", parent_span_id=f"{1:016x}")
    assert losers(first, later) == {}


@pytest.mark.parametrize(
    "other",
    [
        {"service_name": "another app"},
        {"service_instance": "another process"},
        {"request_model": "another-model"},
        {"answer": "another answer"},
        {"question": "another question"},
    ],
)
def test_equal_intervals_need_all_else_equal(other: dict[str, Any]) -> None:
    outer, inner = llm_call(1, FRAMEWORK, 0, 100), llm_call(2, PROVIDER, 40, 60, **other)
    assert losers(outer, inner) == {}


def test_a_dated_model_name_is_its_alias() -> None:
    outer = llm_call(1, FRAMEWORK, 0, 100)
    inner = llm_call(2, PROVIDER, 40, 60, request_model=None, response_model="gpt-4o-mini-2026-01-01")
    assert len(losers(outer, inner)) == 1


def test_handlers_side_by_side_overlap_without_holding_each_other() -> None:
    first, second = llm_call(1, FRAMEWORK, 0, 100), llm_call(2, OTHER, 10, 110)
    assert len(losers(first, second)) == 1


def test_the_same_words_one_after_another_are_two_calls() -> None:
    assert losers(llm_call(1, FRAMEWORK, 0, 100), llm_call(2, PROVIDER, 200, 300)) == {}


LONG = "Which berries are in the bowl? \ud83e \u00e9 " * 2_500
"""100,000 characters, a half of an emoji among them."""


@pytest.mark.parametrize("place", [0, len(LONG) // 5, len(LONG) // 3, len(LONG) // 2, len(LONG) - 2])
@pytest.mark.parametrize("told", ["!", "\u4e16", "\ud800"])
def test_long_words_that_differ_in_one_character_are_two_calls(place: int, told: str) -> None:
    """However alike: prompts of one template and one length are asked at one time, and answered alike."""
    other = f"{LONG[:place]}{told}{LONG[place + 1 :]}"
    assert len(other) == len(LONG)
    one, alike = (llm_call(n, s, 0, 100, question=LONG) for n, s in ((1, FRAMEWORK), (2, PROVIDER)))
    assert len(losers(one, alike)) == 1
    assert losers(one, llm_call(2, PROVIDER, 0, 100, question=other)) == {}
    assert losers(one, llm_call(2, PROVIDER, 0, 100, question=LONG, answer=other)) == {}


def test_failed_calls_are_told_by_what_was_asked() -> None:
    outer = llm_call(1, FRAMEWORK, 0, 100, answer=None, failed=True)
    inner = llm_call(2, PROVIDER, 40, 60, answer=None, failed=True)
    fallback = llm_call(3, PROVIDER, 70, 90)
    assert len(losers(outer, inner, fallback)) == 1
    assert 3 not in losers(outer, inner, fallback)


def test_the_richer_one_wins_wherever_it_is() -> None:
    outer = llm_call(1, FRAMEWORK, 0, 100, response_id="r", answer=None, question=None)
    inner = llm_call(2, PROVIDER, 40, 60, response_id="r")
    assert losers(outer, inner) == {1: 2}


def test_four_spans_of_one_call_have_one_winner() -> None:
    spans = [
        llm_call(1, FRAMEWORK, 0, 100, response_id="r"),
        llm_call(2, OTHER, 1, 101, conversation_id="c"),
        llm_call(3, PROVIDER, 40, 60, response_id="r"),
        llm_call(4, "last", 41, 59),
    ]
    assert losers(*spans) == {1: 2, 3: 2, 4: 2}


@pytest.mark.parametrize("count", [2, 7, 60, 400])
def test_parallel_equal_calls_pair_one_to_one(count: int) -> None:
    """k equal calls at a time, each written by two scopes: k inferences."""
    chance = random.Random(count)
    calls: list[LLMCall] = []
    for number in range(count):
        start = chance.randrange(20)
        calls.append(llm_call(2 * number, FRAMEWORK, start, start + 1000))
        calls.append(llm_call(2 * number + 1, PROVIDER, start + 50 + chance.randrange(20), start + 900))
    pairs = losers(*calls)
    assert len(pairs) == count
    assert len(set(pairs.values())) == count
    assert {number % 2 for number in pairs} == {0} or {number % 2 for number in pairs} == {1}


def test_all_frameworks_spans_before_all_providers() -> None:
    calls = [llm_call(n, FRAMEWORK, 0, 1000) for n in range(100)]
    calls += [llm_call(1000 + n, PROVIDER, 500 + n % 3, 900) for n in range(100)]
    assert len(losers(*calls)) == 100


def test_a_hundred_calls_of_one_scope_all_stay() -> None:
    assert losers(*[llm_call(n, FRAMEWORK, 0, 100) for n in range(100)]) == {}


@given(
    st.lists(
        st.tuples(
            st.sampled_from([FRAMEWORK, PROVIDER, OTHER]),
            st.integers(0, 60),
            st.integers(1, 60),
            st.sampled_from([None, "a", "b"]),
            st.sampled_from([None, "yes", "no"]),
            st.sampled_from([None, "r1", "r2"]),
            st.booleans(),
        ),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_any_candidates(rows: list[tuple[Any, ...]], chance: random.Random) -> None:
    evidence = [
        evidence_of(
            llm_call(
                number,
                scope,
                start,
                start + length,
                question=question,
                answer=answer,
                response_id=response,
                trace_id="0" * 32,
                parent_span_id=f"{number // 2:016x}" if child else None,
            )
        )
        for number, (scope, start, length, question, answer, response, child) in enumerate(rows)
    ]
    result = duplicates(evidence)
    shuffled = evidence[:]
    chance.shuffle(shuffled)
    assert duplicates(shuffled + shuffled[:2]) == result
    by_key = {one.key: one for one in evidence}
    assert not set(result.values()) & set(result)
    for winner in result.values():
        group = [by_key[winner], *[by_key[key] for key, other in result.items() if other == winner]]
        for one, other in itertools.combinations(group, 2):
            by_id = one.response_id is not None and one.response_id == other.response_id
            is_nested = one.parent_span_id is not None or other.parent_span_id is not None
            assert one.scope != other.scope or by_id or (is_nested and one.answer == other.answer)


def test_evidence_survives_json() -> None:
    full = evidence_of(llm_call(1, FRAMEWORK, 0, 100, response_id="r"))
    bare = replace(full, parent_span_id=None, tokens=None, models=(), question=None)
    assert all_from_json(all_to_json([full, bare])) == [full, bare]
    with pytest.raises(ValueError, match="Expected"):
        all_from_json(b"[[1,2]]")


def test_evidence_holds_no_words() -> None:
    evidence = evidence_of(llm_call(1, FRAMEWORK, 0, 1, question="my secret", answer="\ud800 secret"))
    assert "secret" not in str(all_to_json([evidence]))
