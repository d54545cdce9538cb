package core // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/core"

import (
	"context"
	"errors"
	"sync"
	"time"
)

var errDown = errors.New("the core does not run")

// state says whether the core is ready, and wakes requests that wait for it.
type state struct {
	mu    sync.Mutex
	ready chan struct{} // closed while the core is ready
	since time.Time     // when it ended, or was first awaited
	isUp  bool
}

func newState() *state {
	return &state{ready: make(chan struct{}), since: time.Now()}
}

func (s *state) up() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isUp {
		s.isUp = true
		close(s.ready)
	}
}

func (s *state) down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isUp {
		s.isUp = false
		s.ready = make(chan struct{})
		s.since = time.Now()
	}
}

func (s *state) isReady() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isUp
}

// await waits until the core is ready: while it restarts, but not while it is down for good.
func (s *state) await(ctx context.Context) error {
	s.mu.Lock()
	ready, isUp, left := s.ready, s.isUp, time.Until(s.since.Add(restartPatience))
	s.mu.Unlock()
	if isUp {
		return nil
	}
	if left <= 0 {
		return &NotTakenError{Down, errDown}
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-ready:
		return nil
	case <-timer.C:
		return &NotTakenError{Down, errDown}
	case <-ctx.Done():
		return &NotTakenError{Down, ctx.Err()}
	}
}
