package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"dcrspv/spv"

	"github.com/decred/dcrd/wire"
)

// peerDoc is an element of the document of peers.
type peerDoc struct {
	Addr             string           `json:"addr"`
	UserAgent        string           `json:"user_agent"`
	PVer             uint32           `json:"pver"`
	Services         wire.ServiceFlag `json:"services"`
	AdvertisedHeight uint32           `json:"advertised_height"`
	ValidatedHeight  uint32           `json:"validated_height"`
	Score            float64          `json:"score"`
	BanScore         int              `json:"ban_score"`
	BannedUntil      *int64           `json:"banned_until"` // null: not banned
	LatencyMS        float64          `json:"latency_ms"`
	Connected        bool             `json:"connected"`
	Persistent       bool             `json:"persistent"`
	SendHeaders      bool             `json:"sendheaders"`
	History          []peerEventDoc   `json:"history"`
}

func newPeerDocs(list []spv.Peer) []peerDoc {
	docs := make([]peerDoc, 0, len(list))
	for _, p := range list {
		doc := peerDoc{
			Addr:             p.Addr,
			UserAgent:        p.UserAgent,
			PVer:             p.PVer,
			Services:         p.Services,
			AdvertisedHeight: p.AdvertisedHeight,
			ValidatedHeight:  p.ValidatedHeight,
			Score:            p.Score,
			BanScore:         p.BanScore,
			LatencyMS:        p.LatencyMS,
			Connected:        p.Connected,
			Persistent:       p.Persistent,
			SendHeaders:      p.SendHeaders,
			History:          []peerEventDoc{},
		}
		if !p.BannedUntil.IsZero() {
			until := p.BannedUntil.Unix()
			doc.BannedUntil = &until
		}
		for _, ev := range p.History {
			doc.History = append(doc.History, newPeerEventDoc(ev))
		}
		docs = append(docs, doc)
	}
	return docs
}

// runPeers shows and edits what the Syncer remembers about peers. Nobody is
// connected: that is what a running dcrspv has the file for.
func (p *program) runPeers(ctx context.Context) error {
	action, host := "list", ""
	if len(p.args) > 0 {
		action = p.args[0]
	}
	if len(p.args) > 1 {
		host = p.args[1]
	}
	edit := map[string]func(*spv.Syncer) error{
		"ban":   func(s *spv.Syncer) error { return s.BanPeer(ctx, host) },
		"unban": func(s *spv.Syncer) error { return s.UnbanPeer(ctx, host) },
		"reset": func(s *spv.Syncer) error { return errors.Join(s.ResetPeer(ctx, host), s.UnbanPeer(ctx, host)) },
	}[action]
	const see = "see dcrspv peers --help"
	switch {
	case edit != nil && host == "":
		return usage(see, "peers %s needs a HOST", action)
	case edit == nil && action != "list" && action != "export":
		return usage(see, "peers cannot %q", action)
	case edit == nil && host != "":
		return usage(see, "peers %s takes no argument %q", action, host)
	}
	var list []spv.Peer
	err := p.offline(func(s *spv.Syncer) (err error) {
		if edit != nil {
			err = edit(s)
		}
		if err == nil {
			list, err = s.Peers(ctx)
		}
		return err
	})
	if errors.Is(err, spv.ErrAddress) {
		return usage("give an IP address or a name, with or without port", "bad host %q", host)
	}
	if err != nil {
		return err
	}
	if p.opts.JSON || action == "export" {
		return p.printJSON(newPeerDocs(list))
	}
	if edit != nil {
		done := map[string]string{"ban": "is banned for 24 hours", "unban": "is not banned", "reset": "starts anew"}
		_, err := fmt.Fprintf(p.stdout, "%s %s\n", oneLine(host), done[action])
		return err
	}
	return p.printPeers(list)
}

// printPeers prints the list as a table.
func (p *program) printPeers(list []spv.Peer) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(p.stdout, "no peers are known yet")
		return err
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ADDRESS\tSCORE\tLATENCY\tHEIGHT\tVERSION\tUSER AGENT\tREMARKS")
	for _, peer := range list {
		latency := "-"
		if peer.LatencyMS > 0 {
			latency = fmt.Sprintf("%.0f ms", peer.LatencyMS)
		}
		fmt.Fprintf(w, "%s\t%.0f\t%s\t%s\t%d\t%s\t%s\n", oneLine(peer.Addr), peer.Score, latency,
			heights(peer), peer.PVer, orElse(oneLine(peer.UserAgent), "-"), remarks(peer))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return p.printPeerEvents(list)
}

// heights is where a peer says it is, and how far it has proved that if not all
// the way.
func heights(p spv.Peer) string {
	switch {
	case p.AdvertisedHeight == 0 && p.ValidatedHeight == 0:
		return "-"
	case p.ValidatedHeight >= p.AdvertisedHeight:
		return strconv.Itoa(int(p.ValidatedHeight))
	}
	return fmt.Sprintf("%d, proved %d", p.AdvertisedHeight, p.ValidatedHeight)
}

// remarks is what is special about a peer.
func remarks(p spv.Peer) string {
	var list []string
	if p.Persistent {
		list = append(list, "persistent")
	}
	if !p.BannedUntil.IsZero() {
		text := "banned until " + p.BannedUntil.UTC().Format(time.DateTime)
		if n := len(p.BanReasons); n > 0 {
			text += " (" + oneLine(p.BanReasons[n-1]) + ")"
		}
		list = append(list, text)
	} else if p.BanScore > 0 {
		list = append(list, fmt.Sprintf("%d ban points", p.BanScore))
	}
	return orElse(strings.Join(list, ", "), "-")
}
