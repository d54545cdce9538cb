"""One row of a request, checked against the model: pure, and as strict as a careful server."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from otel_arthur.inference import fields
from otel_arthur.local.v3.models import Attribute, Model
from otel_arthur.local.v3.value_types import Refused, json_type, object_of, problem, utc_timestamp

_GROUND_TRUTH_KEYS: Final = frozenset({"partner_inference_id", "ground_truth_timestamp", "ground_truth_data"})
_INFERENCE_KEYS: Final = _GROUND_TRUTH_KEYS | {"inference_timestamp", "batch_id", "inference_data"}


@dataclass(frozen=True, slots=True)
class InferenceRow:
    """One inference ready to store; timestamps in UTC with six decimals."""

    partner_inference_id: str
    inference_timestamp: str
    inference_data: Mapping[str, Any]
    batch_id: str | None = None
    ground_truth_timestamp: str | None = None
    ground_truth_data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class GroundTruthRow:
    """The ground truth of one inference, ready to store."""

    partner_inference_id: str
    ground_truth_timestamp: str
    ground_truth_data: Mapping[str, Any]


def read_inference(row: Any, model: Model, now: str) -> InferenceRow:
    """One element of the body of ``POST /models/{id}/inferences``.

    A missing id or timestamp is assigned, as Arthur does; `now` is the timestamp to assign.

    Raises:
        Refused: naming what is wrong.
    """
    values = _known(row, _INFERENCE_KEYS)
    data = _data(values, "inference_data", model)
    for attribute in model.attributes.values():
        if attribute.is_required and data.get(attribute.name) is None:
            raise Refused(
                f"inference_data: required attribute {attribute.name!r} ({attribute.stage}) is missing"
            )
    _check_token_counts(data, model)
    truth = _data(values, "ground_truth_data", model) if values.get("ground_truth_data") is not None else None
    batch_id = values.get("batch_id")
    if batch_id is not None and not isinstance(batch_id, str):
        raise Refused(f"batch_id must be a string, not {json_type(batch_id)}")
    return InferenceRow(
        partner_inference_id=_identity(values) or str(uuid.uuid4()),
        inference_timestamp=_timestamp(values, "inference_timestamp") or now,
        inference_data=data,
        batch_id=batch_id,
        ground_truth_timestamp=_timestamp(values, "ground_truth_timestamp") or (now if truth else None),
        ground_truth_data=truth,
    )


def read_ground_truth(row: Any, model: Model, now: str) -> GroundTruthRow:
    """One element of the body of ``PATCH /models/{id}/inferences``.

    Raises:
        Refused: naming what is wrong.
    """
    values = _known(row, _GROUND_TRUTH_KEYS)
    identity = _identity(values)
    if identity is None:
        raise Refused("partner_inference_id is missing: ground truth belongs to an inference")
    data = _data(values, "ground_truth_data", model)
    if not data:
        raise Refused("ground_truth_data is empty")
    return GroundTruthRow(identity, _timestamp(values, "ground_truth_timestamp") or now, data)


def nested(row: Any, model: Model, batch_id: str | None = None) -> Any:
    """A flat row of a bulk file (attributes beside reserved keys) in the form of the other requests.

    The form's `batch_id` goes before a row's own.
    """
    if not isinstance(row, dict):
        return row
    values: dict[str, Any] = cast("dict[str, Any]", row)
    if "inference_data" in values or "ground_truth_data" in values:
        same = dict(values)
        if batch_id is not None and "inference_data" in values:
            same["batch_id"] = batch_id
        return same
    result = {key: value for key, value in values.items() if key in _INFERENCE_KEYS}
    truth: dict[str, Any] = {}
    data: dict[str, Any] = {}
    for key, value in values.items():
        if key not in _INFERENCE_KEYS:
            attribute = model.attributes.get(key)
            (truth if attribute is not None and attribute.is_ground_truth else data)[key] = value
    if data:
        result["inference_data"] = data
        if batch_id is not None:
            result["batch_id"] = batch_id
    if any(value is not None for value in truth.values()):
        result["ground_truth_data"] = truth
    return result


def _known(row: Any, allowed: frozenset[str]) -> dict[str, Any]:
    """The row, without any other key."""
    values = object_of(row, "the row")
    unknown = sorted(values.keys() - allowed)
    if unknown:
        raise Refused(f"unknown key {unknown[0]!r}: a row has {', '.join(sorted(allowed))}")
    return values


def _identity(values: Mapping[str, Any]) -> str | None:
    identity = values.get("partner_inference_id")
    if identity is None:
        return None
    if not isinstance(identity, str) or not identity:
        raise Refused(f"partner_inference_id must be a non-empty string, not {json_type(identity)}")
    return identity


def _timestamp(values: Mapping[str, Any], key: str) -> str | None:
    if values.get(key) is None:
        return None
    try:
        return utc_timestamp(values[key])
    except ValueError as error:
        raise Refused(f"{key} {error}") from None


def _data(values: Mapping[str, Any], key: str, model: Model) -> dict[str, Any]:
    """The map under `key`, each value checked against its attribute."""
    if values.get(key) is None:
        raise Refused(f"{key} is missing")
    data = object_of(values[key], key)
    for name, value in data.items():
        attribute = _placed(name, key, model)
        fault = None if value is None else problem(value, attribute.value_type)
        if fault is not None:
            raise Refused(f"{key}: attribute {name!r} ({attribute.value_type}) {fault}")
    return data


def _placed(name: str, key: str, model: Model) -> Attribute:
    attribute = model.attributes.get(name)
    if attribute is None:
        raise Refused(f"{key}: {name!r} is not an attribute of the model")
    if attribute.is_ground_truth != (key == "ground_truth_data"):
        other = "ground_truth_data" if attribute.is_ground_truth else "inference_data"
        raise Refused(f"{key}: attribute {name!r} is of stage {attribute.stage} and belongs in {other}")
    return attribute


def _check_token_counts(data: Mapping[str, Any], model: Model) -> None:
    """Likelihoods come one map per output token."""
    by_type = {
        model.attributes[name].value_type: (name, value)
        for name, value in data.items()
        if value is not None and model.attributes[name].stage == fields.PREDICTED_STAGE
    }
    if fields.TOKENS not in by_type or fields.LIKELIHOODS not in by_type:
        return
    (tokens_name, tokens), (likelihoods_name, likelihoods) = (
        by_type[fields.TOKENS],
        by_type[fields.LIKELIHOODS],
    )
    if len(tokens) != len(likelihoods):
        raise Refused(
            f"inference_data: {likelihoods_name!r} has {len(likelihoods)} maps "
            f"for the {len(tokens)} tokens of {tokens_name!r}"
        )
