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
	score      float64 // of large getdata messages; halves every minute
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
		if l.notFound += len(m.InvList); l.notFound > maxNotFound {
			return "notfound for too many blocks", true
		}
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
	now := time.Now()
	l.score *= math.Exp2(-now.Sub(l.scoredAt).Minutes())
	l.scoredAt = now
	l.score += float64(n * (banThreshold - 1) / wire.MaxInvPerMsg)
	if l.score > banThreshold {
		return "too many items asked for by getdata", true
	}
	if c.getdata.Load() >= maxGetDataQueue {
		return fmt.Sprintf("more than %d getdata messages at once", maxGetDataQueue), false
	}
	return "", false
}
