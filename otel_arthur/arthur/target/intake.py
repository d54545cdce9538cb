"""From calls to rows: sampling, the errors policy, redaction, and the form that fits what is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from otel_arthur.arthur.target.fitting import is_wanted
from otel_arthur.arthur.target.records import Form, Kind, inference_row
from otel_arthur.configuration import Configuration
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.gathering import Gathering
from otel_arthur.genai.duplicates.relations import Relations
from otel_arthur.genai.steps.step import Frame, Step, Wordless
from otel_arthur.inference.build import Builder
from otel_arthur.inference.privacy import TextRules
from otel_arthur.inference.sampling import NOT_SAMPLED, is_sampled
from otel_arthur.inference.schema import Schema
from otel_arthur.spool.batches import Evidence, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.rows import Row
from otel_arthur.target import MAX_SERVICES

FAILED_CALL = "failed call"


class _ModelRows:
    """The batch that calls to one model become. Nothing of a call is kept but its row, as bytes, and its
    evidence: what a batch of calls would hold until its end is work for the garbage collector.

    Args:
        window: seconds for which the records wait for a duplicate; 0 is not at all.
    """

    __slots__ = ("_builder", "_ended", "_evidence", "_rows", "_rules", "_schema", "_window")

    def __init__(self, schema: Schema | None, rules: TextRules, window: float, relations: Relations) -> None:
        self._schema = schema
        self._rules = rules
        self._builder = Builder(schema, rules)
        self._window = window
        self._rows: list[Row] = []
        self._evidence = Gathering(relations) if window else None
        self._ended: list[int] = []

    def takes_failed(self, policy: str) -> bool:
        """Whether calls that failed are sent by ``OTEL_EXPORTER_ARTHUR_ERRORS``."""
        return is_wanted(True, policy, self._schema)

    def add(self, call: LLMCall) -> None:
        """Take the inferences of a call.

        Raises:
            TypeError: a value of it cannot be written as JSON; nothing was taken.
        """
        rows = [inference_row(inference) for inference in self._builder.inferences(call)]
        if self._evidence is not None:
            self._evidence.add(call)
        self._ended.append(call.end_ns)
        self._rows += rows

    def batch(self, *, is_live: bool) -> NewBatch:
        """All that was added: rows for the model where its schema is known, else the whole catalogue's."""
        form = Form.CATALOGUE if self._schema is None else Form.ROW
        evidence = None if self._evidence is None else Evidence(*self._evidence.written())
        ended = (min(self._ended), max(self._ended)) if self._ended else None
        return NewBatch(
            Kind.INFERENCE,
            self._rows,
            form,
            evidence,
            self._window,
            ended=ended,
            is_live=is_live,
        )


class ArthurIntake:
    """Takes calls, each for the model that the routes name, or all for one.

    Args:
        model: the model of all calls; None asks `route`.
        schema_of: the schema of a model as far as it is known.
        services: each service of a call is added.
    """

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
        rows = self._by_model.get(model)
        if rows is None:
            rows = _ModelRows(
                self._schema_of(model), self._rules, configuration.duplicate_window, self._relations
            )
            self._by_model[model] = rows
        if call.failed and not rows.takes_failed(configuration.errors):
            return FAILED_CALL
        rows.add(call)
        if len(self._services) < MAX_SERVICES:
            self._services.add(call.service_name)
        return None

    def add_around(self, told: Wordless | Step | Frame) -> None:
        """Inferences are calls with words, and nothing else."""

    def batches(self) -> Iterator[tuple[Destination, NewBatch]]:
        """The rows of all that was added, a batch for each model."""
        for model, rows in self._by_model.items():
            yield self._destination_of(model), rows.batch(is_live=self._is_live)
