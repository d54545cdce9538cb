package core // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/core"

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/selection"
)

const (
	// Requests wait so long for a core that restarts, counted from its end, and then fail at once.
	restartPatience = 2 * time.Second
	// The pause between two attempts to connect to a core that runs.
	retryPause = 50 * time.Millisecond
	// A collection of metrics waits so long for the core's counters.
	countersPatience = time.Second
)

// Core takes spans and log records that concern Arthur.
type Core interface {
	component.Component
	// Take hands over an export. Without an error, the core has the export on disk; with wantsCalls, Take
	// returns the spans that are calls. The error is a *NotTakenError.
	Take(ctx context.Context, form Form, body []byte, wantsCalls bool) (map[selection.SpanKey]struct{}, error)
	// Counters are the core's counters, summed over its restarts.
	Counters() *Counters
	// IsUp is whether the core answers.
	IsUp() bool
}

// remote is a core that the processor did not start.
type remote struct {
	*client
	counters *Counters
}

// NewRemote makes the client of a core that runs at an address already.
func NewRemote(network, address string) Core {
	client := newClient(network, address)
	return &remote{client: client, counters: newCounters(client)}
}

func (r *remote) Start(context.Context, component.Host) error { return nil }

func (r *remote) Shutdown(context.Context) error {
	r.close()
	return nil
}

func (r *remote) Take(ctx context.Context, form Form, body []byte, wantsCalls bool) (map[selection.SpanKey]struct{}, error) {
	return r.take(ctx, form, body, wantsCalls)
}

func (r *remote) Counters() *Counters { return r.counters }

func (r *remote) IsUp() bool {
	ctx, cancel := context.WithTimeout(context.Background(), countersPatience)
	defer cancel()
	return r.isReady(ctx) == nil
}

// Take waits for a core that restarts, and sends an export again whose core ended before it answered.
func (m *Managed) Take(ctx context.Context, form Form, body []byte, wantsCalls bool) (map[selection.SpanKey]struct{}, error) {
	for {
		if err := m.state.await(ctx); err != nil {
			return nil, err
		}
		keys, err := m.client.take(ctx, form, body, wantsCalls)
		if err == nil || ReasonOf(err) != Down || ctx.Err() != nil {
			return keys, err
		}
		select {
		case <-ctx.Done():
			return nil, &NotTakenError{Late, errors.Join(ctx.Err(), err)}
		case <-time.After(retryPause):
		}
	}
}
