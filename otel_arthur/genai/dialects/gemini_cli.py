"""Gemini CLI: semantic conventions, with operations and a message for each piece of a stream of its own.

Finish reasons and the answering model stand in a log record that names no span.
"""

from __future__ import annotations

from collections.abc import Sequence

from otel_arthur.genai import calls
from otel_arthur.genai.attributes import SpanAttributes
from otel_arthur.genai.call import Choice, Message, Part, TextPart
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import Place
from otel_arthur.genai.tables.sources import Source, answers_at

_said = answers_at("gen_ai.output.messages")


def _operation(view: SpanView) -> str | None:
    called = view.attributes.get("gen_ai.operation.name")
    return "chat" if called == "llm_call" else calls.operation(view)


def _answer(attributes: SpanAttributes) -> Sequence[Choice]:
    """One answer of all pieces: the CLI asks for one."""
    parts: list[Part] = []
    for part in (part for choice in _said.read(attributes) for part in choice.message.parts):
        if isinstance(part, TextPart) and parts and isinstance(parts[-1], TextPart):
            parts[-1] = TextPart(parts[-1].text + part.text)
        else:
            parts.append(part)
    return [Choice(Message("assistant", tuple(parts)))] if parts else []


DIALECT = Dialect(
    name="gemini-cli",
    reference="https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/telemetry.md",
    scopes=("gemini-cli",),
    operation=_operation,
    fields=semconv.FIELDS,
    answer=(Source(_answer, _said.places),),
    system=(Place("gen_ai.system_instructions", (".",)),),
    # What it logs of a request joins the span, words or not.
    hides_answers=True,
    content_switch="GEMINI_TELEMETRY_TRACES_ENABLED=true",
)
