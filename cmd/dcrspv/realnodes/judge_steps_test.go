package realnodes

import (
	"encoding/hex"
	"testing"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
)

// step is something that happens to dcrwallet's keys, with the blocks that it takes.
type step struct {
	name string
	play func(t *testing.T, j *judge)
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
		j.n.disapprove(t)
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
