package wallet

import (
	"fmt"
	"slices"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/txscript/v4/stdscript"
	"github.com/decred/dcrd/wire"
)

// untag takes the stake opcode off an output script, as filters do (dcrd
// gcs/blockcf2: Regular), and tells what kind of output it marks. In the
// regular tree no script has one.
func untag(tree int8, version uint16, raw []byte) (CoinKind, []byte) {
	if tree != wire.TxTreeStake {
		return Regular, raw
	}
	switch {
	case stake.IsTicketPurchaseScript(version, raw):
		return Ticket, raw[1:]
	case stake.IsVoteScript(version, raw):
		return Vote, raw[1:]
	case stake.IsRevocationScript(version, raw):
		return Revocation, raw[1:]
	case stake.IsStakeChangeScript(version, raw):
		return StakeChange, raw[1:]
	case stake.IsTreasuryGenScript(version, raw):
		return Treasury, raw[1:]
	}
	return Regular, raw
}

// treeOf is the tree that a transaction goes into.
func treeOf(tx *wire.MsgTx) int8 {
	if stake.DetermineTxType(tx) == stake.TxTypeRegular {
		return wire.TxTreeRegular
	}
	return wire.TxTreeStake
}

// networks are searched to tell what network a foreign address is of.
func networks() []*chaincfg.Params {
	return []*chaincfg.Params{
		chaincfg.MainNetParams(), chaincfg.TestNet3Params(),
		chaincfg.SimNetParams(), chaincfg.RegNetParams(),
	}
}

// addressScript is the script that pays an address.
func addressScript(addr string, params *chaincfg.Params) ([]byte, error) {
	a, err := stdaddr.DecodeAddress(addr, params)
	if err == nil {
		version, raw := a.PaymentScript()
		if version != 0 {
			return nil, fmt.Errorf("%w %q: script version %d is not known", ErrAddress, addr, version)
		}
		return raw, nil
	}
	for _, other := range networks() {
		if _, e := stdaddr.DecodeAddress(addr, other); e == nil && other.Net != params.Net {
			return nil, fmt.Errorf("%w: address %s is for %s, this wallet is for %s",
				ErrWrongNetwork, addr, other.Name, params.Name)
		}
	}
	return nil, fmt.Errorf("%w: %w", ErrAddress, err)
}

// rawScript checks a script given as such.
func rawScript(raw []byte) ([]byte, error) {
	if len(raw) == 0 || len(raw) > txscript.MaxScriptSize {
		return nil, fmt.Errorf("%w: it has %d bytes, not 1 to %d", ErrScript, len(raw), txscript.MaxScriptSize)
	}
	_, raw = untag(wire.TxTreeStake, 0, raw)
	return slices.Clone(raw), nil
}

// scriptAddress is the address that a script pays; "" if it has none.
func scriptAddress(raw []byte, params *chaincfg.Params) string {
	if hash := stdscript.ExtractPubKeyHashV0(raw); hash != nil { // nearly all, and quickly
		addr, err := stdaddr.NewAddressPubKeyHashEcdsaSecp256k1V0(hash, params)
		if err == nil {
			return addr.String()
		}
	}
	kind, addrs := stdscript.ExtractAddrs(0, raw, params)
	if len(addrs) != 1 || kind == stdscript.STMultiSig {
		return ""
	}
	return addrs[0].String()
}
