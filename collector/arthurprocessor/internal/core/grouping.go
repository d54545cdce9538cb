package core // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/core"

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/selection"
)

const (
	// So many groups are under way: the core reads one while it writes the other to its disk.
	groupsUnderWay = 2
	// The size of a group at most. A larger export goes alone.
	maxGroupBytes = 1 << 20
	// listHead begins a list in MessagePack; the next four bytes are its length.
	listHead = 0xdd
	// linger is how long the first export of a group waits for others. A request costs the core as much as ten
	// calls; the data of a pipeline that passes goes on meanwhile.
	linger = 20 * time.Millisecond
)

// Grouping makes one request of exports that arrive together, or while the core is busy: one append for all.
type Grouping struct {
	core       Core
	form       Form
	wantsCalls bool
	patience   time.Duration

	slots   chan struct{}
	stopped context.Context
	stop    context.CancelFunc
	sending sync.WaitGroup
	mu      sync.Mutex
	open    *group
	spares  sync.Pool // bodies of groups that the core has taken
}

type group struct {
	body    []byte
	exports uint32
	waiting int // exports that wait for the group's answer
	done    chan struct{}
	calls   map[selection.SpanKey]struct{}
	err     error
}

// NewGrouping groups exports of one signal. A group waits for its answer for patience at most.
func NewGrouping(core Core, form Form, wantsCalls bool, patience time.Duration) *Grouping {
	stopped, stop := context.WithCancel(context.Background())
	return &Grouping{
		core: core, form: form, wantsCalls: wantsCalls, patience: patience,
		slots: make(chan struct{}, groupsUnderWay), stopped: stopped, stop: stop,
	}
}

// Pending is an export on its way to the core.
type Pending struct {
	grouping *Grouping
	group    *group
}

// Begin hands over an export in the grouping's form, without waiting. The caller must call Wait.
func (g *Grouping) Begin(body []byte) Pending { return Pending{g, g.join(body)} }

// Wait returns the answer, as Core.Take does, with the calls of the whole group.
func (p Pending) Wait(ctx context.Context) (map[selection.SpanKey]struct{}, error) {
	select {
	case <-p.group.done:
		return p.group.calls, p.group.err
	case <-ctx.Done():
	}
	select {
	case <-p.group.done: // the core was in time, and the next consumer was slow
		return p.group.calls, p.group.err
	default:
		p.grouping.leave(p.group)
		return nil, &NotTakenError{Late, ctx.Err()}
	}
}

// Shutdown ends all waiting.
func (g *Grouping) Shutdown() {
	g.stop()
	g.sending.Wait()
}

func (g *Grouping) join(body []byte) *group {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil || len(g.open.body)+len(body) > maxGroupBytes {
		begun := &group{done: make(chan struct{})}
		if spare, found := g.spares.Get().(*[]byte); found {
			begun.body = (*spare)[:0]
		}
		if g.form.isList {
			begun.body = append(begun.body, listHead, 0, 0, 0, 0)
		}
		g.open = begun
		g.sending.Go(func() { g.send(begun) })
	}
	// Two protobuf messages, one after the other, are one message with the fields of both.
	g.open.body = append(g.open.body, body...)
	g.open.exports++
	g.open.waiting++
	return g.open
}

func (g *Grouping) leave(left *group) {
	g.mu.Lock()
	defer g.mu.Unlock()
	left.waiting--
}

func (g *Grouping) send(sent *group) {
	defer close(sent.done)
	timer := time.NewTimer(linger)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-g.stopped.Done():
	}
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-g.stopped.Done():
		sent.err = &NotTakenError{Down, g.stopped.Err()}
		return
	}
	g.mu.Lock()
	if g.open == sent {
		g.open = nil
	}
	isAwaited := sent.waiting > 0
	g.mu.Unlock()
	if !isAwaited {
		return // all exports were answered before, and counted
	}
	if g.form.isList {
		binary.BigEndian.PutUint32(sent.body[1:], sent.exports)
	}
	ctx, cancel := context.WithTimeout(g.stopped, g.patience)
	defer cancel()
	sent.calls, sent.err = g.core.Take(ctx, g.form, sent.body, g.wantsCalls)
	if sent.err == nil { // otherwise a connection may still read the body
		g.spares.Put(&sent.body)
	}
}
