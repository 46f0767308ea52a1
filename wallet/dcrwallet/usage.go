package dcrwallet

import (
	"errors"

	"decred.org/dcrwallet/v5/wallet/udb"
	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/hdkeychain/v3"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

// usage is a search for the last address in use of each branch of each account, by the rule
// of BIP0044: between two in use are fewer unused ones than the gap. More are derived as
// uses are found, twice as many each time, so that the blocks are searched a few times only.
type usage struct {
	params          *chaincfg.Params
	gap, accountGap uint32
	branches        []*branch
	byScript        map[string]place
	next            uint32 // the first account that is not looked at
	inUse           uint32 // the number of accounts up to the last one in use

	// more derives the key of a further account; nil if there are none.
	more func(account uint32) (*hdkeychain.ExtendedKey, error)
}

// branch is one of the two sequences of addresses of an account.
type branch struct {
	account uint32
	key     *hdkeychain.ExtendedKey
	known   uint32   // how many were in use before
	scripts [][]byte // by index; nil for the few indexes that have no key
	hit     []bool   // by index
}

// place is where a script is derived.
type place struct {
	branch *branch
	index  uint32
}

func newUsage(params *chaincfg.Params, gap, accountGap uint32) *usage {
	return &usage{params: params, gap: gap, accountGap: accountGap, byScript: make(map[string]place)}
}

// add adds an account. So many addresses of its branches are known to be in use.
func (u *usage) add(account uint32, key *hdkeychain.ExtendedKey, external, internal uint32) error {
	for number, known := range map[uint32]uint32{udb.ExternalBranch: external, udb.InternalBranch: internal} {
		child, err := key.Child(number)
		if err != nil {
			return err
		}
		u.branches = append(u.branches, &branch{account: account, key: child, known: known})
	}
	if account < udb.ImportedAddrAccount {
		u.next, u.inUse = max(u.next, account+1), max(u.inUse, account+1)
	}
	return nil
}

// extend returns the scripts that are to be searched for next; none when all is found.
func (u *usage) extend() (scripts [][]byte, err error) {
	for _, b := range u.branches {
		if end := b.end(u.gap); end > u.gap && b.account < udb.ImportedAddrAccount {
			u.inUse = max(u.inUse, b.account+1)
		}
	}
	for inUse := u.inUse; u.more != nil && u.next < inUse+u.accountGap; {
		account := u.next
		u.next++
		key, err := u.more(account)
		if err == nil {
			err = u.add(account, key, 0, 0)
		}
		if err != nil && !errors.Is(err, hdkeychain.ErrInvalidChild) {
			return nil, err
		}
	}
	u.inUse = 0
	for _, b := range u.branches {
		more, err := u.derive(b)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, more...)
	}
	return scripts, nil
}

// derive derives what a branch lacks, and returns it without what is known.
func (u *usage) derive(b *branch) (scripts [][]byte, err error) {
	from, end := uint32(len(b.scripts)), b.end(u.gap)
	if from >= end {
		return nil, nil
	}
	for index := from; index < max(end, 2*from); index++ {
		var script []byte
		switch child, err := b.key.Child(index); {
		case errors.Is(err, hdkeychain.ErrInvalidChild):
		case err != nil:
			return nil, err
		default:
			if script, err = payTo(child, u.params); err != nil {
				return nil, err
			}
			u.byScript[string(script)] = place{b, index}
			if index >= b.known {
				scripts = append(scripts, script)
			}
		}
		b.scripts, b.hit = append(b.scripts, script), append(b.hit, false)
	}
	return scripts, nil
}

// payTo is the script that pays the hash of a public key.
func payTo(key *hdkeychain.ExtendedKey, params *chaincfg.Params) ([]byte, error) {
	addr, err := stdaddr.NewAddressPubKeyHashEcdsaSecp256k1V0(dcrutil.Hash160(key.SerializedPubKey()), params)
	if err != nil {
		return nil, err
	}
	_, script := addr.PaymentScript()
	return script, nil
}

// pay notes that a script is paid.
func (u *usage) pay(script []byte) {
	if at, ok := u.byScript[string(script)]; ok {
		at.branch.hit[at.index] = true
	}
}

// uses returns how many addresses of a branch there are up to the last one in use.
func (b *branch) uses(gap uint32) uint32 {
	n := b.known
	for index := n; index < n+gap && index < uint32(len(b.hit)); index++ {
		if b.hit[index] {
			n = index + 1
		}
	}
	return n
}

// end returns how many addresses of a branch have to be searched for.
func (b *branch) end(gap uint32) uint32 { return b.uses(gap) + gap }

// used returns the scripts of each branch up to the last one in use.
func (u *usage) used() map[string]bool {
	used := make(map[string]bool)
	for _, b := range u.branches {
		for _, script := range b.scripts[:min(b.uses(u.gap), uint32(len(b.scripts)))] {
			used[string(script)] = true
		}
	}
	return used
}

// paidScripts calls fn for the scripts that a block pays, without stake opcodes, and for
// those that its tickets promise their reward to.
func paidScripts(block *wire.MsgBlock, params *chaincfg.Params, fn func(script []byte)) {
	for _, tx := range block.Transactions {
		for _, out := range tx.TxOut {
			fn(out.PkScript)
		}
	}
	for _, tx := range block.STransactions {
		ticket := stake.IsSStx(tx)
		for i, out := range tx.TxOut {
			if ticket && i%2 == 1 {
				if addr, err := stake.AddrFromSStxPkScrCommitment(out.PkScript, params); err == nil {
					_, script := addr.PaymentScript()
					fn(script)
				}
				continue
			}
			fn(withoutStakeOpcode(out.PkScript))
		}
	}
}

// withoutStakeOpcode returns a script as filters have it.
func withoutStakeOpcode(script []byte) []byte {
	if len(script) > 0 {
		switch script[0] {
		case txscript.OP_SSTX, txscript.OP_SSGEN, txscript.OP_SSRTX, txscript.OP_SSTXCHANGE, txscript.OP_TGEN:
			return script[1:]
		}
	}
	return script
}
