package wallet

import (
	"context"
	"slices"
)

// A gap limit hides what lies beyond it: were more addresses in a row given out and
// left unused than the gap has, those behind are not watched, and nothing that is
// watched tells. What can be known is how near to that an account came, by the
// outputs in the chain that pay it: that is what a restored wallet sees.

// WarningKind says what is wrong with an account.
type WarningKind string

const (
	// WarnBirthday: the account is not watched from genesis on, and of a branch the
	// lowest address found in use is at least half a gap from its beginning. So
	// others were given out before, and may have been used below the birthday. Of an
	// account that has no address in use within the gap since its birthday nothing
	// can be known, and nothing is said.
	WarnBirthday = WarningKind("birthday")

	// WarnEdge: the last address in use of a branch has at least half a gap of
	// unused ones before it. If the gap was nearly reached it may also have been
	// passed, and what lies beyond is not found.
	WarnEdge = WarningKind("gap edge")

	// WarnUsualGap: an address in use has at least as many unused ones before it as
	// wallets watch as a rule, 20. This one finds it, by the gap it was given; one
	// that is restored elsewhere does not, unless it is told the gap.
	WarnUsualGap = WarningKind("usual gap")

	// WarnGivenOut: an address that NextAddress has given out is further behind the last
	// one in use than the gap, as a deep reorg took the use away that it followed. It
	// is watched, but a wallet that is restored with this gap does not find it.
	WarnGivenOut = WarningKind("given out")
)

// Warning is a reason to think that something of an account is not found.
type Warning struct {
	Kind WarningKind
	XPub string

	Branch uint32 // 0 are external addresses, 1 those for change
	Index  uint32 // of the address that it is about
	Unused uint32 // how many right before it are not in use

	Gap, From uint32 // of the account
}

// Warnings tells what the chain shows to be doubtful about the watched accounts, at
// most one of each branch, and of addresses given out. As long as blocks below the
// wallet's tip are to be tested there are none: what is missing may come yet.
func (w *Wallet) Warnings(ctx context.Context) (out []Warning, err error) {
	err = w.fromMemory(ctx, func() error {
		if tip, _ := w.tip(); w.ledger.Missing(tip.Height) > 0 {
			return nil
		}
		for _, a := range w.sortedAccounts() {
			for i := range a.branches {
				warning := Warning{XPub: a.xpub, Branch: uint32(i), Gap: a.gap, From: a.birthday}
				if warning.find(a.branches[i].inUse()) {
					out = append(out, warning)
				}
			}
			if used := a.branches[0].used; a.issued > used+a.gap {
				out = append(out, Warning{
					Kind: WarnGivenOut, XPub: a.xpub, Index: a.issued - 1, Unused: a.issued - 1 - used, Gap: a.gap, From: a.birthday,
				})
			}
		}
		return nil
	})
	return out, err
}

// find finds what is doubtful about the indices in use of a branch, which ascend.
func (w *Warning) find(used []uint32) bool {
	next, unused := uint32(0), make([]uint32, len(used))
	for i, index := range used {
		unused[i], next = index-next, index+1
	}
	half := (w.Gap + 1) / 2
	is := func(kind WarningKind, i int) bool {
		w.Kind, w.Index, w.Unused = kind, used[i], unused[i]
		return true
	}
	last := len(used) - 1
	wide := slices.IndexFunc(unused, func(n uint32) bool { return n >= defaultGap })
	switch {
	case last < 0:
		return false
	case w.From > 0 && unused[0] >= half && unused[0] > 0:
		return is(WarnBirthday, 0)
	case unused[last] >= half && unused[last] > 0:
		return is(WarnEdge, last)
	case wide >= 0:
		return is(WarnUsualGap, wide)
	}
	return false
}
