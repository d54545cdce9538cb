"""From calls to rows: sampling, the errors policy, redaction, and the form for the known schema."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from otel_arthur.arthur.target.fitting import is_wanted
from otel_arthur.arthur.target.records import ARRAY, Form, Kind, put_inferences, put_planned
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.call_of_span import resource_fields
from otel_arthur.genai.planned import Planned
from otel_arthur.genai.steps.step import Frame, Meaning, Step, Wordless
from otel_arthur.inference.build import Builder
from otel_arthur.inference.privacy import TextRules
from otel_arthur.inference.sampling import NOT_SAMPLED, is_sampled
from otel_arthur.inference.schema import Schema
from otel_arthur.spool.batches import NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.rows import Packing
from otel_arthur.target.contract import Intake
from otel_arthur.target.evidence import HeldEvidence

if TYPE_CHECKING:
    from otel_arthur.arthur.target.target import ArthurTarget

FAILED_CALL = "failed call"


class Builders(threading.local):
    """A thread's own, as each has room to write in. To make one takes as long as to write a call."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[Schema | None, Builder]] = {}

    def of(self, model: str, schema: Schema | None, rules: TextRules) -> Builder:
        """The builder for a model as long as `schema` is its schema."""
        made = self._made.get(model)
        if made is None or made[0] is not schema:
            made = self._made[model] = schema, Builder(schema, rules)
        return made[1]


class _ModelRows:
    """Makes one batch of the calls to one model."""

    __slots__ = ("builder", "form", "held", "packing", "schema")

    def __init__(self, model: str, target: ArthurTarget) -> None:
        self.schema = schema = target.schemas.known(model)
        self.builder = target.builders.of(model, schema, target.rules)
        self.form = Form.CATALOGUE if schema is None else Form.ROW
        self.packing = Packing(ARRAY if schema is not None else None)
        self.held = HeldEvidence(target.relations, target.window)


class ArthurIntake(Intake):
    """Takes calls, each for the model that the routes name, or all for one.

    Args:
        model: the model of all calls; None asks the routes.
    """

    def __init__(self, target: ArthurTarget, model: str | None, *, is_live: bool) -> None:
        self._target = target
        self._model = model
        self._is_live = is_live
        self._by_model: dict[str, _ModelRows] = {}
        self._ratio = target.configuration.sample_ratio

    def add(self, call: LLMCall) -> str | None:
        """Take the inferences of a call, or return the reason why the call is left out.

        Raises:
            TypeError: a value of the call cannot be written as JSON; nothing was taken.
        """
        target = self._target
        if not is_sampled(call.trace_id, self._ratio):
            return NOT_SAMPLED
        model = target.route(call) if self._model is None else self._model
        of_model = self._of_model(model)
        if call.failed and not is_wanted(True, target.configuration.errors, of_model.schema):
            return FAILED_CALL
        put_inferences(of_model.builder, call, of_model.packing)
        of_model.held.add(call)
        if call.service_name not in target.services:
            target.remember(call.service_name)
        return None

    def add_planned(self, planned: Planned) -> str | None:
        """As `add`; a call that is left out is not put together."""
        return self.add(planned.whole()) if is_sampled(planned.view.trace_id, self._ratio) else NOT_SAMPLED

    def take_copies(self, meanings: Sequence[Meaning]) -> Sequence[Meaning]:
        """As the contract has it, where all calls are for one model."""
        if self._model is None:
            return meanings
        calls: list[Planned] = []
        left: list[Meaning] = []
        for one in meanings:
            if isinstance(one, Planned) and is_sampled(one.view.trace_id, self._ratio):
                calls.append(one)
            else:
                left.append(one)
        if not calls:
            return left
        of_model = self._of_model(self._model)
        evidence, others = put_planned(of_model.builder, calls, of_model.packing)
        of_model.held.add_evidence(evidence)
        for resource in {id(one.view.resource): one.view.resource for one in calls}.values():
            service = resource_fields(resource)[0]
            if service not in self._target.services:
                self._target.remember(service)
        return [*left, *others]

    def add_around(self, around: Wordless | Step | Frame) -> None:
        """Inferences are calls with words, and nothing else."""

    def _of_model(self, model: str) -> _ModelRows:
        of_model = self._by_model.get(model)
        if of_model is None:
            of_model = self._by_model[model] = _ModelRows(model, self._target)
        return of_model

    def batches(self) -> Iterator[tuple[Destination, NewBatch]]:
        for model, one in self._by_model.items():
            batch = NewBatch(
                Kind.INFERENCE,
                one.packing.rows(),
                one.form,
                one.held.written,
                self._target.window,
                one.held.ended,
                is_live=self._is_live,
            )
            yield self._target.adoption.here.destination(model), batch
