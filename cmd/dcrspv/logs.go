package main

import (
	"io"
	"slices"
	"strings"

	"github.com/decred/slog"
)

// subsystems are the tags of the log lines: the Syncer, connections, the peer
// registry, filters, wallets, and the program itself.
var subsystems = []string{"SYNC", "PEER", "REGI", "FLTR", "WLLT", "MAIN"}

// levels holds the log level of every subsystem.
type levels map[string]slog.Level

// parseLevels reads a specification as dcrd takes it: one level for all, or
// SUBSYSTEM=LEVEL separated by commas. The two can be mixed; subsystems that
// are not named have the given default.
func parseLevels(spec string, def slog.Level) (levels, error) {
	l := make(levels, len(subsystems))
	var pairs []string
	for part := range strings.SplitSeq(spec, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if strings.Contains(part, "=") {
			pairs = append(pairs, part)
			continue
		}
		level, ok := slog.LevelFromString(part)
		if !ok {
			return nil, badLevel(part)
		}
		def = level
	}
	for _, name := range subsystems {
		l[name] = def
	}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		name = strings.ToUpper(strings.TrimSpace(name))
		if !slices.Contains(subsystems, name) {
			return nil, usage("take "+strings.Join(subsystems, ", "), "unknown log subsystem %q", name)
		}
		level, ok := slog.LevelFromString(strings.TrimSpace(value))
		if !ok {
			return nil, badLevel(value)
		}
		l[name] = level
	}
	return l, nil
}

func badLevel(s string) error {
	return usage("take trace, debug, info, warn, error, critical or off", "bad log level %q", s)
}

// loggers returns the source of loggers that write to w.
func (l levels) loggers(w io.Writer) func(subsystem string) slog.Logger {
	backend := slog.NewBackend(w)
	return func(subsystem string) slog.Logger {
		logger := backend.Logger(subsystem)
		logger.SetLevel(l[subsystem])
		return logger
	}
}
