package main

import (
	"encoding/json"

	"dcrspv/spv"
)

// The types of this file are the JSON that --json prints. Names are part of
// the interface to other programs: they are added to, never changed. Amounts
// are atoms, times are Unix seconds, both are integers as heights are, hashes
// are hex as block explorers show them. A list is never null.

// statusDoc is the document of sync, run and status.
type statusDoc struct {
	Network       string      `json:"network"`
	Phase         spv.Phase   `json:"phase"`
	Tip           tipDoc      `json:"tip"`
	Target        uint32      `json:"target"`
	Filters       spanDoc     `json:"filters"`
	Scanned       spanDoc     `json:"scanned"`
	Peers         int         `json:"peers"`
	Requests      requestsDoc `json:"requests"`
	ReceivedBytes int64       `json:"received_bytes"`
	Seconds       secondsDoc  `json:"seconds"`
	Synced        bool        `json:"synced"`
	Trouble       *troubleDoc `json:"trouble"` // null: nothing is wrong, or was since the last sync

	Warnings []warningDoc `json:"warnings"`
}

// troubleDoc is what keeps a sync from going on, or for status did so last.
type troubleDoc struct {
	Cause  string `json:"cause"`
	Remedy string `json:"remedy"`
	Since  int64  `json:"since"`
}

type tipDoc struct {
	Height uint32 `json:"height"`
	Hash   string `json:"hash"`
	Time   int64  `json:"time"`
}

// spanDoc is a range of heights, both ends included; both are null when it is
// empty.
type spanDoc struct {
	From    *uint32 `json:"from"`
	Through *uint32 `json:"through"`
}

type requestsDoc struct {
	Headers int `json:"headers"`
	Filters int `json:"filters"`
	Blocks  int `json:"blocks"`
}

type secondsDoc struct {
	Total   float64 `json:"total"`
	Headers float64 `json:"headers"`
	Filters float64 `json:"filters"`
	Scan    float64 `json:"scan"`
}

func newStatusDoc(network string, st spv.Status) statusDoc {
	return statusDoc{
		Network:       network,
		Phase:         st.Phase,
		Tip:           tipDoc{st.Tip.Height, st.Tip.Hash.String(), st.Tip.Time.Unix()},
		Target:        st.Target,
		Filters:       newSpanDoc(st.Filters),
		Scanned:       newSpanDoc(st.Scanned),
		Peers:         st.Peers,
		Requests:      requestsDoc(st.Requests),
		ReceivedBytes: st.ReceivedBytes,
		Seconds:       secondsDoc(st.Seconds),
		Synced:        st.Synced,
		Trouble:       newTroubleDoc(st.Trouble),
		Warnings:      []warningDoc{},
	}
}

func newTroubleDoc(t spv.Trouble) *troubleDoc {
	if t.IsZero() {
		return nil
	}
	return &troubleDoc{Cause: oneLine(t.Cause), Remedy: oneLine(t.Remedy), Since: t.Since.Unix()}
}

func newSpanDoc(s spv.Span) spanDoc {
	if !s.Any {
		return spanDoc{}
	}
	return spanDoc{From: &s.From, Through: &s.Through}
}

// printJSON prints a document on standard output.
func (p *program) printJSON(doc any) error {
	enc := json.NewEncoder(p.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}
