// Package arthurprocessor hands LLM spans and GenAI log events to Arthur, on their way through a Collector.
//
// Everything else passes untouched. What concerns Arthur is read by the core, a process of its own that the
// processor starts and watches: `otel-arthur core`.
package arthurprocessor // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor"

//go:generate go tool -modfile=internal/tools/go.mod mdatagen metadata.yaml
