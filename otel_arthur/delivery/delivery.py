"""`Delivery`: the one door from calls to Arthur, for the exporter and the collector alike."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from otel_arthur.arthur.clients import client_of
from otel_arthur.arthur.target.routes import identity_of
from otel_arthur.arthur.target.target import ArthurTarget
from otel_arthur.configuration import Configuration
from otel_arthur.delivery.books.books import Counts, Submitted
from otel_arthur.delivery.books.metrics import Metrics
from otel_arthur.delivery.run import Run
from otel_arthur.genai.steps.step import Meaning
from otel_arthur.inference.privacy import rules_of
from otel_arthur.inference.redaction.redactors import checked, redactor_of
from otel_arthur.process import ends, forks
from otel_arthur.spool.batches import NewBatch
from otel_arthur.spool.clock import Clock
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.fallback.backed import BackedSpool
from otel_arthur.spool.queue.watching import Watch
from otel_arthur.spool.spool import Spool
from otel_arthur.target.contract import Feedback, TakesFeedback, TakesGroundTruth, Target

_logger = logging.getLogger("otel_arthur")
_names = itertools.count()
NO_FEEDBACK_THERE = "feedback without an Engine"
"""The reason of feedback that is left out where the Engine is no target."""
NO_TRUTH_THERE = "ground truth for the Engine"
"""The reason of ground truth that is left out where the Engine is the only target."""


class Delivery:
    """Takes calls, keeps them in the spool, and sends them from threads of its own.

    The constructor starts no thread and opens no connection. Neither the constructor nor a method raises.

    Args:
        metrics: report to the global meter provider.
        sender: a live ``arthurai.ArthurModel``, or anything that has the methods of `ArthurClient`, to send
            through instead of our own client.
        clock: the spool's; the machine's, if no other.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        metrics: bool = True,
        sender: Any = None,
        targets: Callable[[Spool], Sequence[Target]] | None = None,
        clock: Clock | None = None,
    ) -> None:
        configuration = checked(configuration)
        if configuration.unusable:
            # Under an empty endpoint calls wait for a process that is told where they may go.
            engine = configuration.engine and replace(configuration.engine, endpoint="")
            configuration = replace(configuration, endpoint="", engine=engine)
        self._client, given_model = client_of(sender)
        if given_model is not None:
            # A live model takes everything: ids configured for other exporters are other models.
            configuration = replace(configuration, model_id=given_model or None, routes=())
        self._configuration = configuration
        self._identity = identity_of(configuration) or ("sdk" if sender is not None else "")
        self._given_targets = targets
        self._spool = BackedSpool(configuration.spool_dir, configuration.spool_max_bytes, clock=clock)
        level = lambda: self._run.level()  # noqa: E731
        self._metrics = Metrics(str(next(_names)), level) if metrics else Metrics.off()
        self._is_locked = False
        self._run = self._begin()
        forks.watch(self)
        ends.watch_sending(self)

    def submit(
        self,
        calls: Iterable[Meaning],
        model_id: str | None = None,
        *,
        is_live: bool = False,
        is_one: Callable[[str], bool] | None = None,
    ) -> Submitted:
        """Put the inferences of calls into the spool; rows on disk when this returns survive the process.

        Args:
            calls: taken one by one, each written as its row before the next is asked for; and what is around
                them, where a target wants that (`wants_around`).
            model_id: the model for all of them, instead of the routes.
            is_live: the calls are of spans that this process has just ended, so repetitions are sought among
                the latest keys only. Other calls (a file, a sender that tries again) are sought among all
                remembered keys.
            is_one: told the labels of some calls' evidence, says whether one recorder alone can have
                described these calls. Then they do not wait for a second description.
        """
        return self._run.take(calls, model_id, is_live=is_live, is_one=is_one)

    @property
    def wants_around(self) -> bool:
        """Whether a target takes the spans around calls."""
        return any(target.wants_around for target in self._run.targets)

    def submit_ground_truth(
        self, rows: Sequence[Mapping[str, Any]], model_id: str | None = None, watch: Watch | None = None
    ) -> Submitted:
        """Put ground truth into the spool; it waits there for its inference.

        Args:
            rows: ``{"partner_inference_id", "ground_truth_timestamp", "ground_truth_data"}`` each.
            model_id: the model of all of them; by default the one whose inference is known here, else the
                configured one.
            watch: is told of the records (see `watch`).
        """
        submitted = Submitted()
        if not self._configuration.is_v3_target:
            line = "ground truth is left out: Arthur Engine has no place for it"
            self._run.leave_out(NO_TRUTH_THERE, len(rows), submitted, line)
        for target in self._run.targets:
            if isinstance(target, TakesGroundTruth):
                for destination, batch in target.truths(rows, model_id):
                    self._run.append(target, destination, batch, submitted)
                    if watch is not None:
                        watch.add(destination.number, batch)
        return submitted

    def submit_feedback(self, given: Sequence[Feedback], watch: Watch | None = None) -> Submitted:
        """Put feedback into the spool; it waits there for its call.

        Args:
            watch: is told of the records (see `watch`).
        """
        submitted = Submitted()
        engines = [target for target in self._run.targets if isinstance(target, TakesFeedback)]
        if not engines:
            line = "feedback is left out: it is for Arthur Engine; set OTEL_EXPORTER_ARTHUR_ENGINE_ENDPOINT"
            self._run.leave_out(NO_FEEDBACK_THERE, len(given), submitted, line)
        for target in engines:
            destination, batch = target.feedback(given)
            self._run.append(target, destination, batch, submitted)
            if watch is not None:
                watch.add(destination.number, batch)
        return submitted

    def append(self, target: Target, destination: Destination, batch: NewBatch) -> Submitted:
        """Put rows that a target has made into the spool; else as `submit`."""
        submitted = Submitted()
        self._run.append(target, destination, batch, submitted)
        return submitted

    def skip(self, reason: str, n: int = 1) -> None:
        """Count spans that could have been inferences but were skipped by the reader."""
        self._run.skip(reason, n)

    def start(self) -> None:
        """Send what earlier runs left; `submit` starts by itself."""
        self._run.start()

    def watch(self) -> Watch:
        """Follows certain records in the spool, for a command that sends nobody else's."""
        return self._spool.watch()

    def flush(self, timeout: float, *, calls_only: bool = False) -> bool:
        """Send what is in the spool, for at most `timeout` seconds; whether all went, or all rows of calls.

        False too where calls wait for a key or a model that is not configured: nothing can be sent.
        """
        return self._run.flush(time.monotonic() + timeout, calls_only=calls_only)

    def finish(self, timeout: float) -> bool:
        """Send while Arthur takes rows, at most `timeout` seconds; whether all was sent. Use goes on."""
        sent = self._run.finish(time.monotonic() + timeout)
        self._run.start()
        return sent

    def shutdown(self, timeout: float) -> bool:
        """Send while Arthur accepts rows, at most `timeout` seconds; the rest stays in the spool. Idempotent.

        Ends early where Arthur fails, since everything is on disk, and 3 seconds after Arthur accepted the
        last row. Once this has returned, nothing of this delivery is sent any more: a request that was being
        written is cut. The answer to a request that was written whole is still put on record. Returns whether
        all was sent.
        """
        return self._run.shutdown(time.monotonic() + timeout)

    def adopt_all(self, places: Collection[str] = ()) -> int:
        """Take over what waits under settings that were wrong, and rows of `places`: a person says so."""
        return self._run.adopt_all(places)

    def serves(self, destination: Destination) -> bool:
        """Whether this process sends from there."""
        return destination in self._run.destinations.served

    def counts(self) -> Counts:
        """What became of everything in this process so far."""
        return self._run.counts()

    def calls_left(self) -> int:
        """Rows that calls became and that wait in the spool for this process."""
        run = self._run
        of_target = run.destinations.of_target
        return sum(
            run.level({*target.own, *of_target(target)}, kind)[0]
            for target in run.targets
            for kind in target.of_calls
        )

    @property
    def trouble(self) -> str:
        """Why new rows are not on disk now, though a disk is configured; else empty."""
        return self._spool.trouble

    @property
    def unreadable(self) -> str:
        """Why the last look could not read the rows that wait; empty where it could."""
        return self._spool.unreadable

    @property
    def exit_seconds(self) -> float:
        """What an end of the process may take at most."""
        return self._configuration.exit_timeout

    def at_exit(self, began: float) -> None:
        """The process ends. Not a shutdown: the tracer provider's own end may come after this."""
        self._run.at_exit(began + self.exit_seconds)

    def before_fork(self) -> None:
        """No thread of ours may be inside SQLite or an import while the process forks."""
        self._is_locked = self._run.lock.acquire(timeout=forks.FORK_SECONDS)
        self._spool.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on as before."""
        self._spool.after_fork_in_parent()
        if self._is_locked:
            self._run.lock.release()

    def after_fork_in_child(self) -> None:
        """Begin as a new process: threads, connections and counts are the parent's."""
        if not self._spool.after_fork_in_child():
            _logger.warning(
                "otel-arthur: the process forked while the spool was in use; the child spools in memory"
            )
            self._spool = BackedSpool(None, self._configuration.spool_max_bytes)
        was_shut_down = self._run.is_shut_down
        self._run = self._begin()
        if was_shut_down:
            self._run.is_shut_down = True
            self._run.ended.set()

    def _begin(self) -> Run:
        configuration = self._configuration
        return Run(
            self._spool, self._metrics, configuration.spool_max_age, configuration.missing, self._targets
        )

    def _targets(self, run: Run) -> Sequence[Target]:
        if self._given_targets is not None:
            return self._given_targets(self._spool)
        configuration = self._configuration
        rules = rules_of(configuration, redactor_of(configuration.redact, run.withhold))
        targets: list[Target] = []
        if configuration.is_v3_target or self._client is not None:
            ours = (self._spool, rules, self._identity, self._client)
            targets.append(ArthurTarget(configuration, *ours, run.lock, run.notices.say))
        if configuration.engine is not None:
            # Protocol Buffers is loaded only where the Engine is a target.
            from otel_arthur.engine.target import EngineTarget

            targets.append(EngineTarget(configuration, configuration.engine, rules, run.lock))
        return targets
