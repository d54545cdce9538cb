package core

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/coretest"
)

func TestMain(m *testing.M) {
	if os.Getenv(kindVariable) != "" {
		os.Exit(beCore(os.Getenv(kindVariable)))
	}
	goleak.VerifyTestMain(m)
}

// kindVariable makes this test binary a core, of the kind that it names.
const kindVariable = "ARTHUR_TEST_CORE"

// beCore is the program of a core: a configuration and a life at descriptor 3, a socket at descriptor 4.
func beCore(kind string) int {
	life := bufio.NewReader(os.NewFile(3, "life"))
	configuration, err := life.ReadString('\n')
	if err != nil || kind == "wrong" {
		fmt.Fprintln(os.Stderr, "Error: line 1: arthur.redact is unknown")
		return 2
	}
	listener, err := net.FileListener(os.NewFile(4, "socket"))
	if err != nil {
		return 1
	}
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	core := &coretest.Core{Counters: []map[string]any{
		{"name": "otelcol_arthur_calls", "labels": map[string]string{"outcome": "taken"}, "value": 3},
		{"name": "otelcol_process_uptime", "value": float64(time.Now().UnixNano()%1e6) + 1},
		{"name": "pid", "value": os.Getpid()},
	}}
	go func() { _ = http.Serve(listener, core) }()
	fmt.Fprintf(os.Stderr, `{"level":"warning","logger":"core","msg":"configured","with":%s,"arguments":%q}`+"\n",
		strconv.Quote(configuration), strings.Join(os.Args[1:], " "))
	ended := make(chan struct{})
	go func() {
		_, _ = life.ReadByte()
		close(ended)
	}()
	select {
	case <-ended:
	case <-terminated:
		if kind == "stubborn" {
			<-ended
		}
		fmt.Fprintln(os.Stderr, `{"level":"info","logger":"core","msg":"drained"}`)
	}
	return 0
}

func managed(t *testing.T, kind string) (*Managed, *observer.ObservedLogs) {
	t.Helper()
	t.Setenv(kindVariable, kind)
	zapCore, logs := observer.New(zapcore.InfoLevel)
	return NewManaged(Settings{
		Command:      []string{os.Args[0], "core"},
		Document:     []byte(`{"arthur": {"api_key": "secret"}}`),
		StartTimeout: time.Minute,
		StopTimeout:  time.Minute,
	}, zap.New(zapCore), func() {}), logs
}

func (m *Managed) pid(t *testing.T) int {
	t.Helper()
	var pid float64
	require.Eventually(t, func() bool {
		m.counters.mu.Lock()
		m.counters.read = time.Time{}
		m.counters.mu.Unlock()
		var known bool
		pid, known = m.Counters().Gauge("pid")
		return known
	}, time.Minute, 10*time.Millisecond)
	return int(pid)
}

func TestLife(t *testing.T) {
	m, logs := managed(t, "good")
	require.NoError(t, m.Start(context.Background(), componenttest.NewNopHost()))
	assert.True(t, m.IsUp())
	_, err := m.Take(context.Background(), Traces, []byte("x"), false)
	require.NoError(t, err)

	configured := logs.FilterMessage("configured").All()[0]
	assert.Equal(t, zapcore.WarnLevel, configured.Level)
	assert.Contains(t, configured.ContextMap()["with"], "secret")
	assert.NotContains(t, configured.ContextMap()["arguments"], "secret", "a command line is for everybody to read")

	require.NoError(t, m.Shutdown(context.Background()))
	assert.Equal(t, 1, logs.FilterMessage("drained").Len())
	assert.NoDirExists(t, m.folder)
	require.NoError(t, m.Shutdown(context.Background()))
}

func TestKilledCoreComesBack(t *testing.T) {
	m, logs := managed(t, "good")
	require.NoError(t, m.Start(context.Background(), componenttest.NewNopHost()))
	first := m.pid(t)
	assert.Equal(t, 3.0, m.Counters().Sum(CallsCounter)["taken"])
	require.NoError(t, syscall.Kill(first, syscall.SIGKILL))
	require.Eventually(t, func() bool { return m.IsUp() && m.pid(t) != first }, time.Minute, 10*time.Millisecond)
	_, err := m.Take(context.Background(), Traces, []byte("x"), false)
	require.NoError(t, err)
	assert.Equal(t, 1, logs.FilterMessage("The core has ended; it is started again").Len())
	require.NoError(t, m.Shutdown(context.Background()))
	assert.ErrorIs(t, syscall.Kill(first, 0), syscall.ESRCH, "no zombie stays")
}

func TestCoreThatDoesNotEndIsEnded(t *testing.T) {
	m, logs := managed(t, "stubborn")
	m.settings.StopTimeout = 50 * time.Millisecond
	require.NoError(t, m.Start(context.Background(), componenttest.NewNopHost()))
	require.NoError(t, m.Shutdown(context.Background()))
	assert.Equal(t, 1, logs.FilterMessageSnippet("did not end in time").Len())
}

func TestWrongConfigurationIsAnErrorOfTheStart(t *testing.T) {
	m, _ := managed(t, "wrong")
	err := m.Start(context.Background(), componenttest.NewNopHost())
	assert.ErrorContains(t, err, "arthur.redact is unknown")
	assert.NoDirExists(t, m.folder)
}

func TestUnknownProgramIsAnErrorOfTheStart(t *testing.T) {
	m, _ := managed(t, "good")
	m.settings.Command = []string{"/nonexistent/otel-arthur"}
	assert.ErrorContains(t, m.Start(context.Background(), componenttest.NewNopHost()), "the core cannot be started")
}

func TestDownForGoodIsSaidAtOnce(t *testing.T) {
	m, _ := managed(t, "good")
	m.state.since = time.Now().Add(-time.Hour)
	_, err := m.Take(context.Background(), Traces, nil, false)
	assert.Equal(t, Down, ReasonOf(err))
}

func TestLogLinesInPieces(t *testing.T) {
	zapCore, logs := observer.New(zapcore.DebugLevel)
	lines := newLogLines(zap.New(zapCore))
	for _, piece := range []string{`{"level":"er`, `ror","msg":"a"}` + "\nplain", " text\n\n", strings.Repeat("x", maxLineBytes+1)} {
		_, err := lines.Write([]byte(piece))
		require.NoError(t, err)
	}
	assert.Equal(t, 1, logs.FilterLevelExact(zapcore.ErrorLevel).FilterMessage("a").Len())
	assert.Equal(t, 1, logs.FilterLevelExact(zapcore.WarnLevel).FilterMessage("plain text").Len())
	assert.Len(t, logs.All(), 3)
}
