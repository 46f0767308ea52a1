package spvtest

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/gcs/v4/blockcf2"
	"github.com/decred/dcrd/wire"
)

// defaultStart is when block 1 is found if nothing else is asked for:
// 2025-01-01 00:00 UTC. It is fixed so that the same calls make the same chain.
const defaultStart = 1735689600

// Chain is a block chain under construction. Blocks are only ever added.
//
// Building (Mine, MineBlock, Pay, ...) is for one goroutine at a time; reading
// is for any number, also while it grows. Heights above the tip are a mistake
// of the caller and panic, like an index out of range.
type Chain struct {
	config *config
	ledger *ledger

	parent *Chain // holds the blocks below first; nil for a chain from genesis
	first  uint32 // height of the first block of its own
	branch uint32 // makes its blocks differ from those of other branches

	spacing uint32 // seconds between blocks
	target  target // of the last block mined

	mu      sync.RWMutex
	own     []*segment
	index   map[uint64]uint32 // first bytes of a hash to height, own blocks only
	special map[uint32]*special
	tip     chain.BlockID
}

// special is what is kept of a block that is not filler: all transactions.
type special struct {
	txs, stxs []*wire.MsgTx // txs[0] is the coinbase
}

// config is what all branches of a chain have in common.
type config struct {
	params      *chaincfg.Params
	rules       *chain.Rules
	start       uint32 // time of block 1
	filterItems int    // outputs of a filler coinbase
	commitFrom  uint32 // given to CommitFrom
}

// Option changes how a chain is built.
type Option func(*config)

// StartAt sets the time of block 1, which is the anchor of the difficulty: the
// block at height h is found h-1 seconds later. Whole seconds; not before the
// genesis block.
func StartAt(t time.Time) Option {
	return func(c *config) { c.start = uint32(t.Unix()) }
}

// EndBefore sets the time of block 1 so that block n, one block a second, is
// found a second before now.
func EndBefore(now time.Time, n uint32) Option {
	return StartAt(now.Add(-time.Duration(n) * time.Second))
}

// FilterItems sets how many scripts the coinbase of a filler block pays, and so
// the size of its filter: about 2.5 bytes each. The default is 1.
func FilterItems(n int) Option {
	return func(c *config) { c.filterItems = n }
}

// CommitFrom makes height the first block whose header commits to its filter
// (DCP0005); those below are as on mainnet before that. See [Chain.RulesWithFilterSet].
func CommitFrom(height uint32) Option {
	return func(c *config) {
		c.rules = chain.NewRules(c.params, chain.CommitmentsFrom(height, chainhash.Hash{}))
		c.commitFrom = height
	}
}

// NewChain makes a chain that has only the genesis block. nil params are those
// of simnet. Mining takes real work, so mainnet and testnet3 are out of reach;
// regnet, whose headers do not commit to filters, is not.
func NewChain(params *chaincfg.Params, opts ...Option) *Chain {
	if params == nil {
		params = chaincfg.SimNetParams()
	}
	cfg := &config{
		params:      params,
		rules:       chain.NewRules(params),
		start:       defaultStart,
		filterItems: 1,
	}
	for _, o := range opts {
		o(cfg)
	}
	c := &Chain{
		config:  cfg,
		ledger:  newLedger(),
		spacing: 1,
		index:   make(map[uint64]uint32),
		special: make(map[uint32]*special),
	}
	genesis, id := cfg.rules.Genesis()
	filter, err := blockcf2.Regular(params.GenesisBlock, c.ledger)
	if err != nil {
		panic(fmt.Sprintf("spvtest: filter of the genesis block: %v", err))
	}
	c.special[0] = &special{txs: params.GenesisBlock.Transactions}
	c.push(&genesis, id.Hash, filter.Bytes())
	return c
}

// Params are the parameters of the chain's network.
func (c *Chain) Params() *chaincfg.Params { return c.config.params }

// Rules are the header rules that the chain is built by.
func (c *Chain) Rules() *chain.Rules { return c.config.rules }

// RulesWithFilterSet returns the rules of the chain with the hash of the filters below
// the height given to [CommitFrom], which must have been mined. A client that knows this
// network uses them.
func (c *Chain) RulesWithFilterSet() *chain.Rules {
	h := blake256.NewHasher256()
	for height := range c.config.commitFrom {
		h.WriteBytes(c.Filter(height))
	}
	return chain.NewRules(c.config.params, chain.CommitmentsFrom(c.config.commitFrom, h.Sum256()))
}

// Tip is the last block.
func (c *Chain) Tip() chain.BlockID {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.tip
}

// Height is the height of the last block.
func (c *Chain) Height() uint32 { return c.Tip().Height }

// Time is when the last block was found.
func (c *Chain) Time() time.Time {
	h := c.Header(c.Height())
	return h.Time()
}

// Header returns the header at a height.
func (c *Chain) Header(height uint32) chain.Header { return *c.header(height) }

// header returns the header at a height, not to be changed.
func (c *Chain) header(height uint32) *chain.Header {
	s, i := c.locate(height)
	return &s.headers[i]
}

// Filter returns the committed filter of the block at a height. It belongs to
// the chain: do not change it.
func (c *Chain) Filter(height uint32) []byte {
	s, i := c.locate(height)
	return s.filter(i)
}

// Hash returns the hash of the block at a height.
func (c *Chain) Hash(height uint32) chainhash.Hash {
	if tip := c.Tip(); height == tip.Height {
		return tip.Hash
	}
	return c.header(height + 1).PrevBlock()
}

// ID returns height and hash of the block at a height.
func (c *Chain) ID(height uint32) chain.BlockID {
	return chain.BlockID{Height: height, Hash: c.Hash(height)}
}

// HeightOf finds a block of this chain by its hash.
func (c *Chain) HeightOf(hash chainhash.Hash) (height uint32, ok bool) {
	c.mu.RLock()
	height, ok = c.index[indexKey(&hash)]
	c.mu.RUnlock()
	if ok {
		return height, c.Hash(height) == hash
	}
	if c.parent == nil {
		return 0, false
	}
	height, ok = c.parent.HeightOf(hash)
	return height, ok && height < c.first
}

// Block returns the block at a height. Filler is made anew by every call;
// transactions that were given to the builder are shared, so do not change them.
func (c *Chain) Block(height uint32) *wire.MsgBlock {
	h := c.header(height)
	b := wire.NewMsgBlock(wireHeader(h))
	owner, sp := c.transactions(height)
	if sp == nil {
		b.Transactions = []*wire.MsgTx{owner.fillerCoinbase(height)}
		return b
	}
	b.Transactions = append(b.Transactions, sp.txs...)
	b.STransactions = append(b.STransactions, sp.stxs...)
	return b
}

// transactions returns the branch that a height belongs to, and the transactions of
// the block there, nil if it is filler.
func (c *Chain) transactions(height uint32) (*Chain, *special) {
	for height < c.first {
		c = c.parent
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c, c.special[height]
}

// locate finds the stored block at a height. The segment returned is a copy of
// the slices, so that it stays valid while the chain grows.
func (c *Chain) locate(height uint32) (segment, uint32) {
	for height < c.first {
		c = c.parent
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if height > c.tip.Height {
		panic(fmt.Sprintf("spvtest: block %d of a chain that ends at %d", height, c.tip.Height))
	}
	i := height - c.first
	return *c.own[i/segmentBlocks], i % segmentBlocks
}

// push adds a block whose header is complete.
func (c *Chain) push(h *chain.Header, hash chainhash.Hash, filter []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	height := h.Height()
	if (height-c.first)%segmentBlocks == 0 {
		c.own = append(c.own, new(segment))
	}
	c.own[len(c.own)-1].add(h, filter)
	c.index[indexKey(&hash)] = height
	c.tip = chain.BlockID{Height: height, Hash: hash}
}

// indexKey is the part of a block hash that the index goes by.
func indexKey(hash *chainhash.Hash) uint64 {
	return binary.LittleEndian.Uint64(hash[:])
}

// wireHeader decodes a header.
func wireHeader(h *chain.Header) *wire.BlockHeader {
	w := h.Wire()
	return &w
}
