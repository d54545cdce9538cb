// Package contract has everything that the processor and the core must agree on. The core writes contract.json from
// its dialects and settings; a test on each side compares the file with the code.
package contract // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/contract"

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed contract.json
var file []byte

// Contract is the content of the file.
type Contract struct {
	Spans struct {
		// A span with one of these keys of attributes, or a key that begins so, may be a call.
		Keys     []string `json:"keys"`
		Prefixes []string `json:"prefixes"`
		// A span of one of these scopes, or with a span event of one of these names, may be a call too.
		Scopes []string `json:"scopes"`
		Events []string `json:"events"`
	} `json:"spans"`
	// Steps are spans around calls: of agents, tools and searches. They travel with the calls of their trace.
	Steps struct {
		Keys   []string `json:"keys"`
		Scopes []string `json:"scopes"`
	} `json:"steps"`
	Logs struct {
		Events []string `json:"events"`
		// BodyKeys are the only keys of a body that may be a conversation.
		BodyKeys []string `json:"body_keys"`
	} `json:"logs"`
	// Settings has the keys of each section of the configuration.
	Settings map[string][]string `json:"settings"`
	// Identity is an example: the id of an inference, made of trace and span.
	Identity struct {
		TraceID     string `json:"trace_id"`
		SpanID      string `json:"span_id"`
		InferenceID string `json:"inference_id"`
	} `json:"identity"`
}

// Embedded is the contract that this program was built with.
var Embedded = parse(file)

func parse(content []byte) Contract {
	var contract Contract
	if err := json.Unmarshal(content, &contract); err != nil {
		panic(fmt.Sprintf("contract.json: %v", err)) // embedded: a build that does this never passed a test
	}
	return contract
}
