"""From calls to records: sampling, the errors policy, redaction, and the form that fits what is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from otel_arthur.arthur.encoding import encode
from otel_arthur.configuration import Configuration
from otel_arthur.delivery.records import Form, Record
from otel_arthur.genai.call import LLMCall
from otel_arthur.inference.build import Builder, TextRules, fit
from otel_arthur.inference.schema import Schema

NOT_SAMPLED = "not sampled"
FAILED_CALL = "failed call"


@dataclass(frozen=True, slots=True)
class Prepared:
    """The records of calls to one model."""

    form: Form
    records: list[Record]
    calls: list[LLMCall]
    """The calls that the records are of."""


def is_sampled(trace_id: str, ratio: float) -> bool:
    """Whether calls of a trace are sent. Decided by a digest of the trace id, not by its own bits: those
    decide the tracer's sampling, and the two must not depend on one another."""
    if ratio >= 1.0:
        return True
    digest = blake2b(trace_id.encode(), digest_size=8, person=b"otel-arthur").digest()
    return int.from_bytes(digest, "big") < ratio * 2**64


def is_wanted(failed: bool, policy: str, schema: Schema | None) -> bool:
    """Whether a call is sent by ``OTEL_EXPORTER_ARTHUR_ERRORS``; with no schema `auto` cannot tell yet."""
    if not failed or policy == "send":
        return True
    return policy == "auto" and (schema is None or schema.has("status", "error_type"))


def prepare(calls: Sequence[LLMCall], schema: Schema | None, rules: TextRules) -> Prepared:
    """Calls as records: rows for the model where its schema is known, else all that the catalogue has."""
    builder = Builder(schema, rules)
    records: list[Record] = []
    for call in calls:
        if rules.redact is not None:
            call = redacted(call, rules.redact)
        records += [
            Record(inference.partner_inference_id, encode(inference.as_json()))
            for inference in builder.inferences(call)
        ]
    return Prepared(Form.CATALOGUE if schema is None else Form.ROW, records, list(calls))


def fitted(row: bytes, schema: Schema, policy: str) -> bytes | None:
    """A catalogue row as the model's; None for a failed call that the model has no place for."""
    record: dict[str, Any] = orjson.loads(row)
    values: dict[str, Any] = record["inference_data"]
    if not is_wanted(values.get("status") == "error", policy, schema):
        return None
    record["inference_data"] = fit(values, schema)[0]
    return encode(record)


def refitted(row: bytes, schema: Schema) -> bytes:
    """A row without the attributes that the model has no more."""
    record: dict[str, Any] = orjson.loads(row)
    names = {slot.attribute for slot in schema.slots}
    record["inference_data"] = {k: v for k, v in record["inference_data"].items() if k in names}
    return encode(record)


def rules_of(configuration: Configuration, redact: Callable[[str], str] | None) -> TextRules:
    """The text rules of a configuration."""
    return TextRules(
        input_format=configuration.input_format,
        redact=redact,
        max_length=configuration.max_text_length,
        metadata_only=configuration.content == "metadata",
    )


def redacted(call: LLMCall, redact: Callable[[str], str]) -> LLMCall:
    """What is text of a user besides the messages, which the text rules cover."""
    extra = {name: redact(v) if isinstance(v, str) else v for name, v in call.extra.items()}
    user = redact(call.user_id) if call.user_id else call.user_id
    conversation = redact(call.conversation_id) if call.conversation_id else call.conversation_id
    return call._replace(extra=extra, user_id=user, conversation_id=conversation)
