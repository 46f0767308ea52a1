package spv

import (
	"cmp"
	"context"
	"fmt"
	"net"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/peer"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/slog"
)

// DialFunc opens a connection to a peer. It resolves the name in addr itself,
// so that a proxy's dialer never leaks a lookup.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// Config is what a Syncer is made from. The zero Config is mainnet, in memory.
type Config struct {
	// Params is the network; nil is mainnet.
	Params *chaincfg.Params

	// Rules are those of the network, for one of your own; they go before
	// Params. nil is chain.NewRules(Params).
	Rules *chain.Rules

	// DataDir is the directory of chain.db. It is created when missing. The
	// file is a cache of public data and may be deleted, shared and copied.
	//
	// When empty, nothing is kept: the chain and what is known of peers begin anew
	// with each Syncer and are gone after Close. On Linux they are in memory alone,
	// about 400 bytes for each block with its filter, 180 of them for the header;
	// elsewhere the chain is in a temporary file, which may outlive a program that
	// is killed on Windows.
	DataDir string

	// Wallets are kept in sync. The Syncer does not close them.
	Wallets []Wallet

	// Connect names the only peers to use, as host:port; the network's default
	// port may be left out. When empty, peers are found through the network's
	// seeders and remembered. SetPeers names others later.
	Connect []string

	// MaxPeers is how many connections are kept; 0 is 8.
	MaxPeers int

	// Birthday is a height from which filters are kept even if no wallet wants
	// them from so low. It is ignored when every wallet's own birthday is
	// lower. With nothing watched it alone decides; nil is genesis then.
	Birthday *uint32

	// MaxProtocol caps the protocol version spoken, for peers or proxies that
	// dislike newer ones; 0 is ProtocolVersion. Below 11 filters are asked
	// for one by one.
	MaxProtocol uint32

	// NoRelay keeps peers from announcing transactions that are not in a block.
	// Without it, wallets that are an UnminedWallet hear of them.
	NoRelay bool

	// Dial opens connections; nil is a net.Dialer. SOCKS5 makes one that goes
	// through a proxy.
	Dial DialFunc

	// Open opens sources of chain data; nil speaks the Decred protocol over
	// what Dial connects to.
	Open OpenFunc

	// Log returns the logger of a subsystem: SYNC (the sync as a whole), PEER
	// (connections), REGI (addresses, faults and bans), FLTR (filters) or WLLT
	// (scanning for wallets). nil is silence.
	Log func(subsystem string) slog.Logger

	// UserAgentName and UserAgentVersion are told to peers; the default is
	// dcrspv.
	UserAgentName    string
	UserAgentVersion string
}

const (
	defaultMaxPeers  = 8
	maxMaxPeers      = 125
	defaultUserAgent = "dcrspv"
	defaultVersion   = "0.1.0"
)

// ProtocolVersion is the version of the Decred protocol that peers are offered if
// Config.MaxProtocol does not say another one.
const ProtocolVersion = peer.ProtocolVersion

// UserAgent returns what peers are told of the program, as they show it.
func (c Config) UserAgent() string {
	agent, _ := peer.UserAgent(c.agent()) // of what can't be told the rest is told
	return agent
}

// agent returns the name and version of the program, or their defaults.
func (c *Config) agent() (name, version string) {
	return cmp.Or(c.UserAgentName, defaultUserAgent), cmp.Or(c.UserAgentVersion, defaultVersion)
}

// withDefaults returns the configuration with every default filled in, or what
// is wrong with it.
func (c Config) withDefaults() (Config, error) {
	if c.Params == nil {
		c.Params = chaincfg.MainNetParams()
	}
	if c.Rules == nil {
		c.Rules = chain.NewRules(c.Params)
	}
	c.Params = c.Rules.Params()
	if c.MaxPeers == 0 {
		c.MaxPeers = defaultMaxPeers
	}
	if c.MaxPeers < 1 || c.MaxPeers > maxMaxPeers {
		return c, fmt.Errorf("%w: MaxPeers is %d, not between 1 and %d", ErrConfig, c.MaxPeers, maxMaxPeers)
	}
	connect, err := peerAddrs(c.Connect, c.Params)
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	c.Connect = connect
	for i, w := range c.Wallets {
		if w == nil {
			return c, fmt.Errorf("%w: wallet %d is nil", ErrConfig, i)
		}
	}
	if c.Dial == nil {
		var d net.Dialer
		c.Dial = d.DialContext
	}
	if c.Open == nil {
		c.Open = openPeer(c.Dial)
	}
	if c.Log == nil {
		c.Log = func(string) slog.Logger { return slog.Disabled }
	}
	c.UserAgentName, c.UserAgentVersion = c.agent()
	return c, nil
}
