"""Functions recorded as calls, and objects of the writer's own shape: nothing of them is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_arthur.genai.dialects import DIALECTS
from otel_arthur.genai.span import SpanView
from tests.genai.spans import halves, span

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Is it late?"}]


def langfuse(asked: Any, said: str) -> SpanView:
    return span(
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.input": json.dumps(asked),
            "langfuse.observation.output": said,
        }
    )


def langsmith(asked: Any, said: Any) -> SpanView:
    written = {"gen_ai.prompt": json.dumps(asked), "gen_ai.completion": json.dumps(said)}
    return span({"langsmith.span.kind": "llm", **written})


def mlflow(asked: Any, said: Any) -> SpanView:
    written = {"mlflow.spanInputs": json.dumps(asked), "mlflow.spanOutputs": json.dumps(said)}
    return span({"mlflow.spanType": '"LLM"', **written})


@pytest.mark.parametrize(
    "arguments",
    [
        {"args": [MESSAGES], "kwargs": {}},
        {"args": [], "kwargs": {"messages": MESSAGES}},
        {"args": MESSAGES, "kwargs": {}},
    ],
)
def test_messages_among_a_functions_arguments_are_the_messages(arguments: Any) -> None:
    assert halves(langfuse(arguments, '"Half past."')) == (["Be brief.", "Is it late?"], ["Half past."])


def test_other_arguments_are_their_json() -> None:
    asked = {"args": ["Is it late?"], "kwargs": {"style": "short"}}
    assert halves(langfuse(asked, '"Half past."')) == ([json.dumps(asked)], ["Half past."])


@pytest.mark.parametrize("write", [langsmith, mlflow])
def test_an_object_of_ones_own_is_its_json(write: Any) -> None:
    asked, said = {"question": "Is it late?", "depth": 3}, {"answer": "Half past.", "score": 0.7}
    assert halves(write(asked, said)) == ([json.dumps(asked)], [json.dumps(said)])
    mixed = write({"messages": MESSAGES}, said)
    assert halves(mixed) == (["Be brief.", "Is it late?"], [json.dumps(said)])


def test_the_bare_result_of_a_function_is_the_text() -> None:
    assert halves(langsmith({"question": "Is it late?"}, {"output": "Half past."}))[1] == ["Half past."]


def test_a_dialect_has_a_switch_for_messages_or_says_why_there_is_none() -> None:
    silent = [one.name for one in DIALECTS if not one.content_switch and not one.content_note]
    assert silent == []
