"""`EngineTarget`: Arthur Engine as a target of the delivery."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from otel_arthur.configuration import Configuration, EngineConfiguration
from otel_arthur.engine.adoption import OF_ANY_KEY, EngineAdoption
from otel_arthur.engine.client import EngineClient
from otel_arthur.engine.duplicates import EngineJudge
from otel_arthur.engine.feedback import annotate, feedback_row
from otel_arthur.engine.intake import EngineIntake, Form, completed
from otel_arthur.engine.kinds import Kind
from otel_arthur.engine.presenting import Presentation
from otel_arthur.engine.trees import Trees, remember
from otel_arthur.http.errors import ArthurError
from otel_arthur.inference.privacy import TextRules
from otel_arthur.spool.batches import Batch, BatchOutcome, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.spool import Spool
from otel_arthur.target.contract import Attempt, Claim, Feedback, Presented, Trouble
from otel_arthur.target.service import ServiceTarget, fingerprint

BY_SERVICE: Final = "service.name"
"""The place of calls whose service names their task."""
_ROWS: Final = 64
"""Rows in one request. A real engine took 12 to 20 s for 512 spans of 512 traces, on two loaded cores."""
_BLOCKED_SECONDS: Final = 0.25
"""Seconds between two looks whether the calls of a root have left."""
_LATEST: Final = 10_000
"""The number of traces whose latest feedback is remembered."""


class EngineTarget(ServiceTarget[EngineClient]):
    """Rows are spans, and annotations of traces."""

    name = "engine"
    of_calls = frozenset({Kind.SPAN, Kind.ROOT})

    def __init__(
        self,
        configuration: Configuration,
        engine: EngineConfiguration,
        rules: TextRules,
        lock: threading.RLock,
    ) -> None:
        super().__init__(configuration, rules, lock)
        self.engine = engine
        self._latest: OrderedDict[str, str] = OrderedDict()
        seconds, blocked = self.lease_seconds, _BLOCKED_SECONDS
        terms = Terms(rows=_ROWS, bytes=1024 * 1024, seconds=seconds, doubt=engine.doubt, blocked=blocked)
        feedback = Terms(seconds=seconds, in_order=True, blocked=blocked)
        self.kinds = {Kind.SPAN: terms, Kind.ROOT: terms, Kind.FEEDBACK: feedback}
        self.wants_around = engine.spans == "traces"
        self.trees = Trees(keep_remote=engine.remote_parent == "keep") if self.wants_around else None
        self.judge = EngineJudge(sends_losers=self.wants_around)
        identity = fingerprint(engine.api_key) if engine.api_key else ""
        self.here = Destination(engine.endpoint, identity, engine.task_id or BY_SERVICE, self.name)
        self.own = [self.here]
        # Rows that were spooled for the task without a key wait under an empty identity.
        self.destinations = [self.here, replace(self.here, identity="")] if self.here.is_complete else []
        self._adoption = EngineAdoption(self.here, engine.task_id, self.window, self.judge, engine.doubt)

    def intake(self, place: str | None, *, is_live: bool) -> EngineIntake:
        """An intake for calls to the Engine; `place` is a model of another target."""
        return EngineIntake(self, is_live=is_live)

    def feedback(self, given: Iterable[Feedback]) -> tuple[Destination, NewBatch]:
        """Annotations of traces of the configured task, or of their service's task."""
        trees = self.trees
        rows = [
            feedback_row(one, self.rules, () if trees is None else trees.calls_of(one.trace_id))
            for one in given
        ]
        for row in rows:
            remember(self._latest, row.id, row.version, _LATEST)
        return self.here, NewBatch(Kind.FEEDBACK, rows)

    def present(self, destination: Destination, batches: Sequence[Batch], attempt: Attempt) -> Presented:
        try:
            client = self.own_client()
        except ArthurError as error:
            outcomes = [BatchOutcome(batch) for batch in batches]
            for outcome in outcomes:
                outcome.postpone()
            return Presented(outcomes, Trouble(str(error), type(error).__name__, is_slow=True))
        if batches[0].kind == Kind.FEEDBACK:
            return annotate(client, batches, attempt, self._latest)
        if self.trees is not None and batches[0].form == Form.OPEN:
            trees = self.trees
            batches = [replace(one, rows=[completed(row, trees) for row in one.rows]) for one in batches]
        leaves = self.engine.in_doubt == "leave"
        return Presentation(client, self.engine.doubt, attempt, leaves=leaves).of(batches)

    def organization(self, destination: Destination) -> str:
        """Of each key that was accepted, so that a renewed key finds the rows of the old key."""
        return OF_ANY_KEY

    def adopt(self, spool: Spool, claim: Claim) -> int:
        """Take over rows of the task, or of `places`, under a key or an endpoint that was wrong."""
        return self._adoption.adopt(spool, claim)

    def new_client(self) -> EngineClient:
        return EngineClient(self.engine, self.configuration.timeout)
