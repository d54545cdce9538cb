// Package selection finds what concerns Arthur in a request, and makes a request of that alone.
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

// spanPlace is where a span stands: the indexes of its resource, its scope and itself.
type spanPlace struct{ resource, scope, span int }

// FromTraces finds them.
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

// Len is how many spans were found.
func (t Traces) Len() int { return len(t.found) }

// Marshal makes an ExportTraceServiceRequest in protobuf of the spans that were found.
//
// Of the other spans of their traces it holds the ids alone: whether two records are of one call is told by
// what stands above and below them.
func (t Traces) Marshal() ([]byte, error) {
	marshaler := &ptrace.ProtoMarshaler{}
	if len(t.found) == t.total {
		return marshaler.MarshalTraces(t.source)
	}
	return marshaler.MarshalTraces(t.alone())
}

func (t Traces) alone() ptrace.Traces {
	alone := ptrace.NewTraces()
	traces := make(map[pcommon.TraceID]struct{})
	found := make(map[spanPlace]struct{}, len(t.found))
	var target ptrace.SpanSlice
	last := spanPlace{resource: -1}
	for _, place := range t.found {
		found[place] = struct{}{}
		if place.resource != last.resource || place.scope != last.scope {
			target = t.begin(alone, place, place.resource == last.resource)
			last = place
		}
		span := t.span(place)
		traces[span.TraceID()] = struct{}{}
		span.CopyTo(target.AppendEmpty())
	}
	t.addRelatives(alone, traces, found)
	return alone
}

// begin opens a scope like that of place, in a resource of its own unless the last one is the same.
func (t Traces) begin(alone ptrace.Traces, place spanPlace, isSameResource bool) ptrace.SpanSlice {
	source := t.source.ResourceSpans().At(place.resource)
	resources := alone.ResourceSpans()
	if !isSameResource {
		resource := resources.AppendEmpty()
		source.Resource().CopyTo(resource.Resource())
		resource.SetSchemaUrl(source.SchemaUrl())
	}
	scopeSpans := source.ScopeSpans().At(place.scope)
	scope := resources.At(resources.Len() - 1).ScopeSpans().AppendEmpty()
	scopeSpans.Scope().CopyTo(scope.Scope())
	scope.SetSchemaUrl(scopeSpans.SchemaUrl())
	return scope.Spans()
}

func (t Traces) addRelatives(alone ptrace.Traces, traces map[pcommon.TraceID]struct{}, found map[spanPlace]struct{}) {
	relatives := alone.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	resources := t.source.ResourceSpans()
	for r := 0; r < resources.Len(); r++ {
		scopes := resources.At(r).ScopeSpans()
		for s := 0; s < scopes.Len(); s++ {
			spans := scopes.At(s).Spans()
			for i := 0; i < spans.Len(); i++ {
				span := spans.At(i)
				if _, isRelated := traces[span.TraceID()]; !isRelated {
					continue
				}
				if _, isFound := found[spanPlace{r, s, i}]; isFound {
					continue
				}
				relative := relatives.AppendEmpty()
				relative.SetTraceID(span.TraceID())
				relative.SetSpanID(span.SpanID())
				relative.SetParentSpanID(span.ParentSpanID())
			}
		}
	}
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
