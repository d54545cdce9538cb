// Package arthurprocessor hands LLM spans and GenAI log events to Arthur, on their way through a Collector.
//
// Everything else passes untouched. The core, a process that the processor starts and watches (`otel-arthur core`),
// reads those spans and events.
package arthurprocessor // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor"

//go:generate go tool -modfile=internal/tools/go.mod mdatagen metadata.yaml
