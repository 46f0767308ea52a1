package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"time"

	"dcrspv/cmd/spvbench/usage"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// serveSpec is what the serving process is told when it starts.
type serveSpec struct {
	World world
	Cache string
	Peers int
	First int  // the first one listens on 127.0.0.First
	Flood bool // they can be told to flood
}

// ready is what it says once the peers listen.
type ready struct {
	Peers   []string // where they listen
	XPub    string
	Truth   holdings
	Headers int64 // bytes of all headers
	Filters int64 // bytes of all filters
}

// holdings is what a wallet must find, or has found.
type holdings struct {
	Balance      int64 // atoms
	Transactions int
}

// manner is how a peer behaves.
type manner struct {
	Latency   time.Duration
	Bandwidth int  // bytes a second; 0 is no limit
	Stalls    bool // completes the handshake and answers nothing
}

// order is a line of standard input: one of these.
type order struct {
	Manners []manner // of the peers, from the first; those left out are quick
	Flood   string   // flood with this kind from the next connection on
	Mine    int      // announce so many new blocks that pay the account
	Tell    bool     // nothing but the reply
}

// reply answers an order.
type reply struct {
	Mined  []time.Time // when each block was handed to the peers
	Height uint32      // of the last one
	Truth  holdings
	CPU    float64 // seconds, of this process
	Sent   int64   // bytes, of all peers

	// Since the last kind of flood was told:
	Floods  int     // connections that were flooded
	Longest float64 // seconds that one of them lasted
}

// server is the serving process from inside.
type server struct {
	chain    *spvtest.Chain
	peers    []*spvtest.Peer
	flooders []*flooder // of the peers, if they flood
	scripts  [][]byte
}

// runServe is the serving process. It ends with its standard input.
func runServe(spec serveSpec, in io.Reader, out io.Writer) error {
	// Long garbage collections here would be measured as slow peers: the
	// collector may take more memory instead.
	debug.SetGCPercent(400)
	chain, err := spec.World.open(spec.Cache)
	if err != nil {
		return err
	}
	s := &server{chain: chain}
	defer s.close()
	external, internal, err := spec.World.scripts()
	if err != nil {
		return err
	}
	s.scripts = append(external, internal...)
	acct, err := account()
	if err != nil {
		return err
	}
	hello := ready{XPub: acct.String(), Truth: s.truth()}
	for i := range spec.Peers {
		p := spvtest.NewPeer(chain, spvtest.Behaviour{})
		s.peers = append(s.peers, p)
		addr, err := s.listen(p, fmt.Sprintf("127.0.0.%d:0", spec.First+i), spec.Flood)
		if err != nil {
			return err
		}
		hello.Peers = append(hello.Peers, addr.String())
	}
	for h := range chain.Height() + 1 {
		hello.Headers += int64(len(chain.Header(h)))
		hello.Filters += int64(len(chain.Filter(h)))
	}
	debug.FreeOSMemory()
	enc := json.NewEncoder(out)
	if err := enc.Encode(hello); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return err
		}
		if err := enc.Encode(s.obey(o)); err != nil {
			return err
		}
	}
	return lines.Err()
}

// listen lets clients in to a peer.
func (s *server) listen(p *spvtest.Peer, addr string, floods bool) (net.Addr, error) {
	if !floods {
		return p.ListenTCP(addr)
	}
	f := &flooder{peer: p, chain: s.chain, pays: s.scripts[0]}
	s.flooders = append(s.flooders, f)
	return f.listen(addr)
}

// obey carries out an order.
func (s *server) obey(o order) reply {
	var r reply
	if o.Manners != nil {
		for i, p := range s.peers {
			var m manner
			if i < len(o.Manners) {
				m = o.Manners[i]
			}
			p.SetBehaviour(m.behaviour())
			p.Disconnect()
			p.ResetCounts()
		}
	}
	for _, f := range s.flooders {
		if kind := findFlood(o.Flood); kind != nil {
			f.set(*kind)
		}
		conns, longest := f.told()
		r.Floods, r.Longest = r.Floods+conns, max(r.Longest, longest.Seconds())
	}
	for range o.Mine {
		s.chain.MineBlock(s.chain.Pay(s.scripts[0], 1e8))
		r.Mined = append(r.Mined, time.Now())
		for _, p := range s.peers {
			p.SetChain(s.chain)
		}
	}
	r.Height = s.chain.Height()
	r.Truth = s.truth()
	r.CPU = usage.CPUSeconds()
	for _, p := range s.peers {
		_, sent := p.Bytes()
		r.Sent += sent
	}
	return r
}

func (m manner) behaviour() spvtest.Behaviour {
	b := spvtest.Behaviour{Latency: m.Latency, Bandwidth: m.Bandwidth}
	if m.Stalls {
		b.Silent = map[string]bool{
			wire.CmdGetHeaders: true, wire.CmdGetCFiltersV2: true, wire.CmdGetCFilterV2: true,
			wire.CmdGetData: true, wire.CmdPing: true,
		}
	}
	return b
}

// truth is what the account has.
func (s *server) truth() holdings {
	t := s.chain.Truth(s.scripts)
	return holdings{Balance: t.Total, Transactions: len(t.History)}
}

func (s *server) close() {
	for _, f := range s.flooders {
		f.listener.Close()
	}
	for _, p := range s.peers {
		p.Close()
	}
}
