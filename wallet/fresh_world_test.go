package wallet

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"dcrspv/spv"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// maxFreshReorg is how many blocks a reorg undoes at most. Addresses that are given
// out have to be found whatever it undoes.
const maxFreshReorg = 12

// freshWorld is a random world with a wallet that is to have no memory of how it came
// to what it watches.
type freshWorld struct {
	*cast
	t     *testing.T
	path  string
	w     *Wallet
	ahead uint32              // so many addresses behind a gap the wallet may know
	keys  [castKeys][2]string // of each account, in two wrappings
	story freshStory

	// located: the Syncer knows that the wallet's blocks are on the chain, or, if
	// forked, that it has left them at fork.
	located, forked bool
	fork            chain.BlockID

	held    *spv.Batch // of a scan that is under way
	issued  []issuedAddress
	dropped map[hash]bool // by the owner
}

// issuedAddress is one that was given out, and the account as it was then.
type issuedAddress struct {
	account Watched
	addr    string
}

func newFreshWorld(t *testing.T, h *freshHistory) *freshWorld {
	d := &freshWorld{t: t, path: filepath.Join(t.TempDir(), "wallet.db"), dropped: make(map[hash]bool)}
	d.cast = newCast(newWorld(t), rand.New(rand.NewPCG(h.seed, 12)))
	d.content = h.content
	for i, key := range castAddrs().keys {
		d.keys[i] = [2]string{key, rewrapped(t, key)}
	}
	d.ahead = uint32(d.rng.IntN(3)) * 3
	d.open()
	for range 3 + d.rng.IntN(10) {
		d.block()
	}
	return d
}

func (d *freshWorld) open() {
	d.w = openFresh(d.t, d.path)
	d.w.maxAhead = d.ahead
}

func (d *freshWorld) tell(format string, args ...any) {
	d.story.told = append(d.story.told, fmt.Sprintf(format, args...))
}

// freshKind is a kind of step.
type freshKind struct {
	name   string
	weight int
	always bool // in every history
	do     func(*freshWorld) error
}

var freshKinds = []freshKind{
	{"block", 4, true, (*freshWorld).mineSome},
	{"watch", 4, true, (*freshWorld).watch},
	{"compare", 2, true, (*freshWorld).compare},
	{"account", 2, false, (*freshWorld).watchKey},
	{"unwatch", 2, false, (*freshWorld).unwatch},
	{"reorg", 2, false, (*freshWorld).goElsewhere},
	{"scan", 4, false, (*freshWorld).scanSome},
	{"rescan", 1, false, (*freshWorld).rescan},
	{"restart", 1, false, (*freshWorld).restart},
	{"kill", 1, false, (*freshWorld).kill},
	{"own", 2, false, (*freshWorld).announce},
	{"peer", 2, false, (*freshWorld).hear},
	{"drop", 1, false, (*freshWorld).forgetTx},
	{"address", 2, false, (*freshWorld).address},
}

func (d *freshWorld) mineSome() error {
	for range 1 + d.rng.IntN(3) {
		d.block()
	}
	d.tell("blocks up to %d", d.c.height())
	return nil
}

func (d *freshWorld) goElsewhere() error {
	old := d.c
	d.reorg(1 + d.rng.Uint32N(maxFreshReorg))
	fork := old.height()
	for !d.c.contains(old.id(fork)) {
		fork--
	}
	if d.located && !d.forked || d.forked && fork < d.fork.Height {
		d.fork, d.forked = d.c.id(fork), true
	}
	if d.held != nil && d.held.End.Height > fork {
		d.held = nil
	}
	d.tell("reorg of %d blocks, tip %d", old.height()-fork, d.c.height())
	return nil
}

// locate has the wallet go back to where its blocks leave the chain.
func (d *freshWorld) locate() error {
	ids, err := d.w.Locator(context.Background())
	if err != nil || len(ids) == 0 {
		d.located, d.forked = true, false
		return err
	}
	to := d.c.id(0)
	if i := slices.IndexFunc(ids, d.c.contains); i >= 0 {
		to = ids[i]
	}
	if d.forked && d.fork.Height > to.Height && d.c.contains(d.fork) {
		to = d.fork
	}
	d.located, d.forked = true, false
	if to.Height >= ids[0].Height {
		return nil
	}
	d.tell("rewind from %d to %d", ids[0].Height, to.Height)
	return d.w.Rewind(context.Background(), to)
}

// scan asks for a scan and matches it, and applies it at once or the next time. It
// reports false if there is no debt.
func (d *freshWorld) scan(limit uint32, cut bool) (more bool, err error) {
	if err := d.locate(); err != nil {
		return false, err
	}
	if d.held == nil {
		scan, ok, err := d.w.NextScan(context.Background(), limit)
		if !ok || err != nil {
			return false, err
		}
		to := scan.Range.To
		if cut && d.rng.IntN(2) == 0 {
			to = scan.Range.From + d.rng.Uint32N(to-scan.Range.From+1)
		}
		batch := d.c.batch(scan, to)
		d.held = &batch
		d.tell("scan %d to %d", scan.Range.From, to)
		if cut && d.rng.IntN(4) == 0 {
			return true, nil
		}
	}
	batch := *d.held
	d.held = nil
	d.tell("applied %d to %d", batch.Scan.Range.From, batch.End.Height)
	return true, d.w.Apply(context.Background(), batch)
}

func (d *freshWorld) scanSome() error {
	limit := d.c.height()
	if d.rng.IntN(3) == 0 {
		limit -= min(limit, d.rng.Uint32N(4))
	}
	for range 1 + d.rng.IntN(3) {
		if more, err := d.scan(limit, true); err != nil || !more {
			return err
		}
	}
	return nil
}

func (d *freshWorld) sync() error {
	for {
		if more, err := d.scan(d.c.height(), false); err != nil || !more {
			return err
		}
	}
}

func (d *freshWorld) restart() error {
	if err := d.w.Close(); err != nil {
		return err
	}
	d.open()
	d.held, d.located, d.forked = nil, false, false
	d.tell("restart")
	return nil
}

// kill is a restart that loses what is in memory only.
func (d *freshWorld) kill() error {
	file, err := os.ReadFile(d.path)
	if err != nil {
		return err
	}
	if err := cmp.Or(d.w.Close(), os.WriteFile(d.path, file, 0o600)); err != nil {
		return err
	}
	d.open()
	d.held, d.located, d.forked = nil, false, false
	d.tell("kill")
	return nil
}

func (d *freshWorld) rescan() error {
	from := d.rng.Uint32N(d.c.height() + 1)
	to := from + d.rng.Uint32N(20)
	if d.rng.IntN(3) == 0 {
		to = math.MaxUint32
	}
	d.tell("rescan %d to %d", from, to)
	return d.w.Rescan(context.Background(), from, to)
}

func (d *freshWorld) announce() error {
	tx := d.draftTx()
	taken, err := d.w.AddUnmined(context.Background(), tx)
	d.tell("own %s: %v %v", d.inWords(tx), taken, err)
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrExpired) || errors.Is(err, ErrSuperseded) || errors.Is(err, ErrInvalid) || errors.Is(err, ErrTooEarly) {
		return nil
	}
	return err
}

func (d *freshWorld) hear() error {
	var txs []*wire.MsgTx
	for range 1 + d.rng.IntN(2) {
		tx := d.draftTx()
		txs = append(txs, tx)
		d.tell("from a peer %s", d.inWords(tx))
	}
	_, err := d.w.AddRelayed(context.Background(), fmt.Sprint("peer", d.rng.IntN(8)), txs)
	return err
}

func (d *freshWorld) forgetTx() error {
	waiting, err := d.w.Unmined(context.Background())
	if err != nil || len(waiting) == 0 {
		return err
	}
	id := waiting[d.rng.IntN(len(waiting))].TxID
	d.tell("drop %s", hex.EncodeToString(id[:2]))
	d.dropped[id] = true
	return d.w.DropUnmined(context.Background(), id)
}

// address gives out addresses of accounts.
func (d *freshWorld) address() error {
	all, err := d.accounts()
	if err != nil || len(all) == 0 {
		return err
	}
	a := all[d.rng.IntN(len(all))]
	give, what := d.w.AddressOf, "address"
	if d.rng.IntN(2) == 0 {
		give, what = d.w.NextAddress, "next address"
	}
	for range 1 + d.rng.IntN(3) {
		addr, err := give(context.Background(), a.XPub)
		if errors.Is(err, ErrGap) {
			return nil
		}
		if err != nil {
			return err
		}
		d.tell("%s %s", what, d.nameOf(string(addressScriptOf(d.t, addr))))
		d.issued = append(d.issued, issuedAddress{a, addr})
	}
	return nil
}

func addressScriptOf(t *testing.T, addr string) []byte {
	raw, err := addressScript(addr, params)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// accounts are those that are watched.
func (d *freshWorld) accounts() ([]Watched, error) {
	list, err := d.w.Watched(context.Background())
	return slices.DeleteFunc(list, func(e Watched) bool { return e.XPub == "" }), err
}

// nameOf is what a script is called in a story.
func (d *freshWorld) nameOf(raw string) string {
	if at, ok := d.index[raw]; ok {
		form := ""
		if at.pubKey {
			form = " (key)"
		}
		return fmt.Sprintf("account %d/%d/%d%s", at.key, at.branch, at.index, form)
	}
	for n := range castSingles + castScripts {
		if string(singleScript(n)) == raw {
			return fmt.Sprintf("single %d", n)
		}
	}
	return "a stranger"
}

// inWords is a transaction in a story.
func (d *freshWorld) inWords(tx *wire.MsgTx) string {
	id := d.id(tx)
	s := hex.EncodeToString(id[:2]) + " ("
	for _, in := range tx.TxIn {
		if op := in.PreviousOutPoint; d.made[op.Hash] != nil {
			s += fmt.Sprintf("spends %s:%d ", hex.EncodeToString(op.Hash[:2]), op.Index)
		} else if op.Hash != (chainhash.Hash{}) {
			s += fmt.Sprintf("spends a stranger's %s ", hex.EncodeToString(op.Hash[:2]))
		}
	}
	if tx.Expiry > 0 {
		s += fmt.Sprintf("expires at %d ", tx.Expiry)
	}
	for _, o := range tx.TxOut {
		s += fmt.Sprintf("pays %d to %s ", o.Value, d.nameOf(string(untagged(1, o.PkScript))))
	}
	if isTicket(tx) {
		all, _ := promises(tx)
		for _, p := range all {
			s += fmt.Sprintf("promises %d to %s ", p.amount, d.nameOf(p.script))
		}
	}
	return s[:len(s)-1] + ")"
}
