package realnodes

import (
	"encoding/hex"
	"slices"
	"testing"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

// step is something that happens to dcrwallet's keys, with the blocks that it takes.
type step struct {
	name string
	play func(t *testing.T, j *judge)
}

// failing are the steps known to fail: package wallet counts a ticket's whole price for
// whom its voting script belongs to, and nothing for anybody else; and it does not find
// what pays the public key of an address that is watched by its hash.
var failing = map[string]bool{
	"ticket with the reward to others":          true,
	"ticket that others vote":                   true,
	"ticket that another account votes":         true,
	"ticket with the reward to another account": true,
	"ticket shared with others":                 true,
	"receive by public key":                     true,
}

// steps are in an order in which each has what it needs.
var steps = []step{
	{"receive", func(t *testing.T, j *judge) {
		j.n.pay(t, j.w.address(t, "default"), j.some(50, 90))
		j.n.pay(t, j.w.address(t, "default"), j.some(50, 90))
		j.n.pay(t, j.w.address(t, "second"), j.some(20, 40))
		j.agree(t)
		j.n.mine(t, 1)
	}},
	{"receive by public key", func(t *testing.T, j *judge) {
		key, err := hex.DecodeString(j.w.publicKey(t, j.w.address(t, "default")))
		if err != nil {
			t.Fatal(err)
		}
		addr, err := stdaddr.NewAddressPubKeyEcdsaSecp256k1V0Raw(key, chaincfg.SimNetParams())
		if err != nil {
			t.Fatal(err)
		}
		tx := decode(t, j.n.hold(t, "", j.some(2, 4)).Hex)
		tx.TxOut[0].Version, tx.TxOut[0].PkScript = addr.PaymentScript()
		j.n.sendRaw(t, encode(t, tx))
		j.agree(t)
		j.n.mine(t, 1)
	}},
	{"reward", func(t *testing.T, j *judge) { j.n.reward(t, 1, j.w.address(t, "second")) }},
	{"send", func(t *testing.T, j *judge) {
		j.send(t, "default", j.outside(t), j.some(1, 3))
		j.agree(t)
		j.n.mine(t, 1)
	}},
	{"between accounts", func(t *testing.T, j *judge) {
		j.send(t, "default", j.w.address(t, "second"), j.some(3, 6))
		j.send(t, "second", j.w.address(t, "default"), j.some(1, 3))
		j.agree(t)
		j.n.mine(t, 1)
	}},
	{"change only", func(t *testing.T, j *judge) {
		var to string
		j.w.call(t, &to, "getrawchangeaddress", "default")
		j.sendRaw(t, j.sign(t, j.transfer(t, "default", to, 0)))
		j.agree(t)
		j.n.mine(t, 1)
	}},
	{"tickets", func(t *testing.T, j *judge) {
		var bought []string
		j.w.call(t, &bought, "purchaseticket", "default", 1, ticketCount)
		j.batches = append(j.batches, bought)
		j.agree(t)
		j.n.mine(t, 1) // the coins to buy them with
		j.agree(t)
		j.n.mine(t, 1)
	}},
	buy("ticket paid by others", "", "default", "default"),
	buy("ticket with the reward to others", "default", "default", ""),
	buy("ticket that others vote", "default", "", "default"),
	buy("ticket that another account votes", "default", "second", "default"),
	buy("ticket with the reward to another account", "default", "default", "second"),
	buy("ticket of which only the vote is ours", "", "default", ""),
	buy("ticket shared with others", "default", "default", "default", ""),
	{"multisig", func(t *testing.T, j *judge) {
		j.send(t, "default", j.multisig, j.some(4, 8))
		j.agree(t)
		j.n.mine(t, 1)
		j.agree(t)
		coin := j.coins(t, "imported")[0]
		j.w.call(t, nil, "redeemmultisigout", coin.out.Hash.String(), coin.out.Index, coin.out.Tree, j.w.address(t, "second"))
		j.agree(t)
		j.n.mine(t, 1)
	}},
	{"treasury add", func(t *testing.T, j *judge) {
		j.w.call(t, nil, "sendtotreasury", 1.5)
		j.agree(t)
		j.n.mine(t, 1)
	}},
	{"expires", func(t *testing.T, j *judge) {
		tx := j.transfer(t, "default", j.outside(t), j.some(1, 2))
		tx.Expiry = j.sheet.tip.Height + 4
		j.sendRaw(t, j.sign(t, tx))
		j.agree(t)
		j.n.empty(t, 3)
		j.agree(t)
		j.n.empty(t, 2)
	}},
	{"with an expiry", func(t *testing.T, j *judge) {
		tx := j.transfer(t, "default", j.w.address(t, "second"), j.some(1, 2))
		tx.Expiry = j.sheet.tip.Height + 50
		j.sendRaw(t, j.sign(t, tx))
		j.agree(t)
		j.n.mine(t, 1)
		j.agree(t)
		// dcrwallet would spend what comes of it before that is allowed.
		j.n.mine(t, int(chaincfg.SimNetParams().CoinbaseMaturity)-1)
	}},
	{"disapproval", func(t *testing.T, j *judge) {
		j.n.pay(t, j.w.address(t, "default"), j.some(5, 9))
		j.send(t, "second", j.outside(t), j.some(1, 2))
		j.n.mine(t, 1)
		j.agree(t)
		j.disapprove(t)
		j.agree(t)
		j.n.mine(t, 1)
	}},
	{"votes", func(t *testing.T, j *judge) { j.voteAll(t) }},
	{"reorg without a vote", func(t *testing.T, j *judge) {
		for had := j.ends(t, stake.TxTypeSSGen); j.ends(t, stake.TxTypeSSGen) == had; {
			j.n.mine(t, 1)
		}
		j.agree(t)
		j.n.reorg(t, 2)
		j.agree(t)
		j.n.mine(t, 1)
	}},
	{"miss", func(t *testing.T, j *judge) {
		for had := j.ends(t, stake.TxTypeSSRtx); j.ends(t, stake.TxTypeSSRtx) == had; {
			j.n.miss(t)
		}
	}},
	{"reorg", func(t *testing.T, j *judge) {
		j.n.pay(t, j.w.address(t, "default"), j.some(5, 9))
		j.send(t, "second", j.outside(t), j.some(1, 2))
		j.n.mine(t, 2)
		j.agree(t)
		j.n.reorg(t, 2+j.rand.IntN(3))
		j.agree(t)
		j.n.mine(t, 1)
	}},
	{"receipt spent twice", func(t *testing.T, j *judge) {
		tx := j.n.hold(t, j.w.address(t, "default"), j.some(5, 9))
		j.n.sendRaw(t, tx.Hex)
		j.n.mine(t, 2)
		j.agree(t)
		other := decode(t, tx.Hex)
		other.TxOut[0].Version, other.TxOut[0].PkScript = payTo(t, j.outside(t)).PaymentScript()
		j.n.contradict(t, 2, encode(t, other))
		j.agree(t)
		j.n.mine(t, 1)
	}},
	{"payment spent twice", func(t *testing.T, j *judge) {
		tx := j.transfer(t, "default", j.outside(t), j.some(2, 4))
		other := tx.Copy()
		other.TxOut[0].Version, other.TxOut[0].PkScript = payTo(t, j.w.address(t, "second")).PaymentScript()
		contradicts := j.sign(t, other)
		j.sendRaw(t, j.sign(t, tx))
		j.n.mine(t, 2)
		j.agree(t)
		j.n.contradict(t, 2, contradicts)
		j.agree(t)
		j.n.mine(t, 1)
	}},
}

const (
	ticketFee   = 10000
	ticketCount = 15 // a block takes 20, and 5 are bought by others
)

// buy is a step that buys tickets. Accounts say who pays, who may vote and who gets how
// much back; "" is nobody in particular. Of two receivers each gets half, and nobody in
// particular pays for the second.
func buy(name, payer, voter string, receivers ...string) step {
	return step{name: name, play: func(t *testing.T, j *judge) {
		part := 2*j.ticketPrice(t) + ticketFee // it may rise until they are bought
		funds := make([][]spendable, len(receivers))
		payers := [2]string{payer}
		for i := range receivers {
			funds[i] = j.fund(t, payers[i], part)
		}
		j.n.mine(t, 1)
		price := j.ticketPrice(t)
		price += price % 2 // so that halves are equal
		gives := (price + ticketFee) / int64(len(receivers))
		to := func(account string) stdaddr.StakeAddress {
			if account == "" {
				return payTo(t, j.outside(t))
			}
			return payTo(t, j.w.address(t, account))
		}
		votes, votingScript := to(voter).VotingRightsScript()
		var bought []string
		for i := range ticketCount {
			tx := wire.NewMsgTx()
			add := func(amount int64, version uint16, script []byte) {
				tx.AddTxOut(&wire.TxOut{Value: amount, Version: version, PkScript: script})
			}
			add(price, votes, votingScript)
			for k, receiver := range receivers {
				tx.AddTxIn(wire.NewTxIn(&funds[k][i].out, part, nil))
				version, script := to(receiver).RewardCommitmentScript(gives, 0, price)
				add(0, version, script)
				version, script = to(payers[k]).StakeChangeScript()
				add(part-gives, version, script)
			}
			j.signInputs(t, tx, payers[:len(receivers)])
			bought = append(bought, j.n.sendRaw(t, encode(t, tx)).TxID)
		}
		j.batches = append(j.batches, bought)
		j.agree(t)
		j.n.mine(t, 1)
	}}
}

// ticketPrice is that of the next block. dcrwallet passes the question on to the node.
func (j *judge) ticketPrice(t *testing.T) int64 {
	t.Helper()
	var price struct {
		Next float64 `json:"next"`
	}
	j.w.call(t, &price, "getstakedifficulty")
	return atoms(t, price.Next)
}

// signInputs has dcrwallet sign the inputs of its accounts.
func (j *judge) signInputs(t *testing.T, tx *wire.MsgTx, payers []string) {
	t.Helper()
	var signed struct {
		Hex string `json:"hex"`
	}
	j.w.call(t, &signed, "signrawtransaction", encode(t, tx))
	by := decode(t, signed.Hex)
	for i, payer := range payers {
		tx.TxIn[i].SignatureScript = anyone
		if payer != "" {
			tx.TxIn[i].SignatureScript = by.TxIn[i].SignatureScript
		}
	}
}

// voteAll mines until a ticket of every batch has ended, or has not in a long time.
func (j *judge) voteAll(t *testing.T) {
	t.Helper()
	for range 60 {
		j.look(t)
		j.sheet.update(t)
		ended := j.sheet.spentBy(inChain)
		if !slices.ContainsFunc(j.batches, func(tickets []string) bool {
			return !slices.ContainsFunc(tickets, func(id string) bool { return ended[place{id, 0}] })
		}) {
			break
		}
		j.n.mine(t, 1)
	}
	j.batches = nil
}

// fund makes coins of an account, or of nobody in particular, to buy tickets with.
func (j *judge) fund(t *testing.T, account string, amount int64) (coins []spendable) {
	t.Helper()
	var tx *wire.MsgTx
	var addr string
	if account == "" {
		addr = j.outside(t)
		paid := decode(t, j.n.pay(t, "", ticketCount*amount+10000).Hex)
		hash := paid.TxHash()
		tx = wire.NewMsgTx()
		tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&hash, 0, 0), paid.TxOut[0].Value, anyone))
	} else {
		addr = j.w.address(t, account)
		tx = j.transfer(t, account, addr, ticketCount*amount)
		tx.TxOut = tx.TxOut[1:]
	}
	version, script := payTo(t, addr).PaymentScript()
	first := uint32(len(tx.TxOut))
	for range ticketCount {
		tx.AddTxOut(&wire.TxOut{Value: amount, Version: version, PkScript: script})
	}
	if account == "" {
		j.n.sendRaw(t, encode(t, tx))
	} else {
		j.sendRaw(t, j.sign(t, tx))
	}
	hash := tx.TxHash()
	for i := range uint32(ticketCount) {
		coins = append(coins, spendable{*wire.NewOutPoint(&hash, first+i, 0), amount})
	}
	return coins
}

// anyone spends what is nobody's in particular.
var anyone = []byte{txscript.OP_DATA_1, txscript.OP_TRUE}

// some is a random amount between so many coins.
func (j *judge) some(from, to int64) int64 { return from*coin + j.rand.Int64N((to-from)*coin) }

// outside is an address that is nobody's in particular.
func (j *judge) outside(t *testing.T) string {
	t.Helper()
	addr, err := stdaddr.NewAddressScriptHashV0([]byte{txscript.OP_TRUE}, chaincfg.SimNetParams())
	if err != nil {
		t.Fatal(err)
	}
	return addr.String()
}

func payTo(t *testing.T, addr string) stdaddr.StakeAddress {
	t.Helper()
	a, err := stdaddr.DecodeAddress(addr, chaincfg.SimNetParams())
	if err != nil {
		t.Fatal(err)
	}
	return a.(stdaddr.StakeAddress)
}

// send has dcrwallet pay.
func (j *judge) send(t *testing.T, account, to string, amount int64) {
	t.Helper()
	j.w.call(t, nil, "sendfrom", account, to, float64(amount)/coin)
}

// coins are those of an account that may be spent now.
func (j *judge) coins(t *testing.T, account string) []spendable {
	t.Helper()
	j.look(t)
	j.sheet.update(t)
	coins := j.sheet.spendable(account)
	if len(coins) == 0 {
		t.Fatalf("%s has nothing to spend", account)
	}
	return coins
}

// transfer makes a transaction from the largest coin of an account, not signed; of 0
// atoms it sends all.
func (j *judge) transfer(t *testing.T, account, to string, amount int64) *wire.MsgTx {
	t.Helper()
	const fee = 10000
	from := j.coins(t, account)[0]
	rest := from.amount - fee
	if amount == 0 {
		amount = rest
	}
	tx := wire.NewMsgTx()
	tx.AddTxIn(wire.NewTxIn(&from.out, from.amount, nil))
	add := func(addr string, amount int64) {
		version, script := payTo(t, addr).PaymentScript()
		tx.AddTxOut(&wire.TxOut{Value: amount, Version: version, PkScript: script})
	}
	add(to, amount)
	if rest > amount {
		var change string
		j.w.call(t, &change, "getrawchangeaddress", account)
		add(change, rest-amount)
	}
	return tx
}

// sign has dcrwallet sign a transaction.
func (j *judge) sign(t *testing.T, tx *wire.MsgTx) string {
	t.Helper()
	var signed struct {
		Hex      string `json:"hex"`
		Complete bool   `json:"complete"`
	}
	j.w.call(t, &signed, "signrawtransaction", encode(t, tx))
	if !signed.Complete {
		t.Fatalf("dcrwallet can't sign %+v", tx)
	}
	return signed.Hex
}

// sendRaw has dcrwallet send a transaction.
func (j *judge) sendRaw(t *testing.T, hex string) {
	t.Helper()
	j.w.call(t, nil, "sendrawtransaction", hex)
}

func encode(t *testing.T, tx *wire.MsgTx) string {
	t.Helper()
	raw, err := tx.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(raw)
}

func decode(t *testing.T, s string) *wire.MsgTx {
	t.Helper()
	raw, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	tx := new(wire.MsgTx)
	if err := tx.FromBytes(raw); err != nil {
		t.Fatal(err)
	}
	return tx
}

// ends counts the transactions of a kind that have ended tickets of dcrwallet.
func (j *judge) ends(t *testing.T, kind stake.TxType) (count int) {
	t.Helper()
	j.look(t)
	j.sheet.update(t)
	for _, tx := range j.sheet.txs {
		if inChain(tx) && stake.DetermineTxType(tx.msg) == kind {
			count++
		}
	}
	return count
}

// disapprove mines a block that undoes the one before it, as soon as the votes of
// dcrwallet, which are for it, are not too many.
func (j *judge) disapprove(t *testing.T) { t.Helper(); j.n.disapprove(t) }
