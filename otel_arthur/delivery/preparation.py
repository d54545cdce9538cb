"""From calls to records: sampling, the errors policy, redaction, and the form that fits what is known."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import orjson

from otel_arthur.arthur.encoding import encode
from otel_arthur.configuration import Configuration
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.evidence import evidence_of
from otel_arthur.inference.build import Builder, fit
from otel_arthur.inference.privacy import TextRules
from otel_arthur.inference.schema import Schema
from otel_arthur.spool.batches import Evidence, NewBatch
from otel_arthur.spool.records import Form, Kind, Record

NOT_SAMPLED = "not sampled"
FAILED_CALL = "failed call"
UNREADABLE = "unreadable"


class Preparation:
    """The batch that calls to one model become. Nothing of a call is kept but its row and its evidence,
    as bytes: what a batch of calls would hold until its end is work for the garbage collector.

    Args:
        window: seconds for which the records wait for a duplicate; 0 is not at all.
    """

    __slots__ = ("_builder", "_ended", "_evidence", "_records", "_rules", "_schema", "_scopes", "_window")

    def __init__(self, schema: Schema | None, rules: TextRules, window: float) -> None:
        self._schema = schema
        self._rules = rules
        self._builder = Builder(schema, rules)
        self._window = window
        self._records: list[Record] = []
        self._evidence: list[bytes] = []
        self._scopes: set[str] = set()
        self._ended: list[int] = []

    def takes_failed(self, policy: str) -> bool:
        """Whether calls that failed are sent by ``OTEL_EXPORTER_ARTHUR_ERRORS``."""
        return is_wanted(True, policy, self._schema)

    def add(self, call: LLMCall) -> None:
        """Take the inferences of a call.

        Raises:
            TypeError: a value of it cannot be written as JSON; nothing was taken.
        """
        records = [
            Record(inference.partner_inference_id, encode(inference.as_json()))
            for inference in self._builder.inferences(call)
        ]
        if self._window:
            evidence = evidence_of(call)
            try:
                self._evidence.append(evidence.to_json())
                self._scopes.add(evidence.scope)
            except UnicodeEncodeError:
                pass  # A name that is no Unicode text: the call is recorded without being compared.
        self._ended.append(call.end_ns)
        self._records += records

    def batch(self, *, is_live: bool) -> NewBatch:
        """All that was added: rows for the model where its schema is known, else the whole catalogue's."""
        form = Form.CATALOGUE if self._schema is None else Form.ROW
        evidence = None
        if self._window:
            evidence = Evidence("\n".join(sorted(self._scopes)), b"[" + b",".join(self._evidence) + b"]")
        ended = (min(self._ended), max(self._ended)) if self._ended else None
        return NewBatch(Kind.INFERENCE, form, self._records, evidence, self._window, ended, is_live)


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
