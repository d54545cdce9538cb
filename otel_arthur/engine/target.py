"""`EngineTarget`: Arthur Engine as a target of the delivery."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from otel_arthur.configuration import Configuration, EngineConfiguration
from otel_arthur.engine.duplicates import EngineJudge
from otel_arthur.engine.trees import Trees
from otel_arthur.genai.duplicates.relations import Relations
from otel_arthur.inference.privacy import TextRules
from otel_arthur.spool.batches import Batch, BatchOutcome, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.target import Attempt, Feedback, Presented, Trouble

if TYPE_CHECKING:
    from otel_arthur.engine.client import EngineClient
    from otel_arthur.engine.intake import EngineIntake

NAME: Final = "engine"
BY_SERVICE: Final = "service.name"
"""The place of calls whose task is named by their service."""
ROWS: Final = 64
"""In one request. A real engine took 12 to 20 s for 512 spans of as many traces, on two loaded cores."""


CALL: Final = 1
"""`intake.Kind.CALL`; that module is imported with the first call."""
ROOT: Final = 2
"""`intake.Kind.ROOT`."""
FEEDBACK: Final = 3
"""`intake.Kind.FEEDBACK`."""
OPEN: Final = 2
"""`intake.Form.OPEN`."""
BLOCKED_SECONDS: Final = 0.25
"""Between looks whether the calls of a root are gone."""


LATEST: Final = 10_000
"""Traces whose latest feedback is remembered."""


class EngineTarget:
    """See `target.Target`. Used by several threads.

    Args:
        lock: held while what a request needs is imported; a fork waits for it.
    """

    name = NAME
    of_calls = frozenset({CALL, ROOT})

    def __init__(
        self,
        configuration: Configuration,
        engine: EngineConfiguration,
        rules: TextRules,
        lock: threading.RLock,
    ) -> None:
        self._configuration = configuration
        self._engine = engine
        self._rules = rules
        self._lock = lock
        self._client: EngineClient | None = None
        self._is_closed = False
        self._services: set[str | None] = set()
        self._latest: dict[str, str] = {}
        self._relations = Relations()
        seconds = max(60.0, 4 * configuration.timeout)
        terms = Terms(
            rows=ROWS, bytes=1024 * 1024, seconds=seconds, doubt=engine.doubt, blocked=BLOCKED_SECONDS
        )
        feedback = Terms(seconds=seconds, in_order=True, blocked=BLOCKED_SECONDS)
        self.kinds: Mapping[int, Terms] = {CALL: terms, ROOT: terms, FEEDBACK: feedback}
        self.request_seconds = configuration.timeout
        self.wants_around = engine.spans == "traces"
        self.trees = Trees(keep_remote=engine.remote_parent == "keep") if self.wants_around else None
        self.window = configuration.duplicate_window
        self.judge = EngineJudge(sends_losers=self.wants_around)

    @property
    def destinations(self) -> Sequence[Destination]:
        """The task, and what was spooled for the task while no key was configured."""
        here = self._here
        if not here.is_complete:
            return []
        return [here, Destination(here.endpoint, "", here.model, NAME)]

    @property
    def own(self) -> Sequence[Destination]:
        """Where this process records."""
        return [self._here]

    @property
    def services(self) -> Collection[str | None]:
        """The services of the calls that this process took."""
        return self._services

    def intake(self, place: str | None, *, is_live: bool) -> EngineIntake:
        """For calls to the Engine; `place` is a model of another target."""
        from otel_arthur.engine.intake import EngineIntake

        return EngineIntake(
            self._configuration,
            self._rules,
            self._here,
            self._engine.task_id,
            self._services,
            self._relations,
            self.trees,
            is_live=is_live,
        )

    def feedback(self, given: Iterable[Feedback]) -> tuple[Destination, NewBatch]:
        """Annotations of traces that the configured task has, or the one of their service."""
        from otel_arthur.engine.feedback import feedback_row

        trees = self.trees
        rows = [
            feedback_row(one, self._rules, () if trees is None else trees.calls_of(one.trace_id))
            for one in given
        ]
        for row in rows:
            self._latest.pop(row.id, None)
            self._latest[row.id] = row.version
        while len(self._latest) > LATEST:
            del self._latest[next(iter(self._latest))]
        return self._here, NewBatch(FEEDBACK, rows)

    def present(self, destination: Destination, batches: Sequence[Batch], attempt: Attempt) -> Presented:
        """Send batches. Does not raise."""
        from otel_arthur.http.errors import ArthurError

        try:
            with self._lock:
                from otel_arthur.engine.feedback import annotate
                from otel_arthur.engine.intake import completed
                from otel_arthur.engine.presenting import Presentation

                client = self._made_client()
        except ArthurError as error:
            outcomes = [BatchOutcome(batch) for batch in batches]
            for outcome in outcomes:
                outcome.postpone()
            return Presented(outcomes, Trouble(str(error), type(error).__name__, is_slow=True))
        if batches[0].kind == FEEDBACK:
            return annotate(client, batches, attempt, self._latest)
        if self.trees is not None and batches[0].form == OPEN:
            trees = self.trees
            batches = [replace(one, rows=[completed(row, trees) for row in one.rows]) for one in batches]
        leaves = self._engine.in_doubt == "leave"
        return Presentation(client, self._engine.doubt, attempt, leaves=leaves).of(batches)

    def organization(self, destination: Destination) -> str:
        """The Engine has none that could be asked."""
        return ""

    def adopt(self, services: Collection[str | None] | None, *, at_once: bool) -> int:
        """What waited without a key is served as it lies (see `destinations`)."""
        return 0

    def close(self) -> None:
        """End connections. A request that is being written is cut."""
        # First, so that a thread which makes the client meanwhile does not get it.
        self._is_closed = True
        if self._client is not None:
            self._client.stop()
            self._client.close()

    @property
    def _here(self) -> Destination:
        engine = self._engine
        return Destination(engine.endpoint, _identity_of(engine), engine.task_id or BY_SERVICE, NAME)

    def _made_client(self) -> EngineClient:
        from otel_arthur.engine.client import EngineClient
        from otel_arthur.http.errors import Unavailable

        if self._is_closed:
            raise Unavailable("the exporter was shut down")
        if self._client is None:
            self._client = EngineClient(self._engine, self._configuration.timeout)
        return self._client


def _identity_of(engine: EngineConfiguration) -> str:
    """Whose rows these are, told without holding the key."""
    if not engine.api_key:
        return ""
    digest = blake2b(engine.api_key.encode(), digest_size=8, person=b"otel-arthur", salt=b"identity")
    return f"key:{digest.hexdigest()}"
