package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"decred.org/dcrwallet/v5/wallet"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

// runSend pays an address.
func (p *program) runSend(ctx context.Context) error {
	out, err := payment(p.args[0], p.args[1], p)
	if err != nil {
		return err
	}
	return p.online(ctx, true, func(ctx context.Context, c *session) error {
		account, err := c.wallet.AccountNumber(ctx, p.opts.account)
		if err != nil {
			return err
		}
		hash, err := c.wallet.SendOutputs(ctx, []*wire.TxOut{out}, account, account, 1)
		if err != nil {
			return err
		}
		return p.report(ctx, c, "sent", hash)
	})
}

// decimal is an amount that is whole in atoms. Others would be rounded.
var decimal = regexp.MustCompile(`^(\d+\.?\d{0,8}|\.\d{1,8})$`)

// payment is an output of an amount in DCR to an address.
func payment(to, amount string, p *program) (*wire.TxOut, error) {
	coins, err := strconv.ParseFloat(amount, 64)
	if err != nil || !decimal.MatchString(amount) {
		return nil, usage("%q is no amount in DCR, of 8 decimals at most", amount)
	}
	atoms, err := dcrutil.NewAmount(coins)
	if err != nil || atoms <= 0 || atoms > dcrutil.MaxAmount {
		return nil, usage("%q is no amount in DCR that can be sent", amount)
	}
	addr, err := stdaddr.DecodeAddress(to, p.params())
	if err != nil {
		return nil, usage("%q is no address of %s: %v", to, p.opts.network, err)
	}
	version, script := addr.PaymentScript()
	return &wire.TxOut{Value: int64(atoms), Version: version, PkScript: script}, nil
}

// runTicket buys tickets.
func (p *program) runTicket(ctx context.Context) error {
	if p.opts.count < 1 {
		return usage("--count is at least 1")
	}
	return p.online(ctx, true, func(ctx context.Context, c *session) error {
		account, err := c.wallet.AccountNumber(ctx, p.opts.account)
		if err != nil {
			return err
		}
		bought, err := c.wallet.PurchaseTickets(ctx, c.backend, &wallet.PurchaseTicketsRequest{
			Count: p.opts.count, SourceAccount: account, VotingAccount: account, ChangeAccount: account, MinConf: 1,
		})
		if err != nil {
			if bought != nil && len(bought.TicketHashes) > 0 {
				// Those that are in the wallet are announced, whatever has failed.
				_, _, lost := c.wallet.GetTransactionsByHashes(context.WithoutCancel(ctx), bought.TicketHashes[:1])
				if lost == nil {
					return fmt.Errorf("the purchase of tickets %w: %w", errPending, err)
				}
			}
			return err
		}
		if bought.SplitTx != nil { // nodes keep tickets aside until it is mined
			hash := bought.SplitTx.TxHash()
			if err := p.report(ctx, c, "sent", &hash); err != nil {
				return err
			}
		}
		for _, hash := range bought.TicketHashes {
			if err := p.report(ctx, c, "ticket", hash); err != nil {
				return err
			}
		}
		fmt.Fprintln(p.stderr, "A ticket needs a dcrwallet with the same seed and --enablevoting, to vote.")
		return nil
	})
}

// report waits for the nodes that take a transaction, and tells how many do.
func (p *program) report(ctx context.Context, c *session, what string, hash *chainhash.Hash) error {
	txs, _, err := c.wallet.GetTransactionsByHashes(ctx, []*chainhash.Hash{hash})
	if err != nil {
		return err
	}
	result, err := c.syncer.Publish(ctx, txs[0])
	if err != nil {
		return fmt.Errorf("%s %v %w: %w", what, hash, errPending, err)
	}
	_, err = fmt.Fprintf(p.stdout, "%s %v: %d of %d nodes have it\n", what, hash, len(result.Delivered), len(result.AnnouncedTo))
	return err
}
