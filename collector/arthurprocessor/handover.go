package arthurprocessor // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor"

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/metric"

	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/core"
	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/selection"
)

const (
	// passPatience is how long an answer waits for the core while the data goes on.
	passPatience = 2 * time.Second
	// refusePatience is how long data waits for the core before it may go on. The core itself says after 2 s that
	// its spool takes too long.
	refusePatience = 5 * time.Second
)

// patience is how long an export waits for the core.
func (o OnFailure) patience() time.Duration {
	if o == Refuse {
		return refusePatience
	}
	return passPatience
}

// handover is shared by the processors of all signals: the core, and the policy for data that the core does not take.
type handover struct {
	core      *sharedCore
	onFailure OnFailure
	stop      sync.Once
}

func newHandover(set processor.Settings, config *Config) (*handover, error) {
	shared, err := acquire(set, config)
	if err != nil {
		return nil, err
	}
	return &handover{core: shared, onFailure: config.OnFailure}, nil
}

// Start starts the core, unless another pipeline has.
func (h *handover) Start(ctx context.Context, host component.Host) error {
	return h.core.start(ctx, host)
}

// Shutdown stops the core with the last pipeline.
func (h *handover) Shutdown(ctx context.Context) error {
	var err error
	h.stop.Do(func() { err = h.core.release(ctx) })
	return err
}

// export is one request to the core.
type export struct {
	to       *core.Grouping
	body     []byte
	items    int
	notTaken metric.Int64Counter
}

func (e export) begin() core.Pending {
	defer selection.Recycle(e.body) // the group has a copy
	return e.to.Begin(e.body)
}

// first gives an export to the core before the data goes on. The error is for the sender.
func (h *handover) first(ctx context.Context, e export) (map[selection.SpanKey]struct{}, error) {
	ctx, cancel := context.WithTimeout(ctx, h.onFailure.patience())
	defer cancel()
	calls, err := e.begin().Wait(ctx)
	if err == nil {
		return calls, nil
	}
	// The sender would send a refused request for ever, and the core will never take this one.
	if h.onFailure == Refuse && core.ReasonOf(err) != core.Rejected {
		return nil, consumererror.NewRetryableError(fmt.Errorf("nothing was passed on: %w", err))
	}
	h.count(e, err)
	return nil, nil
}

// beside gives an export to the core while the data goes on, and waits for both.
func (h *handover) beside(ctx context.Context, e export, goOn func() error) error {
	// The calls stay with the core even if the sender gives up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), passPatience)
	defer cancel()
	pending := e.begin()
	err := goOn()
	if _, notTaken := pending.Wait(ctx); notTaken != nil {
		h.count(e, notTaken)
	}
	return err
}

func (h *handover) count(e export, err error) {
	reason := reasonKey.String(string(core.ReasonOf(err)))
	e.notTaken.Add(context.Background(), int64(e.items), metric.WithAttributes(reason))
}
