// Package document writes the configuration that the core reads.
package document // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/document"

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Line is a document as JSON, which is YAML, on one line.
func Line(sections map[string]any) ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(escaped(sections)); err != nil {
		return nil, fmt.Errorf("the configuration for the core: %w", err)
	}
	return bytes.TrimSpace(line.Bytes()), nil
}

// With joins settings, texts that are not empty, and the match of a route.
func With(settings map[string]any, texts, match map[string]string) map[string]any {
	values := make(map[string]any, len(settings)+len(texts)+1)
	for key, value := range settings {
		values[key] = value
	}
	for key, text := range texts {
		if text != "" {
			values[key] = text
		}
	}
	if len(match) > 0 {
		patterns := make(map[string]any, len(match))
		for key, pattern := range match {
			patterns[key] = pattern
		}
		values["match"] = patterns
	}
	return values
}

// escaped doubles each dollar of a value, so that the core does not expand a value a second time.
func escaped(value any) any {
	switch typed := value.(type) {
	case string:
		return strings.ReplaceAll(typed, "$", "$$")
	case map[string]any:
		copied := make(map[string]any, len(typed))
		for key, inner := range typed {
			copied[key] = escaped(inner)
		}
		return copied
	case []any:
		copied := make([]any, len(typed))
		for i, inner := range typed {
			copied[i] = escaped(inner)
		}
		return copied
	default:
		return value
	}
}
