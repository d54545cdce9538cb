package arthurprocessor // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor"

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/core"
	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/metadata"
)

// sharedCore is the one core of a processor id. The Collector makes a component for each pipeline, all with the same
// *Config.
type sharedCore struct {
	core.Core
	spans     *core.Grouping
	traces    *core.Grouping
	logs      *core.Grouping
	telemetry *metadata.TelemetryBuilder
	config    *Config
	users     int
	startOnce sync.Once
	startErr  error
}

var (
	sharedMu sync.Mutex
	shared   = map[*Config]*sharedCore{}
)

// acquire returns the core of a configuration; release gives the core back.
func acquire(set processor.Settings, config *Config) (*sharedCore, error) {
	sharedMu.Lock()
	defer sharedMu.Unlock()
	if found := shared[config]; found != nil {
		found.users++
		return found, nil
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	made := &sharedCore{telemetry: telemetry, config: config, users: 1}
	if made.Core, err = newCore(set.Logger, config, telemetry); err != nil {
		return nil, err
	}
	patience := config.OnFailure.patience()
	made.spans = core.NewGrouping(made.Core, core.Spans, config.Stamp, patience)
	made.traces = core.NewGrouping(made.Core, core.Traces, config.Stamp, patience)
	made.logs = core.NewGrouping(made.Core, core.Logs, false, patience)
	shared[config] = made
	return made, nil
}

func newCore(logger *zap.Logger, config *Config, telemetry *metadata.TelemetryBuilder) (core.Core, error) {
	if config.Core.Endpoint != "" {
		network, address, err := core.ParseEndpoint(config.Core.Endpoint)
		if err != nil {
			return nil, err
		}
		if config.Arthur != nil || config.Engine != nil {
			logger.Warn("The core at the endpoint has a configuration of its own: sections arthur, engine and spool are not used")
		}
		return core.NewRemote(network, address), nil
	}
	document, err := config.document()
	if err != nil {
		return nil, err
	}
	settings := core.Settings{
		Command:      config.Core.command(),
		Document:     document,
		StartTimeout: config.Core.StartTimeout,
		StopTimeout:  config.Core.StopTimeout,
	}
	return core.NewManaged(settings, logger, func() {
		telemetry.ProcessorArthurCoreStarts.Add(context.Background(), 1)
	}), nil
}

// start starts the core for its first user.
func (s *sharedCore) start(ctx context.Context, host component.Host) error {
	s.startOnce.Do(func() {
		if s.startErr = s.Start(ctx, host); s.startErr == nil {
			s.startErr = observe(s.telemetry, s.Core)
		}
	})
	return s.startErr
}

// release stops the core with its last user.
func (s *sharedCore) release(ctx context.Context) error {
	sharedMu.Lock()
	s.users--
	isLast := s.users == 0
	if isLast {
		delete(shared, s.config)
	}
	sharedMu.Unlock()
	if !isLast {
		return nil
	}
	s.telemetry.Shutdown()
	s.spans.Shutdown()
	s.traces.Shutdown()
	s.logs.Shutdown()
	return s.Shutdown(ctx)
}
