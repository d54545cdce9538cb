package core // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/core"

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v7"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
)

const (
	// wrongUse is the exit code of a core that cannot use its configuration.
	wrongUse = 2
	// After so long a run the next restart comes at once again.
	recovered      = 10 * time.Second
	firstBackoff   = 100 * time.Millisecond
	longestPause   = 30 * time.Second
	outputPatience = 2 * time.Second
)

// Settings are those of a core that the processor runs.
type Settings struct {
	Command []string
	// Document is the core's configuration, on one line.
	Document []byte
	// StartTimeout is how long Start waits until the core is ready.
	StartTimeout time.Duration
	// StopTimeout is how long Shutdown waits until the core has drained.
	StopTimeout time.Duration
}

// Managed is a core that the processor starts, watches and stops.
type Managed struct {
	settings Settings
	logger   *zap.Logger
	started  func() // is called at each start
	client   *client
	counters *Counters
	state    *state

	folder   string
	listener *net.UnixListener
	stop     context.CancelFunc
	done     chan struct{}
	startErr chan error // has the result of the first start, once
	once     sync.Once
}

// NewManaged makes a core that is not started yet, and calls started at each start.
func NewManaged(settings Settings, logger *zap.Logger, started func()) *Managed {
	return &Managed{settings: settings, logger: logger, started: started, state: newState(), startErr: make(chan error, 1)}
}

// Start starts the core and waits until it is ready. A core that can never start is an error; a late core is not,
// since it may still become ready.
func (m *Managed) Start(ctx context.Context, host component.Host) error {
	if err := m.listen(); err != nil {
		return err
	}
	// The core lives longer than the context of the start.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	m.stop, m.done = stop, make(chan struct{})
	m.state = newState()
	go m.run(running, host)
	timer := time.NewTimer(m.settings.StartTimeout)
	defer timer.Stop()
	select {
	case err := <-m.startErr:
		if err != nil {
			return errors.Join(err, m.Shutdown(ctx))
		}
	case <-timer.C:
		m.logger.Warn("The core is not ready yet; the Collector starts without it", zap.Duration("waited", m.settings.StartTimeout))
	case <-ctx.Done():
		return errors.Join(ctx.Err(), m.Shutdown(context.WithoutCancel(ctx)))
	}
	return nil
}

// Shutdown lets the core drain, and ends it in time.
func (m *Managed) Shutdown(context.Context) error {
	if m.stop == nil {
		return nil
	}
	m.stop()
	m.stop = nil
	<-m.done
	m.client.close()
	return errors.Join(m.listener.Close(), os.RemoveAll(m.folder))
}

// Counters are those of the core, summed over its restarts.
func (m *Managed) Counters() *Counters { return m.counters }

// IsUp is whether the core is ready.
func (m *Managed) IsUp() bool { return m.state.isReady() }

// listen makes the socket, which outlives each core, and which only this user can reach.
func (m *Managed) listen() error {
	folder, err := os.MkdirTemp("", "otel-arthur-")
	if err != nil {
		return fmt.Errorf("no folder for the core's socket: %w", err)
	}
	path := filepath.Join(folder, "core.sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return errors.Join(fmt.Errorf("no socket for the core: %w", err), os.RemoveAll(folder))
	}
	m.folder, m.listener = folder, listener
	m.client = newClient("unix", path)
	m.counters = newCounters(m.client)
	return nil
}

// run starts the core again and again, until it is told to stop.
func (m *Managed) run(ctx context.Context, host component.Host) {
	defer close(m.done)
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = firstBackoff, longestPause
	for {
		began := time.Now()
		err := m.runOnce(ctx, host)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > recovered {
			pause.Reset()
		}
		wait := pause.NextBackOff()
		m.logger.Error("The core has ended; it is started again", zap.Error(err), zap.Duration("after", wait))
		componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// runOnce runs one core to its end, which is an error unless ctx is done.
func (m *Managed) runOnce(ctx context.Context, host component.Host) error {
	process, err := m.spawn()
	if err != nil {
		m.first(err)
		return err
	}
	m.started()
	asking, stopAsking := context.WithCancel(ctx)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if m.client.isReady(asking) == nil {
			m.state.up()
			componentstatus.ReportStatus(host, componentstatus.NewEvent(componentstatus.StatusOK))
			m.first(nil)
		}
	})
	select {
	case <-process.ended:
	case <-ctx.Done():
		process.end(m.settings.StopTimeout, m.logger)
	}
	stopAsking()
	waiting.Wait()
	m.state.down()
	err = process.failure()
	if process.code() == wrongUse {
		m.first(err)
	}
	return err
}

// first reports the result of the first start; the log has the later ones.
func (m *Managed) first(err error) {
	m.once.Do(func() { m.startErr <- err })
}

// process is one run of the core.
type process struct {
	cmd   *exec.Cmd
	lines *logLines
	// life is our end of a pipe: the core reads its configuration from it, and ends when the pipe ends.
	life  *os.File
	ended chan struct{}
}

func (m *Managed) spawn() (*process, error) {
	reading, life, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer reading.Close()
	socket, err := m.listener.File()
	if err != nil {
		return nil, errors.Join(err, life.Close())
	}
	defer socket.Close()
	// ExtraFiles begin at descriptor 3.
	arguments := append(m.settings.Command[1:len(m.settings.Command):len(m.settings.Command)],
		"--config-descriptor", "3", "--listen-descriptor", "4")
	lines := newLogLines(m.logger)
	cmd := exec.Command(m.settings.Command[0], arguments...)
	cmd.ExtraFiles = []*os.File{reading, socket}
	cmd.Stdout, cmd.Stderr = lines, lines
	cmd.WaitDelay = outputPatience
	cmd.SysProcAttr = inOwnGroup()
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("the core cannot be started: %w", err), life.Close())
	}
	p := &process{cmd: cmd, lines: lines, life: life, ended: make(chan struct{})}
	written := make(chan struct{})
	go func() {
		defer close(written)
		// A core that ends before it has read says why in its own output.
		_, _ = life.Write(append(m.settings.Document[:len(m.settings.Document):len(m.settings.Document)], '\n'))
	}()
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
		_ = life.Close()
		<-written
	}()
	return p, nil
}

// end asks the core to drain and, after a while, ends it.
func (p *process) end(patience time.Duration, logger *zap.Logger) {
	if err := terminate(p.cmd.Process); err != nil {
		logger.Warn("The core cannot be asked to end", zap.Error(err))
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.ended:
		return
	case <-timer.C:
	}
	logger.Warn("The core did not end in time; its calls are in the spool", zap.Duration("waited", patience))
	_ = kill(p.cmd.Process)
	<-p.ended
}

func (p *process) code() int { return p.cmd.ProcessState.ExitCode() }

func (p *process) failure() error {
	if said := p.lines.said(); said != "" {
		return fmt.Errorf("the core has ended (%s): %s", p.cmd.ProcessState, said)
	}
	return fmt.Errorf("the core has ended (%s)", p.cmd.ProcessState)
}
