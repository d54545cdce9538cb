package core // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/core"

import (
	"context"
	"sync"
	"time"
)

// A page of counters serves all instruments of one collection.
const countersAge = 500 * time.Millisecond

// Names of the core's counters.
const (
	CallsCounter       = "otelcol_arthur_calls"
	SkippedCounter     = "otelcol_arthur_spans_skipped"
	DuplicatesCounter  = "otelcol_arthur_duplicates"
	SentCounter        = "otelcol_exporter_sent_spans"
	DeadLettersCounter = "otelcol_exporter_send_failed_spans"
	SpoolSizeGauge     = "otelcol_exporter_queue_size"
	SpoolCapacityGauge = "otelcol_exporter_queue_capacity"
	MemoryGauge        = "otelcol_process_memory_rss"
	CPUCounter         = "otelcol_process_cpu_seconds"
	uptimeCounter      = "otelcol_process_uptime"
)

type series struct{ name, label string }

// Counters are the core's counters. A restarted core begins at zero; these counters go on.
type Counters struct {
	client *client
	mu     sync.Mutex
	read   time.Time
	before map[series]float64 // the sums of all ended cores
	now    map[series]float64 // the values of the running core
}

func newCounters(client *client) *Counters {
	return &Counters{client: client, before: map[series]float64{}, now: map[series]float64{}}
}

// Sum returns a counter by the value of its one label, or by "" where the counter has no label.
func (c *Counters) Sum(name string) map[string]float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refresh()
	sums := map[string]float64{}
	for _, part := range []map[series]float64{c.before, c.now} {
		for key, value := range part {
			if key.name == name {
				sums[key.label] += value
			}
		}
	}
	return sums
}

// Gauge returns a value of the running core, and whether the core has that value.
func (c *Counters) Gauge(name string) (float64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refresh()
	for key, value := range c.now {
		if key.name == name {
			return value, true
		}
	}
	return 0, false
}

// refresh asks the core for its counters, unless it did so a moment ago.
func (c *Counters) refresh() {
	if time.Since(c.read) < countersAge {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), countersPatience)
	defer cancel()
	samples, err := c.client.counters(ctx)
	c.read = time.Now()
	if err != nil {
		return // the core is down, and the last values stay
	}
	now := make(map[series]float64, len(samples))
	for _, sample := range samples {
		if sample.Labels["exporter"] == "forward" {
			continue
		}
		label := sample.Labels["outcome"] + sample.Labels["reason"]
		now[series{sample.Name, label}] += sample.Value
	}
	if uptime := (series{name: uptimeCounter}); now[uptime] < c.now[uptime] {
		for key, value := range c.now {
			c.before[key] += value
		}
	}
	c.now = now
}
