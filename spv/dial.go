package spv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dcrspv/spv/internal/addrbook"
	"dcrspv/spv/internal/peer"
	"dcrspv/spv/internal/registry"
)

// dialMore dials as long as the registry has somebody worth it. Addresses that
// it knows, because they have worked before, go first; when those are used up
// the address book is drawn on.
func (e *engine) dialMore() {
	if e.now.Before(e.network.ownLimit) {
		return
	}
	for drawn := 0; ; {
		addr, ok := e.registry.NextDial(e.now)
		if !ok {
			if drawn++; drawn <= maxDrawn && e.drawAddress() || e.relent() {
				continue
			}
			return
		}
		if err := e.registry.Dialing(addr, e.now); err != nil {
			e.fail(err)
			return
		}
		ctx := e.network.dialing(e.ctx, addr)
		e.goWorker(func() {
			ev := e.dial(ctx, addr)
			if !e.post(ev) && ev.peer != nil {
				ev.peer.Close(context.Canceled)
			}
		})
	}
}

// relent has peers dialed again that were unhelpful, if there are no others.
func (e *engine) relent() bool {
	return e.registry.Alone() && e.registry.NeedsAddresses(e.now) && e.registry.RetryAvoided(e.now)
}

// drawAddress moves an address from the book to the registry.
func (e *engine) drawAddress() bool {
	return e.registry.NeedsAddresses(e.now) && e.draw()
}

func (e *engine) draw() bool {
	if e.network.book == nil {
		return false
	}
	addr, ok := e.network.book.Next(func(addr string) bool {
		return e.registry.Known(addr) || e.registry.Banned(addr, e.now) || e.registry.GroupTaken(addr)
	}, e.now)
	if !ok {
		return false
	}
	if err := e.registry.Add(addr, false, e.now); err != nil {
		e.logs.registry.Debugf("address %q: %v", addr, err)
	}
	return true
}

// makeRoom disconnects the worst peer after a better one was let in on trial.
func (e *engine) makeRoom() {
	for {
		addr, ok := e.registry.NextEviction(e.now)
		if !ok {
			return
		}
		e.disconnect(e.sessions[addr], errReplaced)
	}
}

// dialAlarm is for the next address to be dialed or seeder to be asked, and for the end of
// gathering, when the word of few peers is taken for the end of the chain.
func (e *engine) dialAlarm(a *alarm) {
	n := e.network
	if n.discover {
		a.at(n.firstPeer.Add(gatherTime))
	}
	if n.discover && !n.seed.busy {
		a.at(n.seed.after)
	}
	if e.now.Before(n.ownLimit) {
		a.at(n.ownLimit)
		return
	}
	if n.discover && e.registry.NeedsAddresses(e.now) {
		a.at(e.now.Add(addrbook.Pause)) // the book rests after it had nothing
	}
	if t, ok := e.registry.NextDialTime(e.now); ok {
		a.at(t)
	}
}

// dial connects and shakes hands.
func (e *engine) dial(ctx context.Context, addr string) dialed {
	start := time.Now()
	p, err := e.cfg.Open(ctx, addr, &e.network.sourceConfig)
	return dialed{addr: addr, peer: p, took: time.Since(start), err: err, calledOff: ctx.Err() != nil}
}

// dialed: a connection stands, or could not be had.
type dialed struct {
	addr string
	peer Source
	took time.Duration
	err  error

	calledOff bool // others were chosen meanwhile
}

func (ev dialed) apply(e *engine) {
	e.network.dialed(ev.addr)
	if ev.calledOff && (ev.err != nil || !e.chosen.allows(ev.addr)) {
		if ev.err == nil {
			ev.peer.Close(errNotChosen)
		}
		e.registry.DialCalledOff(ev.addr)
		return
	}
	switch {
	case isOwnLimit(ev.err):
		ev.err = fmt.Errorf("%w: %w", registry.ErrOurs, ev.err)
		e.network.cannot(e.now)
	case e.network.discover:
		e.network.book.Attempt(ev.addr)
	}
	if ev.err == nil {
		info := ev.peer.Info()
		ev.err = lagError(info.Height, e.reach())
		if ev.err == nil {
			ev.err = e.registry.Connected(ev.addr, registry.Info{
				UserAgent: info.UserAgent,
				PVer:      info.PVer,
				Services:  info.Services,
				Height:    info.Height,
			}, e.now)
		}
		if ev.err != nil {
			ev.peer.Close(ev.err)
		}
	}
	if ev.err != nil {
		e.registry.DialFailed(ev.addr, refusal(ev.err), e.now)
		e.trouble.failed(failure{addr: ev.addr, err: ev.err, at: e.now, dialing: true})
		if errors.Is(ev.err, ErrLagging) {
			e.noteDisconnect(ev.addr, ev.err)
		}
		e.logs.peer.Infof("%s: no connection: %v", ev.addr, ev.err)
		return
	}
	e.trouble.forget(ev.addr)
	e.network.joined(len(e.sessions) == 0, e.now)
	info := ev.peer.Info()
	e.logs.peer.Infof("%s connected: %s, protocol %d, at block %d", ev.addr, info.UserAgent, info.PVer, info.Height)
	e.startSession(ev.addr, ev.peer)
	e.requests.Join(ev.addr, ev.took)
	if e.network.discover {
		e.network.book.Good(ev.addr)
		if err := ev.peer.RequestAddrs(); err != nil {
			ev.peer.Close(err)
		}
	}
}

// refusal marks errors that are our own refusal, and errors that trying again soon will not
// change. A web server's answer may come from the network that we are in, and change with it.
func refusal(err error) error {
	if errors.Is(err, ErrLagging) {
		return fmt.Errorf("%w: %w", registry.ErrRefused, err)
	}
	for _, kind := range []error{peer.ErrSelf, peer.ErrNetwork, peer.ErrNotDecred, peer.ErrServices, peer.ErrVersion} {
		if errors.Is(err, kind) {
			return fmt.Errorf("%w: %w", registry.ErrIncompatible, err)
		}
	}
	return err
}
