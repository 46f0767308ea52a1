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

	"dcrspv/spv"
	"dcrspv/wallet"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// broadcastDoc is the document of broadcast.
type broadcastDoc struct {
	TxID      string   `json:"txid"`
	Told      []string `json:"told"`      // peers it was announced to
	Taken     []string `json:"taken"`     // peers that then asked for it
	Delivered []string `json:"delivered"` // peers of those that have it for certain
	Announced []string `json:"announced"` // peers that announced it and did not have it from us
	Kept      bool     `json:"kept"`      // it concerns the wallet, and run announces it again
}

// runBroadcast sends a transaction to the connected peers.
func (p *program) runBroadcast(ctx context.Context) error {
	tx, err := p.readTx(p.args[0])
	if err != nil {
		return err
	}
	return p.withWallet(func(w *wallet.Wallet) error {
		cfg, err := p.config(ctx, w)
		if err != nil {
			return err
		}
		var res spv.PublishResult
		kept := false
		err = p.withClient(ctx, cfg, func(ctx context.Context, c *client) error {
			if _, err := c.wait(ctx, spv.Settled); err != nil {
				return err
			}
			height, mined, err := minedAt(ctx, w, tx.TxHash())
			if mined {
				return newFailure("there is nothing to send", "transaction %s is in block %d already", tx.TxHash(), height)
			}
			if err != nil {
				return err
			}
			// Written down first: whatever happens from here on, it is not forgotten.
			if kept, err = w.AddUnmined(ctx, tx); err != nil {
				return err
			}
			if err := givesWay(ctx, w, tx.TxHash()); err != nil {
				return err
			}
			res, err = c.syncer.Publish(ctx, tx)
			return err
		})
		switch {
		case errors.Is(err, spv.ErrNoPeers):
			return newFailure(again(tx, kept, "check the network, --connect and --proxy"), "nobody to send it to: %v", err)
		case errors.Is(err, wallet.ErrInvalid), errors.Is(err, wallet.ErrConflict), errors.Is(err, wallet.ErrExpired),
			errors.Is(err, wallet.ErrSuperseded):
			return newFailure("make it anew", "no node would take it: %v", err)
		case errors.Is(err, wallet.ErrTooEarly):
			return newFailure("send it again then", "no node would take it yet: %v", err)
		case err != nil:
			return err
		}
		return p.reportBroadcast(tx, res, kept)
	})
}

// givesWay fails if another transaction of our own waits before this one, which is not
// sent then: nodes take only one of them.
func givesWay(ctx context.Context, w *wallet.Wallet, id chainhash.Hash) error {
	waiting, err := w.Unmined(ctx)
	for _, u := range waiting {
		if u.TxID == id && txidOf(u.Behind) != "" {
			return newFailure(fmt.Sprintf("dcrspv drop %s gives way to it, dcrspv drop %s forgets it", u.Behind, id),
				"transaction %s is kept but was not sent, as %s, which was there before, spends the same", id, u.Behind)
		}
	}
	return err
}

// again says what becomes of a transaction that was not sent.
func again(tx *wire.MsgTx, kept bool, otherwise string) string {
	if !kept {
		return otherwise
	}
	return fmt.Sprintf("dcrspv run announces it again, dcrspv drop %s forgets it; %s", tx.TxHash(), otherwise)
}

// readTx reads a transaction in hex from the argument, or from standard input
// if that is "-".
func (p *program) readTx(arg string) (*wire.MsgTx, error) {
	if arg == "-" {
		// Twice the largest transaction: hex has two digits a byte.
		limit := 2*int64(p.set.params.MaxTxSize) + 1024
		text, err := io.ReadAll(io.LimitReader(p.stdin, limit))
		if err != nil {
			return nil, newFailure("check the standard input", "cannot read the transaction: %v", err)
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

// reportBroadcast tells who took it.
func (p *program) reportBroadcast(tx *wire.MsgTx, res spv.PublishResult, kept bool) error {
	switch {
	case len(res.RequestedBy) == 0 && len(res.Announced) == 0:
		return newFailure(again(tx, kept, "look for it in a block explorer, or check its inputs and fee"),
			"none of %s asked for the transaction, so they know it already or refuse it", plural(len(res.AnnouncedTo), "peer"))
	case len(res.RequestedBy) > 0 && len(res.Delivered) == 0 && len(res.Announced) == 0:
		return newFailure(again(tx, kept, "try once more"),
			"%s asked for the transaction, and none confirmed that it has arrived", plural(len(res.RequestedBy), "peer"))
	}
	doc := broadcastDoc{TxID: tx.TxHash().String(), Kept: kept}
	for _, part := range []struct {
		to   *[]string
		from []string
	}{{&doc.Told, res.AnnouncedTo}, {&doc.Taken, res.RequestedBy}, {&doc.Delivered, res.Delivered}, {&doc.Announced, res.Announced}} {
		*part.to = append([]string{}, slices.Sorted(slices.Values(part.from))...)
	}
	if p.opts.JSON {
		return p.printJSON(doc)
	}
	list := func(addrs []string) string { return oneLine(strings.Join(addrs, ", ")) }
	fmt.Fprintf(p.stdout, "%s\nTaken by %d of %s: %s\nArrived for certain at %d of them\n", doc.TxID,
		len(doc.Taken), plural(len(doc.Told), "peer"), list(doc.Taken), len(doc.Delivered))
	switch {
	case len(doc.Announced) > 0:
		fmt.Fprintf(p.stdout, "Announced since by who did not have it from us: %s\n", list(doc.Announced))
	case res.Listened:
		fmt.Fprintln(p.stdout, "No other peer has announced it since; nodes do not say when they refuse a transaction, nor why")
	}
	if kept {
		fmt.Fprintf(p.stdout, "dcrspv run announces it again until it is mined; dcrspv drop %s would end that\n", doc.TxID)
	}
	return nil
}
