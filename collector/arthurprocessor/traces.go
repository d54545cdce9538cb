package arthurprocessor // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor"

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/core"
	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/selection"
)

// tracesProcessor hands over spans that may be LLM calls.
type tracesProcessor struct {
	*handover
	next consumer.Traces
}

// Capabilities says that data is changed only where spans are stamped.
func (p *tracesProcessor) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: p.core.config.Stamp}
}

// ConsumeTraces passes everything on, and gives spans that concern Arthur to the core.
func (p *tracesProcessor) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	selected := selection.FromTraces(td)
	isWhole := p.core.config.makesWholeTraces()
	if selected.Len() == 0 && !isWhole {
		return p.next.ConsumeTraces(ctx, td)
	}
	telemetry := p.core.telemetry
	telemetry.ProcessorArthurSpansSelected.Add(ctx, int64(selected.Len()))
	to, body, err := p.packed(selected, isWhole)
	if err != nil {
		return err
	}
	stamps := p.core.config.Stamp
	handed := export{to, body, selected.Len(), telemetry.ProcessorArthurSpansNotTaken}
	if !stamps && p.onFailure == Pass {
		return p.beside(ctx, handed, func() error { return p.next.ConsumeTraces(ctx, td) })
	}
	calls, err := p.first(ctx, handed)
	if err != nil {
		return err
	}
	if stamps && calls == nil {
		telemetry.ProcessorArthurRequestsUnstamped.Add(ctx, 1)
	}
	selected.StampCalls(calls)
	return p.next.ConsumeTraces(ctx, td)
}

// packed returns the body for the core: in the processor's own form, or as OTLP where that form cannot hold the spans.
func (p *tracesProcessor) packed(selected selection.Traces, isWhole bool) (*core.Grouping, []byte, error) {
	if isWhole {
		if body, err := selected.PackWhole(); err == nil {
			return p.core.spans, body, nil
		}
		body, err := selected.MarshalWhole()
		return p.core.traces, body, err
	}
	if body, err := selected.Pack(); err == nil {
		return p.core.spans, body, nil
	}
	body, err := selected.Marshal()
	return p.core.traces, body, err
}
