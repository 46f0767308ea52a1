package chaindb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/math/uint256"
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

	// Damaged are filters that are not right, in ascending order. What is wrong is
	// said of the first of each stretch.
	Damaged []*Damage
}

// damaged adds filters that are not right.
func (r *Report) damaged(d *Damage) {
	if n := len(r.Damaged); n > 0 && r.Damaged[n-1].Range.To+1 == d.Range.From {
		r.Damaged[n-1].Range.To = d.Range.To
		return
	}
	r.Damaged = append(r.Damaged, d)
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
// If nothing is wrong the file is trusted from now on. Otherwise the error is a
// [Damage] that names the height of the first fault, and wraps the chain.ErrorKind of
// the rule if there is one; chain.ErrFuture of a file that was made elsewhere, which may
// be the fault of this computer's clock; ErrCorrupt of a file that can't be read; that of ctx. A header that is wrong
// ends it, a filter does not. The Report counts what was checked, and found right.
func (db *DB) Verify(ctx context.Context, progress func(done, total uint32)) (Report, error) {
	if progress == nil {
		progress = func(uint32, uint32) {}
	}
	v := verifier{db: db, progress: progress, setHash: blake256.NewHasher256()}
	err := db.view(func(r *reader) error {
		v.reader = r
		_, genesis := db.rules.Genesis()
		v.chain = chain.New(db.rules, &v, genesis, uint256.Uint256{})
		last, _ := segmentOf(r.tip.Height)
		if err := v.run(ctx, last); err != nil {
			return err
		}
		return v.finish(last)
	})
	switch {
	case err != nil:
	case len(v.report.Damaged) > 0:
		err = v.report.Damaged[0]
	default:
		err = db.trust()
	}
	return v.report, err
}

// verifier is the state of one Verify. Workers check what needs nothing but a
// segment itself, which is what is costly: see part. The rest is done by one
// goroutine, in order of height.
type verifier struct {
	*reader
	db       *DB
	progress func(done, total uint32)
	report   Report

	chain   *chain.Chain        // of the headers so far
	setHash *blake256.Hasher256 // of the filters so far that no header commits to
}

// Header makes the verifier the chain's source of what it has already checked, checksum
// and all.
func (v *verifier) Header(height uint32) (chain.Header, error) {
	segment, index := segmentOf(height)
	value := v.tx.Bucket(headersBucket).Get(segmentKey(segment))
	if height > v.tip.Height || (index+1)*chain.HeaderSize > len(value) {
		return chain.Header{}, v.noHeader(height)
	}
	return *headerAt(value, index), nil
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

// all is the Damage of a chain that is wrong as a whole.
func (v *verifier) all(format string, args ...any) error {
	return v.damageOf(Headers, chain.Range{From: 0, To: v.tip.Height}, format, args...)
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
				p.check(v)
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
	var spoiled *Damage
	switch {
	case errors.As(p.err, &spoiled) && spoiled.Part == Filters:
		v.report.damaged(spoiled)
		return nil
	case p.err != nil:
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
	v.progress(v.report.Headers, v.tip.Height+1)
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
		return v.damage(Headers, tip.Height+1, "header %d: %w: its parent is not block %v", tip.Height+1, chain.ErrLink, tip)
	}
	if len(p.batch.Headers) == 0 {
		return nil
	}
	now := time.Now()
	if v.db.own.Load() {
		now = time.Unix(math.MaxUint32, 0) // none was too early when it was stored
	}
	update, err := v.chain.Add(p.batch, now)
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
	return v.damage(Headers, v.report.Headers, "header %d: %w", v.report.Headers, errors.Unwrap(err))
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
	r := &v.report
	if r.Tip != v.tip {
		return v.all("the chain ends at block %v, not at %v", r.Tip, v.tip)
	}
	if r.Work != v.work {
		return v.all("the work up to block %d is %v, not %v", r.Tip.Height, r.Work, v.work)
	}
	if v.chain.Suspect() {
		return v.all("header %d: %w: the network has done more", r.Tip.Height, chain.ErrLowWork)
	}
	for _, name := range [][]byte{headersBucket, filtersBucket} {
		key, _ := v.tx.Bucket(name).Cursor().Seek(segmentKey(last + 1))
		if key != nil && v.severed == nil {
			return v.all("there are %s above the tip %d", name, r.Tip.Height)
		}
	}
	if len(r.Damaged) > 0 {
		return nil
	}
	from, to, hash, ok := v.rules.FilterSetHash()
	if !ok || !v.filters.Covers(chain.Range{From: from, To: to}) {
		return nil
	}
	if got := chainhash.Hash(v.setHash.Sum256()); got != hash {
		r.damaged(&Damage{
			Path: v.path, Part: Filters, Range: chain.Range{From: from, To: to},
			Err: fmt.Errorf("%w: those of %d to %d hash to %v, not to %v", chain.ErrFilter, from, to, got, hash),
		})
		return nil
	}
	r.FilterSet = true
	return nil
}
