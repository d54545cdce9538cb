package selection // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/selection"

import (
	"encoding/hex"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Stamp is the attribute that names the inference of a span.
const Stamp = "arthur.inference.id"

// SpanKey names a span: its trace id, then its span id.
type SpanKey [24]byte

// KeyOf is the key of a span.
func KeyOf(trace pcommon.TraceID, span pcommon.SpanID) SpanKey {
	var key SpanKey
	copy(key[:16], trace[:])
	copy(key[16:], span[:])
	return key
}

// InferenceID is the id of the inference of a call's first choice. It is a pure function of trace and span.
func (k SpanKey) InferenceID() string {
	id := make([]byte, 0, 51)
	id = hex.AppendEncode(id, k[:16])
	id = append(id, '-')
	id = hex.AppendEncode(id, k[16:])
	return string(append(id, "-0"...))
}

// StampCalls writes onto each span in calls the id of its inference.
func (t Traces) StampCalls(calls map[SpanKey]struct{}) {
	for _, place := range t.found {
		span := t.span(place)
		key := KeyOf(span.TraceID(), span.SpanID())
		if _, isCall := calls[key]; isCall {
			span.Attributes().PutStr(Stamp, key.InferenceID())
		}
	}
}
