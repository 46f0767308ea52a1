package spvtest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// ErrStored is returned by [Load] for bytes that are not what [Chain.Save] wrote
// for a chain of these parameters and options.
var ErrStored = errors.New("not this chain as it was saved")

// storedMagic begins a saved chain; the number is that of the format, and
// changes as well when the same calls make other blocks.
const storedMagic = "spvtest chain 1\n"

// stored is the fixed part of a saved chain, little endian. What the options
// say is in it, because filler is made by them again.
type stored struct {
	Net         uint32
	Start       uint32
	FilterItems uint32
	CommitFrom  uint32
	Spacing     uint32
	Branches    uint32
	Serial      uint64
	Blocks      uint32 // the genesis block counts
	Special     uint32
}

// storedHead describes the chain as it is.
func (c *Chain) storedHead() stored {
	return stored{
		Net:         uint32(c.config.params.Net),
		Start:       c.config.start,
		FilterItems: uint32(c.config.filterItems),
		CommitFrom:  c.config.commitFrom,
		Spacing:     c.spacing,
		Branches:    c.ledger.branches,
		Serial:      c.ledger.serial,
		Blocks:      c.Height() + 1,
		Special:     uint32(len(c.special)),
	}
}

// Save writes the chain: about 180 bytes for the header of each block, its
// filter, and the transactions of those that are not filler. Making a long chain
// takes longer than reading it back with [Load]. Branches can't be saved, and
// transactions that were built but not mined are not.
func (c *Chain) Save(w io.Writer) error {
	if c.parent != nil {
		return errors.New("a branch can't be saved")
	}
	out := bufio.NewWriterSize(w, 1<<20)
	out.WriteString(storedMagic)
	binary.Write(out, binary.LittleEndian, c.storedHead())
	for _, s := range c.own {
		for i := range s.headers {
			out.Write(s.headers[i][:])
		}
		binary.Write(out, binary.LittleEndian, s.ends)
		out.Write(s.filters)
	}
	for _, height := range viewOf(c).specialHeights() {
		binary.Write(out, binary.LittleEndian, height)
		if err := c.Block(height).Serialize(out); err != nil {
			return err
		}
	}
	return out.Flush() // bufio keeps the first error of all writes
}

// Load reads a chain that [Chain.Save] wrote; the parameters and options are
// those it was made with. It can be mined on, spent from and forked like the
// original.
//
// The error is [ErrStored] for anything else than such a chain; that nobody has
// changed it since is not checked.
func Load(r io.Reader, params *chaincfg.Params, opts ...Option) (*Chain, error) {
	c := NewChain(params, opts...)
	in := bufio.NewReaderSize(r, 1<<20)
	if err := c.load(in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStored, err)
	}
	return c, nil
}

// load fills a new chain.
func (c *Chain) load(in *bufio.Reader) error {
	magic := make([]byte, len(storedMagic))
	if _, err := io.ReadFull(in, magic); err != nil {
		return err
	}
	if string(magic) != storedMagic {
		return errors.New("another format")
	}
	var head stored
	if err := binary.Read(in, binary.LittleEndian, &head); err != nil {
		return err
	}
	own := c.storedHead()
	own.Spacing, own.Branches, own.Serial = head.Spacing, head.Branches, head.Serial
	own.Blocks, own.Special = head.Blocks, head.Special
	if own != head || head.Blocks == 0 {
		return errors.New("made with other options")
	}
	c.spacing, c.ledger.branches, c.ledger.serial = head.Spacing, head.Branches, head.Serial
	c.own = nil
	for done := uint32(0); done < head.Blocks; done += segmentBlocks {
		s, err := loadSegment(in, min(segmentBlocks, head.Blocks-done))
		if err != nil {
			return err
		}
		c.own = append(c.own, s)
	}
	c.reindex(head.Blocks)
	for range head.Special {
		if err := c.loadSpecial(in); err != nil {
			return err
		}
	}
	return nil
}

// loadSegment reads n blocks.
func loadSegment(in io.Reader, n uint32) (*segment, error) {
	s := &segment{headers: make([]chain.Header, n), ends: make([]uint32, n)}
	for i := range s.headers {
		if _, err := io.ReadFull(in, s.headers[i][:]); err != nil {
			return nil, err
		}
	}
	if err := binary.Read(in, binary.LittleEndian, s.ends); err != nil {
		return nil, err
	}
	for i := 1; i < len(s.ends); i++ {
		if s.ends[i] < s.ends[i-1] {
			return nil, errors.New("lengths of filters run backwards")
		}
	}
	s.filters = make([]byte, s.ends[n-1])
	_, err := io.ReadFull(in, s.filters)
	return s, err
}

// reindex sets the tip and the index from the headers: all hashes but the last
// are in the header above.
func (c *Chain) reindex(blocks uint32) {
	last := c.own[len(c.own)-1]
	h := &last.headers[len(last.headers)-1]
	c.tip = chain.BlockID{Height: blocks - 1, Hash: h.Hash()}
	c.index = make(map[uint64]uint32, blocks)
	var hash chainhash.Hash
	for height := range blocks {
		hash = c.Hash(height)
		c.index[indexKey(&hash)] = height
	}
}

// loadSpecial reads a block that is not filler.
func (c *Chain) loadSpecial(in io.Reader) error {
	var height uint32
	if err := binary.Read(in, binary.LittleEndian, &height); err != nil {
		return err
	}
	var b wire.MsgBlock
	if err := b.Deserialize(in); err != nil {
		return err
	}
	if height > c.tip.Height || b.Header.Height != height {
		return fmt.Errorf("block %d in the place of %d", b.Header.Height, height)
	}
	for _, tx := range b.Transactions {
		c.ledger.record(tx)
	}
	for _, tx := range b.STransactions {
		c.ledger.record(tx)
	}
	c.special[height] = &special{txs: b.Transactions, stxs: b.STransactions}
	return nil
}
