package wallet

import (
	"bytes"

	"dcrspv/spv/chain"
)

// An input that shows somebody else's key is taken for a stranger's (see
// mayBeOurs). No signature is checked here, nor could it be, as the script that it
// answers to is not known. So while there are strays, such inputs are remembered
// too, in a few bytes each: should a coin be found that one of them spends, its
// block is tested once more.

// strangerKey is what is kept of an outpoint that a block spends: enough of the
// hash that another one means no more than a block tested for nothing.
func strangerKey(outPointKey []byte) []byte {
	return append(bytes.Clone(outPointKey[:8]), outPointKey[32:]...)
}

func (c *change) noteStranger(op outPoint, height uint32) {
	c.put(c.strangers, append(strangerKey(op.key()), key32(height)...), nil)
}

// retestStrangers has the blocks tested again that spend a coin in a stranger's name.
func (c *change) retestStrangers(key []byte) {
	prefix := strangerKey(key)
	var heights chain.Ranges
	cur := c.strangers.Cursor()
	for k, _ := cur.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = cur.Next() {
		if len(k) != len(prefix)+4 {
			c.fail(corrupt("stranger %.40x", k))
			return
		}
		height := be.Uint32(k[len(prefix):])
		heights = heights.Add(chain.Range{From: height, To: height})
	}
	coin, ok := c.coin(key)
	if len(heights) == 0 || !ok {
		return
	}
	pays := func(s *script) bool { return s.raw == string(coin.script) }
	c.regroup(pays, func(covered chain.Ranges, born uint32) chain.Ranges {
		for _, r := range heights {
			covered = covered.Remove(r)
		}
		for _, u := range unwanted(born) {
			covered = covered.Add(u)
		}
		return covered
	})
}
