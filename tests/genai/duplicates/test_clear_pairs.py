"""Pairs told at a glance are those that the long way finds, and change nothing of what it finds besides."""

from __future__ import annotations

import random

import pytest

from otel_arthur.genai.duplicates import matching
from otel_arthur.genai.duplicates.evidence import Evidence
from otel_arthur.genai.duplicates.matching import duplicates
from otel_arthur.genai.duplicates.pairs import clear_pairs


def world(chance: random.Random) -> list[Evidence]:
    """Few ids, times, words and scopes, so that much of it is near to much else."""
    found: list[Evidence] = []
    scopes = ["langchain", "openai", "anthropic"][: chance.choice([1, 2, 2, 3])]
    for number in range(chance.randrange(2, 14)):
        start = chance.randrange(0, 40) * 1_000_000
        words = None if chance.random() < 0.15 else chance.randrange(6)
        found.append(
            Evidence(
                trace_id=f"{chance.choice([1, 1, 2]):032x}",
                span_id=f"{number:016x}",
                parent_span_id=f"{chance.randrange(14):016x}" if chance.random() < 0.6 else None,
                scope=chance.choice(scopes),
                start_ns=start,
                end_ns=start + chance.choice([0, 5, 10, 40]) * 1_000_000,
                failed=chance.random() < 0.1,
                response_id=f"r-{chance.randrange(8)}" if chance.random() < 0.5 else None,
                question=words,
                answer=words if chance.random() < 0.9 else chance.randrange(6),
                models=("m",),
                tokens=(chance.randrange(2), 1),
                process=chance.choice(["app\0", "app\0", "app\0", "gateway\0"]),
                rank=chance.randrange(4),
                above=(f"{chance.randrange(14):016x}", f"{chance.randrange(14):016x}")
                if chance.random() < 0.1
                else (),
            )
        )
    return found


@pytest.mark.parametrize("seed", range(20))
def test_the_short_way_finds_what_the_long_way_finds(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    worlds = [world(chance) for _ in range(200)]
    found = [duplicates(one) for one in worlds]
    monkeypatch.setattr(matching, "clear_pairs", lambda *_: [])
    for one, losers in zip(worlds, found, strict=True):
        assert losers == duplicates(one)
    assert any(found)


def test_calls_told_twice_are_told_at_a_glance() -> None:
    """Else the test above would hold of nothing."""
    chance = random.Random(1)
    worlds = [world(chance) for _ in range(400)]
    homes = [{call.key: call for call in one} for one in worlds]
    assert sum(len(clear_pairs(one, home, set())) for one, home in zip(worlds, homes, strict=True)) > 10
