"""`LLMCall` to inferences: one for each choice, with the fields that the model has a place for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from otel_arthur.genai.call import LLMCall, Message
from otel_arthur.inference import transcript
from otel_arthur.inference.fields import BEHIND, FIELDS, PLACES, STRING, TEXT, Field, Values, values_of
from otel_arthur.inference.identity import partner_inference_id
from otel_arthur.inference.privacy import Privacy, TextRules, Texts
from otel_arthur.inference.schema import Schema, Slot, coerced
from otel_arthur.inference.short_way import InputText, ShortWays
from otel_arthur.inference.times import rfc3339

_WORDS = (TEXT, STRING)
_COMPLETION = "text_completion"


def _prompt(operation: str | None, messages: Sequence[Message]) -> str | None:
    """A completion model's prompt as it is, as the callback handler sent it; None is the transcript."""
    if operation == _COMPLETION and all(message.role == "user" for message in messages):
        return "\n".join(message.text for message in messages)
    return None


_INPUT_FORMATS: Mapping[str, InputText] = {
    "transcript": _prompt,
    "last_user": lambda _, messages: transcript.last_user_text(messages) or "",
    "json": lambda _, messages: transcript.messages_json(messages),
}


class Inference(Struct, frozen=True):
    """Arthur's record of one choice of one call."""

    partner_inference_id: str
    inference_timestamp: str
    """RFC 3339 in UTC, when the call ended."""
    stem: int
    """So many characters of the id name the call."""
    data: dict[str, Any]
    left_out: Mapping[str, str]
    """Attribute -> why its value could not be given."""

    def as_json(self) -> dict[str, Any]:
        """The row of ``POST /models/{id}/inferences``."""
        return {
            "partner_inference_id": self.partner_inference_id,
            "inference_timestamp": self.inference_timestamp,
            "inference_data": self.data,
        }


class _Step(NamedTuple):
    """How one attribute of a row is made: all that can be decided before there is a call."""

    attribute: str
    value_type: str
    field: str
    place: int | None
    """Of the value; None of one of the user's own fields."""
    privacy: Privacy | None
    """None where the text rules leave the value as it is."""
    fits: bool
    """The field's own type is the attribute's: its values need no coercion."""


class Builder:
    """Builds the inferences of one model's calls; makes its plan once, so that a call costs little.

    With no schema the rows hold every field of the catalogue that has a value, under the
    catalogue's names: that is also the form in which calls wait for a schema (see `fit`).
    """

    __slots__ = (
        "_copied",
        "_has_truncated",
        "_keeps_extra",
        "_required",
        "_rules",
        "_steps",
        "input_text",
        "short_ways",
    )

    def __init__(self, schema: Schema | None = None, rules: TextRules | None = None) -> None:
        self._rules = rules or TextRules()
        self.input_text = _INPUT_FORMATS[self._rules.input_format]
        slots = _CATALOGUE if schema is None else schema.slots
        copied = [slot for slot in slots if _is_copied(slot, self._rules)]
        rest = [slot for slot in slots if slot not in copied]
        steps = [_step(slot, self._rules) for slot in rest]
        is_plain = all(step.fits and step.privacy is None for step in steps)
        if is_plain:
            copied += rest
        self._copied = tuple([(slot.attribute, PLACES[slot.field]) for slot in copied])
        self._steps = () if is_plain else tuple(steps)
        required = [slot.attribute for slot in slots if slot.is_required_text]
        self._required = () if schema is None else tuple(required)
        self._keeps_extra = schema is None
        self._has_truncated = any(slot.field == "truncated" and not slot.is_extra for slot in slots)
        self.short_ways = ShortWays(self) if is_plain else None
        """For planned calls whose values leave as they are."""

    def input_text_of(self, operation: str) -> InputText | None:
        """How the messages of such calls become an input's text; None is the transcript."""
        return None if self.input_text is _prompt and operation != _COMPLETION else self.input_text

    def inferences(self, call: LLMCall) -> list[Inference]:
        """One inference for each choice, or one for a call that failed without answering."""
        timestamp = rfc3339(call.end_ns)
        input_text = "" if self._rules.metadata_only else self.input_text(call.operation, call.messages)
        choices = values_of(call, input_text)
        return [self._inference(call, place, values, timestamp) for place, values in enumerate(choices)]

    def _inference(self, call: LLMCall, position: int, values: Values, timestamp: str) -> Inference:
        data = {name: values[place] for name, place in self._copied if values[place] is not None}
        left_out: dict[str, str] = {}
        texts = Texts(self._rules)
        for attribute, value_type, field, place, privacy, fits in self._steps:
            value = call.extra.get(field) if place is None else values[place]
            if value is not None and privacy is not None:
                value = texts.apply(value, privacy)
            if value is None:
                continue
            if not fits:
                found = value
                value = coerced(found, value_type)
                if value is None:
                    left_out[attribute] = f"a {type(found).__name__} does not fit {value_type}"
                    continue
            data[attribute] = value
        for attribute in self._required:
            if attribute not in data:
                data[attribute] = ""
        if self._keeps_extra and call.extra:
            extra = {name: texts.apply(value, Privacy.WORDS) for name, value in call.extra.items()}
            data.update({name: value for name, value in extra.items() if value is not None})
        if texts.cut and self._has_truncated:
            data["truncated"] = True
        identity = partner_inference_id(call.trace_id, call.span_id, position)
        return Inference(identity, timestamp, len(call.trace_id) + 1 + len(call.span_id), data, left_out)


def build(call: LLMCall, schema: Schema | None = None, rules: TextRules | None = None) -> list[Inference]:
    """The inferences of one call; for many calls of one model keep a `Builder`."""
    return Builder(schema, rules).inferences(call)


def fit(values: Mapping[str, Any], schema: Schema) -> tuple[dict[str, Any], dict[str, str]]:
    """Catalogue values as a model's ``inference_data``, and what was left out with the reason.

    A required text that the call does not have (an answer that is only a tool call, a call that
    failed) is sent as an empty text: Arthur refuses the row without it.
    """
    data: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    for slot in schema.slots:
        value = values.get(slot.field)
        if value is None:
            if slot.is_required_text:
                data[slot.attribute] = ""
            continue
        fitted = coerced(value, slot.value_type)
        if fitted is None:
            left_out[slot.attribute] = f"a {type(value).__name__} does not fit {slot.value_type}"
        else:
            data[slot.attribute] = fitted
    return data, left_out


_CATALOGUE = tuple([Slot(field.name, field.value_type, field.name) for field in FIELDS.values()])
"""A slot for every field, as when no schema is known."""


def _is_copied(slot: Slot, rules: TextRules) -> bool:
    """Whether the attribute's value is copied as it is, as most are."""
    field = None if slot.is_extra else FIELDS.get(slot.field)
    if field is None or slot.field in BEHIND or not _fits(field, slot.value_type):
        return False
    return not rules.changes(field.privacy)


def _step(slot: Slot, rules: TextRules) -> _Step:
    field = None if slot.is_extra else FIELDS.get(slot.field)
    kind = Privacy.WORDS if field is None else field.privacy
    privacy = kind if rules.changes(kind) else None
    fits = field is not None and _fits(field, slot.value_type)
    place = None if field is None else PLACES[field.name]
    return _Step(slot.attribute, slot.value_type, slot.field, place, privacy, fits)


def _fits(field: Field, value_type: str) -> bool:
    return field.value_type == value_type or (field.value_type in _WORDS and value_type in _WORDS)
