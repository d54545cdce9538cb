"""A model's schema: which attribute takes which field, and of what type its value must be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, cast

from otel_arthur.genai.json_text import json_text
from otel_arthur.inference import fields
from otel_arthur.inference.fields import FIELDS


class AttributeLike(Protocol):
    """What is read of an attribute of an Arthur model (``GET /models/{id}?expand=attributes``)."""

    @property
    def name(self) -> str: ...
    @property
    def value_type(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def implicit(self) -> bool: ...


class SchemaError(ValueError):
    """The model cannot take inferences of a generative text model; the message says what it lacks."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One attribute of the model and where its value comes from."""

    attribute: str
    value_type: str
    field: str
    """A field of the catalogue, or the name of one of the user's extra fields."""
    is_extra: bool = False
    """One of the user's own fields (``OTEL_EXPORTER_ARTHUR_ATTRIBUTES``), whatever its name."""

    @property
    def is_required_text(self) -> bool:
        """Whether Arthur refuses a row that lacks it."""
        return self.field in ("input_text", "output_text") and self.value_type == fields.TEXT


@dataclass(frozen=True, slots=True)
class Schema:
    """The attributes of one model that the bridge fills, in the model's order."""

    slots: tuple[Slot, ...]
    unfilled: tuple[str, ...] = ()
    """Attributes that the application alone can fill, with ``otel_arthur.context``; ground truth is not among
    them."""
    ground_truth: Mapping[str, str] = field(default_factory=dict[str, str])
    """Ground truth attributes, name -> value type."""

    def has(self, *names: str) -> bool:
        """Whether any of these fields of the catalogue has a place in the model."""
        return any(slot.field in names for slot in self.slots)


def schema_of(attributes: Iterable[AttributeLike], extra: Iterable[str] = ()) -> Schema:
    """The schema of a model from its attributes; `extra` are names of the user's own fields.

    The first input text and the first predicted text take input and output whatever they are
    called, tokens and likelihoods are found by type, all else by name.

    Raises:
        SchemaError: the model has no text input or no text output.
    """
    extra_names = frozenset(extra)
    slots: list[Slot] = []
    unfilled: list[str] = []
    ground_truth: dict[str, str] = {}
    for attribute in attributes:
        if attribute.implicit:
            continue
        if attribute.stage == fields.GROUND_TRUTH_STAGE:
            ground_truth[attribute.name] = attribute.value_type
            continue
        source = _source(attribute, slots, extra_names)
        if source is None:
            unfilled.append(attribute.name)
        is_extra = source is None or attribute.name in extra_names
        slots.append(Slot(attribute.name, attribute.value_type, source or attribute.name, is_extra))
    taken = {slot.field for slot in slots}
    lacking = [
        description
        for name, description in (
            ("input_text", f"an input text ({fields.INPUT_STAGE} of type {fields.TEXT})"),
            ("output_text", f"an output text ({fields.PREDICTED_STAGE} of type {fields.TEXT})"),
        )
        if name not in taken
    ]
    if lacking:
        raise SchemaError(
            f"the model has no attribute for {' and '.join(lacking)}; "
            "`otel-arthur onboard NAME` creates a model that has them"
        )
    return Schema(tuple(slots), tuple(unfilled), ground_truth)


def _source(attribute: AttributeLike, slots: list[Slot], extra: frozenset[str]) -> str | None:
    """The field that fills an attribute, or None."""
    if attribute.name in extra:
        return attribute.name
    by_type = {
        (fields.INPUT_STAGE, fields.TEXT): "input_text",
        (fields.PREDICTED_STAGE, fields.TEXT): "output_text",
        (fields.PREDICTED_STAGE, fields.TOKENS): "output_tokens",
        (fields.PREDICTED_STAGE, fields.LIKELIHOODS): "output_likelihoods",
    }.get((attribute.stage, attribute.value_type))
    if by_type is not None and all(slot.field != by_type for slot in slots):
        return by_type
    return attribute.name if attribute.name in FIELDS else None


def coerced(value: Any, value_type: str) -> Any:
    """`value` as Arthur's `value_type` wants it, or None where it cannot be."""
    if value_type in (fields.TEXT, fields.STRING):
        return _text(value)
    coerce = _COERCIONS.get(value_type)
    return coerce(value) if coerce is not None else None


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return json_text(value)


def _integer(value: Any) -> int | None:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return None
    return int(value) if isinstance(value, float) and value.is_integer() else None


def _float(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return None


def _timestamp(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment.isoformat() if moment.tzinfo is not None else None


def _strings(value: Any) -> list[str] | None:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list | tuple):
        return None
    items = cast("list[Any] | tuple[Any, ...]", value)
    return [item if isinstance(item, str) else str(item) for item in items]


def _list(value: Any) -> list[Any] | None:
    return list(cast("list[Any] | tuple[Any, ...]", value)) if isinstance(value, list | tuple) else None


_COERCIONS = {
    fields.INTEGER: _integer,
    fields.FLOAT: _float,
    fields.BOOLEAN: _boolean,
    fields.TIMESTAMP: _timestamp,
    fields.STRINGS: _strings,
    fields.TOKENS: _list,
    fields.LIKELIHOODS: _list,
}
