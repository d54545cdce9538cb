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

// Counters are those of the core. A core that restarts begins at nothing; these go on.
type Counters struct {
	client *client
	mu     sync.Mutex
	read   time.Time
	before map[series]float64 // of the cores that have ended
	now    map[series]float64 // of the core that runs
}

func newCounters(client *client) *Counters {
	return &Counters{client: client, before: map[series]float64{}, now: map[series]float64{}}
}

// Sum is a counter by the value of its one label, "" where it has none.
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

// Gauge is a value of the core that runs, and whether there is one.
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

// refresh asks the core, unless it was asked a moment ago.
func (c *Counters) refresh() {
	if time.Since(c.read) < countersAge {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), countersPatience)
	defer cancel()
	samples, err := c.client.counters(ctx)
	c.read = time.Now()
	if err != nil {
		return // it is down; what it said last stays
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
