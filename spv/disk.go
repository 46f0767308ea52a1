package spv

import "dcrspv/spv/chain"

// disk is what is known of the headers in chain.db.
type disk struct {
	end chain.BlockID // the last one

	// tip is where they leave the best chain: their end, or the fork while a
	// reorg has not been written yet.
	tip chain.BlockID

	// fork is the lowest fork since the write in progress began.
	fork chain.BlockID
}

// writing notes that a write begins.
func (d *disk) writing() { d.fork = chain.BlockID{Height: ^uint32(0)} }

// reorg notes that the best chain is another one above a block.
func (d *disk) reorg(fork chain.BlockID) {
	if fork.Height < d.fork.Height {
		d.fork = fork
	}
	if fork.Height < d.tip.Height {
		d.tip = fork
	}
}

// rejoin finds where the disk leaves the best chain now. The disk was on it
// up to the fork at least. After a reorg and back, it is all of the best chain
// again.
func (d *disk) rejoin(best *chain.Chain, fork chain.BlockID) {
	switch {
	case best.Contains(d.end):
		d.tip = d.end
	case fork.Height < d.end.Height:
		d.tip = fork
	}
}

// wrote notes where the headers end now.
func (d *disk) wrote(end chain.BlockID, best *chain.Chain) {
	d.end = end
	d.rejoin(best, d.fork)
}
