"""`Trees`: each trace becomes one tree with a root, in whatever order its spans come."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_arthur.engine.trees import Departure, Trees, Words
from otel_arthur.genai.steps.step import Frame

TRACE = "a" * 32


def frame(
    name: str, parent: str | None = None, *, remote: bool = False, start: int = 1, end: int = 9
) -> Frame:
    return Frame(TRACE, name, parent, remote, f"span {name}", start, end)


def words(number: int) -> Words:
    return Words(number, f"question {number}", number, f"answer {number}")


def tree(departures: list[Departure]) -> dict[str, str | None]:
    return {one.frame.span_id: one.parent_span_id for one in departures}


PATH = {"root": None, "handler": "root", "agent": "handler", "db": "handler"}


@pytest.mark.parametrize("order", list(permutations(["root", "handler", "agent", "db", "call"])))
def test_in_any_order_the_path_to_the_root_goes_and_nothing_beside_it(order: tuple[str, ...]) -> None:
    trees = Trees()
    gone: list[Departure] = []
    for name in order:
        if name == "call":
            gone += trees.joins(frame("call", "agent"), words(1), "row")
        elif name == "agent":
            gone += trees.joins(frame("agent", "handler"))
        else:
            gone += trees.passes(frame(name, PATH[name]), 0.0)
    assert tree(gone) == {"root": None, "handler": "root", "agent": "handler", "call": "agent"}
    assert len(gone) == 4
    assert [one.frame.span_id for one in gone if one.is_root] == ["root"]
    assert trees.words_of((TRACE, "root")) == words(1)


@given(st.permutations([("root", 0), ("call", 1), ("call", 2), ("call", 3)]))
def test_a_root_has_the_first_input_and_the_last_output(order: list[tuple[str, int]]) -> None:
    trees = Trees()
    for name, number in order:
        if name == "root":
            trees.passes(frame("root"), 0.0)
        else:
            trees.joins(frame(f"call {number}", "root"), words(number), f"row {number}")
    assert trees.words_of((TRACE, "root")) == Words(1, "question 1", 3, "answer 3")
    assert sorted(trees.calls_of(TRACE)) == ["row 1", "row 2", "row 3"]


def test_two_roots_of_one_trace_have_the_words_of_their_own_calls() -> None:
    trees = Trees()
    for task in (1, 2):
        trees.joins(frame(f"call {task}", f"task {task}"), words(task))
        (departure,) = trees.passes(frame(f"task {task}", "producer", remote=True), 0.0)
        assert (departure.is_root, departure.parent_span_id, departure.words) == (True, None, words(task))


def test_a_remote_parent_is_kept_where_it_is_wanted() -> None:
    trees = Trees(keep_remote=True)
    trees.joins(frame("call", "server"), words(1))
    (server,) = trees.passes(frame("server", "client", remote=True), 0.0)
    assert (server.is_root, server.parent_span_id, server.words) == (True, "client", words(1))
    # The other process's spans may pass here too.
    (client,) = trees.passes(frame("client"), 0.0)
    assert (client.is_root, client.words) == (True, words(1))


@pytest.mark.parametrize("limits", [{"kept": 1}, {"seconds": 1.0}], ids=str)
def test_what_is_no_longer_kept_makes_its_child_a_root_and_is_counted(limits: dict[str, float]) -> None:
    trees = Trees(**limits)  # type: ignore[arg-type]
    trees.passes(frame("handler"), 0.0)
    trees.passes(frame("other"), 2.0)
    (call,) = trees.joins(frame("call", "handler"), words(1))
    assert (call.parent_span_id, call.is_root, call.is_orphan) == (None, True, True)


def test_a_circle_of_parents_ends() -> None:
    trees = Trees()
    trees.passes(frame("a", "b"), 0.0)
    trees.joins(frame("b", "a"), words(1))
    trees.joins(frame("call", "a"), words(1))
    trees.joins(frame("own", "own"), words(1))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from otel_arthur.engine import trees as module

    monkeypatch.setattr(module, "NAMES", 10)
    monkeypatch.setattr(module, "CHARACTERS", 100)
    trees = Trees(kept=10)
    for number in range(200):
        trees.passes(frame(f"kept {number}"), 0.0)
        trees.joins(frame(f"call {number}", f"root {number}"), words(number), f"row {number}")
        trees.joins(Frame(f"{number}", "b", "c", False, "", 1, 2), None, f"row {number}")
    held = [vars(trees)[name] for name in ("_kept", "_wanted", "_gone", "_sent", "_words", "_calls")]
    assert all(len(one) <= 10 for one in held)
    assert sum(len(text or "") for one in vars(trees)["_words"].values() for text in one[1::2]) <= 100
