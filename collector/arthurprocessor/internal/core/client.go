// Package core talks to the core, `otel-arthur core`, and runs it.
package core // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/core"

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/selection"
)

// Form says how exports of a kind travel: path, content type, and whether several become a list.
type Form struct {
	path, contentType string
	isList            bool
}

var (
	// Spans travel in the processor's own form, which selection.Traces.Pack makes.
	Spans = Form{"/v1/traces", "application/vnd.otel-arthur.spans", true}
	// Traces and Logs are OTLP/HTTP, in protobuf.
	Traces = Form{"/v1/traces", protobuf, false}
	Logs   = Form{"/v1/logs", protobuf, false}
)

const (
	protobuf = "application/x-protobuf"
	// calls is the content type of an answer that names calls by their spans, 24 bytes each.
	calls = "application/vnd.otel-arthur.calls"

	// The most that is read of an error's body.
	maxErrorBytes = 64 * 1024
	// Connections to the core are few: the receivers bound the requests that wait.
	maxIdleConnections = 64
	// The buffers of the socket on both sides hold the usual group.
	writeBytes = 256 * 1024
)

// Reason says why the core did not take a request. A metric has it as an attribute.
type Reason string

const (
	// Down means that the core does not run, is starting, or ended during the request.
	Down Reason = "core down"
	// Late means that the core did not answer in time.
	Late Reason = "core late"
	// Full means that the core's spool or memory is full.
	Full Reason = "spool full"
	// Rejected means that the core will never take this request.
	Rejected Reason = "rejected"
)

// NotTakenError says why the core did not take a request.
type NotTakenError struct {
	Reason Reason
	cause  error
}

func (e *NotTakenError) Error() string {
	return fmt.Sprintf("arthur's core did not take the request (%s): %v", e.Reason, e.cause)
}

func (e *NotTakenError) Unwrap() error { return e.cause }

// ReasonOf is the reason in err.
func ReasonOf(err error) Reason {
	var notTaken *NotTakenError
	if errors.As(err, &notTaken) {
		return notTaken.Reason
	}
	return Down
}

// client speaks OTLP/HTTP over one socket.
type client struct {
	http *http.Client
}

// ParseEndpoint returns network and address of unix:///path or tcp://host:port.
func ParseEndpoint(endpoint string) (network, address string, err error) {
	scheme, rest, found := strings.Cut(endpoint, "://")
	if found && scheme == "unix" && strings.HasPrefix(rest, "/") {
		return "unix", rest, nil
	}
	if found && scheme == "tcp" {
		if _, _, err := net.SplitHostPort(rest); err == nil {
			return "tcp", rest, nil
		}
	}
	return "", "", fmt.Errorf("%q must be unix:///path or tcp://host:port", endpoint)
}

func newClient(network, address string) *client {
	dialer := &net.Dialer{}
	return &client{http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		},
		DisableCompression:  true,
		MaxIdleConns:        maxIdleConnections,
		MaxIdleConnsPerHost: maxIdleConnections,
		WriteBufferSize:     writeBytes,
	}}}
}

// take posts an export. With wantsCalls it returns the spans that are calls.
func (c *client) take(ctx context.Context, form Form, body []byte, wantsCalls bool) (map[selection.SpanKey]struct{}, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address(form.path), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", form.contentType)
	if wantsCalls {
		request.Header.Set("Accept", calls)
	}
	// An export may be sent twice, since its ids are stable. This entry without values travels nowhere: it lets
	// net/http try again where a kept connection was closed meanwhile.
	request.Header["Idempotency-Key"] = []string{}
	answer, err := c.answer(request)
	if err != nil || !wantsCalls {
		return nil, err
	}
	return keysIn(answer), nil
}

func (c *client) isReady(ctx context.Context) error {
	_, err := c.get(ctx, "/readyz")
	return err
}

// sample is one of the core's counters.
type sample struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
	Value  float64           `json:"value"`
}

func (c *client) counters(ctx context.Context) ([]sample, error) {
	answer, err := c.get(ctx, "/counters")
	if err != nil {
		return nil, err
	}
	var samples []sample
	return samples, json.Unmarshal(answer, &samples)
}

func (c *client) close() { c.http.CloseIdleConnections() }

func (c *client) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address(path), http.NoBody)
	if err != nil {
		return nil, err
	}
	return c.answer(request)
}

func (c *client) answer(request *http.Request) ([]byte, error) {
	response, err := c.http.Do(request)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, &NotTakenError{Late, err}
		}
		return nil, &NotTakenError{Down, err}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, refusal(response)
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, &NotTakenError{Down, err}
	}
	return answer, nil
}

func refusal(response *http.Response) error {
	// The body is read, so that the connection can be used again, and not shown, since it is protobuf.
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxErrorBytes))
	cause := errors.New(response.Status)
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return &NotTakenError{Full, cause}
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return &NotTakenError{Down, cause}
	default:
		return &NotTakenError{Rejected, cause}
	}
}

func keysIn(answer []byte) map[selection.SpanKey]struct{} {
	keys := make(map[selection.SpanKey]struct{}, len(answer)/len(selection.SpanKey{}))
	for len(answer) >= len(selection.SpanKey{}) {
		keys[selection.SpanKey(answer[:24])] = struct{}{}
		answer = answer[24:]
	}
	return keys
}

func address(path string) string {
	return (&url.URL{Scheme: "http", Host: "core", Path: path}).String()
}
