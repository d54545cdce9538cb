package selection // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/selection"

import (
	"strings"

	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/contract"
)

// keySet is a set of attributes' keys. Their first two bytes and their length rule out nearly every key of an ordinary
// span, without a look at the rest.
type keySet struct {
	// lengths has, for each beginning, one bit for each length of a key with that beginning.
	lengths  [256]uint64
	keys     map[string]struct{}
	prefixes []string
}

func newKeySet(keys, prefixes []string) *keySet {
	set := &keySet{keys: make(map[string]struct{}, len(keys)), prefixes: prefixes}
	for _, key := range keys {
		set.keys[key] = struct{}{}
		set.lengths[beginning(key)] |= 1 << (len(key) & 63)
	}
	for _, prefix := range prefixes {
		set.lengths[beginning(prefix)] = ^uint64(0)
	}
	return set
}

// beginning is a number for the first two bytes of a key, which must have two.
func beginning(key string) byte { return key[0] ^ key[1]<<3 }

func (s *keySet) has(key string) bool {
	if len(key) < 2 || s.lengths[beginning(key)]&(1<<(len(key)&63)) == 0 {
		return false
	}
	return s.search(key)
}

func (s *keySet) search(key string) bool {
	for _, prefix := range s.prefixes {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	_, found := s.keys[key]
	return found
}

func asSet(names []string) map[string]struct{} {
	set := make(map[string]struct{}, len(names))
	for _, name := range names {
		set[name] = struct{}{}
	}
	return set
}

var (
	markers     = newKeySet(contract.Embedded.Spans.Keys, contract.Embedded.Spans.Prefixes)
	bareScopes  = contract.Embedded.Spans.Scopes
	spanEvents  = asSet(contract.Embedded.Spans.Events)
	stepMarkers = newKeySet(contract.Embedded.Steps.Keys, nil)
	stepScopes  = contract.Embedded.Steps.Scopes
	logEvents   = asSet(contract.Embedded.Logs.Events)
	logBodyKeys = asSet(contract.Embedded.Logs.BodyKeys)
)
