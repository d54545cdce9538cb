"""What a writer of a dialect gives: the attributes and events of one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from otel_arthur.genai.span import EventView, SpanView
from tests.genai.spans import END, START

MODEL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "wren-1"}


class Written(NamedTuple):
    """What a writer puts onto a span."""

    attributes: Mapping[str, Any]
    events: Sequence[EventView] = ()


class Writer(NamedTuple):
    """One way to write a call."""

    dialect: str
    scope: str
    write: Callable[[str, str], Written]
    name: str = "chat wren-1"

    def span(self, question: str, answer: str) -> SpanView:
        """The finished span of a call."""
        written = self.write(question, answer)
        return SpanView(
            *("a" * 32, "b" * 16, None, self.name, self.scope, "1.0", START, END, 0, ""),
            attributes=written.attributes,
            events=written.events,
            resource={},
            dropped_attributes=0,
        )


def chat(question: str, answer: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """OpenAI's messages: what was sent, and the answer."""
    return [{"role": "user", "content": question}], {"role": "assistant", "content": answer}
