package arthurprocessor // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor"

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/core"
	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/metadata"
)

const (
	reasonKey  = attribute.Key("reason")
	outcomeKey = attribute.Key("outcome")
)

// observe shows the core's counters as metrics of the Collector.
func observe(telemetry *metadata.TelemetryBuilder, of core.Core) error {
	sums := func(name string, key attribute.Key) metric.Int64Callback {
		return func(_ context.Context, observer metric.Int64Observer) error {
			for label, value := range of.Counters().Sum(name) {
				if label == "" {
					observer.Observe(int64(value))
				} else {
					observer.Observe(int64(value), metric.WithAttributes(key.String(label)))
				}
			}
			return nil
		}
	}
	gauge := func(name string) metric.Int64Callback {
		return func(_ context.Context, observer metric.Int64Observer) error {
			if value, known := of.Counters().Gauge(name); known {
				observer.Observe(int64(value))
			}
			return nil
		}
	}
	return errors.Join(
		telemetry.RegisterProcessorArthurCallsCallback(sums(core.CallsCounter, outcomeKey)),
		telemetry.RegisterProcessorArthurSpansSkippedCallback(sums(core.SkippedCounter, reasonKey)),
		telemetry.RegisterProcessorArthurDuplicatesCallback(sums(core.DuplicatesCounter, "")),
		telemetry.RegisterProcessorArthurSentCallback(sums(core.SentCounter, "")),
		telemetry.RegisterProcessorArthurDeadLettersCallback(sums(core.DeadLettersCounter, "")),
		telemetry.RegisterProcessorArthurSpoolSizeCallback(gauge(core.SpoolSizeGauge)),
		telemetry.RegisterProcessorArthurSpoolCapacityCallback(gauge(core.SpoolCapacityGauge)),
		telemetry.RegisterProcessorArthurCoreMemoryCallback(gauge(core.MemoryGauge)),
		telemetry.RegisterProcessorArthurCoreCPUTimeCallback(func(_ context.Context, observer metric.Float64Observer) error {
			for _, value := range of.Counters().Sum(core.CPUCounter) {
				observer.Observe(value)
			}
			return nil
		}),
		telemetry.RegisterProcessorArthurCoreUpCallback(func(_ context.Context, observer metric.Int64Observer) error {
			var up int64
			if of.IsUp() {
				up = 1
			}
			observer.Observe(up)
			return nil
		}),
	)
}
