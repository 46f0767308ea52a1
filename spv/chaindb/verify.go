package chaindb

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/math/uint256"
	"go.etcd.io/bbolt"
)

// Report says what Verify has checked.
type Report struct {
	Tip     chain.BlockID   // last header checked
	Work    uint256.Uint256 // of the chain up to Tip, added up again
	Proven  bool            // Work is what the network is known to have done
	Anchors int             // known blocks that the chain contains

	// Headers is the number of all, genesis to Tip: each is linked to the one
	// before it, has the right height, size and stake fields, proof of work, the
	// difficulty that its ancestors demand, a time after their median and not
	// in the future, and versions that are not outdated.
	Headers uint32
	Blake3  uint32 // of Headers, those with blake3 work; that of others is blake256
	Prices  uint32 // of Headers, those whose ticket price was computed again

	Filters uint32 // held
	// Committed is the number of Filters that match the commitment in their
	// header. The others are older than DCP0005.
	Committed uint32
	// FilterSet: the set of filters from before DCP0005 is complete and has the
	// known hash.
	FilterSet bool
}

// Verify reads the whole file again and checks it as if it came from a stranger:
// every header by all rules (see [chain.Rules.Check] and [chain.Chain.Add]), the
// work of the chain and whether it is enough, every filter that a header commits
// to, the hash of the set of older filters if it is complete, and that nothing
// is missing that should be held. All processors take part.
//
// progress, if not nil, is called now and then with the number of blocks done
// and of all.
//
// Errors: an ErrCorrupt that names the height of the first fault, and wraps the
// chain.ErrorKind of the rule if there is one; chain.ErrFuture, which may be the
// fault of this computer's clock; that of ctx. The Report counts what was
// checked before it.
func (db *DB) Verify(ctx context.Context, progress func(done, total uint32)) (Report, error) {
	if progress == nil {
		progress = func(uint32, uint32) {}
	}
	v := verifier{db: db, progress: progress, setHash: blake256.NewHasher256()}
	err := db.view(func(tx *bbolt.Tx) error {
		s, err := db.readState(tx)
		if err != nil {
			return err
		}
		v.tx, v.state = tx, s
		_, genesis := db.rules.Genesis()
		v.chain = chain.New(db.rules, &v, genesis, uint256.Uint256{})
		last, _ := segmentOf(s.tip.Height)
		if err := v.run(ctx, last); err != nil {
			return err
		}
		return v.finish(last)
	})
	return v.report, err
}

// verifier is the state of one Verify. Workers check what needs nothing but a
// segment itself, which is what is costly: see part. The rest is done by one
// goroutine, in order of height.
type verifier struct {
	db       *DB
	tx       *bbolt.Tx
	state    *state
	progress func(done, total uint32)
	report   Report

	chain   *chain.Chain        // of the headers so far
	setHash *blake256.Hasher256 // of the filters so far that no header commits to
}

// Header makes the verifier the chain's source of what it has already checked.
func (v *verifier) Header(height uint32) (chain.Header, error) {
	h, err := v.db.header(v.tx, height)
	if err != nil {
		return chain.Header{}, err
	}
	return *h, nil
}

// Headers is part of chain.Source; verifying reads one at a time.
func (v *verifier) Headers(r chain.Range) ([]chain.Header, error) {
	var headers []chain.Header
	for height := r.From; height <= r.To; height++ {
		h, err := v.Header(height)
		if err != nil {
			return nil, err
		}
		headers = append(headers, h)
	}
	return headers, nil
}

// corrupt makes the error of a fault.
func (v *verifier) corrupt(format string, args ...any) error {
	return corrupt(v.db.path, format, args...)
}

// run checks the segments up to last.
func (v *verifier) run(ctx context.Context, last uint32) error {
	workers := runtime.GOMAXPROCS(0)
	ahead := 2 * workers // parts that wait for a worker, are with one, or wait for their turn
	parts := make(chan *part, ahead)
	var wg sync.WaitGroup
	defer wg.Wait() // the parts are in the mapping of the transaction
	defer close(parts)
	for range workers {
		wg.Go(func() {
			for p := range parts {
				p.check(v.db, v.state.filters)
			}
		})
	}
	var queue []*part
	var torn error // of the segment after those in queue
	err := eachSegment(v.tx, 0, last, func(segment uint32) (more bool, err error) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		p, err := v.part(segment)
		if err != nil {
			torn = err
			return false, nil
		}
		parts <- p
		if queue = append(queue, p); len(queue) == ahead {
			p, queue = queue[0], queue[1:]
			err = v.take(p)
		}
		return err == nil, err
	})
	for _, p := range queue {
		if err == nil {
			err = v.take(p)
		}
	}
	if err == nil {
		err = torn
	}
	return err
}

// take goes on with the next part, once a worker is done with it.
func (v *verifier) take(p *part) error {
	<-p.checked
	if err := v.headers(p); err != nil {
		return err
	}
	if p.err != nil {
		return p.err
	}
	for i, filter := range p.filters {
		if filter == nil {
			continue
		}
		v.report.Filters++
		if v.db.rules.CommitmentsAt(p.start + uint32(i)) {
			v.report.Committed++
		} else {
			v.setHash.WriteBytes(filter)
		}
	}
	v.progress(v.report.Headers, v.state.tip.Height+1)
	return nil
}

// headers checks the headers of a part that a worker has found good against
// their ancestors.
func (v *verifier) headers(p *part) error {
	tip := v.chain.Tip()
	if p.start == 0 && p.genesis {
		v.count(1)
	}
	if first := p.first; first != nil && first.PrevBlock() != tip.Hash {
		return v.corrupt("header %d: %w: its parent is not block %v", tip.Height+1, chain.ErrLink, tip)
	}
	if len(p.batch.Headers) == 0 {
		return nil
	}
	update, err := v.chain.Add(p.batch, time.Now())
	v.count(uint32(update.Added))
	v.chain.Stored(v.chain.Tip()) // so that it keeps no more than it needs
	switch {
	case err == nil:
		return nil
	case errors.Is(err, chain.ErrSource):
		return err
	case errors.Is(err, chain.ErrFuture):
		return fmt.Errorf("header %d: %w", v.report.Headers, errors.Unwrap(err))
	}
	return v.corrupt("header %d: %w", v.report.Headers, errors.Unwrap(err))
}

// count counts the next n headers, which are good.
func (v *verifier) count(n uint32) {
	r, rules := &v.report, v.db.rules
	for range n {
		if rules.Blake3At(r.Headers) {
			r.Blake3++
		}
		if r.Headers > 0 && rules.StakeDiffAt(r.Headers) {
			r.Prices++
		}
		r.Headers++
	}
	r.Tip, r.Work, r.Proven = v.chain.Tip(), v.chain.Work(), v.chain.Proven()
	r.Anchors = rules.Anchors(r.Tip.Height)
}

// finish checks what can be said at the end of the chain.
func (v *verifier) finish(last uint32) error {
	r, s := &v.report, v.state
	if r.Tip != s.tip {
		return v.corrupt("the chain ends at block %v, not at %v", r.Tip, s.tip)
	}
	if r.Work != s.work {
		return v.corrupt("the work up to block %d is %v, not %v", r.Tip.Height, r.Work, s.work)
	}
	if v.chain.Suspect() {
		return v.corrupt("header %d: %w: the network has done more", r.Tip.Height, chain.ErrLowWork)
	}
	for _, name := range [][]byte{headersBucket, filtersBucket} {
		if key, _ := v.tx.Bucket(name).Cursor().Seek(segmentKey(last + 1)); key != nil {
			return v.corrupt("there are %s above the tip %d", name, r.Tip.Height)
		}
	}
	from, to, hash, ok := v.db.rules.FilterSetHash()
	if !ok || !s.filters.Covers(chain.Range{From: from, To: to}) {
		return nil
	}
	if got := chainhash.Hash(v.setHash.Sum256()); got != hash {
		return v.corrupt("%w: those of %d to %d hash to %v, not to %v", chain.ErrFilter, from, to, got, hash)
	}
	r.FilterSet = true
	return nil
}
