package selection

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tinylib/msgp/msgp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/contract"
)

// one is a request of one span that change makes what it is.
func one(change func(scope pcommon.InstrumentationScope, span ptrace.Span)) ptrace.Traces {
	td := ptrace.NewTraces()
	scopeSpans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	change(scopeSpans.Scope(), scopeSpans.Spans().AppendEmpty())
	return td
}

func withKey(key string) ptrace.Traces {
	return one(func(_ pcommon.InstrumentationScope, span ptrace.Span) {
		span.Attributes().PutStr("http.request.method", "POST")
		span.Attributes().PutInt(key, 1)
	})
}

func TestSpansThatMayBeCalls(t *testing.T) {
	markers := contract.Embedded.Spans
	for _, key := range append(markers.Keys, "gen_ai.anything", "llm.anything") {
		assert.Equal(t, 1, FromTraces(withKey(key)).Len(), key)
		for _, other := range []string{key[1:], key[:1], "x" + key} {
			assert.Zero(t, FromTraces(withKey(other)).Len(), other)
		}
	}
	for _, scope := range markers.Scopes {
		bare := func(scope pcommon.InstrumentationScope, name string) { scope.SetName(name) }
		assert.Equal(t, 1, FromTraces(one(func(s pcommon.InstrumentationScope, _ ptrace.Span) { bare(s, scope+".x") })).Len())
		assert.Zero(t, FromTraces(one(func(s pcommon.InstrumentationScope, _ ptrace.Span) { bare(s, "x."+scope) })).Len())
		assert.Zero(t, FromTraces(one(func(s pcommon.InstrumentationScope, span ptrace.Span) {
			bare(s, scope)
			span.Attributes().PutStr("http.request.method", "POST")
		})).Len(), "a bare span has no attribute")
	}
	for _, event := range markers.Events {
		td := one(func(_ pcommon.InstrumentationScope, span ptrace.Span) { span.Events().AppendEmpty().SetName(event) })
		assert.Equal(t, 1, FromTraces(td).Len(), event)
	}
}

func TestRecordsThatMayHoldMessages(t *testing.T) {
	record := func(change func(plog.LogRecord)) int {
		ld := plog.NewLogs()
		records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		records.AppendEmpty().Body().SetStr("started")
		change(records.AppendEmpty())
		return FromLogs(ld).Len()
	}
	for _, name := range contract.Embedded.Logs.Events {
		assert.Equal(t, 1, record(func(r plog.LogRecord) { r.SetEventName(name) }), name)
		assert.Equal(t, 1, record(func(r plog.LogRecord) { r.Attributes().PutStr("event.name", name) }), name)
	}
	conversation := func(keys ...string) func(plog.LogRecord) {
		return func(r plog.LogRecord) {
			body := r.Body().SetEmptyMap()
			for _, key := range keys {
				body.PutEmptyMap(key)
			}
		}
	}
	assert.Equal(t, 1, record(conversation("input", "output")))
	assert.Zero(t, record(conversation("input", "level")))
	assert.Zero(t, record(conversation()))
	assert.Zero(t, record(func(r plog.LogRecord) { r.SetEventName("gen_ai.other") }))
}

// mixed has a call, its parent and a stranger, under two resources.
func mixed() ptrace.Traces {
	td := ptrace.NewTraces()
	resource := td.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "support-bot")
	spans := resource.ScopeSpans().AppendEmpty().Spans()
	parent := spans.AppendEmpty()
	parent.SetTraceID(pcommon.TraceID{1})
	parent.SetSpanID(pcommon.SpanID{1})
	parent.SetName("GET /chat")
	parent.Attributes().PutStr("url.path", "/secret")
	call := spans.AppendEmpty()
	call.SetTraceID(pcommon.TraceID{1})
	call.SetSpanID(pcommon.SpanID{2})
	call.SetParentSpanID(pcommon.SpanID{1})
	call.Attributes().PutStr("gen_ai.operation.name", "chat")
	stranger := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	stranger.SetTraceID(pcommon.TraceID{9})
	stranger.Attributes().PutStr("url.path", "/secret")
	return td
}

func TestOnlyWhatConcernsArthurTravels(t *testing.T) {
	body, err := FromTraces(mixed()).Marshal()
	require.NoError(t, err)
	assert.NotContains(t, string(body), "secret")
	sent, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(body)
	require.NoError(t, err)
	require.Equal(t, 2, sent.SpanCount(), "the call, and the place of its parent")
	service, _ := sent.ResourceSpans().At(0).Resource().Attributes().Get("service.name")
	assert.Equal(t, "support-bot", service.Str())
	parent := sent.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	assert.Equal(t, pcommon.SpanID{1}, parent.SpanID())
	assert.Equal(t, "GET /chat", parent.Name())
}

func TestPackedIsWhatOTLPSays(t *testing.T) {
	td := mixed()
	spans := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	spans.At(1).Attributes().PutEmpty("nothing")
	values := spans.At(1).Attributes().PutEmptySlice("values")
	values.AppendEmpty().SetDouble(0.5)
	values.AppendEmpty().SetEmptyMap().PutBool("yes", true)
	values.AppendEmpty().SetEmptyBytes().FromRaw([]byte("raw"))
	values.AppendEmpty()
	spans.At(1).Events().AppendEmpty().SetName("an event")
	body, err := FromTraces(td).Pack()
	require.NoError(t, err)
	var told bytes.Buffer
	_, err = msgp.UnmarshalAsJSON(&told, body)
	require.NoError(t, err)
	trace := "01000000000000000000000000000000"
	assert.JSONEq(t, `[[{"service.name": "support-bot"}, [["", "",
		[["`+trace+`", "0200000000000000", "0100000000000000", 0, 0, "", 0, 0, 0, "",
		  {"gen_ai.operation.name": "chat", "values": [0.5, {"yes": true}, "cmF3", null]}, [["an event", 0, {}]], 0]],
		[],
		[["`+trace+`", "0100000000000000", null, 0, 0, "GET /chat", 0, 0, 0]]
	]]]]`, told.String())
}

func TestWholeTracesHaveThePlaceOfEverySpan(t *testing.T) {
	td := mixed()
	body, err := FromTraces(td).PackWhole()
	require.NoError(t, err)
	assert.NotContains(t, string(body), "secret")
	assert.Contains(t, string(body), "09000000000000000000000000000000")
	body, err = FromTraces(ordinary(2)).PackWhole()
	require.NoError(t, err)
	assert.NotEmpty(t, body)
}

func TestStepsOfTheTraceTravelAsTheyAre(t *testing.T) {
	for _, key := range contract.Embedded.Steps.Keys {
		td := mixed()
		parent := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
		parent.Attributes().PutStr(key, "a step")
		body, err := FromTraces(td).Marshal()
		require.NoError(t, err)
		assert.Contains(t, string(body), "a step", key)
	}
}

func TestStampsAreTheIdsOfInferences(t *testing.T) {
	td := mixed()
	call := KeyOf(pcommon.TraceID{1}, pcommon.SpanID{2})
	FromTraces(td).StampCalls(map[SpanKey]struct{}{call: {}})
	spans := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	stamp, found := spans.At(1).Attributes().Get(Stamp)
	require.True(t, found)
	assert.Equal(t, call.InferenceID(), stamp.Str())
	_, found = spans.At(0).Attributes().Get(Stamp)
	assert.False(t, found)

	var key SpanKey
	identity := contract.Embedded.Identity
	_, err := hex.Decode(key[:], []byte(identity.TraceID+identity.SpanID))
	require.NoError(t, err)
	assert.Equal(t, identity.InferenceID, key.InferenceID())
}

func ordinary(spans int) ptrace.Traces {
	td := ptrace.NewTraces()
	target := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for range spans {
		attributes := target.AppendEmpty().Attributes()
		for _, key := range []string{"http.request.method", "url.path", "server.address", "server.port", "net.peer.name", "http.route", "user_agent.original", "http.response.status_code"} {
			attributes.PutStr(key, "a value")
		}
	}
	return td
}

func TestNothingIsAllocatedWithoutACall(t *testing.T) {
	td := ordinary(100)
	assert.Zero(t, testing.AllocsPerRun(10, func() { FromTraces(td) }))
}

func BenchmarkOrdinarySpans(b *testing.B) {
	td := ordinary(100)
	for b.Loop() {
		FromTraces(td)
	}
}
