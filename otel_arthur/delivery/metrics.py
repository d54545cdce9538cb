"""The delivery as OpenTelemetry metrics: semconv's exporter metrics, and ours under ``otel_arthur.``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from opentelemetry.metrics import CallbackOptions, MeterProvider, NoOpMeterProvider, Observation, get_meter
from opentelemetry.util.types import AttributeValue

_COMPONENT: Mapping[str, AttributeValue] = {"otel.component.type": "otel_arthur_exporter"}


class Metrics:
    """Instruments of one delivery. Names: semantic conventions, ``otel/sdk-metrics.md``."""

    def __init__(
        self, name: str, provider: MeterProvider | None, spool: Callable[[], tuple[int, int]]
    ) -> None:
        meter = get_meter("otel_arthur", meter_provider=provider)
        self._attributes = {**_COMPONENT, "otel.component.name": f"otel_arthur_exporter/{name}"}
        self._spool = spool
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
        meter.create_observable_gauge(
            "otel_arthur.spool.inferences", [self._rows], "{inference}", "Inferences that wait in the spool."
        )
        meter.create_observable_gauge("otel_arthur.spool.size", [self._bytes], "By", "Bytes in the spool.")

    @classmethod
    def off(cls) -> Metrics:
        """Instruments that measure nothing."""
        return cls("off", NoOpMeterProvider(), lambda: (0, 0))

    def spooled(self, count: int) -> None:
        """Records were taken into the spool."""
        if count:
            self._inflight.add(count, self._attributes)

    def exported(self, count: int, error_type: str | None) -> None:
        """Records left the spool."""
        if count:
            self._inflight.add(-count, self._attributes)
            error = {} if error_type is None else {"error.type": error_type}
            self._exported.add(count, {**self._attributes, **error})

    def refused(self, count: int, error_type: str) -> None:
        """Records never got into the spool."""
        if count:
            self._exported.add(count, {**self._attributes, "error.type": error_type})

    def operation(self, seconds: float, error: BaseException | None) -> None:
        """A request to Arthur ended."""
        failed = {} if error is None else {"error.type": type(error).__name__}
        self._duration.record(seconds, {**self._attributes, **failed})

    def outcome(self, outcome: str, count: int, reason: str = "") -> None:
        """One of our own counters grew."""
        attributes = {"otel_arthur.outcome": outcome}
        if reason:
            attributes["otel_arthur.reason"] = reason
        self._outcomes.add(count, {**self._attributes, **attributes})

    def _rows(self, _options: CallbackOptions) -> Iterable[Observation]:
        return [Observation(self._spool()[0], self._attributes)]

    def _bytes(self, _options: CallbackOptions) -> Iterable[Observation]:
        return [Observation(self._spool()[1], self._attributes)]
