//go:build !unix

package core // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/core"

import (
	"os"
	"syscall"
)

func inOwnGroup() *syscall.SysProcAttr { return nil }

func terminate(process *os.Process) error { return process.Kill() }

func kill(process *os.Process) error { return process.Kill() }
