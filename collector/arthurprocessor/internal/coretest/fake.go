// Package coretest has a core for tests, which speaks the protocol and reads nothing.
package coretest // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/coretest"

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// Request is one export as it arrived.
type Request struct {
	Path        string
	ContentType string
	Accept      string
	Body        []byte
}

// Core answers as a core does. Its zero value takes every export and knows no call.
type Core struct {
	// Status is the answer to exports; 0 means 200.
	Status atomic.Int32
	// Calls is the answer where the request asks for calls.
	Calls []byte
	// Counters is the answer of /counters.
	Counters []map[string]any
	// Hold delays each export until the channel is closed, unless Hold is nil.
	Hold chan struct{}

	mu  sync.Mutex
	got []Request
}

// Got returns the exports that arrived.
func (c *Core) Got() []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Request(nil), c.got...)
}

func (c *Core) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/readyz":
	case "/counters":
		_ = json.NewEncoder(w).Encode(c.Counters)
	default:
		c.take(w, r)
	}
}

func (c *Core) take(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	c.got = append(c.got, Request{r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("Accept"), body})
	c.mu.Unlock()
	if c.Hold != nil {
		select {
		case <-c.Hold:
		case <-r.Context().Done():
		}
	}
	if status := c.Status.Load(); status != 0 {
		w.WriteHeader(int(status))
		return
	}
	_, _ = w.Write(c.Calls)
}
