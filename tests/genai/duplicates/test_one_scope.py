"""Two spans of one scope are one call where one is above the other, or their response ids are equal."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from otel_arthur.genai.call import Choice, LLMCall, Message, TextPart, Usage
from otel_arthur.genai.duplicates.completion import completed
from otel_arthur.genai.duplicates.kin import kin_of
from otel_arthur.genai.span import Kin
from tests.genai.duplicates.test_duplicates import FRAMEWORK, OTHER, PROVIDER, llm_call, losers

TRACE = "a" * 32


def span(number: int, start: int, end: int, parent: int | None = None, **more: Any) -> LLMCall:
    """A call of one scope in one trace."""
    scope = more.pop("scope", FRAMEWORK)
    above = None if parent is None else f"{parent:016x}"
    return llm_call(number, scope, start, end, trace_id=TRACE, parent_span_id=above, **more)


def test_a_span_inside_its_like_is_the_same_call() -> None:
    assert losers(span(1, 0, 100), span(2, 10, 90, parent=1)) == {2: 1}
    assert losers(span(1, 0, 100), span(2, 10, 90, parent=1), span(3, 20, 80, parent=2)) == {2: 1, 3: 1}


def test_any_ancestor_counts_with_spans_between_that_are_no_calls() -> None:
    inner = replace(span(2, 10, 90, parent=7), kin=Kin(above=(f"{7:016x}", f"{1:016x}")))
    assert losers(span(1, 0, 100), inner) == {2: 1}
    outer = replace(span(1, 0, 100), kin=Kin(below=(f"{7:016x}",)))
    elsewhere = {"service_name": "gateway", "service_instance": "g-1", "scope": OTHER}
    assert losers(outer, span(2, 10, 90, parent=7, **elsewhere)) == {2: 1}
    # Equal words alone do not count in another process.
    assert losers(span(1, 0, 100), span(2, 10, 90, parent=7, **elsewhere)) == {}


@pytest.mark.parametrize(
    "inner",
    [
        {"answer": "another answer"},
        {"question": "another question"},
        {"answer": None},
        {"failed": True, "answer": None},
        # Out of the other's time: a context that leaked.
        {"start": 101, "end": 120},
        {"start": 50, "end": 150},
        {"response_id": "r2"},
    ],
)
def test_a_call_below_a_call_is_another_one_unless_all_agrees(inner: dict[str, Any]) -> None:
    start, end = inner.pop("start", 10), inner.pop("end", 90)
    assert losers(span(1, 0, 100, response_id="r1"), span(2, start, end, parent=1, **inner)) == {}


def test_equal_response_ids_at_overlapping_times_are_one_call() -> None:
    assert len(losers(span(1, 0, 100, 9, response_id="r"), span(2, 0, 100, 9, response_id="r"))) == 1
    assert losers(span(1, 0, 100, response_id="r"), span(2, 500, 600, response_id="r")) == {}


@pytest.mark.parametrize("count", [2, 5, 40])
def test_parallel_equal_calls_of_one_scope_stay(count: int) -> None:
    assert losers(*[span(n, 0, 100, parent=99) for n in range(1, count + 1)]) == {}


def test_sequential_retries_stay() -> None:
    """A wrapper that asks again until it likes the answer, each time recorded by one scope or by two."""
    wrapper = span(1, 0, 500, answer="fine")
    tries = [
        span(2, 10, 90, 1, answer="bad"),
        span(3, 100, 190, 1, answer="bad"),
        span(4, 200, 490, 1, answer="fine"),
    ]
    assert losers(wrapper, *tries) == {4: 1}
    failed = [span(n, 100 * n, 100 * n + 90, parent=9, answer=None, failed=True) for n in (1, 2)]
    assert losers(*failed, span(3, 300, 390, parent=9)) == {}


def test_a_failed_try_below_a_call_of_another_scope_stays() -> None:
    outer = span(1, 0, 300)
    tries = [
        span(2, 10, 90, parent=1, scope=PROVIDER, answer=None, failed=True),
        span(3, 100, 290, parent=1, scope=PROVIDER),
    ]
    assert losers(outer, *tries) == {3: 1}


def test_an_agent_that_repeats_itself_stays() -> None:
    """Three rounds of one agent with the same words, and again as recorded by two scopes."""
    rounds = [span(n, 100 * n, 100 * n + 90, parent=50) for n in (1, 2, 3)]
    assert losers(*rounds) == {}
    below = [span(10 + n, 100 * n + 5, 100 * n + 80, parent=n, scope=PROVIDER) for n in (1, 2, 3)]
    assert losers(*rounds, *below) == {11: 1, 12: 2, 13: 3}
    # A tool of the agent asks the same again, below the round's call by mistake of a context that leaked.
    assert losers(rounds[0], span(20, 195, 199, parent=1)) == {}


def test_of_two_alike_below_one_only_one_is_its_double() -> None:
    assert len(losers(span(1, 0, 100), span(2, 10, 40, parent=1), span(3, 50, 90, parent=1))) == 1


def test_kin_is_what_the_spans_at_hand_tell() -> None:
    parents = {(TRACE, span): above for span, above in (("a", None), ("b", "a"), ("c", "b"), ("d", "c"))}
    kin = kin_of([(TRACE, "a"), (TRACE, "d")], parents)
    assert kin == {(TRACE, "a"): Kin((), ("b", "c")), (TRACE, "d"): Kin(("c", "b", "a"))}
    assert kin_of([(TRACE, "b")], {(TRACE, "b"): "a"}) == {}
    # A circle ends.
    assert kin_of([(TRACE, "a")], {(TRACE, "a"): "b", (TRACE, "b"): "a"})[TRACE, "a"].below == ("b",) * 8


def test_the_winner_takes_what_it_lacks_and_no_words() -> None:
    bare = Choice(Message("assistant", (TextPart("Hi."),)))
    winner = span(1, 0, 100, choices=(bare,), usage=Usage(21, 7, 28))
    loser = span(
        2,
        10,
        90,
        1,
        answer="Other.",
        response_id="r",
        usage=Usage(20, 6, 26, 4, 5, 6),
        time_to_first_token=0.5,
    )
    whole = completed(winner, [loser])
    assert whole.usage == Usage(21, 7, 28, 4, 5, 6)
    assert (whole.response_id, whole.time_to_first_token) == ("r", 0.5)
    assert whole.choices == (replace(bare, finish_reason="stop"),)
    assert completed(winner, []) is winner


def test_a_failure_that_one_of_the_two_saw_is_one() -> None:
    whole = completed(
        span(1, 0, 100), [span(2, 10, 90, 1, failed=True, error_type="Timeout", error_message="no")]
    )
    assert (whole.failed, whole.error_type, whole.error_message) == (True, "Timeout", "no")
    both = completed(span(1, 0, 100, failed=True, error_type="A"), [whole])
    assert (both.error_type, both.error_message) == ("A", "no")
