package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"dcrspv/spv"
	"dcrspv/wallet"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/wire"
)

// broadcastDoc is the document of broadcast.
type broadcastDoc struct {
	TxID  string   `json:"txid"`
	Told  []string `json:"told"`  // peers it was announced to
	Taken []string `json:"taken"` // peers that then asked for it
}

// runBroadcast sends a transaction to the connected peers.
func (p *program) runBroadcast(ctx context.Context) error {
	tx, err := p.readTx(p.args[0])
	if err != nil {
		return err
	}
	return p.withWallet(func(w *wallet.Wallet) error {
		cfg, err := p.config(w)
		if err != nil {
			return err
		}
		var res spv.PublishResult
		err = p.withClient(ctx, cfg, func(ctx context.Context, c *client) error {
			if _, err := c.wait(ctx, spv.Settled); err != nil {
				return err
			}
			var err error
			if res, err = c.syncer.Publish(ctx, tx); err == nil {
				deliver(ctx)
			}
			return err
		})
		if errors.Is(err, spv.ErrNoPeers) {
			return failed("check the network, --connect and --proxy", "nobody to send it to: %v", err)
		}
		if err != nil {
			return err
		}
		return p.reportBroadcast(ctx, w, tx, res)
	})
}

// deliverTime is how long the connections stay up for peers that have asked for
// the transaction: it is on its way then, and would be lost with them.
const deliverTime = time.Second

func deliver(ctx context.Context) {
	select {
	case <-time.After(deliverTime):
	case <-ctx.Done():
	}
}

// readTx reads a transaction in hex from the argument, or from standard input
// if that is "-".
func (p *program) readTx(arg string) (*wire.MsgTx, error) {
	if arg == "-" {
		// Twice the largest transaction: hex has two digits a byte.
		limit := 2*int64(p.set.params.MaxTxSize) + 1024
		text, err := io.ReadAll(io.LimitReader(p.stdin, limit))
		if err != nil {
			return nil, failed("check the standard input", "cannot read the transaction: %v", err)
		}
		arg = string(text)
	}
	raw, err := hex.DecodeString(strings.Join(strings.Fields(arg), ""))
	if err != nil {
		return nil, usage("give a signed transaction in hex, or - for standard input", "not a hex string: %v", err)
	}
	tx := wire.NewMsgTx()
	r := bytes.NewReader(raw)
	if err := tx.Deserialize(r); err != nil {
		return nil, usage("give a signed transaction in hex", "not a transaction: %v", err)
	}
	if r.Len() > 0 {
		return nil, usage("give a signed transaction in hex", "not a transaction: %d bytes follow it", r.Len())
	}
	if err := standalone.CheckTransactionSanity(tx, uint64(p.set.params.MaxTxSize)); err != nil {
		return nil, usage("no node would take it, so make it anew", "not a valid transaction: %v", err)
	}
	return tx, nil
}

// reportBroadcast enters the transaction in the wallet, if it concerns it, and
// tells who took it.
func (p *program) reportBroadcast(ctx context.Context, w *wallet.Wallet, tx *wire.MsgTx, res spv.PublishResult) error {
	if len(res.Taken) == 0 {
		return failed("look for it in a block explorer, or check its inputs and fee",
			"none of %s asked for the transaction, so they know it already or refuse it", plural(len(res.Told), "peer"))
	}
	if _, err := w.AddUnmined(ctx, tx); err != nil {
		return err
	}
	doc := broadcastDoc{TxID: tx.TxHash().String(), Told: slices.Sorted(slices.Values(res.Told)), Taken: slices.Sorted(slices.Values(res.Taken))}
	if p.opts.JSON {
		return p.printJSON(doc)
	}
	_, err := fmt.Fprintf(p.stdout, "%s\nTaken by %d of %s: %s\n", doc.TxID,
		len(doc.Taken), plural(len(doc.Told), "peer"), oneLine(strings.Join(doc.Taken, ", ")))
	return err
}
