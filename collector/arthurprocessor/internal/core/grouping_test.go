package core

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/coretest"
)

func grouped(t *testing.T, fake *coretest.Core, patience time.Duration) *Grouping {
	t.Helper()
	server := httptest.NewServer(fake)
	remote := NewRemote("tcp", strings.TrimPrefix(server.URL, "http://"))
	grouping := NewGrouping(remote, Traces, false, patience)
	t.Cleanup(func() {
		grouping.Shutdown()
		assert.NoError(t, remote.Shutdown(context.Background()))
		server.Close()
	})
	return grouping
}

func TestExportsThatWaitBecomeOneRequest(t *testing.T) {
	fake := &coretest.Core{Hold: make(chan struct{})}
	grouping := grouped(t, fake, time.Minute)
	var senders sync.WaitGroup
	send := func(body string) {
		senders.Go(func() {
			_, err := grouping.Begin([]byte(body)).Wait(context.Background())
			assert.NoError(t, err)
		})
	}
	for range groupsUnderWay {
		before := len(fake.Got())
		send("the first")
		require.Eventually(t, func() bool { return len(fake.Got()) > before }, time.Minute, time.Millisecond)
	}
	for range 5 {
		send("x")
	}
	require.Eventually(t, func() bool {
		grouping.mu.Lock()
		defer grouping.mu.Unlock()
		return grouping.open != nil && grouping.open.waiting == 5
	}, time.Minute, time.Millisecond)
	send(strings.Repeat("l", maxGroupBytes)) // too much for any group
	require.Eventually(t, func() bool {
		grouping.mu.Lock()
		defer grouping.mu.Unlock()
		return len(grouping.open.body) == maxGroupBytes
	}, time.Minute, time.Millisecond)
	close(fake.Hold)
	senders.Wait()
	sizes := map[int]int{}
	for _, got := range fake.Got() {
		sizes[len(got.Body)]++
	}
	assert.Equal(t, map[int]int{len("the first"): groupsUnderWay, 5: 1, maxGroupBytes: 1}, sizes)
}

func TestGroupThatNobodyWaitsForIsNotSent(t *testing.T) {
	fake := &coretest.Core{Hold: make(chan struct{})}
	grouping := grouped(t, fake, time.Minute)
	gone, cancel := context.WithCancel(context.Background())
	var senders sync.WaitGroup
	for range groupsUnderWay {
		before := len(fake.Got())
		senders.Go(func() { _, _ = grouping.Begin([]byte("busy")).Wait(context.Background()) })
		require.Eventually(t, func() bool { return len(fake.Got()) > before }, time.Minute, time.Millisecond)
	}
	cancel()
	_, err := grouping.Begin([]byte("late")).Wait(gone)
	assert.Equal(t, Late, ReasonOf(err))
	close(fake.Hold)
	senders.Wait()
	grouping.sending.Wait()
	assert.Len(t, fake.Got(), groupsUnderWay)
}
