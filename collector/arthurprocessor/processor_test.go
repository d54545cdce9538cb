package arthurprocessor

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/ptracetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tinylib/msgp/msgp"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/coretest"
	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/metadata"
	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/metadatatest"
	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/selection"
)

// rig is a processor between a core and a sink.
type rig struct {
	core      *coretest.Core
	sink      *consumertest.TracesSink
	telemetry *componenttest.Telemetry
	traces    processor.Traces
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	r := &rig{core: &coretest.Core{}, sink: &consumertest.TracesSink{}, telemetry: componenttest.NewTelemetry()}
	server := httptest.NewServer(r.core)
	config := createDefaultConfig().(*Config)
	config.Core.Endpoint = "tcp://" + strings.TrimPrefix(server.URL, "http://")
	if change != nil {
		change(config)
	}
	require.NoError(t, config.Validate())
	set := processortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = r.telemetry.NewTelemetrySettings()
	var err error
	r.traces, err = NewFactory().CreateTraces(context.Background(), set, config, r.sink)
	require.NoError(t, err)
	require.NoError(t, r.traces.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		assert.NoError(t, r.traces.Shutdown(context.Background()))
		server.Close()
		assert.NoError(t, r.telemetry.Shutdown(context.Background()))
	})
	return r
}

// input has calls, a parent and strangers; see testdata.
func input(t *testing.T) ptrace.Traces {
	t.Helper()
	td, err := golden.ReadTraces(filepath.Join("testdata", "input.yaml"))
	require.NoError(t, err)
	return td
}

func (r *rig) notTaken(t *testing.T, spans int64, reason string) {
	t.Helper()
	metadatatest.AssertEqualProcessorArthurSpansNotTaken(t, r.telemetry, []metricdata.DataPoint[int64]{
		{Value: spans, Attributes: attribute.NewSet(reasonKey.String(reason))},
	}, metricdatatest.IgnoreTimestamp())
}

func TestGoldenFiles(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Stamp = true })
	assert.True(t, r.traces.Capabilities().MutatesData)
	first := input(t).ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(1)
	key := selection.KeyOf(first.TraceID(), first.SpanID())
	r.core.Calls = key[:]
	require.NoError(t, r.traces.ConsumeTraces(context.Background(), input(t)))

	require.Len(t, r.core.Got(), 1)
	var handed bytes.Buffer
	left, err := msgp.UnmarshalAsJSON(&handed, r.core.Got()[0].Body)
	require.NoError(t, err)
	assert.Empty(t, left)
	wanted, err := os.ReadFile(filepath.Join("testdata", "handed_over.json"))
	require.NoError(t, err)
	assert.JSONEq(t, string(wanted), handed.String())

	stamped, err := golden.ReadTraces(filepath.Join("testdata", "stamped.yaml"))
	require.NoError(t, err)
	assert.NoError(t, ptracetest.CompareTraces(stamped, r.sink.AllTraces()[0]))
}

// The core mends what is bad in OTLP, so that is how it travels.
func TestWhatIsUnfitTravelsAsOTLP(t *testing.T) {
	deep := pcommon.NewValueEmpty()
	inner := deep
	for range 70 {
		inner = inner.SetEmptySlice().AppendEmpty()
	}
	for name, spoil := range map[string]func(pcommon.Map){
		"no UTF-8":        func(attributes pcommon.Map) { attributes.PutStr("bad", "caf\xe9") },
		"nested too deep": func(attributes pcommon.Map) { deep.CopyTo(attributes.PutEmpty("deep")) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			td := input(t)
			spoil(td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(1).Attributes())
			require.NoError(t, r.traces.ConsumeTraces(context.Background(), td))
			require.Len(t, r.core.Got(), 1)
			assert.Equal(t, "application/x-protobuf", r.core.Got()[0].ContentType)
		})
	}
}

func TestWithoutACallNothingIsAsked(t *testing.T) {
	r := newRig(t, nil)
	assert.False(t, r.traces.Capabilities().MutatesData)
	td := ptrace.NewTraces()
	td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().Attributes().PutStr("a", "b")
	require.NoError(t, r.traces.ConsumeTraces(context.Background(), td))
	assert.Empty(t, r.core.Got())
	assert.Equal(t, 1, r.sink.SpanCount())
}

func TestPass(t *testing.T) {
	for status, reason := range map[int32]string{
		http.StatusServiceUnavailable:    "spool full",
		http.StatusBadGateway:            "core down",
		http.StatusRequestEntityTooLarge: "rejected",
	} {
		t.Run(reason, func(t *testing.T) {
			r := newRig(t, nil)
			r.core.Status.Store(status)
			require.NoError(t, r.traces.ConsumeTraces(context.Background(), input(t)))
			assert.NoError(t, ptracetest.CompareTraces(input(t), r.sink.AllTraces()[0]))
			r.notTaken(t, 2, reason)
		})
	}
}

func TestPassGoesOnBesideACoreThatHangs(t *testing.T) {
	r := newRig(t, nil)
	r.core.Hold = make(chan struct{})
	defer close(r.core.Hold)
	answered := make(chan error)
	go func() { answered <- r.traces.ConsumeTraces(context.Background(), input(t)) }()
	require.Eventually(t, func() bool { return r.sink.SpanCount() > 0 }, time.Minute, time.Millisecond)
	require.NoError(t, <-answered)
	r.notTaken(t, 2, "core late")
}

func TestPassUnstamped(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Stamp = true })
	r.core.Status.Store(http.StatusServiceUnavailable)
	require.NoError(t, r.traces.ConsumeTraces(context.Background(), input(t)))
	assert.NoError(t, ptracetest.CompareTraces(input(t), r.sink.AllTraces()[0]))
	metadatatest.AssertEqualProcessorArthurRequestsUnstamped(t, r.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
}

func TestRefuse(t *testing.T) {
	r := newRig(t, func(c *Config) { c.OnFailure = Refuse })
	r.core.Status.Store(http.StatusServiceUnavailable)
	err := r.traces.ConsumeTraces(context.Background(), input(t))
	var retryable *consumererror.Error
	require.ErrorAs(t, err, &retryable)
	assert.True(t, retryable.IsRetryable())
	assert.Zero(t, r.sink.SpanCount())

	r.core.Status.Store(http.StatusBadRequest)
	require.NoError(t, r.traces.ConsumeTraces(context.Background(), input(t)), "it would come back for ever")
	r.notTaken(t, 2, "rejected")

	r.core.Status.Store(0)
	require.NoError(t, r.traces.ConsumeTraces(context.Background(), input(t)))
	assert.Equal(t, 2*input(t).SpanCount(), r.sink.SpanCount())
}

func TestCountersOfTheCore(t *testing.T) {
	r := newRig(t, nil)
	r.core.Counters = []map[string]any{
		{"name": "otelcol_arthur_calls", "labels": map[string]string{"outcome": "taken"}, "value": 7},
		{"name": "otelcol_exporter_sent_spans", "labels": map[string]string{"exporter": "arthur"}, "value": 5},
	}
	metadatatest.AssertEqualProcessorArthurCalls(t, r.telemetry, []metricdata.DataPoint[int64]{
		{Value: 7, Attributes: attribute.NewSet(outcomeKey.String("taken"))},
	}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualProcessorArthurSent(t, r.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 5}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualProcessorArthurCoreUp(t, r.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
}

func TestLogsShareTheCore(t *testing.T) {
	core := &coretest.Core{}
	server := httptest.NewServer(core)
	defer server.Close()
	config := createDefaultConfig().(*Config)
	config.Core.Endpoint = "tcp://" + strings.TrimPrefix(server.URL, "http://")
	set := processortest.NewNopSettings(metadata.Type)
	sink := &consumertest.LogsSink{}
	logs, err := NewFactory().CreateLogs(context.Background(), set, config, sink)
	require.NoError(t, err)
	traces, err := NewFactory().CreateTraces(context.Background(), set, config, &consumertest.TracesSink{})
	require.NoError(t, err)
	assert.Same(t, logs.(*logsProcessor).core, traces.(*tracesProcessor).core)
	require.NoError(t, traces.Start(context.Background(), componenttest.NewNopHost()))
	require.NoError(t, logs.Start(context.Background(), componenttest.NewNopHost()))

	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	records.AppendEmpty().Body().SetStr("a secret")
	records.AppendEmpty().SetEventName("gen_ai.choice")
	require.NoError(t, logs.ConsumeLogs(context.Background(), ld))
	require.Len(t, core.Got(), 1)
	assert.NotContains(t, string(core.Got()[0].Body), "secret")
	assert.Equal(t, 2, sink.LogRecordCount())

	require.NoError(t, traces.Shutdown(context.Background()))
	require.NoError(t, logs.ConsumeLogs(context.Background(), ld), "the core stays for the other pipeline")
	require.NoError(t, logs.Shutdown(context.Background()))
	assert.NotContains(t, shared, config)
}
