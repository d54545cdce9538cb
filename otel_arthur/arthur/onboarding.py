"""The request that creates a generative text model, in the shape of the SDK's own (``POST /models``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from otel_arthur.arthur.models import NLP, TOKEN_SEQUENCE, Attribute
from otel_arthur.http.errors import ConfigurationError
from otel_arthur.inference import fields

INPUT_TEXT = "input_text"
OUTPUT_TEXT = "output_text"
OUTPUT_TOKENS = "output_tokens"
OUTPUT_LIKELIHOODS = "output_likelihoods"
EXPECTED_TEXT = "expected_text"

METADATA_TYPES = (
    fields.INTEGER,
    fields.FLOAT,
    fields.STRING,
    fields.BOOLEAN,
    fields.TIMESTAMP,
    fields.STRINGS,
)
TRUTH_TYPES = (fields.TEXT, *METADATA_TYPES)
_CATEGORICAL = (fields.TEXT, fields.STRING, fields.BOOLEAN)
METADATA_FIELDS: Mapping[str, str] = {
    field.name: field.value_type
    for field in fields.FIELDS.values()
    if field.stage == fields.METADATA_STAGE and field.value_type in METADATA_TYPES
}
"""Attributes that the bridge can fill besides the texts and tokens, name -> value type."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TEXTS_AND_TOKENS = (INPUT_TEXT, OUTPUT_TEXT, OUTPUT_TOKENS, OUTPUT_LIKELIHOODS, EXPECTED_TEXT)


def model_request(
    name: str,
    metadata: Mapping[str, str] = METADATA_FIELDS,
    *,
    tokens: bool = False,
    likelihoods: bool = False,
    ground_truth: bool | Mapping[str, str] = False,
) -> dict[str, Any]:
    """The body of ``POST /models``.

    Args:
        name: the partner model id and display name.
        metadata: name -> value type of attributes besides the input and output text, which are always there.
        tokens: adds the output's tokens, linked to the output text.
        likelihoods: adds a map of likelihoods per token, and the tokens, which Arthur wants as well.
        ground_truth: adds an expected text, or attributes of these names and value types.

    Raises:
        ConfigurationError: a name that Arthur does not take, or an unknown value type.
    """
    if not name.strip():
        raise ConfigurationError("the model's name is empty")
    for attribute, value_type in metadata.items():
        _check(attribute, value_type, METADATA_TYPES, "metadata")
    truths = {EXPECTED_TEXT: fields.TEXT} if ground_truth is True else dict(ground_truth or {})
    for attribute, value_type in truths.items():
        if attribute in metadata:
            raise ConfigurationError(f"{attribute} is ground truth and metadata; give it another name")
        if attribute != EXPECTED_TEXT:
            _check(attribute, value_type, TRUTH_TYPES, "ground truth")
    listed = _attributes(metadata, tokens or likelihoods, likelihoods, truths)
    return {
        "partner_model_id": name,
        "input_type": NLP,
        "output_type": TOKEN_SEQUENCE,
        "display_name": name,
        "is_batch": False,
        "archived": False,
        "attributes": [attribute.to_json() for attribute in listed],
    }


def _attributes(
    metadata: Mapping[str, str], tokens: bool, likelihoods: bool, truths: Mapping[str, str]
) -> Iterator[Attribute]:
    predicted = fields.PREDICTED_STAGE
    yield Attribute(INPUT_TEXT, fields.TEXT, fields.INPUT_STAGE, 0, categorical=True, is_unique=True)
    yield Attribute(
        OUTPUT_TEXT,
        fields.TEXT,
        predicted,
        0,
        categorical=True,
        token_attribute_link=OUTPUT_TOKENS if tokens else None,
    )
    if tokens:
        yield Attribute(OUTPUT_TOKENS, fields.TOKENS, predicted, 1, token_attribute_link=OUTPUT_TEXT)
    if likelihoods:
        yield Attribute(OUTPUT_LIKELIHOODS, fields.LIKELIHOODS, predicted, 2)
    for position, (name, value_type) in enumerate(truths.items()):
        yield Attribute(
            name,
            value_type,
            fields.GROUND_TRUTH_STAGE,
            position,
            categorical=value_type in _CATEGORICAL,
            is_unique=value_type == fields.TEXT,
        )
    for name, value_type in metadata.items():
        categorical = value_type in _CATEGORICAL
        yield Attribute(name, value_type, fields.METADATA_STAGE, categorical=categorical)


def _check(name: str, value_type: str, types: Sequence[str], what: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is no attribute name for Arthur: letters, digits and underscores, no digit first"
        )
    if name in _TEXTS_AND_TOKENS:
        raise ConfigurationError(
            f"{name} is no {what}: the texts are always there, tokens, likelihoods and ground truth are "
            "chosen by options"
        )
    if value_type not in types:
        raise ConfigurationError(
            f"{name}: {value_type!r} is no value type of {what}; use one of {', '.join(types)}"
        )
