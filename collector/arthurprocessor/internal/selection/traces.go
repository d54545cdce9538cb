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
// Of their traces it holds further, so that the core knows what stands above, below and around a call: spans that
// may be steps of an agent as they are, and of all others only the place: ids, name, times and status.
func (t Traces) Marshal() ([]byte, error) {
	marshaler := &ptrace.ProtoMarshaler{}
	if len(t.found) == t.total {
		return marshaler.MarshalTraces(t.source)
	}
	return marshaler.MarshalTraces(t.alone())
}

// MarshalWhole makes one of all spans.
func (t Traces) MarshalWhole() ([]byte, error) {
	return (&ptrace.ProtoMarshaler{}).MarshalTraces(t.source)
}

func (t Traces) alone() ptrace.Traces {
	traces := make(map[pcommon.TraceID]struct{}, 1)
	for _, place := range t.found {
		traces[t.span(place).TraceID()] = struct{}{}
	}
	made := &builder{traces: ptrace.NewTraces(), last: spanPlace{resource: -1}}
	left := t.found // in the order of the request
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

// builder makes a request whose resources and scopes are those of another one, where they are needed.
type builder struct {
	traces ptrace.Traces
	last   spanPlace
	spans  ptrace.SpanSlice
}

// next is a new span under the resource and the scope of place.
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

// copyPlace copies where a span stands in its trace, and nothing that it tells.
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
