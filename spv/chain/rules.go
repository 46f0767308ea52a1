package chain

import (
	"math"
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/math/uint256"
	"github.com/decred/dcrd/wire"
	"lukechampine.com/blake3"
)

// never is the height of a rule that never becomes active.
const never = math.MaxUint32

// Rules are the consensus rules of one network as far as headers, and blocks
// against their headers, can be checked without the ledger. Immutable after
// NewRules; any number of goroutines may share it.
type Rules struct {
	params  *chaincfg.Params
	genesis Header
	supply  supply

	// First block heights of rules that were voted in.
	stakeDiffV2 uint32 // DCP0001: ticket price recomputed from here on
	commitments uint32 // DCP0005: StakeRoot commits to the filter
	blake3      uint32 // DCP0011: blake3 proof of work and ASERT difficulty
	asertAnchor uint32 // the block that ASERT measures from

	filterSetHash chainhash.Hash // of all filters below commitments; zero: none known
	checkpoints   checkpoints
	minWork       uint256.Uint256
	powLimit      uint256.Uint256
	maxBlockSize  int // the largest that a vote can allow, in bytes

	cap difficultyCap // of testnet3; zero elsewhere
}

// NewRules makes the rules of a network of chaincfg.
//
// On mainnet and testnet3 the activation heights are history. On other networks
// a rule is active from the first block if the parameters force it (simnet
// forces all), and never otherwise: votes are in blocks, not in headers. So on
// regnet, which forces none, the rules of Decred's launch are assumed, which is
// right until its stakeholders vote one in: not before height 784.
//
// Options adapt the rules to a network of one's own.
func NewRules(params *chaincfg.Params, options ...Option) *Rules {
	r := &Rules{
		params:       params,
		genesis:      HeaderFromWire(&params.GenesisBlock.Header),
		stakeDiffV2:  never,
		commitments:  never,
		blake3:       never,
		asertAnchor:  never,
		maxBlockSize: slices.Max(params.MaximumBlockSizes),
		supply:       newSupply(params),
	}
	r.powLimit.SetBig(params.PowLimit)
	if params.MinKnownChainWork != nil {
		r.minWork.SetBig(params.MinKnownChainWork)
	}
	switch params.Net {
	case wire.MainNet:
		r.stakeDiffV2 = 149248
		r.commitments = 431488
		r.blake3 = 794368
		r.asertAnchor = 794367
		r.filterSetHash = mustHash("f95e09f9ded38f8d6c32e5158a1f286633881393659218c63f5ab0fc86b36c83")
		r.checkpoints = parseCheckpoints(mainNetCheckpoints())
	case wire.TestNet3:
		r.stakeDiffV2 = 0
		r.commitments = 323328
		r.blake3 = 1170048
		r.asertAnchor = 1170047
		r.filterSetHash = mustHash("619c08f5adda6f834212bbdaee3002fdc4efed731477af6c0fed490bbe2488d0")
		r.checkpoints = parseCheckpoints(testNet3Checkpoints())
		r.cap = newDifficultyCap(&r.powLimit)
	default:
		if forced(params, chaincfg.VoteIDSDiffAlgorithm) {
			r.stakeDiffV2 = 0
		}
		if forced(params, chaincfg.VoteIDHeaderCommitments) {
			r.commitments = 1
		}
		if forced(params, chaincfg.VoteIDBlake3Pow) {
			r.blake3, r.asertAnchor = 1, 1
		}
	}
	for _, option := range options {
		option(r)
	}
	return r
}

// Option changes the rules of a network.
type Option func(*Rules)

// CommitmentsFrom makes height the first block with a header commitment
// (DCP0005). filterSet is the hash of the filters below it, see
// [Rules.FilterSetHash]; the zero hash if it is not known, when those filters
// can't be verified.
func CommitmentsFrom(height uint32, filterSet chainhash.Hash) Option {
	return func(r *Rules) { r.commitments, r.filterSetHash = height, filterSet }
}

// forced reports whether the parameters make a vote's outcome "yes" from the
// first block on.
func forced(params *chaincfg.Params, voteID string) bool {
	for _, deployments := range params.Deployments {
		for i := range deployments {
			if deployments[i].Vote.Id == voteID {
				return deployments[i].ForcedChoiceID == "yes"
			}
		}
	}
	return false
}

// Params are the parameters given to NewRules.
func (r *Rules) Params() *chaincfg.Params { return r.params }

// Genesis is the first block. It is valid by definition.
func (r *Rules) Genesis() (Header, BlockID) {
	return r.genesis, BlockID{Hash: r.params.GenesisHash}
}

// Blake3At reports whether the block of that height is proved by blake3 work
// and has its difficulty set by ASERT (DCP0011).
func (r *Rules) Blake3At(height uint32) bool { return height >= r.blake3 }

// CommitmentsAt reports whether the header of that height commits to its filter
// (DCP0005).
func (r *Rules) CommitmentsAt(height uint32) bool { return height >= r.commitments }

// FilterSetHash is the hash (blake256) of the concatenated filters of the
// heights first to last, which no header commits to. !ok on networks without
// such a set.
func (r *Rules) FilterSetHash() (first, last uint32, hash chainhash.Hash, ok bool) {
	if r.commitments == 0 || r.filterSetHash == (chainhash.Hash{}) {
		return 0, 0, chainhash.Hash{}, false
	}
	return 0, r.commitments - 1, r.filterSetHash, true
}

// PowHash is the hash that must not exceed the target: blake3 since DCP0011,
// else the block hash.
func (r *Rules) PowHash(h *Header) chainhash.Hash {
	if r.Blake3At(h.Height()) {
		return blake3.Sum256(h[:])
	}
	return h.Hash()
}
