package wallet

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"sync"

	"dcrspv/wallet/internal/keys"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/hdkeychain/v3"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

const (
	castSingles = 6  // addresses that are watched by themselves
	castScripts = 4  // scripts of other kinds
	castKeys    = 2  // accounts
	castIndices = 40 // per branch, that anybody ever pays
	castGap     = 3
)

// castAddrs are the addresses of everybody in a random world: deriving them
// takes a while, and they are the same in every world.
var castAddrs = sync.OnceValue(func() (out struct {
	keys    [castKeys]string
	indexed [castKeys][2][castIndices]stdaddr.StakeAddress
	pubKeys [castKeys][2][castIndices]string // scripts that pay the keys themselves
}) {
	for k := range out.keys {
		seed := make([]byte, 32)
		seed[0] = byte(k + 1)
		key, err := hdkeychain.NewMaster(seed, params)
		if err != nil {
			panic(err)
		}
		out.keys[k] = key.Neuter().String()
		masters.Store(out.keys[k], key)
		a, err := keys.Parse(out.keys[k], params)
		if err != nil {
			panic(err)
		}
		for branch := range out.indexed[k] {
			for i := range out.indexed[k][branch] {
				addr, _ := a.Address(uint8(branch), uint32(i), params)
				pubKey, _ := a.PubKey(uint8(branch), uint32(i))
				ownIndexed(out.keys[k], pubKey, uint32(branch), uint32(i))
				out.pubKeys[k][branch][i] = "\x21" + string(pubKey) + "\xac"
				out.indexed[k][branch][i] = addr.(stdaddr.StakeAddress)
			}
		}
	}
	return out
})

// singleScript is a script that is watched by itself: that of an address of the
// usual kind, or one of the rest, of which some do not show when they are spent.
func singleScript(n int) []byte {
	key := keyN(uint64(n))
	push := append([]byte{33}, key...)
	switch n {
	case castSingles:
		return append(push, 0xac) // pay to public key
	case castSingles + 1:
		return append(append([]byte{0x51}, push...), 0x51, 0xae) // multisig
	case castSingles + 2:
		return []byte(keys.HashScript(hashed(push), true))
	case castSingles + 3:
		return slices.Concat([]byte("\x76\xa9\x14"), hashed(key), []byte("\x88\x52\xbe")) // pay to public key hash, Schnorr
	}
	return scriptN(uint64(n))
}

// accountIndex is where a script is in an account, and whether it pays the public
// key itself.
type accountIndex struct {
	key, branch, index int
	pubKey             bool
}

// cast makes the blocks of a random world: people who pay each other, among them
// those whose addresses the wallet may watch.
type cast struct {
	rng   *rand.Rand
	c     *world
	index map[string]accountIndex // scripts of accounts
	all   birthdays               // everything that may ever be watched, from genesis
	high  [castKeys][2]int        // next index after the highest one paid

	made map[hash]*wire.MsgTx // every transaction, in a chain or not
	ids  map[*wire.MsgTx]hash
	pool []*wire.MsgTx // transactions that wait for a block

	content bool // no block is disapproved

	lately *[]reading
}

func newCast(c *world, rng *rand.Rand) *cast {
	k := &cast{
		rng: rng, c: c, index: make(map[string]accountIndex), all: make(birthdays),
		made: make(map[hash]*wire.MsgTx), ids: make(map[*wire.MsgTx]hash), lately: new([]reading),
	}
	for n := range castSingles + castScripts {
		k.all[string(singleScript(n))] = 0
	}
	for key, branches := range castAddrs().indexed {
		for branch, addrs := range branches {
			for i, a := range addrs {
				s := string(scriptOf(a))
				k.all[s] = 0
				k.index[s] = accountIndex{key, branch, i, false}
				s = castAddrs().pubKeys[key][branch][i]
				k.all[s] = 0
				k.index[s] = accountIndex{key, branch, i, true}
			}
		}
	}
	return k
}

// id is a transaction's hash, computed once.
func (k *cast) id(tx *wire.MsgTx) hash {
	id, ok := k.ids[tx]
	if !ok {
		id = tx.TxHash()
		k.ids[tx] = id
		k.made[id] = tx
	}
	return id
}

// own is one of the addresses that may be watched.
func (k *cast) own() stdaddr.StakeAddress {
	if k.rng.IntN(5) < 2 {
		return addr(k.rng.Uint64N(castSingles))
	}
	at := k.ownIndex()
	return castAddrs().indexed[at.key][at.branch][at.index]
}

// ownIndex is an index of an account that may be watched. They come in any order, and
// now and then from beyond the gap.
func (k *cast) ownIndex() accountIndex {
	key, branch := k.rng.IntN(castKeys), k.rng.IntN(2)
	reach := k.high[key][branch] + castGap
	if k.rng.IntN(8) == 0 {
		reach += castGap
	}
	i := k.rng.IntN(min(reach, castIndices))
	k.high[key][branch] = max(k.high[key][branch], i+1)
	return accountIndex{key: key, branch: branch, index: i}
}

// output pays somebody.
func (k *cast) output() *wire.TxOut {
	switch k.rng.IntN(13) {
	case 0:
		return out(foreignScript(k.c.next()), 1+k.rng.Int64N(1000))
	case 1:
		return out(scriptOf(k.own()), 0)
	case 2:
		o := out(scriptOf(k.own()), 1+k.rng.Int64N(1000))
		o.Version = 1 // another script language: not money that the wallet knows
		return o
	case 3:
		return out(singleScript(castSingles+k.rng.IntN(castScripts)), 1+k.rng.Int64N(1000))
	case 4:
		at := k.ownIndex()
		return out([]byte(castAddrs().pubKeys[at.key][at.branch][at.index]), 1+k.rng.Int64N(1000))
	}
	return out(scriptOf(k.own()), 1+k.rng.Int64N(1000))
}

// regular spends some outputs, or a stranger's.
func (k *cast) regular(ops ...wire.OutPoint) *wire.MsgTx {
	tx := k.c.spend(ops, k.output(), k.output())
	if k.rng.IntN(4) == 0 {
		tx.TxOut = tx.TxOut[:1]
	}
	if k.rng.IntN(6) == 0 {
		tx.Expiry = k.c.height() + 1 + k.rng.Uint32N(30)
	}
	k.afford(tx)
	return tx
}

// afford has a transaction pay no more than it spends, as far as anybody knows.
func (k *cast) afford(tx *wire.MsgTx) {
	in, out := int64(0), int64(0)
	for _, txIn := range tx.TxIn {
		prev := k.made[txIn.PreviousOutPoint.Hash]
		if prev == nil {
			return
		}
		in += prev.TxOut[txIn.PreviousOutPoint.Index].Value
	}
	for _, o := range tx.TxOut {
		out += o.Value
	}
	if out > in {
		for _, o := range tx.TxOut {
			o.Value = o.Value * in / out
		}
	}
}

// ticket buys a ticket with up to three parts. Who pays, who votes and whom the
// money goes back to are the same or any others.
func (k *cast) ticket(ops ...wire.OutPoint) *wire.MsgTx {
	voting := k.owner()
	n := max(1, k.rng.IntN(5)-1)
	price, parts := k.rng.Int64N(3), make([]stakePart, n) // odd prices, or a fee
	price -= 2
	for i := range parts {
		parts[i] = stakePart{k.owner(), 300 + k.rng.Int64N(500), k.rng.Int64N(3) * 50}
		price += parts[i].amount
		if k.rng.IntN(2) == 0 {
			parts[i].reward = voting
		}
		if i < len(ops) {
			if prev := k.made[ops[i].Hash]; prev != nil { // what it puts in is known
				price -= parts[i].amount
				in := prev.TxOut[ops[i].Index].Value
				parts[i].change = min(parts[i].change, max(in-1, 0))
				parts[i].amount = max(in-parts[i].change, 1)
				price += parts[i].amount
			}
		} else if i > 0 && k.rng.IntN(4) == 0 { // hardly anything, and less than an atom of the price
			price -= parts[i].amount
			parts[i].amount = k.rng.Int64N(2)
			price += parts[i].amount
		}
	}
	for len(ops) < n {
		ops = append(ops, k.c.foreignOutput())
	}
	return k.c.sharedTicket(ops[:n], voting, max(price, 1), parts...)
}

// owner is one of us, a script of ours or a stranger.
func (k *cast) owner() stdaddr.StakeAddress {
	switch k.rng.IntN(6) {
	case 0:
		return addr(1<<41 + k.c.next())
	case 1:
		raw := singleScript(castSingles + 2)
		a, err := stdaddr.NewAddressScriptHashV0FromHash(raw[2:22], params)
		if err != nil {
			panic(err)
		}
		return a
	}
	return k.own()
}

// treasuryAdd gives to the treasury and gets change.
func (k *cast) treasuryAdd(ops ...wire.OutPoint) *wire.MsgTx {
	tx := k.c.spend(ops, out([]byte{0xc1}, 5), out(append([]byte{0xbd}, scriptOf(k.own())...), 13))
	tx.Version = wire.TxVersionTreasury
	k.afford(tx)
	return tx
}

// flawed reports whether a transaction can never be mined, as far as somebody can tell
// who knows some transactions.
func (k *cast) flawed(tx *wire.MsgTx, knows func(hash) bool) bool {
	end := len(tx.TxOut) > 0 && bytes.IndexByte([]byte{0xbb, 0xbc}, append(tx.TxOut[len(tx.TxOut)-1].PkScript, 0)[0]) >= 0
	all, left := !end, int64(0)
	for i, in := range tx.TxIn {
		op := in.PreviousOutPoint
		prev := k.made[op.Hash]
		if prev == nil || !knows(op.Hash) {
			all = false
			continue
		}
		o, tree := prev.TxOut[op.Index], 0
		if isStake(prev) {
			tree = 1
		}
		if o.Value == 0 || int(op.Tree) != tree || isTicket(prev) && op.Index == 0 && !end {
			return true
		}
		if isTicket(tx) {
			raw := string(untagged(tree, o.PkScript))
			promised, _ := promises(tx)
			if !(len(raw) == 25 && raw[23:] == "\x88\xac" || len(raw) == 23) || o.Version != 0 ||
				promised[i].amount+tx.TxOut[2*i+2].Value != o.Value {
				return true
			}
		}
		left += o.Value
	}
	for _, o := range tx.TxOut {
		left -= o.Value
	}
	return all && left < 0
}

// immature reports whether a transaction may spend what has to mature.
func (k *cast) immature(tx *wire.MsgTx) bool {
	return slices.ContainsFunc(tx.TxIn, func(in *wire.TxIn) bool {
		prev := k.made[in.PreviousOutPoint.Hash]
		return prev != nil && (prev.Expiry != 0 || isStake(prev) || isCoinbase(prev))
	})
}

// rival spends what another transaction spends first; nil if only few may.
func (k *cast) rival(tx *wire.MsgTx) *wire.MsgTx {
	op := tx.TxIn[0].PreviousOutPoint
	if prev := k.made[op.Hash]; op.Hash == (chainhash.Hash{}) || prev != nil && op.Index == 0 && isTicket(prev) {
		return nil
	}
	return k.regular(op)
}

// end lets a ticket vote, or gives it back.
func (k *cast) end(ticket *wire.MsgTx) *wire.MsgTx {
	gain, tag, end := int64(7), byte(0xbb), k.c.voteFor
	if k.rng.IntN(3) == 0 {
		gain, tag, end = 0, 0xbc, k.c.revokeFor
	}
	var pay []*wire.TxOut
	all, whole := promises(ticket)
	for _, p := range all {
		pay = append(pay, out(append([]byte{tag}, p.script...), (ticket.TxOut[0].Value+gain)*p.amount/whole))
	}
	return end(ticket, pay...)
}

// nextPrice is that of a ticket in the next block.
func (k *cast) nextPrice() int64 {
	switch height := int64(k.c.height()) + 1; {
	case height%params.StakeDiffWindowSize == 0:
		return k.rng.Int64N(3) * k.rng.Int64N(900)
	case height > 1:
		return k.c.blocks[height-1].Header.SBits
	}
	return 0
}

// block mines one.
func (k *cast) block() {
	approve := k.c.height() < 2 || k.rng.IntN(7) > 0 || k.content
	if !approve {
		k.pool = append(k.pool, k.c.blocks[k.c.height()].Transactions[1:]...)
	}
	k.c.price = k.nextPrice()
	b := &draft{k: k, t: k.read(k.all, k.c.height(), approve), spent: make(map[wire.OutPoint]bool)}
	for _, tx := range k.pool {
		switch k.rng.IntN(9) {
		case 0, 1, 2:
			b.add(tx)
		case 3:
			if rival := k.rival(tx); rival != nil {
				b.add(rival)
			}
		}
	}
	for range k.rng.IntN(3) {
		b.add(k.regular())
	}
	b.spend()
	b.stake()
	k.c.mineVoted(approve, b.txs...)
	left := k.pool[:0]
	for _, tx := range k.pool {
		if !b.has[k.id(tx)] && k.rng.IntN(8) > 0 {
			left = append(left, tx)
		}
	}
	k.pool = left
}

// stake adds tickets, votes and revocations, a coinbase and a payment of the
// treasury.
func (b *draft) stake() {
	k := b.k
	if k.rng.IntN(4) == 0 {
		b.add(k.ticket())
	}
	for _, ticket := range b.t.sortedTickets() {
		if k.rng.IntN(4) == 0 {
			b.add(k.end(ticket))
		}
	}
	if k.rng.IntN(4) == 0 {
		b.add(k.c.coinbase(scriptOf(k.own()), 77))
	}
	if k.rng.IntN(10) == 0 { // the treasury pays
		b.add(k.c.tspend(k.own(), 66))
	}
}

// spend adds transactions that spend what may be watched.
func (b *draft) spend() {
	k := b.k
	var free []wire.OutPoint
	for _, coin := range b.t.sortedCoins() {
		if coin.kind != 0xba && coin.mature(k.c.height()) {
			free = append(free, coin.op)
		}
	}
	k.rng.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
	for left := k.rng.IntN(3); left > 0 && len(free) > 0; left-- {
		n := min(len(free), 1+k.rng.IntN(4))
		ops := free[:n:n]
		free = free[n:]
		switch k.rng.IntN(6) {
		case 0:
			b.add(k.ticket(ops[0]))
		case 1:
			b.add(k.treasuryAdd(ops...))
		default:
			if tx := k.regular(ops...); b.add(tx) && k.rng.IntN(3) == 0 {
				b.add(k.regular(opOf(tx, 0))) // in the same block
			}
		}
	}
}

// reorg makes a branch that is longer than the chain it leaves. What it undoes
// may be mined again.
func (k *cast) reorg(depth uint32) {
	old := k.c
	fork := old.height() - min(depth, old.height()-1)
	k.c = old.fork(fork)
	for h := fork + 1; h <= old.height(); h++ {
		for i, tx := range old.blocks[h].Transactions {
			if i > 0 && k.rng.IntN(3) > 0 {
				k.pool = append(k.pool, tx)
			}
		}
		for _, tx := range old.blocks[h].STransactions {
			if isReturning(tx) && k.rng.IntN(3) > 0 {
				k.pool = append(k.pool, tx)
			}
		}
	}
	for k.c.height() <= old.height() {
		k.block()
	}
}

func isTicket(tx *wire.MsgTx) bool {
	return len(tx.TxOut[0].PkScript) > 0 && tx.TxOut[0].PkScript[0] == 0xba
}

// draft is a block in the making.
type draft struct {
	k     *cast
	t     *truth
	txs   []*wire.MsgTx
	has   map[hash]bool
	spent map[wire.OutPoint]bool
}

// add takes a transaction if it is valid.
func (d *draft) add(tx *wire.MsgTx) bool {
	height := d.k.c.height() + 1
	id := d.k.id(tx)
	if _, mined := d.t.mined[id]; mined || d.has[id] || d.k.flawed(tx, func(hash) bool { return true }) || tx.Expiry != 0 && height >= tx.Expiry ||
		isTicket(tx) && tx.TxOut[0].Value < d.k.c.price {
		return false
	}
	for _, in := range tx.TxIn {
		op := in.PreviousOutPoint
		if op.Hash == (chainhash.Hash{}) {
			continue
		}
		_, made := d.k.made[op.Hash]
		_, mined := d.t.mined[op.Hash]
		_, spent := d.t.spent[op]
		coin := d.t.coins[op]
		if spent || d.spent[op] || made && !mined && !d.has[op.Hash] || d.has[op.Hash] && (isStake(tx) || isStake(d.k.made[op.Hash])) ||
			coin != nil && coin.kind != 0xba && !coin.mature(height-1) {
			return false
		}
	}
	if d.has == nil {
		d.has = make(map[hash]bool)
	}
	d.has[id] = true
	for _, in := range tx.TxIn {
		d.spent[in.PreviousOutPoint] = true
	}
	d.txs = append(d.txs, tx)
	return true
}
