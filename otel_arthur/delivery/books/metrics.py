"""The delivery as OpenTelemetry metrics: semconv's exporter metrics, and ours under ``otel_arthur.``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from weakref import WeakSet

from opentelemetry.metrics import CallbackOptions, MeterProvider, NoOpMeterProvider, Observation, get_meter
from opentelemetry.util.types import AttributeValue

_COMPONENT: Mapping[str, AttributeValue] = {"otel.component.type": "otel_arthur_exporter"}


class Metrics:
    """Instruments of one delivery. Names: semantic conventions, ``otel/sdk-metrics.md``.

    Args:
        name: tells this delivery from the process's others.
        spool: rows that wait and bytes of the spool; asked as long as this object lives.
        provider: default is the global one, and only there the gauges of the spool are reported.
    """

    def __init__(
        self, name: str, spool: Callable[[], tuple[int, int]], provider: MeterProvider | None = None
    ) -> None:
        meter = get_meter("otel_arthur", meter_provider=provider)
        self.attributes = {**_COMPONENT, "otel.component.name": f"otel_arthur_exporter/{name}"}
        self.spool = spool
        self._exported = meter.create_counter(
            "otel.sdk.exporter.span.exported",
            unit="{span}",
            description="Spans for which the export finished, with error.type where it failed.",
        )
        self._inflight = meter.create_up_down_counter(
            "otel.sdk.exporter.span.inflight",
            unit="{span}",
            description="Spans that were passed to the exporter and whose export has not finished.",
        )
        self._duration = meter.create_histogram(
            "otel.sdk.exporter.operation.duration", unit="s", description="Duration of requests to Arthur."
        )
        self._outcomes = meter.create_counter(
            "otel_arthur.inferences",
            unit="{inference}",
            description="Inferences by outcome, and reason where there is one.",
        )
        self._mended = meter.create_counter(
            "otel_arthur.mended",
            unit="{value}",
            description="Values that were changed so that Arthur can take them, by reason.",
        )
        if provider is None:
            _report_level_of(self)

    @classmethod
    def off(cls) -> Metrics:
        """Instruments that measure nothing."""
        return cls("off", lambda: (0, 0), NoOpMeterProvider())

    def taken(self, count: int) -> None:
        """Rows were taken into the spool."""
        if count:
            self._inflight.add(count, self.attributes)

    def exported(self, count: int, error_type: str | None) -> None:
        """Rows left the spool."""
        if count:
            self._inflight.add(-count, self.attributes)
            error = {} if error_type is None else {"error.type": error_type}
            self._exported.add(count, {**self.attributes, **error})

    def refused(self, count: int, error_type: str) -> None:
        """Rows never got into the spool."""
        if count:
            self._exported.add(count, {**self.attributes, "error.type": error_type})

    def operation(self, seconds: float, error_type: str | None) -> None:
        """A request to Arthur ended."""
        failed = {} if error_type is None else {"error.type": error_type}
        self._duration.record(seconds, {**self.attributes, **failed})

    def outcome(self, outcome: str, count: int, reason: str = "") -> None:
        """One of our own counters grew."""
        attributes = {"otel_arthur.outcome": outcome}
        if reason:
            attributes["otel_arthur.reason"] = reason
        self._outcomes.add(count, {**self.attributes, **attributes})

    def mended(self, reason: str, count: int) -> None:
        """Values were changed so that a target can take them."""
        self._mended.add(count, {**self.attributes, "otel_arthur.reason": reason})


_reported: WeakSet[Metrics] = WeakSet()
_gauges: dict[str, object] = {}


def _report_level_of(metrics: Metrics) -> None:
    """Report the spool's level as long as `metrics` lives.

    The SDK keeps an observable gauge and its callbacks for ever, so there is one for all deliveries, and
    what it asks is held weakly.
    """
    _reported.add(metrics)
    first = object()
    # Without a lock: one held by another thread at a fork would never open in the child.
    if _gauges.setdefault("made", first) is not first:
        return
    meter = get_meter("otel_arthur")
    meter.create_observable_gauge(
        "otel_arthur.spool.inferences", [_rows], "{inference}", "Inferences that wait in the spool."
    )
    meter.create_observable_gauge("otel_arthur.spool.size", [_bytes], "By", "Bytes in the spool.")


def _rows(_options: CallbackOptions) -> Iterable[Observation]:
    return [Observation(metrics.spool()[0], metrics.attributes) for metrics in list(_reported)]


def _bytes(_options: CallbackOptions) -> Iterable[Observation]:
    return [Observation(metrics.spool()[1], metrics.attributes) for metrics in list(_reported)]
