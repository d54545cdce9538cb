"""`LLMCall` to inferences: one for each choice, with the fields that the model has a place for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from otel_arthur.genai.call import LLMCall, Message
from otel_arthur.inference import transcript
from otel_arthur.inference.fields import FIELDS, TEXT, Answer
from otel_arthur.inference.identity import partner_inference_id
from otel_arthur.inference.schema import Schema, coerced

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

_INPUT_FORMATS: Mapping[str, Callable[[Sequence[Message]], str]] = {
    "transcript": transcript.transcript,
    "last_user": lambda messages: transcript.last_user_text(messages) or "",
    "json": transcript.messages_json,
}


@dataclass(frozen=True, slots=True)
class TextRules:
    """What happens to every text before it leaves: order is redaction, then length."""

    input_format: str = "transcript"
    redact: Callable[[str], str] | None = None
    max_length: int | None = None
    metadata_only: bool = False


@dataclass(frozen=True, slots=True)
class Inference:
    """Arthur's record of one choice of one call."""

    partner_inference_id: str
    inference_timestamp: str
    """RFC 3339 in UTC, when the call ended."""
    data: dict[str, Any]
    left_out: dict[str, str] = field(default_factory=dict[str, str])
    """Attribute -> why its value could not be given."""

    def as_json(self) -> dict[str, Any]:
        """The row of ``POST /models/{id}/inferences``."""
        return {
            "partner_inference_id": self.partner_inference_id,
            "inference_timestamp": self.inference_timestamp,
            "inference_data": self.data,
        }


def build(call: LLMCall, schema: Schema | None = None, rules: TextRules | None = None) -> list[Inference]:
    """The inferences of a call: one for each choice, or one for a call that failed without answering.

    With no schema, `Inference.data` holds every field of the catalogue that has a value, under
    the catalogue's names: that is also the form in which calls wait for a schema (see `fit`).
    """
    rules = rules or TextRules()
    timestamp = rfc3339(call.end_ns)
    input_text = _INPUT_FORMATS[rules.input_format](call.messages)
    inferences: list[Inference] = []
    for index, choice in enumerate(call.choices or (None,)):
        texts = _Texts(rules)
        answer = Answer(call, index, choice, input_text)
        names = FIELDS if schema is None else {slot.field for slot in schema.slots}
        data = {name: value for name in names if (value := _value(answer, name, texts)) is not None}
        data.update({name: value for name, value in call.extra.items() if schema is None or name in names})
        if texts.cut and "truncated" in names:
            data["truncated"] = True
        left_out: dict[str, str] = {}
        if schema is not None:
            data, left_out = fit(data, schema)
        identity = partner_inference_id(call.trace_id, call.span_id, index)
        inferences.append(Inference(identity, timestamp, data, left_out))
    return inferences


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
            if slot.field in ("input_text", "output_text") and slot.value_type == TEXT:
                data[slot.attribute] = ""
            continue
        fitted = coerced(value, slot.value_type)
        if fitted is None:
            left_out[slot.attribute] = f"a {type(value).__name__} does not fit {slot.value_type}"
        else:
            data[slot.attribute] = fitted
    return data, left_out


def rfc3339(nanoseconds: int) -> str:
    """A moment in UTC with microseconds, as in ``2026-11-22T12:00:00.250000+00:00``."""
    try:
        moment = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        moment = _EPOCH
    return moment.isoformat(timespec="microseconds")


class _Texts:
    """Applies the text rules, and remembers whether anything was cut."""

    __slots__ = ("cut", "rules")

    def __init__(self, rules: TextRules) -> None:
        self.rules = rules
        self.cut = False

    def apply(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {self._text(str(k)): v for k, v in value.items()}  # type: ignore[misc]
        if isinstance(value, list):
            return [self.apply(item) for item in value]  # type: ignore[misc]
        return value

    def _text(self, text: str) -> str:
        if self.rules.redact is not None:
            text = self.rules.redact(text)
        limit = self.rules.max_length
        if limit is not None and len(text) > limit:
            self.cut = True
            return text[:limit]
        return text


def _value(answer: Answer, name: str, texts: _Texts) -> Any:
    entry = FIELDS.get(name)
    if entry is None:
        return None
    if not entry.is_content:
        return entry.value(answer)
    if texts.rules.metadata_only:
        return None
    value = entry.value(answer)
    if value is None or (texts.rules.redact is None and texts.rules.max_length is None):
        return value
    return texts.apply(value)
