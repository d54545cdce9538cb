package selection // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/selection"

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Logs are the log records of a request that may hold the messages of an LLM call.
type Logs struct {
	source plog.Logs
	found  []recordPlace
}

type recordPlace struct{ resource, scope, record int }

// FromLogs finds those log records in a request. Nothing is copied.
func FromLogs(ld plog.Logs) Logs {
	selected := Logs{source: ld}
	resources := ld.ResourceLogs()
	for r := 0; r < resources.Len(); r++ {
		scopes := resources.At(r).ScopeLogs()
		for s := 0; s < scopes.Len(); s++ {
			records := scopes.At(s).LogRecords()
			for i := 0; i < records.Len(); i++ {
				if mayHoldMessages(records.At(i)) {
					selected.found = append(selected.found, recordPlace{r, s, i})
				}
			}
		}
	}
	return selected
}

// Len is the number of records that were found.
func (l Logs) Len() int { return len(l.found) }

// Marshal returns an ExportLogsServiceRequest of the found records, as protobuf.
func (l Logs) Marshal() ([]byte, error) {
	alone := plog.NewLogs()
	last := recordPlace{resource: -1}
	var target plog.LogRecordSlice
	for _, place := range l.found {
		source := l.source.ResourceLogs().At(place.resource)
		scopeLogs := source.ScopeLogs().At(place.scope)
		if place.resource != last.resource {
			source.Resource().CopyTo(alone.ResourceLogs().AppendEmpty().Resource())
		}
		if place.resource != last.resource || place.scope != last.scope {
			resources := alone.ResourceLogs()
			scope := resources.At(resources.Len() - 1).ScopeLogs().AppendEmpty()
			scopeLogs.Scope().CopyTo(scope.Scope())
			target = scope.LogRecords()
			last = place
		}
		scopeLogs.LogRecords().At(place.record).CopyTo(target.AppendEmpty())
	}
	marshaler := &plog.ProtoMarshaler{}
	return marshaler.MarshalLogs(alone)
}

func mayHoldMessages(record plog.LogRecord) bool {
	name := record.EventName()
	if name == "" {
		// Before log records had a name of their own, an attribute held it.
		if value, found := record.Attributes().Get("event.name"); found {
			name = value.Str()
		}
	}
	if _, found := logEvents[name]; found {
		return true
	}
	return record.Body().Type() == pcommon.ValueTypeMap && mayBeConversation(record.Body().Map())
}

func mayBeConversation(body pcommon.Map) bool {
	for key := range body.All() {
		if _, known := logBodyKeys[key]; !known {
			return false
		}
	}
	return body.Len() > 0
}
