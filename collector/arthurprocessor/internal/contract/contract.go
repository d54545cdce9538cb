// Package contract is what the processor and the core must agree on. The core writes it from its dialects
// and settings into contract.json; a test on each side holds the file against the code.
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
		// Keys of attributes, and beginnings of such keys, that make a span one that may be a call.
		Keys     []string `json:"keys"`
		Prefixes []string `json:"prefixes"`
		// Scopes and names of span events that make a span without attributes one.
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
	// Settings are the keys of each section of the configuration.
	Settings map[string][]string `json:"settings"`
	// Identity is an example of how trace and span make the id of an inference.
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
