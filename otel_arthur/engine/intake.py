"""From calls to the Engine's rows: one row for each call, a request with the call's span alone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.engine.kinds import Kind
from otel_arthur.engine.openinference.calls import (
    CHAIN,
    INPUT,
    KIND,
    OUTPUT,
    PLAIN,
    attributes_of,
    mime_type_of,
)
from otel_arthur.engine.openinference.safe_values import Value
from otel_arthur.engine.openinference.steps import attributes_of_step
from otel_arthur.engine.requests import TASK, EngineSpan, put, request_of, span_in
from otel_arthur.engine.trees import Departure, Trees, Words
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.steps.step import Frame, Step, Wordless, frame_of_call
from otel_arthur.inference.privacy import Privacy, TextRules, Texts
from otel_arthur.inference.sampling import NOT_SAMPLED, is_sampled
from otel_arthur.spool.batches import BatchEvidence, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.rows import Row
from otel_arthur.target.contract import Intake
from otel_arthur.target.evidence import HeldEvidence

if TYPE_CHECKING:
    from otel_arthur.engine.target import EngineTarget

FAILED_CALL: Final = "failed call"
ORPHAN: Final = "parent"
"""The mending of a span that became a root, since the span above it is no longer kept."""
ROOT_SECONDS: Final = 120.0
"""Seconds that a root waits at most for the calls of its trace."""
_NO_EVIDENCE: Final = BatchEvidence("", b"[]")
"""Evidence that holds a root as long as calls are held, and releases it at a flush."""


class Form(IntEnum):
    """The forms of a row's content. Stored: never renumber."""

    FINAL = 1
    OPEN = 2
    """A root without an output: it gets the output of the last call that is known when the root leaves."""


class EngineIntake(Intake):
    """Takes calls for the Engine, and the spans around them where the target has `trees`."""

    def __init__(self, target: EngineTarget, *, is_live: bool) -> None:
        self._target = target
        self._configuration = target.configuration
        self._rules = target.rules
        self._trees = target.trees
        self._is_live = is_live
        self._mended = Counter[str]()
        self._rows: list[Row] = []
        self._roots: dict[Form, list[Row]] = {}
        self._held = HeldEvidence(target.relations, target.window)

    @property
    def mended(self) -> Counter[str]:
        """Kind of mending -> the number of values made safe, and of spans that lost the span above them."""
        return self._mended

    def add(self, call: LLMCall) -> str | None:
        if not is_sampled(call.trace_id, self._configuration.sample_ratio):
            return NOT_SAMPLED
        if call.failed and self._configuration.errors == "skip":
            self.add_around(frame_of_call(call))
            return FAILED_CALL
        attributes = attributes_of(call, self._rules, self._mended)
        if self._trees is None:
            self._put(_span_of(call, attributes, None, self._rules), call.service_name)
        else:
            words = Words(call.start_ns, _text(attributes, INPUT), call.end_ns, _text(attributes, OUTPUT))
            departures = self._trees.joins(frame_of_call(call), words, f"{call.trace_id}-{call.span_id}")
            self._mended[ORPHAN] += departures[0].is_orphan
            parent = departures[0].parent_span_id
            self._put(_span_of(call, attributes, parent, self._rules), call.service_name)
            self._put_ancestors(departures)
        self._target.remember(call.service_name)
        self._held.add(call)
        return None

    def add_around(self, around: Wordless | Step | Frame) -> str | None:
        if isinstance(around, Wordless):
            return self.add(around.call)
        frame = around if isinstance(around, Frame) else around.frame
        if self._trees is None or not is_sampled(frame.trace_id, self._configuration.sample_ratio):
            return None
        if isinstance(around, Frame):
            for departure in self._trees.passes(around, time.monotonic()):
                self._put_departure(departure, {KIND: CHAIN})
            return None
        error = error_of(around.error_type, self._rules) if frame.failed else None
        attributes = attributes_of_step(around, self._rules, self._mended)
        departures = self._trees.joins(frame)
        self._put_departure(departures[0], attributes, error)
        self._put_ancestors(departures)
        return None

    def batches(self) -> Iterator[tuple[Destination, NewBatch]]:
        here, window, is_live, ended = self._target.here, self._target.window, self._is_live, self._held.ended
        evidence = self._held.written
        yield here, NewBatch(Kind.SPAN, self._rows, Form.FINAL, evidence, window, ended, is_live=is_live)
        evidence = _NO_EVIDENCE if window else None
        for form, roots in self._roots.items():
            yield (
                here,
                NewBatch(Kind.ROOT, roots, form, evidence, window, ended, ROOT_SECONDS, is_live=is_live),
            )

    def _put_ancestors(self, departures: Sequence[Departure]) -> None:
        for departure in departures[1:]:
            self._put_departure(departure, {KIND: CHAIN})

    def _put_departure(
        self, departure: Departure, attributes: Mapping[str, Value], error: str | None = None
    ) -> None:
        frame, words = departure.frame, departure.words
        self._mended[ORPHAN] += departure.is_orphan
        span = EngineSpan(
            frame.trace_id,
            frame.span_id,
            departure.parent_span_id,
            name_of(frame.name, self._rules),
            frame.start_ns,
            frame.end_ns,
            attributes if words is None else with_words(attributes, words),
            (error or "") if frame.failed else None,
        )
        form = Form.FINAL if OUTPUT in attributes else Form.OPEN
        self._put(span, frame.service_name, form if departure.is_root else None)

    def _put(self, span: EngineSpan, service_name: str | None, root: Form | None = None) -> None:
        request = request_of(span, service_name, self._target.engine.task_id, self._mended)
        content, identity = request.SerializeToString(), span.row_id
        self._held.add_end(span.end_ns)
        if root is None or self._trees is None:
            self._rows.append(Row(identity, content, stem=len(identity)))
        else:
            after = self._trees.calls_of(span.trace_id)
            self._roots.setdefault(root, []).append(Row(identity, content, len(identity), after=after))


def span_of(call: LLMCall, rules: TextRules, mended: Counter[str]) -> EngineSpan:
    """The span that stands for a call, as the root of its trace."""
    return _span_of(call, attributes_of(call, rules, mended), None, rules)


def _span_of(
    call: LLMCall, attributes: Mapping[str, Value], parent_span_id: str | None, rules: TextRules
) -> EngineSpan:
    return EngineSpan(
        call.trace_id,
        call.span_id,
        parent_span_id,
        name_of(call.name, rules),
        call.start_ns,
        call.end_ns,
        attributes,
        error_of(call.error_type, rules) if call.failed else None,
        Texts(rules).apply(call.error_message, Privacy.WORDS),
    )


def name_of(name: str, rules: TextRules) -> str:
    """A span's name, redacted, otherwise as written, since evaluations are configured by name."""
    return name if rules.redact is None else rules.redact(name)


def error_of(error_type: str | None, rules: TextRules) -> str:
    """The class of an error, within the rules of privacy."""
    return str(Texts(rules).apply(error_type or "", Privacy.ERROR_TYPE)) if error_type else ""


def with_words(attributes: Mapping[str, Value], words: Words) -> dict[str, Value]:
    """The attributes of a root; a root without input or output gets those of the calls below it."""
    given = {INPUT: words.input, OUTPUT: words.output}
    new = {key: text for key, text in given.items() if text and key not in attributes}
    return {**attributes, **new, **{mime_type_of(key): PLAIN for key in new}}


def completed(row: Row, trees: Trees) -> Row:
    """The row of an open root with the input and output that are known today of the calls below it."""
    words = trees.words_of((row.id[:32], row.id[33:]))
    if words is None:
        return row
    request = ExportTraceServiceRequest.FromString(row.content)
    span = span_in(request)
    texts = {INPUT: words.input, OUTPUT: words.output}
    put(span, {key: text for key, text in texts.items() if text})
    return replace(row, content=request.SerializeToString())


def _text(attributes: Mapping[str, Value], key: str) -> str | None:
    text = attributes.get(key)
    return text if isinstance(text, str) else None


def task_in(content: bytes) -> tuple[str | None, str | None]:
    """The task's id and the service's name in a row."""
    resource = ExportTraceServiceRequest.FromString(content).resource_spans[0].resource
    names = {one.key: one.value.string_value for one in resource.attributes}
    return names.get(TASK), names.get("service.name")
