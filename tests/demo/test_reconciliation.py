"""Each answered call exactly once: nothing missing, nothing twice, the failed one too."""

from __future__ import annotations

from typing import Any

from otel_arthur.demo.reconciliation import reconcile
from otel_arthur.demo.served_call import ServedCall


def answered(response_id: str, *texts: str, streamed: bool = False) -> ServedCall:
    return ServedCall("chat/completions", "m", 200, streamed, response_id=response_id, texts=texts)


REFUSED = ServedCall("chat/completions", "m-misspelt", 404, streamed=False)
FAILED_ROW = {"inference_data": {"status": "error", "request_model": "m-misspelt"}}


def row(text: str | None, response_id: str | None = None) -> dict[str, Any]:
    data = {"output_text": text, "response_id": response_id, "status": "ok"}
    return {
        "partner_inference_id": f"{response_id}-0",
        "inference_data": {key: value for key, value in data.items() if value is not None},
    }


def test_exact() -> None:
    served = [answered("a", "one"), answered("b", "two", streamed=True), REFUSED]
    result = reconcile(served, [FAILED_ROW, row("two"), row("one", "a")])
    assert result.exact
    assert (result.answered, result.refused, result.complaints()) == (2, 1, [])


def test_a_missing_call_is_named() -> None:
    result = reconcile([answered("a", "one"), answered("b", "two")], [row("one", "a")])
    assert [call.response_id for call in result.missing] == ["b"]
    assert not result.exact
    assert "two" in result.complaints()[0]


def test_a_second_row_for_the_same_call_is_too_many() -> None:
    result = reconcile([answered("a", "one")], [row("one", "a"), row("one", "a")])
    assert len(result.unexpected) == 1
    assert not result.exact


def test_equal_texts_are_told_apart_by_id() -> None:
    served = [answered("s", "same", streamed=True), answered("a", "same")]
    assert reconcile(served, [row("same", "a"), row("same")]).exact
    assert not reconcile(served, [row("same", "a"), row("same", "a")]).exact
    assert not reconcile(served, [row("same")]).exact


def test_a_wrong_text_under_the_right_id_does_not_count() -> None:
    assert not reconcile([answered("a", "one")], [row("other", "a")]).exact


def test_each_choice_is_a_row() -> None:
    served = [answered("a", "one", "two")]
    assert reconcile(served, [row("one", "a"), row("two", "a")]).exact
    assert not reconcile(served, [row("one", "a")]).exact


def test_a_tool_call_has_no_text() -> None:
    assert reconcile([answered("a", "")], [row(None, "a")]).exact


def test_the_failed_call_must_be_accounted_for() -> None:
    result = reconcile([answered("a", "one"), REFUSED], [row("one", "a")])
    assert result.missing_refusals == (REFUSED,)
    assert not result.exact
    elsewhere = {"inference_data": {"status": "error", "request_model": "another"}}
    assert not reconcile([answered("a", "one"), REFUSED], [row("one", "a"), elsewhere]).exact


def test_nothing_answered_is_no_success() -> None:
    assert not reconcile([], []).exact
    assert not reconcile([REFUSED], [FAILED_ROW]).exact


def test_a_call_cut_midway_may_have_arrived_or_not() -> None:
    cut = ServedCall("chat/completions", "m", 200, streamed=True, complete=False)
    failed = {"inference_data": {"status": "error", "request_model": "m"}}
    served = [answered("a", "one"), cut]
    assert reconcile(served, [row("one", "a")]).exact
    assert reconcile(served, [row("one", "a"), failed]).exact
