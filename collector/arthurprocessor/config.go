package arthurprocessor // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor"

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/contract"
	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/core"
	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/document"
)

const (
	// Pass lets data go on even if the core did not take its LLM calls, which are counted.
	Pass OnFailure = "pass"
	// Refuse answers with an error that the sender may try again, and lets nothing go on.
	Refuse OnFailure = "refuse"
)

// OnFailure is the policy for data that concerns Arthur and that the core did not take.
type OnFailure string

// Config is the configuration of one processor, and of the core that it runs.
type Config struct {
	Core CoreConfig `mapstructure:"core"`
	// Arthur, Engine and Spool are the sections of otel-arthur's own collector. The core reads them.
	Arthur *ArthurConfig `mapstructure:"arthur"`
	Engine *EngineConfig `mapstructure:"engine"`
	Spool  SpoolConfig   `mapstructure:"spool"`

	OnFailure OnFailure `mapstructure:"on_failure"`
	// Stamp adds the attribute arthur.inference.id to the spans of LLM calls.
	Stamp bool `mapstructure:"stamp"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// CoreConfig says which core the processor talks to.
type CoreConfig struct {
	// Command starts a core that the processor watches and stops.
	Command []string `mapstructure:"command"`
	// Endpoint is where a core runs already: unix:///path or tcp://host:port.
	Endpoint string `mapstructure:"endpoint"`
	// StartTimeout is how long the start of the Collector waits for the core at most.
	StartTimeout time.Duration `mapstructure:"start_timeout"`
	// StopTimeout is how long the core may go on sending at its end.
	StopTimeout time.Duration `mapstructure:"stop_timeout"`

	_ struct{}
}

// Section holds the settings of a section that have no field in this package. The core knows their types.
type Section map[string]any

// ArthurConfig is the section arthur: the platform that inferences go to, and the model of each call.
type ArthurConfig struct {
	Endpoint       string              `mapstructure:"endpoint"`
	APIKey         configopaque.String `mapstructure:"api_key"`
	APIKeyFile     string              `mapstructure:"api_key_file"`
	Login          string              `mapstructure:"login"`
	Password       configopaque.String `mapstructure:"password"`
	OrganizationID string              `mapstructure:"organization_id"`
	Models         []ModelConfig       `mapstructure:"models"`
	Settings       Section             `mapstructure:",remain"`

	_ struct{}
}

// ModelConfig sends calls that match to one model.
type ModelConfig struct {
	Match          map[string]string   `mapstructure:"match"`
	ModelID        string              `mapstructure:"model_id"`
	TaskID         string              `mapstructure:"task_id"`
	OrganizationID string              `mapstructure:"organization_id"`
	APIKey         configopaque.String `mapstructure:"api_key"`
	APIKeyFile     string              `mapstructure:"api_key_file"`
	Login          string              `mapstructure:"login"`
	Password       configopaque.String `mapstructure:"password"`

	_ struct{}
}

// EngineConfig is the section engine: the Arthur Engine.
type EngineConfig struct {
	Endpoint   string              `mapstructure:"endpoint"`
	APIKey     configopaque.String `mapstructure:"api_key"`
	APIKeyFile string              `mapstructure:"api_key_file"`
	TaskID     string              `mapstructure:"task_id"`
	Tasks      []TaskConfig        `mapstructure:"tasks"`
	Settings   Section             `mapstructure:",remain"`

	_ struct{}
}

// TaskConfig sends calls that match to one task of the Engine.
type TaskConfig struct {
	Match  map[string]string `mapstructure:"match"`
	TaskID string            `mapstructure:"task_id"`

	_ struct{}
}

// SpoolConfig is the section spool: where inferences wait until Arthur has them.
type SpoolConfig struct {
	Directory string  `mapstructure:"directory"`
	Settings  Section `mapstructure:",remain"`

	_ struct{}
}

var _ component.Config = (*Config)(nil)

// Validate reports all faults at once.
func (c *Config) Validate() error {
	errs := []error{c.Core.validate()}
	if c.OnFailure != Pass && c.OnFailure != Refuse {
		errs = append(errs, fmt.Errorf("on_failure: %q must be %s or %s", c.OnFailure, Pass, Refuse))
	}
	if c.Core.Endpoint == "" && c.Arthur == nil && c.Engine == nil {
		errs = append(errs, errors.New("needs a section arthur, engine or both: LLM calls go there"))
	}
	if c.Arthur != nil {
		errs = append(errs, c.Arthur.validate(), c.Arthur.Settings.validate("arthur"))
	}
	if c.Engine != nil {
		errs = append(errs, c.Engine.validate(), c.Engine.Settings.validate("engine"))
	}
	return errors.Join(append(errs, c.Spool.validate())...)
}

func (c *CoreConfig) validate() error {
	if c.Endpoint != "" {
		if len(c.Command) > 0 {
			return errors.New("core: has command and endpoint; keep one: a core that the processor starts, or one that runs already")
		}
		if _, _, err := core.ParseEndpoint(c.Endpoint); err != nil {
			return fmt.Errorf("core::endpoint: %w", err)
		}
		return nil
	}
	if len(c.command()) == 0 || c.command()[0] == "" {
		return errors.New("core::command: must name a program, as in [otel-arthur, core]")
	}
	if c.StartTimeout <= 0 || c.StopTimeout <= 0 {
		return errors.New("core: start_timeout and stop_timeout must be longer than nothing, as in 30s")
	}
	return nil
}

// command is the program of the core and its arguments.
func (c *CoreConfig) command() []string {
	if c.Command == nil {
		return []string{"otel-arthur", "core"}
	}
	return c.Command
}

func (a *ArthurConfig) validate() error {
	var errs []error
	for i, model := range a.Models {
		if model.ModelID == "" {
			errs = append(errs, fmt.Errorf("arthur::models::%d: needs a model_id", i))
		}
	}
	if len(a.Models) == 0 {
		errs = append(errs, errors.New("arthur: needs models, a list such as [{model_id: ...}] (`otel-arthur onboard NAME` creates a model)"))
	}
	return errors.Join(errs...)
}

func (e *EngineConfig) validate() error {
	if e.Endpoint == "" {
		return errors.New("engine: needs an endpoint")
	}
	return nil
}

func (s *SpoolConfig) validate() error {
	if _, has := s.Settings["on_full"]; has {
		return errors.New("spool: has no on_full here; write on_failure: pass or refuse beside core")
	}
	return s.Settings.validate("spool")
}

// validate finds keys that the core does not know. The core checks the values.
func (s Section) validate(name string) error {
	known := contract.Embedded.Settings[name]
	var errs []error
	for key := range s {
		if !slices.Contains(known, key) {
			errs = append(errs, fmt.Errorf("%s: has no key %q; known are %s", name, key, strings.Join(known, ", ")))
		}
	}
	return errors.Join(errs...)
}

// makesWholeTraces says whether the core makes whole traces, for the Engine.
func (c *Config) makesWholeTraces() bool {
	return c.Engine != nil && c.Core.Endpoint == "" && c.Engine.Settings["spans"] != "calls"
}

// document is the configuration for the core. It holds secrets.
func (c *Config) document() ([]byte, error) {
	sections := map[string]any{
		"spool": c.Spool.values(),
		// One second is left for the end of the process itself.
		"service": map[string]any{"drain_seconds": max(c.Core.StopTimeout-time.Second, c.Core.StopTimeout/2).Seconds()},
	}
	if c.Arthur != nil {
		sections["arthur"] = c.Arthur.values()
	}
	if c.Engine != nil {
		sections["engine"] = c.Engine.values()
	}
	return document.Line(sections)
}

func (a *ArthurConfig) values() map[string]any {
	models := make([]any, len(a.Models))
	for i, model := range a.Models {
		models[i] = document.With(nil, map[string]string{
			"model_id": model.ModelID, "task_id": model.TaskID, "organization_id": model.OrganizationID,
			"api_key": string(model.APIKey), "api_key_file": model.APIKeyFile,
			"login": model.Login, "password": string(model.Password),
		}, model.Match)
	}
	values := document.With(a.Settings, map[string]string{
		"endpoint": a.Endpoint, "api_key": string(a.APIKey), "api_key_file": a.APIKeyFile,
		"login": a.Login, "password": string(a.Password), "organization_id": a.OrganizationID,
	}, nil)
	values["models"] = models
	return values
}

func (e *EngineConfig) values() map[string]any {
	tasks := make([]any, len(e.Tasks))
	for i, task := range e.Tasks {
		tasks[i] = document.With(nil, map[string]string{"task_id": task.TaskID}, task.Match)
	}
	values := document.With(e.Settings, map[string]string{
		"endpoint": e.Endpoint, "api_key": string(e.APIKey), "api_key_file": e.APIKeyFile, "task_id": e.TaskID,
	}, nil)
	if len(tasks) > 0 {
		values["tasks"] = tasks
	}
	return values
}

func (s *SpoolConfig) values() map[string]any {
	return document.With(s.Settings, map[string]string{"directory": s.Directory}, nil)
}
