"""A model's document, checked when it is onboarded, and the attributes that rows are checked against."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from otel_arthur.inference import fields
from otel_arthur.local.v3.value_types import VALUE_TYPES, Refused, json_type, object_of

_INPUT_TOKENS_STAGE: Final = "PREDICT_FUNCTION_INPUT"
"""From the SDK's ``build_token_sequence_model(input_token_column=...)``; the bridge never fills it."""
STAGES: Final = (
    fields.INPUT_STAGE,
    _INPUT_TOKENS_STAGE,
    fields.PREDICTED_STAGE,
    fields.METADATA_STAGE,
    fields.GROUND_TRUTH_STAGE,
)
READY: Final = "Ready"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Attribute:
    """The part of a model's attribute that checks a value."""

    name: str
    value_type: str
    stage: str

    @property
    def is_ground_truth(self) -> bool:
        return self.stage == fields.GROUND_TRUTH_STAGE

    @property
    def is_required(self) -> bool:
        """The input text and the predicted text must be in every inference."""
        return self.value_type == fields.TEXT and self.stage in (fields.INPUT_STAGE, fields.PREDICTED_STAGE)


@dataclass(frozen=True, slots=True)
class Model:
    id: str
    document: Mapping[str, Any]
    """As ``GET /models/{id}?expand=attributes`` answers it."""
    attributes: Mapping[str, Attribute]

    @property
    def name(self) -> str:
        """The model's name for people."""
        return str(self.document.get("display_name") or self.document["partner_model_id"])

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Model:
        """Read a stored document, which `new_document` made."""
        attributes = (
            Attribute(one["name"], one["value_type"], one["stage"]) for one in document["attributes"]
        )
        return cls(document["id"], document, {one.name: one for one in attributes})


def new_document(request: Any) -> dict[str, Any]:
    """The document of a new model from the body of ``POST /models``, with ids and status assigned.

    Raises:
        Refused: the detail names the attribute and the fault.
    """
    document = dict(object_of(request, "the model"))
    for key in ("input_type", "output_type"):
        _text(document, key, "the model", required=True)
    for key in ("partner_model_id", "display_name"):
        _text(document, key, "the model", required=False)
    attributes = document.get("attributes")
    if not isinstance(attributes, list) or not attributes:
        raise Refused("the model needs 'attributes', an array of at least one")
    document["attributes"] = _attributes(cast("list[Any]", attributes))
    model_id = str(uuid.uuid4())
    return {
        **document,
        "id": model_id,
        "partner_model_id": document.get("partner_model_id") or model_id,
        "status": READY,
        "model_group_id": str(uuid.uuid4()),
        "version_sequence_num": 1,
    }


def _attributes(requested: list[Any]) -> list[dict[str, Any]]:
    attributes: list[dict[str, Any]] = []
    names: set[str] = set()
    for index, one in enumerate(requested):
        attribute = object_of(one, f"attribute {index}")
        name = _text(attribute, "name", f"attribute {index}", required=True)
        if _NAME.match(name) is None:
            raise Refused(
                f"attribute name {name!r}: letters, digits and underscore only, not starting with a digit"
            )
        if name in names:
            raise Refused(f"attribute {name!r} is there twice")
        names.add(name)
        _one_of(attribute, "value_type", VALUE_TYPES, name)
        _one_of(attribute, "stage", STAGES, name)
        attributes.append({**attribute, "id": str(uuid.uuid4()), "implicit": bool(attribute.get("implicit"))})
    for attribute in attributes:
        link = attribute.get("token_attribute_link")
        if link is not None and link not in names:
            raise Refused(
                f"attribute {attribute['name']!r}: token_attribute_link {link!r} is not an attribute"
            )
    return attributes


def _text(holder: Mapping[str, Any], key: str, where: str, *, required: bool) -> str:
    value = holder.get(key)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or not value:
        raise Refused(f"{where} needs {key!r}, a non-empty string, not {json_type(value)}")
    return value


def _one_of(attribute: Mapping[str, Any], key: str, allowed: tuple[str, ...], name: str) -> None:
    value = attribute.get(key)
    if value not in allowed:
        raise Refused(f"attribute {name!r}: {key} {value!r} is none of {', '.join(allowed)}")
