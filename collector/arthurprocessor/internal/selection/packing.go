package selection

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"sync"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// maxDepth is the depth to which the core reads nested values.
const maxDepth = 64

// ErrUnfit is Pack's error for spans that must travel as OTLP: the core mends a text that is no UTF-8, or a value that
// is nested too deep.
var ErrUnfit = errors.New("MessagePack cannot hold these spans as OTLP does")

// Pack returns the spans of Marshal in the processor's own form: MessagePack, which the core decodes in one step.
//
// The form is a list of resources [attributes, scopes]. A scope is [name, version, calls, steps, places]: spans that
// may be calls, spans that may be steps around calls, and all others, of which only the place travels. Each span is
// [trace id, id, parent's id, flags, kind, name, start, end, status]; calls and steps continue with [..., message of
// the status, attributes, events, dropped attributes]. An event is [name, time, attributes]. Ids are hexadecimal,
// attributes are maps.
func (t Traces) Pack() ([]byte, error) {
	return t.pack(false)
}

// PackWhole packs all spans of the request, for a core that makes whole traces. Only the place travels of spans that
// are neither calls nor steps.
func (t Traces) PackWhole() ([]byte, error) {
	return t.pack(true)
}

func (t Traces) pack(isWhole bool) ([]byte, error) {
	p := &packer{isWhole: isWhole, related: make(map[pcommon.TraceID]struct{}, 1), left: t.found}
	if spare, found := spares.Get().(*[]byte); found {
		p.body = (*spare)[:0]
	}
	for _, place := range t.found {
		p.related[t.span(place).TraceID()] = struct{}{}
	}
	resources := t.source.ResourceSpans()
	list := p.open(msgpArray)
	for r := 0; r < resources.Len(); r++ {
		p.resource(r, resources.At(r), &list)
	}
	p.close(list)
	if p.isUnfit {
		return nil, ErrUnfit
	}
	return p.body, nil
}

// spares are bodies of earlier packing. A new body would be copied several times as it grows.
var spares sync.Pool

// Recycle takes back a body that nobody reads any more.
func Recycle(body []byte) { spares.Put(&body) }

// The first byte of a list and of a map; the length is in the next four bytes.
const (
	msgpArray = 0xdd
	msgpMap   = 0xdf
)

// series is a list or a map whose length is not known yet.
type series struct {
	at     int
	length uint32
}

type packer struct {
	body    []byte
	isWhole bool
	isUnfit bool
	// related has the traces of all calls, left the calls that were not packed yet.
	related map[pcommon.TraceID]struct{}
	left    []spanPlace
	// kinds has the kind of each span of a scope.
	kinds []kind
}

// kind says how much of a span travels.
type kind uint8

const (
	stranger kind = iota
	call
	step
	place
)

func (p *packer) open(first byte) series {
	p.body = append(p.body, first, 0, 0, 0, 0)
	return series{at: len(p.body) - 4}
}

func (p *packer) close(s series) { binary.BigEndian.PutUint32(p.body[s.at:], s.length) }

func (p *packer) resource(number int, resource ptrace.ResourceSpans, list *series) {
	var scopes series
	for s := 0; s < resource.ScopeSpans().Len(); s++ {
		scope := resource.ScopeSpans().At(s)
		if !p.tell(number, s, scope) {
			continue
		}
		if scopes.at == 0 {
			list.length++
			p.body = msgp.AppendArrayHeader(p.body, 2)
			p.attributes(resource.Resource().Attributes())
			scopes = p.open(msgpArray)
		}
		scopes.length++
		p.scope(scope)
	}
	if scopes.at > 0 {
		p.close(scopes)
	}
}

// tell finds the kind of each span of a scope, and returns whether any span travels.
func (p *packer) tell(resource, scope int, scopeSpans ptrace.ScopeSpans) bool {
	spans := scopeSpans.Spans()
	p.kinds = p.kinds[:0]
	travels := false
	for i := 0; i < spans.Len(); i++ {
		told := stranger
		if len(p.left) > 0 && p.left[0] == (spanPlace{resource, scope, i}) {
			p.left = p.left[1:]
			told = call
		} else if _, isRelated := p.related[spans.At(i).TraceID()]; isRelated || p.isWhole {
			told = place
			if mayBeStep(spans.At(i), scopeSpans.Scope().Name()) {
				told = step
			}
		}
		travels = travels || told != stranger
		p.kinds = append(p.kinds, told)
	}
	return travels
}

func (p *packer) scope(scopeSpans ptrace.ScopeSpans) {
	p.body = msgp.AppendArrayHeader(p.body, 5)
	p.text(scopeSpans.Scope().Name())
	p.text(scopeSpans.Scope().Version())
	for _, wanted := range [...]kind{call, step, place} {
		list := p.open(msgpArray)
		for i, told := range p.kinds {
			if told == wanted {
				list.length++
				p.span(scopeSpans.Spans().At(i), wanted != place)
			}
		}
		p.close(list)
	}
}

func (p *packer) span(span ptrace.Span, isWhole bool) {
	fields := uint32(9)
	if isWhole {
		fields += 4
	}
	trace, id, parent := span.TraceID(), span.SpanID(), span.ParentSpanID()
	p.body = msgp.AppendArrayHeader(p.body, fields)
	p.id(trace[:])
	p.id(id[:])
	if parent.IsEmpty() {
		p.body = msgp.AppendNil(p.body)
	} else {
		p.id(parent[:])
	}
	p.body = msgp.AppendUint32(p.body, span.Flags())
	p.body = msgp.AppendInt32(p.body, int32(span.Kind()))
	p.text(span.Name())
	p.body = msgp.AppendUint64(p.body, uint64(span.StartTimestamp()))
	p.body = msgp.AppendUint64(p.body, uint64(span.EndTimestamp()))
	p.body = msgp.AppendInt32(p.body, int32(span.Status().Code()))
	if !isWhole {
		return
	}
	p.text(span.Status().Message())
	p.attributes(span.Attributes())
	events := span.Events()
	p.body = msgp.AppendArrayHeader(p.body, uint32(events.Len()))
	for i := 0; i < events.Len(); i++ {
		event := events.At(i)
		p.body = msgp.AppendArrayHeader(p.body, 3)
		p.text(event.Name())
		p.body = msgp.AppendUint64(p.body, uint64(event.Timestamp()))
		p.attributes(event.Attributes())
	}
	p.body = msgp.AppendUint32(p.body, span.DroppedAttributesCount())
}

func (p *packer) id(id []byte) {
	var text [32]byte
	p.body = msgp.AppendStringFromBytes(p.body, text[:hex.Encode(text[:], id)])
}

func (p *packer) text(text string) {
	p.isUnfit = p.isUnfit || !utf8.ValidString(text)
	p.body = msgp.AppendString(p.body, text)
}

// attributes leaves out attributes without a value.
func (p *packer) attributes(attributes pcommon.Map) {
	pairs := p.open(msgpMap)
	for key, value := range attributes.All() {
		if value.Type() != pcommon.ValueTypeEmpty {
			pairs.length++
			p.text(key)
			p.value(value, 0)
		}
	}
	p.close(pairs)
}

func (p *packer) value(value pcommon.Value, depth int) {
	if depth > maxDepth {
		p.isUnfit = true
		return
	}
	switch value.Type() {
	case pcommon.ValueTypeStr:
		p.text(value.Str())
	case pcommon.ValueTypeBool:
		p.body = msgp.AppendBool(p.body, value.Bool())
	case pcommon.ValueTypeInt:
		p.body = msgp.AppendInt64(p.body, value.Int())
	case pcommon.ValueTypeDouble:
		p.body = msgp.AppendFloat64(p.body, value.Double())
	case pcommon.ValueTypeBytes:
		p.body = msgp.AppendBytes(p.body, value.Bytes().AsRaw())
	case pcommon.ValueTypeSlice:
		values := value.Slice()
		p.body = msgp.AppendArrayHeader(p.body, uint32(values.Len()))
		for i := 0; i < values.Len(); i++ {
			p.value(values.At(i), depth+1)
		}
	case pcommon.ValueTypeMap:
		p.body = msgp.AppendMapHeader(p.body, uint32(value.Map().Len()))
		for key, inner := range value.Map().All() {
			p.text(key)
			p.value(inner, depth+1)
		}
	default:
		p.body = msgp.AppendNil(p.body)
	}
}
