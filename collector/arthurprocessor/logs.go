package arthurprocessor // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor"

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/selection"
)

// logsProcessor hands over log records that may hold the messages of LLM calls.
type logsProcessor struct {
	*handover
	next consumer.Logs
}

// Capabilities says that log records are never changed.
func (*logsProcessor) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs passes everything on, and gives records that concern Arthur to the core.
func (p *logsProcessor) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	selected := selection.FromLogs(ld)
	if selected.Len() == 0 {
		return p.next.ConsumeLogs(ctx, ld)
	}
	telemetry := p.core.telemetry
	telemetry.ProcessorArthurLogRecordsSelected.Add(ctx, int64(selected.Len()))
	body, err := selected.Marshal()
	if err != nil {
		return err
	}
	handed := export{p.core.logs, body, selected.Len(), telemetry.ProcessorArthurLogRecordsNotTaken}
	if p.onFailure == Pass {
		return p.beside(ctx, handed, func() error { return p.next.ConsumeLogs(ctx, ld) })
	}
	if _, err := p.first(ctx, handed); err != nil {
		return err
	}
	return p.next.ConsumeLogs(ctx, ld)
}
