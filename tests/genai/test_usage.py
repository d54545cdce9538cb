"""One meaning of each token count, whatever was counted; the complaints that users made of other tools."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_arthur.genai.call import Usage
from otel_arthur.genai.usage import inclusive

U = Usage


@pytest.mark.parametrize(
    ("reported", "meant"),
    [
        # OpenAI: the cache and the reasoning are parts of the counts.
        (U(100, 50, 150, cached=80, reasoning=30), U(100, 50, 150, cached=80, reasoning=30)),
        # langfuse#12306, pydantic-ai#4364: the cache counted twice, on top of an inclusive input.
        (U(100, 50, None, cached=80), U(100, 50, 150, cached=80)),
        # langfuse#11244: reasoning counted on top of an output that includes it.
        (U(10, 60, None, reasoning=40), U(10, 60, 70, reasoning=40)),
        # Anthropic and Bedrock: the input excludes the cache, as a part greater than its whole proves,
        (U(4, 50, None, cached=900, cache_write=100), U(1004, 50, 1054, cached=900, cache_write=100)),
        # or the total that is right only with it.
        (U(100, 50, 230, cached=80), U(180, 50, 230, cached=80)),
        (U(100, 50, 240, cached=80, cache_write=10), U(190, 50, 240, cached=80, cache_write=10)),
        # Gemini: thoughts are beside the candidates' tokens, and in the total.
        (U(10, 20, 70, reasoning=40), U(10, 60, 70, reasoning=40)),
        (U(10, 20, None, reasoning=40), U(10, 60, 70, reasoning=40)),
        # Both at once.
        (U(10, 20, 160, cached=90, reasoning=40), U(100, 60, 160, cached=90, reasoning=40)),
        # logfire#1280, openllmetry#2898: a stream without usage has no counts, not zeros.
        (U(), U()),
        (U(None, 7, None), U(None, 7, None)),
        (U(21, None, None), U(21, None, None)),
        # A total that says less than its parts is no total.
        (U(21, 7, 0), U(21, 7, 28)),
        # Tokens of tools that Gemini counts only in the total stay in it.
        (U(21, 7, 40), U(21, 7, 40)),
    ],
)
def test_the_parts_are_in_the_whole(reported: Usage, meant: Usage) -> None:
    assert inclusive(reported) == meant


@pytest.mark.parametrize(
    ("reported", "provider", "meant"),
    [
        # Gemini through OpenLLMetry: the thoughts are in the total alone.
        (U(500, 120, 630), "gcp.gemini", U(500, 130, 630)),
        (U(500, 120, 630, cached=400), "gcp.vertex_ai", U(500, 130, 630, cached=400)),
        (U(500, 120, 630, reasoning=10), "gcp.gemini", U(500, 130, 630, reasoning=10)),
        (U(500, 120, 620), "gcp.gemini", U(500, 120, 620)),
        (U(500, 120, 630), "openai", U(500, 120, 630)),
    ],
)
def test_a_total_decides_as_its_provider_counts(reported: Usage, provider: str, meant: Usage) -> None:
    assert inclusive(reported, provider) == meant


@pytest.mark.parametrize(
    ("reported", "meant"),
    [
        # Reads are in the input, writes are not, and the other way round.
        (U(100, 50, 160, cached=80, cache_write=10), U(110, 50, 160, cached=80, cache_write=10)),
        (U(100, 50, 230, cached=80, cache_write=10), U(180, 50, 230, cached=80, cache_write=10)),
        (U(100, 50, 172, cached=80, cache_write=10, reasoning=12), U(110, 62, 172, None, None, None)),
    ],
)
def test_a_total_tells_which_parts_it_has_beside(reported: Usage, meant: Usage) -> None:
    found = inclusive(reported)
    assert (found.input, found.output, found.total) == (meant.input, meant.output, meant.total)


def test_a_dialect_may_know_that_the_cache_is_outside() -> None:
    assert inclusive(U(100, 50, None, cached=80), cache_outside=True).input == 180
    assert inclusive(U(100, 50, None, reasoning=8), reasoning_outside=True).output == 58


COUNT = st.none() | st.integers(0, 10**9)


@given(st.builds(Usage, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT))
def test_once_is_enough_and_wholes_hold_their_parts(usage: Usage) -> None:
    once = inclusive(usage)
    assert inclusive(once) == once
    if once.input is not None:
        assert once.input >= (once.cached or 0) + (once.cache_write or 0)
    if once.output is not None:
        assert once.output >= (once.reasoning or 0)
    if once.input is not None and once.output is not None:
        assert once.total is not None
        assert once.total >= once.input + once.output
