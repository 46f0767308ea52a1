package main

import (
	"testing"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
)

// What is paid is what was typed, to the atom, or nothing.
func TestAmounts(t *testing.T) {
	addr, err := stdaddr.NewAddressPubKeyHashEcdsaSecp256k1V0(make([]byte, 20), chaincfg.SimNetParams())
	if err != nil {
		t.Fatal(err)
	}
	p := &program{opts: options{network: "simnet"}}
	for amount, want := range map[string]dcrutil.Amount{
		"1": 1e8, "0.00000001": 1, ".5": 5e7, "20999999.99999999": 20999999_99999999,
		"0": 0, "-1": 0, "1e-9": 0, "0.000000019": 0, "1.123456789": 0, "0x10": 0, "0x1p4": 0,
		"NaN": 0, "Inf": 0, "21000001": 0, "1,5": 0, "": 0, "1e300": 0, "9223372036854775807": 0,
	} {
		out, err := payment(addr.String(), amount, p)
		switch {
		case want == 0 && err == nil:
			t.Errorf("%q pays %v", amount, dcrutil.Amount(out.Value))
		case want != 0 && err != nil:
			t.Errorf("%q: %v", amount, err)
		case want != 0 && out.Value != int64(want):
			t.Errorf("%q pays %v", amount, dcrutil.Amount(out.Value))
		}
	}
}
