"""Which attribute of a model takes which field, and how values are fitted to types."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from otel_arthur.inference.schema import Schema, SchemaError, Slot, coerced, schema_of


class Attribute(NamedTuple):
    name: str
    value_type: str
    stage: str = "NON_INPUT_DATA"
    implicit: bool = False


PROMPT = Attribute("the_prompt", "UNSTRUCTURED_TEXT", "PIPELINE_INPUT")
ANSWER = Attribute("the_answer", "UNSTRUCTURED_TEXT", "PREDICTED_VALUE")


def sources(schema: Schema) -> dict[str, str]:
    return {slot.attribute: slot.field for slot in schema.slots}


def test_texts_are_found_by_stage_whatever_they_are_called() -> None:
    assert sources(schema_of([PROMPT, ANSWER])) == {"the_prompt": "input_text", "the_answer": "output_text"}


def test_only_the_first_text_of_a_stage_is_taken() -> None:
    second = Attribute("context", "UNSTRUCTURED_TEXT", "PIPELINE_INPUT")
    schema = schema_of([PROMPT, second, ANSWER])

    assert sources(schema)["context"] == "context"  # for the application to fill
    assert schema.unfilled == ("context",)


def test_tokens_are_found_by_type_and_the_rest_by_name() -> None:
    schema = schema_of(
        [
            PROMPT,
            ANSWER,
            Attribute("toks", "TOKENS", "PREDICTED_VALUE"),
            Attribute("probs", "TOKEN_LIKELIHOODS", "PREDICTED_VALUE"),
            Attribute("duration", "FLOAT"),
            Attribute("mood", "STRING"),
        ]
    )

    assert sources(schema)["toks"] == "output_tokens"
    assert sources(schema)["probs"] == "output_likelihoods"
    assert sources(schema)["duration"] == "duration"
    assert schema.unfilled == ("mood",)


def test_the_users_own_fields_have_a_place() -> None:
    schema = schema_of([PROMPT, ANSWER, Attribute("tenant", "STRING")], extra=["tenant"])

    assert sources(schema)["tenant"] == "tenant"


def test_implicit_attributes_are_not_sent_and_ground_truth_is_apart() -> None:
    schema = schema_of(
        [
            PROMPT,
            ANSWER,
            Attribute("duration", "FLOAT", implicit=True),
            Attribute("expected", "UNSTRUCTURED_TEXT", "GROUND_TRUTH"),
        ]
    )

    assert set(sources(schema)) == {"the_prompt", "the_answer"}
    assert schema.ground_truth == {"expected": "UNSTRUCTURED_TEXT"}
    assert schema.unfilled == ()


@pytest.mark.parametrize(
    ("attributes", "lacking"),
    [([ANSWER], "input text"), ([PROMPT], "output text"), ([], "input text")],
)
def test_a_model_without_a_text_is_refused_by_name_of_what_it_lacks(
    attributes: list[Attribute], lacking: str
) -> None:
    with pytest.raises(SchemaError, match=rf"{lacking}.*otel-arthur onboard"):
        schema_of(attributes)


@pytest.mark.parametrize(
    ("value", "value_type", "fitted"),
    [
        ("7", "INTEGER", 7),
        (7.0, "INTEGER", 7),
        (7.5, "INTEGER", None),
        (True, "INTEGER", 1),
        ("seven", "INTEGER", None),
        (3, "FLOAT", 3.0),
        ("0.5", "FLOAT", 0.5),
        ([], "FLOAT", None),
        (12, "STRING", "12"),
        (True, "STRING", "true"),
        ({"a": 1}, "STRING", '{"a":1}'),
        ("true", "BOOLEAN", True),
        ("maybe", "BOOLEAN", None),
        (1, "BOOLEAN", None),
        ("2026-11-22T12:00:00Z", "TIMESTAMP", "2026-11-22T12:00:00+00:00"),
        ("2026-11-22T12:00:00", "TIMESTAMP", None),
        ("one", "ARRAY(STRING)", ["one"]),
        (("a", 1), "ARRAY(STRING)", ["a", "1"]),
        (3, "ARRAY(STRING)", None),
        (("a", "b"), "TOKENS", ["a", "b"]),
        ("x", "A_TYPE_OF_TOMORROW", None),
    ],
)
def test_values_are_coerced_or_left_out(value: Any, value_type: str, fitted: Any) -> None:
    result = coerced(value, value_type)

    assert result == fitted
    assert type(result) is type(fitted)


def test_slots_remember_the_models_order() -> None:
    assert schema_of([ANSWER, PROMPT]).slots == (
        Slot("the_answer", "UNSTRUCTURED_TEXT", "output_text"),
        Slot("the_prompt", "UNSTRUCTURED_TEXT", "input_text"),
    )
