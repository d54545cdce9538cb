"""From calls to the Engine's rows: one row a call, which holds a request with that call's span alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.configuration import Configuration
from otel_arthur.engine.openinference import attributes_of
from otel_arthur.engine.spans import TASK, EngineSpan, request_of
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.gathering import Gathering
from otel_arthur.genai.duplicates.relations import Relations
from otel_arthur.inference.privacy import Privacy, TextRules, Texts
from otel_arthur.inference.sampling import NOT_SAMPLED, is_sampled
from otel_arthur.spool.batches import Evidence, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.rows import Row
from otel_arthur.target import MAX_SERVICES

FAILED_CALL: Final = "failed call"


class Kind(IntEnum):
    """What a row is. Stored: never renumber."""

    CALL = 1


class EngineIntake:
    """Takes calls for the Engine.

    Args:
        destination: where the rows wait.
        task_id: the task of all calls; None leaves the task to their service's name.
        mended: kind of mending -> how many values were made safe.
        services: each service of a call is added.
    """

    def __init__(
        self,
        configuration: Configuration,
        rules: TextRules,
        destination: Destination,
        task_id: str | None,
        mended: Counter[str],
        services: set[str | None],
        relations: Relations,
        *,
        is_live: bool,
    ) -> None:
        self._configuration = configuration
        self._rules = rules
        self._destination = destination
        self._task_id = task_id
        self._mended = mended
        self._services = services
        self._is_live = is_live
        self._rows: list[Row] = []
        self._evidence = Gathering(relations) if configuration.duplicate_window else None
        self._ended: list[int] = []

    def add(self, call: LLMCall) -> str | None:
        """Take a call; or the reason why it is left out."""
        if not is_sampled(call.trace_id, self._configuration.sample_ratio):
            return NOT_SAMPLED
        if call.failed and self._configuration.errors == "skip":
            return FAILED_CALL
        identity = f"{call.trace_id}-{call.span_id}"
        span = span_of(call, self._rules, self._mended)
        request = request_of(span, call.service_name, self._task_id, self._mended)
        self._rows.append(Row(identity, request.SerializeToString(), stem=len(identity)))
        self._ended.append(call.end_ns)
        if len(self._services) < MAX_SERVICES:
            self._services.add(call.service_name)
        if self._evidence is not None:
            self._evidence.add(call)
        return None

    def batches(self) -> Iterator[tuple[Destination, NewBatch]]:
        """The rows of all that was added."""
        evidence = None if self._evidence is None else Evidence(*self._evidence.written())
        ended = (min(self._ended), max(self._ended)) if self._ended else None
        yield (
            self._destination,
            NewBatch(
                Kind.CALL,
                self._rows,
                evidence=evidence,
                hold=self._configuration.duplicate_window,
                ended=ended,
                is_live=self._is_live,
            ),
        )


def span_of(call: LLMCall, rules: TextRules, mended: Counter[str]) -> EngineSpan:
    """The span that stands for a call, as the root of its trace."""
    error = None
    if call.failed:
        error = str(Texts(rules).apply(call.error_type or "", Privacy.ERROR_TYPE))
    return EngineSpan(
        call.trace_id,
        call.span_id,
        None,
        call.name,
        call.start_ns,
        call.end_ns,
        attributes_of(call, rules, mended),
        error,
    )


def task_in(content: bytes) -> tuple[str | None, str | None]:
    """The task's id and the service's name in a row."""
    resource = ExportTraceServiceRequest.FromString(content).resource_spans[0].resource
    names = {one.key: one.value.string_value for one in resource.attributes}
    return names.get(TASK), names.get("service.name")
