"""`ArthurTarget`: Arthur's v3 API as a target of the delivery."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from otel_arthur.arthur.clients import Client
from otel_arthur.arthur.target.adoption import ArthurAdoption
from otel_arthur.arthur.target.duplicates import ArthurJudge
from otel_arthur.arthur.target.intake import ArthurIntake, Builders
from otel_arthur.arthur.target.presenting import Presentation
from otel_arthur.arthur.target.records import Form, Kind, truth_row
from otel_arthur.arthur.target.routes import model_of
from otel_arthur.arthur.target.schemas import Schemas
from otel_arthur.configuration import Configuration
from otel_arthur.genai.call import LLMCall
from otel_arthur.inference.privacy import TextRules
from otel_arthur.spool.batches import Batch, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.rows import Row
from otel_arthur.spool.spool import Spool
from otel_arthur.target.contract import Attempt, Claim, Presented, Say
from otel_arthur.target.service import ServiceTarget

if TYPE_CHECKING:
    from otel_arthur.arthur.client import ArthurClient


class ArthurTarget(ServiceTarget["ArthurClient"]):
    """Rows are inferences and ground truth.

    Args:
        identity: the identity of the rows (`routes.identity_of`).
        client: the application's client, instead of one of our own.
        lock: held while the imports of a request run; a fork waits for it.
        say: logs a line once.
    """

    name = ""
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
        super().__init__(configuration, rules, lock)
        self.adoption = ArthurAdoption(spool, configuration, identity)
        self.schemas = Schemas(self.client, configuration)
        self.builders = Builders()
        self._given_client = client
        self._say = say
        self.kinds = {
            Kind.INFERENCE: Terms(seconds=self.lease_seconds),
            Kind.GROUND_TRUTH: Terms(seconds=self.lease_seconds, in_order=True),
        }
        self.judge = ArthurJudge()
        # Rows that were spooled without credentials wait under an empty identity.
        self.destinations = [
            Destination(configuration.endpoint, owner, model)
            for model in (configuration.models if identity and configuration.endpoint else ())
            for owner in (identity, "")
        ]
        self.own = [self.adoption.here.destination(model) for model in ("", configuration.model_id or "")]

    def intake(self, place: str | None, *, is_live: bool) -> ArthurIntake:
        """An intake for calls to one model, or by the routes."""
        configuration = self.configuration
        model = place or (None if configuration.routes else configuration.model_id or "")
        return ArthurIntake(self, model, is_live=is_live)

    def truths(
        self, truths: Sequence[Mapping[str, Any]], model_id: str | None
    ) -> Iterator[tuple[Destination, NewBatch]]:
        """Batches of ground truth: of one model, or of those whose inferences are known here."""
        default = next(iter(self.configuration.models), "")
        by_model: dict[str, list[Row]] = {}
        for truth in truths:
            row = truth_row(truth)
            model = model_id or self.adoption.model_of(row.id) or default
            by_model.setdefault(model, []).append(row)
        for model, rows in by_model.items():
            yield self.adoption.here.destination(model), NewBatch(Kind.GROUND_TRUTH, rows, Form.ROW)

    def present(self, destination: Destination, batches: Sequence[Batch], attempt: Attempt) -> Presented:
        policy = self.configuration.errors
        return Presentation(self.client, self.schemas, destination.model, policy, attempt).of(batches)

    def organization(self, destination: Destination) -> str:
        """The identity by Arthur's organization, so that a renewed key finds the rows of the old key."""
        return self.client().organization_id()

    def adopt(self, spool: Spool, claim: Claim) -> int:
        """Take over rows of `places`, and those that were spooled while no model or endpoint was set."""
        return self.adoption.adopt(spool, claim)

    def client(self) -> Client:
        """The client to send through; errors as `own_client`."""
        if self._given_client is None:
            return self.own_client()
        self.check_open()
        return self._given_client

    def new_client(self) -> ArthurClient:
        from otel_arthur.arthur.client import ArthurClient

        return ArthurClient.from_configuration(self.configuration)

    def route(self, call: LLMCall) -> str:
        """The model of a call; empty where no route takes the call, which one line says."""
        model = model_of(call, self.configuration)
        if not model:
            self._say(
                "no route",
                "no route of OTEL_EXPORTER_ARTHUR_MODELS takes a call of service "
                f"{call.service_name!r:.80} to model {call.request_model!r:.80}; such calls wait until one "
                "does, or OTEL_EXPORTER_ARTHUR_MODEL_ID is set",
            )
        return model
