package spv

import (
	"maps"
	"slices"
	"time"
)

// publishCall is a call of Publish that waits for its answer: for the peers to ask for
// the transaction, to have it, and for the listener to announce it.
type publishCall struct {
	answer chan PublishResult
	until  time.Time // until when peers that have not asked are waited for

	arriving  map[*session]bool // who has asked for it and may not have it yet
	delivered []string
	listener  *session // who gets the announcement last; nil once all have it
	listened  bool     // there was a listener
	announced []string // who has announced it
}

const (
	// publishTime is how long peers have to ask for a new transaction once it is
	// announced to them, and the listener to announce it before. Nodes send announcements after
	// half a second (dcrd peer: DefaultTrickleInterval).
	publishTime = 5 * time.Second

	// deliverTime is how long a peer that has asked for it has to get it.
	deliverTime = 10 * time.Second
)

func newPublishCall(answer chan PublishResult, listener *session, now time.Time) *publishCall {
	return &publishCall{answer: answer, until: now.Add(publishTime), arriving: make(map[*session]bool), listener: listener, listened: listener != nil}
}

// sent notes that a peer gets the transaction, and arrived that it has it or never will.
func (c *publishCall) sent(s *session) { c.arriving[s] = true }
func (c *publishCall) arrived(s *session, ok bool) {
	delete(c.arriving, s)
	if ok {
		c.delivered = append(c.delivered, s.addr)
	}
}

// heard notes that a peer has announced the transaction.
func (c *publishCall) heard(addr string) {
	if !slices.Contains(c.announced, addr) {
		c.announced = append(c.announced, addr)
	}
}

// tell returns the listener once it has had its time, or there is nothing more to hear:
// it may be the only one that wants to know. complete is whether nothing more can come.
func (c *publishCall) tell(complete bool, now time.Time) (listener *session, ok bool) {
	heard := len(c.announced) > 0
	if now.Before(c.until) && !(heard && complete) {
		return nil, false
	}
	if !heard {
		c.until = now.Add(publishTime)
	}
	listener, c.listener = c.listener, nil
	return listener, true
}

// over reports whether there is nothing left to wait for.
func (c *publishCall) over(complete bool, now time.Time) bool {
	late := !now.Before(c.until) && len(c.arriving) == 0
	return late || complete || !now.Before(c.until.Add(deliverTime))
}

// complete reports whether nothing more can come: whoever it was announced to has asked for the
// transaction, and has it or never will, or had it before.
func (c *publishCall) complete(announcedTo map[string]bool, requestedBy []string) bool {
	for addr := range announcedTo {
		if !slices.Contains(requestedBy, addr) && !slices.Contains(c.announced, addr) {
			return false
		}
	}
	return len(c.arriving) == 0
}

// deadline is when there is something to decide although nothing happens.
func (c *publishCall) deadline(now time.Time) time.Time {
	if now.Before(c.until) {
		return c.until
	}
	return c.until.Add(deliverTime)
}

// settle answers the caller.
func (c *publishCall) settle(announcedTo map[string]bool, requestedBy []string) {
	c.answer <- PublishResult{
		AnnouncedTo: slices.Sorted(maps.Keys(announcedTo)), RequestedBy: slices.Clone(requestedBy), Delivered: c.delivered,
		Listened: c.listened, Announced: c.announced,
	}
}
