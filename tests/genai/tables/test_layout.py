"""What is remembered of the spans that were read stays small, whoever writes them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from otel_arthur.genai.reading import read
from otel_arthur.genai.span import SpanView


def with_long_scopes() -> Iterator[tuple[str, dict[str, object]]]:
    for number in range(300):
        yield f"opentelemetry.instrumentation.{number}" + "x" * 100_000, {}


def with_many_names() -> Iterator[tuple[str, dict[str, object]]]:
    for number in range(100):
        yield f"scope {number}", {chr(0x4E00 + each): 1 for each in range(8000)}


@pytest.mark.parametrize("hostile", [with_long_scopes, with_many_names])
def test_what_hostile_spans_are_called_is_not_kept(hostile: object) -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for scope, attributes in hostile():  # type: ignore[operator]
            span = {"gen_ai.request.model": "m", **attributes}
            read(SpanView("a" * 32, "b" * 16, None, "n", scope, "", 0, 1, 0, "", span, [], {}, 0))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Of 30 MB and of as many that were read.
    assert after - before < 3_000_000
