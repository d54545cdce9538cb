package core // import "github.com/arthur-ai/otel-arthur/collector/arthurprocessor/internal/core"

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const (
	maxLineBytes = 64 * 1024
	// So many plain lines are kept, to say why a core could not start.
	maxPlainLines = 8
)

// logLines is an io.Writer that makes each line of the core a line of the Collector's log.
type logLines struct {
	logger *zap.Logger
	mu     sync.Mutex
	rest   []byte
	plain  []string
}

func newLogLines(logger *zap.Logger) *logLines {
	// The caller would be this file for every line.
	return &logLines{logger: logger.WithOptions(zap.WithCaller(false), zap.AddStacktrace(zapcore.FatalLevel))}
}

// Write never fails: a log must not end a core.
func (l *logLines) Write(content []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, content...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			break
		}
		l.log(line)
		l.rest = rest
	}
	if len(l.rest) > maxLineBytes {
		l.log(l.rest)
		l.rest = nil
	}
	l.rest = bytes.Clone(l.rest)
	return len(content), nil
}

// said returns the core's lines that were no log lines. A core that cannot use its configuration writes such lines.
func (l *logLines) said() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.plain, "; ")
}

func (l *logLines) log(line []byte) {
	if len(bytes.TrimSpace(line)) == 0 {
		return
	}
	var fields map[string]any
	if err := json.Unmarshal(line, &fields); err != nil {
		text := string(bytes.TrimSpace(line))
		if l.plain = append(l.plain, text); len(l.plain) > maxPlainLines {
			l.plain = l.plain[1:]
		}
		l.logger.Warn(text)
		return
	}
	message, _ := fields["msg"].(string)
	entry := l.logger.Check(levelOf(fields["level"]), message)
	if entry == nil {
		return
	}
	var written []zap.Field
	for key, value := range fields {
		switch key {
		case "msg", "level", "ts":
		case "logger":
			written = append(written, zap.Any("core.logger", value))
		default:
			written = append(written, zap.Any(key, value))
		}
	}
	entry.Write(written...)
}

func levelOf(name any) zapcore.Level {
	switch name {
	case "debug":
		return zapcore.DebugLevel
	case "info":
		return zapcore.InfoLevel
	case "error", "critical":
		return zapcore.ErrorLevel
	default:
		return zapcore.WarnLevel
	}
}
