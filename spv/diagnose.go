package spv

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/peer"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/chaincfg/v3"
)

// diagnosis is what is wrong. The zero value is that nothing can be told.
type diagnosis struct {
	kind   fault
	who    string // the peer that it is about, "" if there are several
	cause  string
	remedy string
	after  time.Duration // how long nothing has to move before it is said
}

// fault is a kind of diagnosis. Of several the first in this order tells most.
type fault int

const (
	noFault fault = iota
	clockBehind
	ownLimit
	badProxy
	webServer
	noRoute
	noName
	otherNetwork
	notDecred
	ownNode
	oldVersion
	noFullNode
	isBanned
	refuses
	silent
	hangsUp
	otherChain
	lagging
	poorChain
	mute
	unclear
)

// unconnected reports whether it is over, for the time being, once somebody is
// connected.
func (k fault) unconnected() bool { return k > clockBehind && k <= hangsUp }

const (
	// trouble is said after so long without progress; at once if it concerns
	// all peers that were given and can't be mistaken.
	troubleAfter = 10 * time.Second

	// muteAfter is how long peers may be connected and deliver nothing.
	muteAfter = 15 * time.Second

	// searchTime is given when peers are found: most addresses that are heard of
	// are of nobody who answers.
	searchTime = 30 * time.Second
)

// diagnose says what is wrong.
func (s *situation) diagnose() diagnosis {
	switch {
	case s.behind != "":
		return diagnosis{kind: clockBehind, cause: s.behind, remedy: "set the clock, or wait until it is there"}
	case len(s.connected) > 0:
		return s.diagnoseConnected()
	case len(s.failures) > 0 && isOwnLimit(s.failures[len(s.failures)-1].err):
		return sayOwnLimit(s.failures[len(s.failures)-1].err)
	case len(s.chosen) > 0:
		return s.diagnoseChosen()
	}
	return s.diagnoseSearch()
}

// diagnoseConnected is for peers that are there.
func (s *situation) diagnoseConnected() diagnosis {
	who, all := "", fmt.Sprintf("the %d peers", len(s.connected))
	if len(s.connected) == 1 {
		who, all = s.connected[0], s.connected[0]+", the only peer,"
	}
	d := diagnosis{who: who, after: muteAfter}
	switch {
	case s.fork != nil:
		d.kind = otherChain
		d.cause = fmt.Sprintf("the chain of %s parts from the stored one after block %d and has less work", all, *s.fork)
		d.remedy = s.begunAnew("connect to another node: this one may be outdated")
	case s.poor:
		d.kind = poorChain
		d.cause = fmt.Sprintf("the chain of %s has less work than %s is known to have, as that of a node that is still syncing", all, s.params.Name)
		d.remedy = "wait until it has synced, or connect to another node"
	default:
		d.kind = mute
		d.cause = fmt.Sprintf("nothing comes from %s (%s)", all, s.waiting)
		d.remedy = "connect to another node"
		if len(s.chosen) == 0 {
			d.remedy = "wait, others are looked for, or connect to a node that you know"
		}
	}
	return d
}

// diagnoseChosen is for peers that were given, none of which is connected. It says
// nothing before there is something to say of each.
func (s *situation) diagnoseChosen() diagnosis {
	var all []diagnosis
	for _, addr := range s.chosen {
		i := slices.IndexFunc(s.failures, func(f failure) bool { return f.addr == addr })
		why, banned := s.bans[addr]
		subject := addr
		if len(s.chosen) == 1 {
			subject += ", the only peer,"
		}
		switch {
		case banned:
			all = append(all, diagnosis{
				kind: isBanned, who: addr,
				cause:  fmt.Sprintf("%s is banned %s", subject, why),
				remedy: liftBan,
			})
		case i < 0:
			return diagnosis{}
		default:
			all = append(all, s.explain(s.failures[i], subject))
		}
	}
	d := slices.MinFunc(all, func(a, b diagnosis) int { return cmp.Compare(a.kind, b.kind) })
	if len(all) > 1 {
		d.who = ""
		d.cause = fmt.Sprintf("none of the %d peers can be used; %s", len(all), d.cause)
		d.after = slices.MaxFunc(all, func(a, b diagnosis) int { return cmp.Compare(a.after, b.after) }).after
	}
	return d
}

const liftBan = "connect to another node, or lift the ban if you trust this one"

// diagnoseSearch is for peers that have to be found.
func (s *situation) diagnoseSearch() diagnosis {
	var seeding diagnosis
	if s.seeding != nil {
		seeding = s.explain(failure{err: s.seeding, dialing: true}, "the seeder")
		seeding.cause = "no peer is found; " + seeding.cause
	}
	switch {
	case s.allBans != "":
		return diagnosis{kind: isBanned, cause: "all known peers are banned, " + s.allBans, remedy: liftBan, after: troubleAfter}
	case len(s.failures) > 0:
	case s.seeding != nil:
		seeding.after = troubleAfter
		return seeding
	case s.known == 0 && isPrivate(s.params):
		return diagnosis{
			kind:   unclear,
			cause:  fmt.Sprintf("no peer is known, and %s has no seeders that tell some", s.params.Name),
			remedy: "connect to a node of " + s.params.Name,
		}
	default:
		return diagnosis{}
	}
	count := make(map[fault]int)
	var d diagnosis
	for _, f := range s.failures { // of the most frequent kind the newest
		each := s.explain(f, f.addr)
		if count[each.kind]++; count[each.kind] >= count[d.kind] {
			d = each
		}
	}
	if n := len(s.failures); n > 1 {
		d.cause = fmt.Sprintf("none of %d addresses can be used, for example: %s", n, d.cause)
	}
	if s.seeding != nil && seeding.kind < d.kind {
		d = seeding
	}
	d.who, d.after = "", searchTime
	if d.kind <= noName {
		d.after = troubleAfter
	} else {
		d.remedy = fmt.Sprintf("check that this computer is online and may connect to port %s elsewhere, or connect to a node that you know", s.params.DefaultPort)
	}
	return d
}

const logIn = "open a web page and log in if this network asks for that"

// explain says what is wrong with one peer.
func (s *situation) explain(f failure, subject string) diagnosis {
	say := func(kind fault, after time.Duration, remedy, format string, args ...any) diagnosis {
		return diagnosis{kind: kind, who: f.addr, cause: fmt.Sprintf(format, args...), remedy: remedy, after: after}
	}
	name := s.params.Name
	address := fmt.Sprintf("check the address, nodes of %s listen on port %s", name, s.params.DefaultPort)
	var other peer.NetworkError
	var proxy proxyError
	var certificate *tls.CertificateVerificationError
	is := func(kinds ...error) bool {
		return slices.ContainsFunc(kinds, func(kind error) bool { return errors.Is(f.err, kind) })
	}
	switch {
	case isOwnLimit(f.err):
		return sayOwnLimit(f.err)
	case errors.As(f.err, &proxy):
		return say(badProxy, troubleAfter, "start it, or check its address", "the proxy at %s does not work: %v", proxy.addr, proxy)
	case is(peer.ErrWebServer):
		return say(webServer, 0, logIn+", or "+address, "%s answers like a web server, not like a Decred node", subject)
	case errors.As(f.err, &certificate):
		return say(webServer, troubleAfter, logIn+", or set this computer's clock", "%s does not prove to be itself: %v", subject, certificate)
	case is(http.ErrSchemeMismatch):
		return say(webServer, troubleAfter, logIn, "%s answers without TLS", subject)
	case is(syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN):
		return say(noRoute, troubleAfter, "check that this computer is online", "there is no way to %s", strings.TrimSuffix(subject, ","))
	case errors.As(f.err, new(*net.DNSError)):
		return say(noName, troubleAfter, "check the name, and that this computer is online", "the name of %s can't be resolved", strings.TrimSuffix(subject, ","))
	case errors.As(f.err, &other):
		return say(otherNetwork, 0, fmt.Sprintf("choose the network %s, or connect to a node of %s", string(other), name),
			"%s is a node of %s, not of %s", subject, string(other), name)
	case is(peer.ErrNotDecred):
		return say(notDecred, 0, address, "%s is not a Decred node", subject)
	case is(peer.ErrSelf):
		return say(ownNode, 0, "connect to another node", "%s is this program itself", subject)
	case is(peer.ErrVersion):
		return say(oldVersion, 0, "update that node, or connect to another one", "%s is too old: %v", subject, f.err)
	case is(peer.ErrServices):
		return say(noFullNode, 0, "connect to a full node", "%s is not a full node", subject)
	case is(ErrLagging):
		return say(lagging, troubleAfter, s.begunAnew("wait until it has synced, or connect to another node"),
			"%s %v", subject, f.err)
	case is(chain.ErrLowWork):
		return say(poorChain, troubleAfter, "wait until it has synced, or connect to another node",
			"the chain of %s has less work than %s is known to have", subject, name)
	case is(registry.ErrUnhelpful, peer.ErrStalled):
		return say(mute, muteAfter, "connect to another node", "nothing comes from %s", subject)
	case is(syscall.ECONNREFUSED):
		return say(refuses, troubleAfter, "start the node, or "+address, "%s accepts no connection", subject)
	case is(peer.ErrTimeout, context.DeadlineExceeded, os.ErrDeadlineExceeded, syscall.ETIMEDOUT):
		return say(silent, troubleAfter, "start the node, or "+address, "%s does not answer", subject)
	case is(peer.ErrClosed) && !f.dialing:
		return say(hangsUp, troubleAfter, "look into its log, or connect to another node", "%s has hung up", subject)
	case is(peer.ErrClosed):
		// What dcrd does when it has no room, has banned us, or reads the magic of
		// another network than its own.
		return say(hangsUp, troubleAfter, "look into its log, or "+address,
			"%s hangs up before it has said anything, as a node does that has no room, has banned us or is not of %s", subject, name)
	}
	return say(unclear, troubleAfter, "connect to another node", "%s can't be used: %v", subject, f.err)
}

// sayOwnLimit is for what is wrong with no peer.
func sayOwnLimit(err error) diagnosis {
	var limit syscall.Errno
	errors.As(err, &limit)
	return diagnosis{
		kind: ownLimit, after: troubleAfter,
		cause:  fmt.Sprintf("this computer can't open a connection: %v", limit),
		remedy: "raise the limit on open files (ulimit -n), or end other programs",
	}
}

// begunAnew is the remedy for a stored chain that has more work than those of the
// peers. Only of a network of one's own it may be that the stored one is wrong.
func (s *situation) begunAnew(remedy string) string {
	if !isPrivate(s.params) {
		return remedy
	}
	if s.file == "" {
		return fmt.Sprintf("if %s was begun anew, start again; if not, %s", s.params.Name, remedy)
	}
	return fmt.Sprintf("if %s was begun anew, this data directory is of the chain before: delete %s or choose another directory; if not, %s",
		s.params.Name, s.file, remedy)
}

// isPrivate reports whether a network is one that everybody makes for himself.
func isPrivate(params *chaincfg.Params) bool { return len(params.Seeders()) == 0 }
