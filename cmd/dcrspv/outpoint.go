package main

import (
	"encoding/hex"
	"strconv"
	"strings"

	"dcrspv/wallet"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

const outPointRemedy = "an outpoint is TXID:INDEX:SCRIPT: 64 hex digits, a number, and the script that the output pays, in hex"

// isOutPoint tells an outpoint from all else that can be watched.
func isOutPoint(arg string) bool { return strings.Contains(arg, ":") }

// parseOutPoint reads TXID:INDEX:SCRIPT, or TXID:INDEX if the script need not be
// given.
func parseOutPoint(arg string, needScript bool) (o wallet.OutPoint, err error) {
	parts := strings.SplitN(arg, ":", 3)
	if len(parts[0]) != hex.EncodedLen(chainhash.HashSize) {
		return o, usage(outPointRemedy, "bad outpoint %q: %q is not a transaction hash", arg, parts[0])
	}
	if err := chainhash.Decode(&o.Hash, parts[0]); err != nil {
		return o, usage(outPointRemedy, "bad outpoint %q: %q is not a transaction hash", arg, parts[0])
	}
	index, err := strconv.ParseUint(parts[1], 10, 32)
	if err != nil {
		return o, usage(outPointRemedy, "bad outpoint %q: %q is not the number of an output", arg, parts[1])
	}
	o.Index = uint32(index)
	if len(parts) == 2 {
		if needScript {
			return o, usage(outPointRemedy, "the script of outpoint %q is missing: blocks are searched for it", arg)
		}
		return o, nil
	}
	if o.Script, err = hex.DecodeString(parts[2]); err != nil || len(o.Script) == 0 {
		return o, usage(outPointRemedy, "bad outpoint %q: %q is not a script in hex", arg, parts[2])
	}
	return o, nil
}

// namedOutPoints is as named, and takes outpoints too.
func namedOutPoints(args []string, needScript bool) (wallet.Watch, error) {
	var others []string
	var points []wallet.OutPoint
	for _, arg := range args {
		if !isOutPoint(arg) {
			others = append(others, arg)
			continue
		}
		o, err := parseOutPoint(arg, needScript)
		if err != nil {
			return wallet.Watch{}, err
		}
		points = append(points, o)
	}
	what, err := parseTargets(others)
	what.OutPoints = points
	return what, err
}

// outPointName is how an entry of the watch set is told from others: TXID:INDEX of
// an outpoint; "" of all else.
func outPointName(e wallet.Watched) string {
	if e.TxID == (chainhash.Hash{}) {
		return ""
	}
	return wallet.OutPoint{Hash: e.TxID, Index: e.Index}.String()
}
