package registry

import "github.com/decred/dcrd/wire"

// Of every 8 connections, 3 are kept for peers that send filters in batches of
// 100. Peers of before that send them one by one, which takes some 50 times as
// many messages: nothing but those would make the initial sync crawl.
const (
	quotaOf      = 8
	quotaBatched = 3
)

// batched tells whether a peer sends filters in batches.
func (i Info) batched() bool { return i.PVer >= wire.BatchedCFiltersV2Version }

// quota is how many of the connections are to be with batched peers: 3 of 8 or
// more, 1 of 3 to 5, none of 1 or 2.
func (r *Registry) quota() int {
	return min(r.opts.MaxConnected, quotaOf) * quotaBatched / quotaOf
}

// withinQuota tells whether a connection with such a peer leaves enough slots
// for the batched ones that are still missing.
func (r *Registry) withinQuota(info Info) bool {
	if info.batched() {
		return true
	}
	connected, _ := r.busy()
	missing := r.quota() - r.batchedPeers()
	return missing <= 0 || r.opts.MaxConnected-connected-1 >= missing
}

// batchedPeers is how many batched peers are connected.
func (r *Registry) batchedPeers() int {
	n := 0
	for _, e := range r.order {
		if e.state == stateConnected && e.info.batched() {
			n++
		}
	}
	return n
}
