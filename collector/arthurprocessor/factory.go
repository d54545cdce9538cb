package arthurprocessor // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor"

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/metadata"
)

const (
	defaultStartTimeout = 30 * time.Second
	defaultStopTimeout  = 20 * time.Second
)

// NewFactory makes processors of the type arthur.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		metadata.Type,
		createDefaultConfig,
		processor.WithTraces(createTraces, metadata.TracesStability),
		processor.WithLogs(createLogs, metadata.LogsStability),
	)
}

func createDefaultConfig() component.Config {
	return &Config{
		Core:      CoreConfig{StartTimeout: defaultStartTimeout, StopTimeout: defaultStopTimeout},
		OnFailure: Pass,
	}
}

func createTraces(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	hand, err := newHandover(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	return &tracesProcessor{handover: hand, next: next}, nil
}

func createLogs(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	hand, err := newHandover(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	return &logsProcessor{handover: hand, next: next}, nil
}
