// Package selection finds the spans and log records of a request that concern Arthur, and makes a request of them.
package selection // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/selection"

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Traces are the spans of a request that may be LLM calls. Nothing is copied to find them.
type Traces struct {
	source ptrace.Traces
	found  []spanPlace
	total  int
}

// spanPlace is the position of a span: the indexes of its resource, its scope and itself.
type spanPlace struct{ resource, scope, span int }

// FromTraces finds those spans in a request.
func FromTraces(td ptrace.Traces) Traces {
	selected := Traces{source: td}
	resources := td.ResourceSpans()
	for r := 0; r < resources.Len(); r++ {
		scopes := resources.At(r).ScopeSpans()
		for s := 0; s < scopes.Len(); s++ {
			scopeSpans := scopes.At(s)
			spans := scopeSpans.Spans()
			selected.total += spans.Len()
			for i := 0; i < spans.Len(); i++ {
				if mayBeCall(spans.At(i), scopeSpans) {
					selected.found = append(selected.found, spanPlace{r, s, i})
				}
			}
		}
	}
	return selected
}

// Len is the number of spans that were found.
func (t Traces) Len() int { return len(t.found) }

// Marshal returns an ExportTraceServiceRequest of the found spans, as protobuf.
//
// The request holds the other spans of their traces too, so that the core knows the spans above, below and around a
// call: whole where a span may be a step of an agent, else only its place (ids, name, times and status).
func (t Traces) Marshal() ([]byte, error) {
	marshaler := &ptrace.ProtoMarshaler{}
	if len(t.found) == t.total {
		return marshaler.MarshalTraces(t.source)
	}
	return marshaler.MarshalTraces(t.alone())
}

// MarshalWhole does the same for all spans of the request.
func (t Traces) MarshalWhole() ([]byte, error) {
	return (&ptrace.ProtoMarshaler{}).MarshalTraces(t.source)
}

func (t Traces) alone() ptrace.Traces {
	traces := make(map[pcommon.TraceID]struct{}, 1)
	for _, place := range t.found {
		traces[t.span(place).TraceID()] = struct{}{}
	}
	made := &builder{traces: ptrace.NewTraces(), last: spanPlace{resource: -1}}
	left := t.found // as ordered in the request
	resources := t.source.ResourceSpans()
	for r := 0; r < resources.Len(); r++ {
		scopes := resources.At(r).ScopeSpans()
		for s := 0; s < scopes.Len(); s++ {
			spans := scopes.At(s).Spans()
			scope := scopes.At(s).Scope().Name()
			for i := 0; i < spans.Len(); i++ {
				place, span := spanPlace{r, s, i}, spans.At(i)
				if len(left) > 0 && left[0] == place {
					left = left[1:]
					span.CopyTo(made.next(resources, place))
				} else if _, isRelated := traces[span.TraceID()]; isRelated {
					if mayBeStep(span, scope) {
						span.CopyTo(made.next(resources, place))
					} else {
						copyPlace(span, made.next(resources, place))
					}
				}
			}
		}
	}
	return made.traces
}

// builder makes a request that has the needed resources and scopes of another one.
type builder struct {
	traces ptrace.Traces
	last   spanPlace
	spans  ptrace.SpanSlice
}

// next adds a new span under the resource and the scope of place.
func (b *builder) next(source ptrace.ResourceSpansSlice, place spanPlace) ptrace.Span {
	from := source.At(place.resource)
	if place.resource != b.last.resource {
		resource := b.traces.ResourceSpans().AppendEmpty()
		from.Resource().CopyTo(resource.Resource())
		resource.SetSchemaUrl(from.SchemaUrl())
	}
	if place.resource != b.last.resource || place.scope != b.last.scope {
		resources := b.traces.ResourceSpans()
		scope := resources.At(resources.Len() - 1).ScopeSpans().AppendEmpty()
		from.ScopeSpans().At(place.scope).Scope().CopyTo(scope.Scope())
		scope.SetSchemaUrl(from.ScopeSpans().At(place.scope).SchemaUrl())
		b.spans = scope.Spans()
	}
	b.last = place
	return b.spans.AppendEmpty()
}

// copyPlace copies the place of a span in its trace: ids, name, times and status.
func copyPlace(from, to ptrace.Span) {
	to.SetTraceID(from.TraceID())
	to.SetSpanID(from.SpanID())
	to.SetParentSpanID(from.ParentSpanID())
	to.SetFlags(from.Flags())
	to.SetName(from.Name())
	to.SetKind(from.Kind())
	to.SetStartTimestamp(from.StartTimestamp())
	to.SetEndTimestamp(from.EndTimestamp())
	to.Status().SetCode(from.Status().Code())
}

func (t Traces) span(place spanPlace) ptrace.Span {
	return t.source.ResourceSpans().At(place.resource).ScopeSpans().At(place.scope).Spans().At(place.span)
}

func mayBeCall(span ptrace.Span, scopeSpans ptrace.ScopeSpans) bool {
	attributes := span.Attributes()
	if attributes.Len() == 0 {
		return mayBeBareCall(span, scopeSpans.Scope().Name())
	}
	for key := range attributes.All() {
		if markers.has(key) {
			return true
		}
	}
	return false
}

func mayBeStep(span ptrace.Span, scope string) bool {
	for _, beginning := range stepScopes {
		if strings.HasPrefix(scope, beginning) {
			return true
		}
	}
	for key := range span.Attributes().All() {
		if stepMarkers.has(key) {
			return true
		}
	}
	return false
}

func mayBeBareCall(span ptrace.Span, scope string) bool {
	for _, beginning := range bareScopes {
		if strings.HasPrefix(scope, beginning) {
			return true
		}
	}
	events := span.Events()
	for i := 0; i < events.Len(); i++ {
		if _, found := spanEvents[events.At(i).Name()]; found {
			return true
		}
	}
	return false
}
