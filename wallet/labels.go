package wallet

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// maxLabel bounds the bytes of a label.
const maxLabel = 256

// checkLabel keeps labels short and of one line.
func checkLabel(text string) error {
	switch {
	case len(text) > maxLabel:
		return fmt.Errorf("%w: it has %d bytes, at most %d are kept", ErrLabel, len(text), maxLabel)
	case !utf8.ValidString(text):
		return fmt.Errorf("%w: it is not UTF-8", ErrLabel)
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("%w: it has characters that can't be printed", ErrLabel)
	}
	return nil
}

// SetLabel gives a text for people to a watched address, extended public key or
// outpoint (TXID:INDEX), or to a transaction of the wallet (by its hash in
// hexadecimal); an empty one takes it away. It has at most 256 bytes, all printable.
//
// Errors: ErrLabel, ErrNotWatched, ErrAddress, ErrXPub, ErrWrongNetwork.
func (w *Wallet) SetLabel(ctx context.Context, name, text string) error {
	if err := checkLabel(text); err != nil {
		return err
	}
	if id, ok := parseTxID(name); ok {
		return w.update(ctx, func(c *change) { c.labelTx(id, text) })
	}
	if op, ok := parseOutPoint(name); ok {
		return w.update(ctx, func(c *change) { c.labelOutpoint(op, text) })
	}
	sel, err := w.selectNames([]string{name})
	if err != nil {
		return err
	}
	return w.update(ctx, func(c *change) {
		for i, raw := range sel.scripts {
			s := c.w.scripts[raw]
			if s == nil || !s.watched() {
				c.fail(fmt.Errorf("%w: %s", ErrNotWatched, sel.names[i]))
				return
			}
			s.setLabel(text)
			c.saveScript(s)
		}
		for _, want := range sel.accounts {
			a := c.w.sameAccount(want)
			if a == nil {
				c.fail(fmt.Errorf("%w: extended public key %s", ErrNotWatched, want.xpub))
				return
			}
			a.setLabel(text)
			c.saveAccount(a)
		}
	})
}

// labelTx labels a transaction. A label stays when the transaction leaves the
// wallet: it may come back, and the text is the owner's.
func (c *change) labelTx(id hash, text string) {
	known := c.txs.Get(id[:]) != nil || c.unmined.Get(id[:]) != nil
	switch {
	case text != "" && known:
		c.put(c.labels, id[:], []byte(text))
	case text == "" && c.labels.Get(id[:]) != nil:
		c.del(c.labels, id[:])
	case !known:
		c.fail(fmt.Errorf("%w: transaction %v", ErrNotWatched, id))
	}
}

func (c *change) labelOutpoint(op outPoint, text string) {
	s := c.w.outpoints[op]
	if s == nil {
		c.fail(fmt.Errorf("%w: outpoint %v", ErrNotWatched, &op))
		return
	}
	s.setLabel(text)
	c.saveScript(s)
}

// coinLabel is the label of a coin's outpoint, or else of its script.
func (b *buckets) coinLabel(key, script []byte) string {
	if _, label, _ := outpointScript(b.points.Get(key)); len(label) > 0 {
		return string(label)
	}
	return scriptLabel(b.scripts.Get(script))
}

// Labels are all labels that are not empty: by address (by the script in
// hexadecimal if it has none), extended public key, outpoint, or transaction hash.
func (w *Wallet) Labels(ctx context.Context) (map[string]string, error) {
	out := make(map[string]string)
	err := w.view(ctx, func(b *buckets) error {
		err := b.scripts.ForEach(func(k, v []byte) error {
			if text := scriptLabel(v); text != "" {
				name := scriptAddress(k, w.params)
				if name == "" {
					name = hex.EncodeToString(k)
				}
				out[name] = text
			}
			return nil
		})
		if err != nil {
			return err
		}
		return b.labels.ForEach(func(k, v []byte) error {
			if len(k) != chainhash.HashSize {
				return corrupt("label %.40x", k)
			}
			out[hash(k).String()] = string(v)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	err = w.fromMemory(ctx, func() error {
		for _, a := range w.accounts {
			if a.label != "" {
				out[a.xpub] = a.label
			}
		}
		for _, s := range w.outpoints {
			if s.label != "" {
				out[s.outpoint.String()] = s.label
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
