package spv

import (
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// peerChain is what a peer has shown of its chain in this connection.
type peerChain struct {
	// last is the newest header this peer delivered. It may be on a branch
	// that is not the best one.
	last chain.BlockID

	// onSideBranch: last is not of the best chain, and the peer's own parts from
	// it after the block at height fork.
	onSideBranch bool
	fork         uint32

	// walking: its answers have held blocks that we know only, so its branch
	// leaves our chain further up, and the next locator begins at last.
	walking bool

	answered bool // it has answered a getheaders
	leadsOn  bool // with a full answer that was new: there is more

	// inv is the last block it announced by its hash. Before we want
	// announcements nothing is done with it but to see that the peer keeps up.
	inv chainhash.Hash
}

// partsBelow reports whether a peer has shown that its chain is another one than
// ours at a height.
func (p *peerChain) partsBelow(height uint32) bool { return p.onSideBranch && height > p.fork }

// delivered notes the last header of what a peer has delivered.
func (p *peerChain) delivered(last chain.BlockID) {
	if last.Height > 0 {
		p.last = last
	}
}

// compare notes where a peer's chain parts from the best one, and returns how
// high it has proved to be on it. Blocks of another branch prove no height.
func (p *peerChain) compare(best *chain.Chain) (height uint32, proved bool) {
	fork, known := best.Fork(p.last)
	p.onSideBranch, p.fork = known && fork < p.last.Height, fork
	return p.last.Height, known && !p.onSideBranch && p.last.Height > 0
}

// answer notes that a peer has answered a getheaders, and reports whether it has
// more to tell: its answer was full and led on. before is last as it was before
// the answer.
func (p *peerChain) answer(full bool, added int, before chain.BlockID) (more bool) {
	p.answered, p.leadsOn = true, full && added > 0
	p.walking = full && added == 0 && (p.last.Height > before.Height || p.last != before && !p.walking)
	return full && added > 0 || p.walking
}

// overtaken notes an answer with blocks that others have delivered meanwhile. It
// does not tell that the peer's branch leaves our chain further up.
func (p *peerChain) overtaken() { p.answered, p.leadsOn, p.walking = true, true, false }

// announced notes an inv for a block.
func (p *peerChain) announced(hash chainhash.Hash) { p.inv = hash }

// forget drops what was shown: the best chain is another one now.
func (p *peerChain) forget() {
	p.last, p.onSideBranch, p.walking = chain.BlockID{}, false, false
}
