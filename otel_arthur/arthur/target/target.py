"""`ArthurTarget`: Arthur's v3 API as a target of the delivery."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from otel_arthur.arthur.clients import Client
from otel_arthur.arthur.target import adoption
from otel_arthur.arthur.target.duplicates import ArthurJudge
from otel_arthur.arthur.target.intake import ArthurIntake
from otel_arthur.arthur.target.presenting import Presentation
from otel_arthur.arthur.target.records import Form, Kind, stem_of, truth_row
from otel_arthur.arthur.target.routes import route
from otel_arthur.arthur.target.schemas import Schemas
from otel_arthur.configuration import Configuration
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.relations import Relations
from otel_arthur.http.errors import Unavailable
from otel_arthur.inference.privacy import TextRules
from otel_arthur.spool.batches import Batch, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.rows import Row
from otel_arthur.spool.spool import Spool
from otel_arthur.target import Attempt, Presented, Say

if TYPE_CHECKING:
    from otel_arthur.arthur.client import ArthurClient


class ArthurTarget:
    """See `target.Target`. Used by several threads.

    Args:
        identity: whose records these are (`routes.identity_of`).
        client: to send through, instead of one of our own.
        lock: held while what a request needs is imported; a fork waits for it.
        say: says a line once.
    """

    name = ""
    wants_around = False
    of_calls = frozenset({Kind.INFERENCE})

    def __init__(
        self,
        configuration: Configuration,
        spool: Spool,
        rules: TextRules,
        identity: str,
        client: Client | None,
        lock: threading.RLock,
        say: Say,
    ) -> None:
        self._configuration = configuration
        self._spool = spool
        self._rules = rules
        self._identity = identity
        self._given_client = client
        self._made_client: ArthurClient | None = None
        self._is_closed = False
        self._lock = lock
        self._say = say
        self._schemas = Schemas(self.client, configuration)
        self._services: set[str | None] = set()
        self._relations = Relations()
        seconds = max(60.0, 4 * configuration.timeout)
        self.kinds: Mapping[int, Terms] = {
            Kind.INFERENCE: Terms(seconds=seconds),
            Kind.GROUND_TRUTH: Terms(seconds=seconds, in_order=True),
        }
        self.request_seconds = configuration.timeout
        self.window = configuration.duplicate_window
        self.judge = ArthurJudge()

    @property
    def destinations(self) -> Sequence[Destination]:
        """The configured models, and under no credentials what was spooled for them without any."""
        if not self._identity or not self._configuration.endpoint:
            return []
        return [
            Destination(self._configuration.endpoint, identity, model)
            for model in self._configuration.models
            for identity in (self._identity, "")
        ]

    @property
    def own(self) -> Sequence[Destination]:
        """What this process records under where no route says otherwise."""
        return [self._destination(""), self._destination(self._configuration.model_id or "")]

    def intake(self, place: str | None, *, is_live: bool) -> ArthurIntake:
        """For calls to one model, or by the routes."""
        configuration = self._configuration
        return ArthurIntake(
            configuration,
            self._rules,
            place or (None if configuration.routes else configuration.model_id or ""),
            route=self._route,
            schema_of=self._schemas.known,
            destination_of=self._destination,
            services=self._services,
            relations=self._relations,
            is_live=is_live,
        )

    def truths(
        self, truths: Sequence[Mapping[str, Any]], model_id: str | None
    ) -> Iterator[tuple[Destination, NewBatch]]:
        """Batches of ground truth: of one model, or of those whose inferences are known here."""
        by_model: dict[str, list[Row]] = {}
        for truth in truths:
            row = truth_row(truth)
            by_model.setdefault(model_id or self._model_of(row.id), []).append(row)
        for model, rows in by_model.items():
            yield self._destination(model), NewBatch(Kind.GROUND_TRUTH, rows, Form.ROW)

    def present(self, destination: Destination, batches: Sequence[Batch], attempt: Attempt) -> Presented:
        """Send batches of one kind. Does not raise."""
        policy = self._configuration.errors
        return Presentation(self.client, self._schemas, destination.model, policy, attempt).of(batches)

    def organization(self, destination: Destination) -> str:
        """As Arthur names it, so that a renewed key finds what the old one left."""
        return self.client().organization_id()

    def adopt(self, services: Collection[str | None] | None, *, at_once: bool) -> int:
        """Take over what was spooled while no model or endpoint was configured (see `adoption.adopt`)."""
        return adoption.adopt(self._spool, self._configuration, self._identity, services, at_once=at_once)

    @property
    def services(self) -> Collection[str | None]:
        """The services of the calls that this process took."""
        return self._services

    def close(self) -> None:
        """End connections of a client of our own. A request that is being written is cut."""
        # First, so that a thread which makes the client meanwhile does not get it.
        self._is_closed = True
        if self._made_client is not None:
            self._made_client.stop()
            self._made_client.close()

    def client(self) -> Client:
        """The client to send through, made when it is first needed.

        Raises:
            Unavailable: this target was closed.
        """
        client = self._given_client or self._own_client()
        if self._is_closed:
            raise Unavailable("the exporter was shut down")
        return client

    def _own_client(self) -> ArthurClient:
        with self._lock:
            if self._made_client is None:
                # All that a request imports, under the lock that a fork waits for: a module half imported
                # by a thread that is not there would keep the child waiting for ever.
                import_module("otel_arthur.http._adapter")
                from otel_arthur.arthur.client import ArthurClient

                self._made_client = ArthurClient.from_configuration(self._configuration)
            return self._made_client

    def _route(self, call: LLMCall) -> str:
        model = route(self._configuration, call.service_name, call.request_model)
        if not model:
            self._say(
                "no route",
                "no route of OTEL_EXPORTER_ARTHUR_MODELS takes a call of service "
                f"{call.service_name!r:.80} to model {call.request_model!r:.80}; such calls wait until one "
                "does, or OTEL_EXPORTER_ARTHUR_MODEL_ID is set",
            )
        return model

    def _destination(self, model: str) -> Destination:
        return Destination(self._configuration.endpoint, self._identity, model)

    def _model_of(self, inference_id: str) -> str:
        """The model whose inference this is; by default the configured one."""
        models = self._configuration.models
        numbers = {self._destination(model).number: model for model in models}
        if len(models) > 1:
            number = self._spool.destination_of(list(numbers), inference_id, stem_of(inference_id))
            if number is not None:
                return numbers[number]
        return self._configuration.model_id or next(iter(models), "")
