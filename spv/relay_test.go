package spv_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// unminedWallet is a memoryWallet that hears of transactions in no block.
type unminedWallet struct {
	*memoryWallet
	seen    []chainhash.Hash
	full    map[string]bool // of whom it wants no more
	held    chan struct{}   // AddRelayed waits for it, if it is not nil
	pending []*wire.MsgTx
}

func (m *unminedWallet) Pending(ctx context.Context) ([]*wire.MsgTx, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.pending), nil
}

func (m *unminedWallet) AddRelayed(ctx context.Context, from string, txs []*wire.MsgTx) (more bool, err error) {
	if m.held != nil {
		<-m.held
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, tx := range txs {
		m.seen = append(m.seen, tx.TxHash())
	}
	return !m.full[from], nil
}

// want sets what the wallet wants in the chain.
func (m *unminedWallet) want(txs ...*wire.MsgTx) {
	m.mu.Lock()
	m.pending = txs
	m.mu.Unlock()
	m.changed <- struct{}{}
}

func (m *unminedWallet) wantSeen(t *testing.T, txs ...*wire.MsgTx) {
	t.Helper()
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	var want []chainhash.Hash
	for _, tx := range txs {
		want = append(want, tx.TxHash())
	}
	compare := func(a, b chainhash.Hash) int { return slices.Compare(a[:], b[:]) }
	slices.SortFunc(m.seen, compare)
	slices.SortFunc(want, compare)
	if !slices.Equal(m.seen, want) {
		t.Errorf("the wallet has heard of %v, want %v", m.seen, want)
	}
}

func (w *world) startUnmined(change ...func(*spv.Config)) *unminedWallet {
	w.t.Helper()
	m := &unminedWallet{memoryWallet: w.wallet}
	change = append(change, func(cfg *spv.Config) { cfg.Wallets = []spv.Wallet{m} })
	w.start(change...)
	return m
}

// txRequests is how many transactions all peers together were asked for. No
// block is, as nothing is watched.
func (w *world) txRequests() (n int) {
	for _, p := range w.peers {
		for _, r := range p.Log() {
			if r.Command == wire.CmdGetData {
				n += r.Items
			}
		}
	}
	return n
}

// A transaction that all peers announce is fetched once, and hearing of it
// leaves everything in sync.
// Rule 1.
func TestAnnouncedTransactionIsFetchedOnce(t *testing.T) {
	story(t, 50, func(w *world) {
		w.joinMany(4, spvtest.Behaviour{})
		m := w.startUnmined()
		w.wait(spv.Settled)
		a, b := w.chain.Pay(spvtest.Script(1), 1e8), w.chain.Pay(spvtest.Script(2), 2e8)
		for _, p := range w.peers {
			p.AnnounceTx(a)
			p.AnnounceTx(b)
			synctest.Wait()
			if !w.syncer.Status().Synced {
				t.Error("not in sync after hearing of a transaction")
			}
		}
		m.wantSeen(t, a, b)
		if n := w.txRequests(); n != 2 {
			t.Errorf("%d transactions were asked for, want 2", n)
		}
		w.wantNoViolations()
	})
}

// What is announced during the initial sync is not fetched then, nor is a peer
// asked for its memory pool, which dcrd counts towards a ban.
// Rule 5.
func TestTransactionsWaitForTheInitialSync(t *testing.T) {
	story(t, 5000, func(w *world) {
		w.joinMany(5, spvtest.Behaviour{Latency: time.Second})
		tx := w.chain.Pay(spvtest.Script(1), 1e8)
		m := w.startUnmined()
		w.pass(3500 * time.Millisecond)
		for _, p := range w.peers {
			p.AnnounceTx(tx)
		}
		m.wantSeen(t)
		if n := w.txRequests(); n != 0 || w.syncer.Status().Synced {
			t.Errorf("%d transactions were asked for during the initial sync", n)
		}
		w.wait(spv.Settled)
		w.pass(5 * time.Second)
		if asked := w.total("mempool"); asked != 0 {
			t.Errorf("%d peers were asked for their pool", asked)
		}
		w.peers[0].AnnounceTx(tx)
		w.pass(5 * time.Second)
		m.wantSeen(t, tx)
		w.wantNoViolations()
	})
}

// With NoRelay, and for a wallet that does not listen, nothing is announced and
// nothing is asked for.
func TestNoRelay(t *testing.T) {
	for name, start := range map[string]func(w *world){
		"option":            func(w *world) { w.startUnmined(func(cfg *spv.Config) { cfg.NoRelay = true }) },
		"nobody to hear it": func(w *world) { w.start() },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, 50, func(w *world) {
				p := w.join(spvtest.Behaviour{})
				start(w)
				w.wait(spv.Settled)
				p.AnnounceTx(w.chain.Pay(spvtest.Script(1), 1e8))
				synctest.Wait()
				for _, c := range p.Clients() {
					c.Send(txInv(w.chain.Pay(spvtest.Script(2), 1e8).TxHash()))
				}
				synctest.Wait()
				if n := w.txRequests() + p.Count("mempool"); n != 0 {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}

func txInv(hashes ...chainhash.Hash) *wire.MsgInv {
	inv := wire.NewMsgInv()
	for _, hash := range hashes {
		inv.AddInvVect(wire.NewInvVect(wire.InvTypeTx, &hash))
	}
	return inv
}

// A peer that announces a transaction and does not send it has 30 seconds; then
// another one that announced it is asked.
func TestTransactionIsAskedOfAnother(t *testing.T) {
	story(t, 50, func(w *world) {
		silent := w.join(spvtest.Behaviour{Silent: map[string]bool{"getdata": true}})
		honest := w.join(spvtest.Behaviour{})
		m := w.startUnmined()
		w.wait(spv.Settled)
		tx := w.chain.Pay(spvtest.Script(1), 1e8)
		silent.AnnounceTx(tx)
		synctest.Wait()
		honest.AnnounceTx(tx)
		w.pass(30*time.Second - 1)
		m.wantSeen(t)
		w.pass(time.Nanosecond)
		m.wantSeen(t, tx)
	})
}

// A transaction whose hash is right and whose signatures are not those that others
// have is asked of another peer.
func TestTransactionIsMalformed(t *testing.T) {
	story(t, 50, func(w *world) {
		tx := w.chain.Pay(spvtest.Script(1), 1e8)
		long := tx.Copy()
		long.TxIn[0].SignatureScript = make([]byte, 200_000)
		liar := w.join(spvtest.Behaviour{Hook: func(c *spvtest.Client, msg wire.Message) bool {
			_, ok := msg.(*wire.MsgGetData)
			if ok {
				time.AfterFunc(time.Second, func() { c.Send(long) })
			}
			return ok
		}})
		honest := w.join(spvtest.Behaviour{})
		m := w.startUnmined()
		w.wait(spv.Settled)
		liar.AnnounceTx(tx)
		synctest.Wait()
		honest.AnnounceTx(tx)
		w.pass(time.Second - 1)
		m.wantSeen(t)
		w.pass(time.Nanosecond)
		m.wantSeen(t, tx)
	})
}

// A peer that no longer has what it announced loses nothing, and whoever
// announces it next is asked.
func TestAnnouncedTransactionIsGone(t *testing.T) {
	story(t, 50, func(w *world) {
		gone := w.join(spvtest.Behaviour{NotFound: true})
		honest := w.join(spvtest.Behaviour{})
		m := w.startUnmined()
		w.wait(spv.Settled)
		tx := w.chain.Pay(spvtest.Script(1), 1e8)
		gone.AnnounceTx(tx)
		m.wantSeen(t)
		honest.AnnounceTx(tx)
		m.wantSeen(t, tx)
		if w.syncer.Status().Peers != 2 {
			t.Error("a peer was lost")
		}
	})
}

// Who is quick to announce what everybody knows, and does not send it, keeps it from
// us for so long as it takes to be late once.
// Rule 22.
func TestSilentAnnouncers(t *testing.T) {
	story(t, 50, func(w *world) {
		const silent = 4
		w.joinMany(silent, spvtest.Behaviour{Silent: map[string]bool{"getdata": true}})
		w.join(spvtest.Behaviour{})
		m := w.startUnmined()
		w.wait(spv.Settled)
		var txs []*wire.MsgTx
		for _, patience := range []time.Duration{silent * 30 * time.Second, 30 * time.Second, 30 * time.Second} {
			tx := w.chain.Pay(spvtest.Script(1), 1e8)
			for _, p := range w.peers {
				p.AnnounceTx(tx)
				synctest.Wait()
			}
			w.pass(patience - 1)
			m.wantSeen(t, txs...)
			w.pass(time.Nanosecond)
			txs = append(txs, tx)
			m.wantSeen(t, txs...)
		}
	})
}

// A flood of announcements makes at most 500 requests, and what nobody asked
// for is not taken.
// Rule 20.
func TestFloodOfTransactions(t *testing.T) {
	story(t, 50, func(w *world) {
		flood := w.join(spvtest.Behaviour{Silent: map[string]bool{"getdata": true}})
		w.join(spvtest.Behaviour{})
		m := w.startUnmined()
		w.wait(spv.Settled)
		for _, c := range flood.Clients() {
			for i := range 100 {
				var hashes []chainhash.Hash
				for k := range 1000 {
					hashes = append(hashes, chainhash.Hash{1, byte(i), byte(k), byte(k >> 8)})
				}
				c.Send(txInv(hashes...))
			}
			c.Send(w.chain.Pay(spvtest.Script(1), 1e8))
		}
		m.wantSeen(t)
		if n := w.txRequests(); n > 500 {
			t.Errorf("%d transactions were asked for", n)
		}
		if !w.syncer.Status().Synced {
			t.Error("not in sync any more")
		}
		w.chain.Mine(1)
		for _, p := range w.peers {
			p.SetChain(w.chain)
		}
		w.syncTo(w.chain)
	})
}

// One peer's announcements, all that it may have on their way, leave room for those
// of another.
// Rule 20.
func TestAnnouncementsOfOneLeaveRoom(t *testing.T) {
	story(t, 50, func(w *world) {
		greedy := w.join(spvtest.Behaviour{Silent: map[string]bool{"getdata": true}})
		honest := w.join(spvtest.Behaviour{})
		m := w.startUnmined()
		w.wait(spv.Settled)
		var hashes []chainhash.Hash
		for k := range 1000 {
			hashes = append(hashes, chainhash.Hash{1, byte(k), byte(k >> 8)})
		}
		greedy.Send(txInv(hashes...))
		synctest.Wait()
		tx := w.chain.Pay(spvtest.Script(1), 1e8)
		honest.AnnounceTx(tx)
		m.wantSeen(t, tx)
		if st := w.syncer.Status(); st.Peers != 2 {
			t.Errorf("a peer was lost: %v", st.CutOff)
		}
	})
}

// What a wallet wants in the chain is announced without anybody calling
// Publish, to those who join later, and to all every ten minutes, until the
// wallet does not want it any more.
func TestPendingTransactionIsAnnouncedAgain(t *testing.T) {
	story(t, 50, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		late := w.join(spvtest.Behaviour{RefuseConnections: true})
		m := w.startUnmined()
		m.want(w.chain.Pay(spvtest.Script(1), 1e8), w.chain.Pay(spvtest.Script(2), 1e8))
		w.wait(spv.Settled)
		began := time.Now()
		announced := func() (n []int) {
			synctest.Wait()
			for _, p := range w.peers {
				n = append(n, p.Count("inv"))
			}
			return n
		}
		if n := announced(); !slices.Equal(n, []int{1, 1, 0}) || len(w.peers[0].Taken()) != 2 {
			t.Errorf("announced %v times; %d taken", n, len(w.peers[0].Taken()))
		}
		late.SetBehaviour(spvtest.Behaviour{})
		w.pass(time.Minute)
		if n := announced(); !slices.Equal(n, []int{1, 1, 1}) || len(late.Taken()) != 2 {
			t.Errorf("announced %v times when another peer had joined", n)
		}
		w.pass(time.Until(began.Add(10*time.Minute - 1)))
		if n := announced(); !slices.Equal(n, []int{1, 1, 1}) {
			t.Errorf("announced %v times before 10 minutes", n)
		}
		w.pass(time.Nanosecond)
		if n := announced(); !slices.Equal(n, []int{2, 2, 2}) {
			t.Errorf("announced %v times after 10 minutes", n)
		}
		m.want()
		w.pass(time.Hour)
		if n := announced(); !slices.Equal(n, []int{2, 2, 2}) {
			t.Errorf("announced %v times when nobody wanted it", n)
		}
		w.wantNoViolations()
	})
}

// A transaction that was on its way when the last peer left is fetched from the next one
// that announces it.
// Rule 22.
func TestTransactionIsFetchedFromOtherPeers(t *testing.T) {
	story(t, 50, func(w *world) {
		silent := w.join(spvtest.Behaviour{Silent: map[string]bool{wire.CmdGetData: true}})
		honest := w.join(spvtest.Behaviour{})
		w.start(func(cfg *spv.Config) { cfg.Connect = w.addrs[:1] })
		txs := w.syncer.Transactions(w.t.Context())
		w.wait(spv.Settled)
		tx := w.chain.Pay(spvtest.Script(1), 1e8)
		silent.AnnounceTx(tx)
		synctest.Wait()
		w.setPeers(w.addrs[1])
		w.wait(spv.Settled)
		honest.AnnounceTx(tx)
		w.pass(time.Minute)
		if len(txs) != 1 {
			t.Errorf("%d transactions came", len(txs))
		}
	})
}
