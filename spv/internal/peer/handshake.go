package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/decred/dcrd/wire"
)

// The time for the whole handshake, and for the remote's version message, which
// takes one round trip. dcrd allows 30 s; an honest node on a slow line needs
// less than one.
const (
	handshakeLimit = 5 * time.Second
	versionLimit   = 3 * time.Second
)

// Handshake agrees with the remote on a protocol version, for at most 5
// seconds or until ctx ends, and checks that it is of use: a full node of the
// right network, protocol version 9 or higher, not ourselves, and whatever
// cfg.Accept asks. A remote that is refused gets nothing from us but our
// version message. One that does not send its own within 3 seconds has timed
// out. addr is what the Peer is to be known as.
//
// Handshake owns conn from the start and closes it on an error. On success
// either Run or Close must be called, or a goroutine and the connection stay.
//
// Errors are ErrSelf, ErrNetwork, ErrWebServer, ErrNotDecred, ErrServices,
// ErrVersion, that of cfg.Accept, ErrTimeout, ErrClosed (the remote hung up, as
// dcrd does when it has banned us, has no slot or is of another network),
// ErrProtocol and that of ctx.
func Handshake(ctx context.Context, conn net.Conn, addr string, cfg *Config) (*Peer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeLimit,
		fmt.Errorf("%w: handshake", ErrTimeout))
	defer cancel()
	p := newPeer(conn, addr, cfg)
	stop := context.AfterFunc(ctx, func() { p.Close(context.Cause(ctx)) })
	err := p.shake()
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		p.Close(err)
		<-p.written
		if errors.Is(err, ErrProtocol) {
			return nil, err // who says it and hangs up may have ended our writing first
		}
		return nil, p.reason
	}
	p.log.Debugf("%s: connected to %s, protocol version %d, height %d",
		addr, p.info.UserAgent, p.info.PVer, p.info.Height)
	return p, nil
}

// shake sends our version, checks the remote's, and answers whatever else
// comes before the remote's verack: dcrd asks for the initial state there.
func (p *Peer) shake() error {
	nonces := p.cfg.Nonces
	if nonces == nil {
		nonces = new(Nonces)
	}
	nonce := nonces.draw()
	defer nonces.forget(nonce)
	if err := p.Send(p.version(nonce)); err != nil {
		return err
	}

	remote, err := p.readVersion()
	if err != nil {
		return err
	}
	if err := p.check(remote, nonces); err != nil {
		return err
	}
	p.pver.Store(p.info.PVer)
	if err := p.Send(wire.NewMsgVerAck()); err != nil {
		return err
	}

	for {
		msg, err := p.read()
		if err != nil {
			return err
		}
		if _, ok := msg.(*wire.MsgVerAck); ok {
			return nil
		}
		if err := p.dispatch(msg); err != nil {
			return err
		}
	}
}

// readVersion reads the first message. Nothing else is read in its place.
func (p *Peer) readVersion() (*wire.MsgVersion, error) {
	timer := time.AfterFunc(versionLimit, func() {
		p.Close(fmt.Errorf("%w: no version message", ErrTimeout))
	})
	defer timer.Stop()
	h, err := p.readHead()
	if err != nil {
		return nil, err
	}
	if h.command != wire.CmdVersion {
		return nil, protocolError("%q message before version", h.command)
	}
	msg, err := p.readBody(h)
	if err != nil {
		return nil, err
	}
	return msg.(*wire.MsgVersion), nil
}

// version is our version message. It tells no addresses: we know of none of
// our own that somebody could connect to, and dcrd uses neither.
func (p *Peer) version(nonce uint64) *wire.MsgVersion {
	var height uint32
	if p.cfg.Height != nil {
		height = p.cfg.Height()
	}
	msg := wire.NewMsgVersion(&wire.NetAddress{}, &wire.NetAddress{}, nonce, int32(height))
	msg.ProtocolVersion = int32(p.cfg.maxPVer())
	msg.DisableRelayTx = !p.cfg.Relay
	var err error
	if msg.UserAgent, err = UserAgent(p.cfg.UserAgentName, p.cfg.UserAgentVersion); err != nil {
		p.log.Warnf("user agent %q: %v", p.cfg.UserAgentName, err)
	}
	return msg
}

// check notes what the remote says about itself and refuses it if it is of no
// use.
func (p *Peer) check(remote *wire.MsgVersion, nonces *Nonces) error {
	p.info.UserAgent = cleanUserAgent(remote.UserAgent)
	p.info.PVer = min(uint32(max(remote.ProtocolVersion, 0)), p.cfg.maxPVer())
	p.info.Services = remote.Services
	p.info.Height = uint32(max(remote.LastBlock, 0))
	p.met = time.Now()
	p.info.TimeOffset = remote.Timestamp.Sub(p.met).Round(time.Second)

	switch {
	case nonces.ours(remote.Nonce):
		return ErrSelf
	case !remote.HasService(wire.SFNodeNetwork):
		return fmt.Errorf("%w: services %v", ErrServices, remote.Services)
	case p.info.PVer < minPVer:
		return fmt.Errorf("%w: %d", ErrVersion, remote.ProtocolVersion)
	case p.cfg.Accept != nil:
		return p.cfg.Accept(p.info)
	}
	return nil
}
