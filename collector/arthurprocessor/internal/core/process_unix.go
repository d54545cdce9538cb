//go:build unix

package core // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/core"

import (
	"os"
	"syscall"
)

// inOwnGroup keeps a terminal's Ctrl-C from the core: the Collector ends it when the data is through.
func inOwnGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// terminate asks the core, and what a wrapper around it started, to end in order.
func terminate(process *os.Process) error { return syscall.Kill(-process.Pid, syscall.SIGTERM) }

func kill(process *os.Process) error { return syscall.Kill(-process.Pid, syscall.SIGKILL) }
