package spvtest

import (
	"fmt"
	"math"
	"time"

	"github.com/decred/dcrd/wire"
)

// What dcrd 2.1.3 bears from a client, as tried out on a real node.
const (
	banThreshold    = 100
	maxGetDataQueue = 1000 // getdata messages not answered yet
	maxMempools     = 3
	maxNotFound     = 5 // blocks
)

// limits watches one client for what dcrd drops it for.
type limits struct {
	score      float64 // of large getdata messages and of notfound; halves every minute
	scoredAt   time.Time
	mempools   int
	notFound   int
	initStates int
}

// exceeded returns why dcrd would drop the client that sent msg, or "".
func (l *limits) exceeded(c *Client, msg wire.Message) (reason string, ban bool) {
	switch m := msg.(type) {
	case *wire.MsgVersion:
		return "second version message", false
	case *wire.MsgInv:
		if len(m.InvList) == 0 {
			return "empty inv", true
		}
	case *wire.MsgGetData:
		return l.getData(c, m)
	case *wire.MsgGetCFsV2:
		if pver := c.pver.Load(); pver < wire.BatchedCFiltersV2Version {
			return fmt.Sprintf("getcfsv2 at protocol version %d", pver), true
		}
	//lint:ignore SA1019 what dcrd no longer answers
	case *wire.MsgGetCFilter, *wire.MsgGetCFTypes, *wire.MsgGetCFHeaders:
		return msg.Command() + ", which is of the past", false
	case *wire.MsgBlock:
		return "block that nobody asked for", false
	case *wire.MsgMemPool:
		if l.mempools++; l.mempools > maxMempools {
			return "too many mempool messages", true
		}
	case *wire.MsgNotFound:
		return l.missing(m)
	case *wire.MsgGetInitState:
		l.initStates++
	}
	return "", false
}

// getData judges a getdata message.
func (l *limits) getData(c *Client, m *wire.MsgGetData) (reason string, ban bool) {
	n := len(m.InvList)
	if n == 0 {
		return "empty getdata", true
	}
	if l.add(n * (banThreshold - 1) / wire.MaxInvPerMsg) {
		return "too many items asked for by getdata", true
	}
	if c.getdata.Load() >= maxGetDataQueue {
		return fmt.Sprintf("more than %d getdata messages at once", maxGetDataQueue), false
	}
	return "", false
}

// missing judges a notfound message.
func (l *limits) missing(m *wire.MsgNotFound) (reason string, ban bool) {
	const each = 10 // of the score, for a transaction or mixing message
	others := 0
	for _, item := range m.InvList {
		if item.Type == wire.InvTypeBlock {
			l.notFound++
		} else {
			others += each
		}
	}
	switch {
	case l.notFound > maxNotFound:
		return "notfound for too many blocks", true
	case l.add(others):
		return "notfound for too many transactions", true
	}
	return "", false
}

// add adds to the score, and reports whether it is too high.
func (l *limits) add(points int) bool {
	now := time.Now()
	l.score *= math.Exp2(-now.Sub(l.scoredAt).Minutes())
	l.scoredAt = now
	l.score += float64(points)
	return l.score > banThreshold
}
