package arthurprocessor

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func load(t *testing.T, id string) *Config {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	section, err := all.Sub(id)
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	require.NoError(t, section.Unmarshal(config))
	return config
}

// The core gets every section as it was written, on one line, and nothing of it is expanded twice.
func TestDocuments(t *testing.T) {
	golden, err := os.ReadFile(filepath.Join("testdata", "documents.json"))
	require.NoError(t, err)
	var expected map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(golden, &expected))
	for id, document := range expected {
		t.Run(id, func(t *testing.T) {
			config := load(t, id)
			require.NoError(t, config.Validate())
			line, err := config.document()
			require.NoError(t, err)
			assert.NotContains(t, string(line), "\n")
			assert.JSONEq(t, string(document), string(line))
		})
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	config := load(t, "arthur/everything")
	require.NoError(t, config.Validate())
	conf := confmap.New()
	require.NoError(t, conf.Marshal(config))
	shown := fmt.Sprintf("%v %+v %v", config.Arthur, config.Engine, conf.ToStringMap())
	for _, secret := range []string{"the-password", "another-key", "engine-key"} {
		assert.NotContains(t, shown, secret)
	}
}

func TestBesideACollector(t *testing.T) {
	config := load(t, "arthur/beside")
	require.NoError(t, config.Validate())
	assert.Equal(t, Pass, config.OnFailure)
	assert.False(t, config.Stamp)
}

func TestInvalid(t *testing.T) {
	models := []ModelConfig{{ModelID: "1111"}}
	for says, change := range map[string]func(*Config){
		"needs a section arthur, engine or both":    func(c *Config) { c.Arthur = nil },
		`on_failure: "stop" must be pass or refuse`: func(c *Config) { c.OnFailure = "stop" },
		"core: has command and endpoint":            func(c *Config) { c.Core.Endpoint, c.Core.Command = "tcp://h:1", []string{"x"} },
		"must be unix:///path or tcp://host:port":   func(c *Config) { c.Core.Endpoint = "http://h:1" },
		"core::command: must name a program":        func(c *Config) { c.Core.Command = []string{} },
		"must be longer than nothing":               func(c *Config) { c.Core.StopTimeout = 0 },
		"arthur: needs models":                      func(c *Config) { c.Arthur.Models = nil },
		"arthur::models::0: needs a model_id":       func(c *Config) { c.Arthur.Models = []ModelConfig{{}} },
		`arthur: has no key "modles"`:               func(c *Config) { c.Arthur.Settings = Section{"modles": 1} },
		"engine: needs an endpoint":                 func(c *Config) { c.Engine = &EngineConfig{} },
		"spool: has no on_full here":                func(c *Config) { c.Spool.Settings = Section{"on_full": "pass"} },
	} {
		t.Run(says, func(t *testing.T) {
			config := createDefaultConfig().(*Config)
			config.Arthur = &ArthurConfig{Models: models}
			require.NoError(t, config.Validate())
			change(config)
			assert.ErrorContains(t, config.Validate(), says)
		})
	}
}
