"""From calls to rows: sampling, the errors policy, redaction, and the form that fits what is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from otel_arthur.arthur.target.fitting import is_wanted
from otel_arthur.arthur.target.records import ARRAY, Form, Kind, put_inferences
from otel_arthur.configuration import Configuration
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.relations import Relations
from otel_arthur.genai.steps.step import Frame, Step, Wordless
from otel_arthur.inference.build import Builder
from otel_arthur.inference.privacy import TextRules
from otel_arthur.inference.sampling import NOT_SAMPLED, is_sampled
from otel_arthur.inference.schema import Schema
from otel_arthur.spool.batches import NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.rows import Packing
from otel_arthur.target import MAX_SERVICES, HeldEvidence

FAILED_CALL = "failed call"


class _ModelRows:
    """The batch that calls to one model become."""

    __slots__ = ("builder", "form", "held", "packing", "schema")

    def __init__(self, schema: Schema | None, rules: TextRules, window: float, relations: Relations) -> None:
        self.schema = schema
        self.builder = Builder(schema, rules)
        self.form = Form.CATALOGUE if schema is None else Form.ROW
        self.packing = Packing(ARRAY if schema is not None else None)
        self.held = HeldEvidence(relations, window)


class ArthurIntake:
    """Takes calls, each for the model that the routes name, or all for one.

    Args:
        model: the model of all calls; None asks `route`.
        schema_of: the schema of a model as far as it is known.
        services: each service of a call is added.
    """

    mended: Mapping[str, int] = MappingProxyType({})

    def __init__(
        self,
        configuration: Configuration,
        rules: TextRules,
        model: str | None,
        *,
        route: Callable[[LLMCall], str],
        schema_of: Callable[[str], Schema | None],
        destination_of: Callable[[str], Destination],
        services: set[str | None],
        relations: Relations,
        is_live: bool,
    ) -> None:
        self._configuration = configuration
        self._rules = rules
        self._model = model
        self._route = route
        self._schema_of = schema_of
        self._destination_of = destination_of
        self._services = services
        self._relations = relations
        self._is_live = is_live
        self._by_model: dict[str, _ModelRows] = {}

    def add(self, call: LLMCall) -> str | None:
        """Take the inferences of a call; or the reason why it is left out.

        Raises:
            TypeError: a value of it cannot be written as JSON; nothing was taken.
        """
        configuration = self._configuration
        if not is_sampled(call.trace_id, configuration.sample_ratio):
            return NOT_SAMPLED
        model = self._route(call) if self._model is None else self._model
        of_model = self._by_model.get(model)
        if of_model is None:
            window, schema = configuration.duplicate_window, self._schema_of(model)
            of_model = self._by_model[model] = _ModelRows(schema, self._rules, window, self._relations)
        if not is_wanted(call.failed, configuration.errors, of_model.schema):
            return FAILED_CALL
        put_inferences(of_model.builder, call, of_model.packing)
        of_model.held.add(call)
        if len(self._services) < MAX_SERVICES:
            self._services.add(call.service_name)
        return None

    def add_around(self, told: Wordless | Step | Frame) -> None:
        """Inferences are calls with words, and nothing else."""

    def batches(self) -> Iterator[tuple[Destination, NewBatch]]:
        """The rows of all that was added, a batch for each model."""
        window = self._configuration.duplicate_window
        for model, one in self._by_model.items():
            batch = NewBatch(
                Kind.INFERENCE,
                one.packing.rows(),
                one.form,
                one.held.written,
                window,
                one.held.ended,
                is_live=self._is_live,
            )
            yield self._destination_of(model), batch
