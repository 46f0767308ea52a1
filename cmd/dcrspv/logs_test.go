package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/decred/slog"
)

func TestParseLevels(t *testing.T) {
	all := func(l slog.Level) levels {
		m := make(levels)
		for _, name := range subsystems {
			m[name] = l
		}
		return m
	}
	with := func(l levels, name string, level slog.Level) levels {
		l[name] = level
		return l
	}
	for spec, want := range map[string]levels{
		"":                       all(slog.LevelWarn),
		"info":                   all(slog.LevelInfo),
		"off":                    all(slog.LevelOff),
		"SYNC=debug":             with(all(slog.LevelWarn), "SYNC", slog.LevelDebug),
		"sync=debug, PEER=trace": with(with(all(slog.LevelWarn), "SYNC", slog.LevelDebug), "PEER", slog.LevelTrace),
		"PEER=trace,error":       with(all(slog.LevelError), "PEER", slog.LevelTrace),
	} {
		got, err := parseLevels(spec, slog.LevelWarn)
		if err != nil {
			t.Errorf("%q: %v", spec, err)
		}
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("%q: %s is %v, want %v", spec, name, got[name], want[name])
			}
		}
	}
	for _, spec := range []string{"loud", "SYNC=", "SYNC=loud", "NONE=info", "=info"} {
		if _, err := parseLevels(spec, slog.LevelWarn); err == nil || explain(err).status != statusUsage {
			t.Errorf("%q: error %v", spec, err)
		}
	}
}

func TestLoggersKeepToTheirLevel(t *testing.T) {
	l, err := parseLevels("warn,PEER=debug", slog.LevelInfo)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log := l.loggers(&out)
	log("SYNC").Info("not this")
	log("PEER").Debug("but this")
	if s := out.String(); strings.Contains(s, "not") || !strings.Contains(s, "PEER: but this") {
		t.Fatal(s)
	}
}
