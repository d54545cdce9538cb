"""Text that is JSON is text: a question or an answer that looks like data comes back word for word."""

from __future__ import annotations

import pytest

from otel_arthur.genai.dialects import DIALECTS
from otel_arthur.genai.reading import read
from tests.genai.writers import WRITERS
from tests.genai.written import Writer

TEXTS = (
    '{"berries": 12}',
    '{ "berries" : 12 , "ripe": null }',
    '["red", "blue"]',
    "[1, 2, 3]",
    "[]",
    "{}",
    "[{}]",
    '[{"name": "Ada"}, {"name": "Bob"}]',
    '{"a": {"b": [{"c": "d"}]}}',
    '{"text": "a sheet bend"}',
    '{"answer": "June.", "score": 0.7}',
    '{"output": "June."}',
    '{"message": "all is well"}',
    '{"role": "admin"}',
    '{"type": "text"}',
    '{"name": "f", "arguments": {"x": 1}}',
    "true",
    "null",
    "7",
    "-0.50",
    '"7"',
    '"in quotes"',
    '{"cut": "of',
    "[Note] see {below}",
    "{'python': 'dict'}",
    '```json\n{"a": 1}\n```',
)
QUESTION, ANSWER = "Which one?", "That one."


def test_every_dialect_has_a_writer() -> None:
    assert {writer.dialect for writer in WRITERS} == {dialect.name for dialect in DIALECTS}
    assert len(TEXTS) == 26


@pytest.mark.parametrize("writer", WRITERS, ids=[f"{w.dialect}-{w.write.__name__}" for w in WRITERS])
def test_what_is_written_is_read(writer: Writer) -> None:
    reading = read(writer.span(QUESTION, ANSWER))
    assert reading.dialect is not None
    assert reading.dialect.name == writer.dialect
    wrong: list[tuple[str, str, str | None]] = []
    for text in TEXTS:
        for question, answer in ((text, ANSWER), (QUESTION, text)):
            call = read(writer.span(question, answer)).call
            asked = call.messages[-1].text if call is not None and call.messages else None
            said = call.choices[0].message.text if call is not None and len(call.choices) == 1 else None
            wrong += [("asked", text, asked)] if asked != question else []
            wrong += [("said", text, said)] if said != answer else []
    assert wrong == []
