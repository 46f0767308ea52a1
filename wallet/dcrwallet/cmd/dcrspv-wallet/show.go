package main

import (
	"cmp"
	"context"
	"fmt"
	"text/tabwriter"

	"decred.org/dcrwallet/v5/wallet"
	"github.com/decred/dcrd/dcrutil/v4"
)

// runBalance shows what each account has.
func (p *program) runBalance(ctx context.Context) error {
	return p.offline(ctx, func(c *session) error {
		balances, err := c.wallet.AccountBalances(ctx, 1)
		if err != nil {
			return err
		}
		_, height := c.wallet.MainChainTip(ctx)
		fmt.Fprintf(p.stdout, "At block %d, in DCR:\n", height)
		w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprint(w, "account\tspendable\timmature\tin tickets\ttotal\tunconfirmed\t\n")
		for _, b := range balances {
			name, err := c.wallet.AccountName(ctx, b.Account)
			if err != nil {
				return err
			}
			if name == "imported" && b.Total == 0 {
				continue
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t\n", name, dcr(b.Spendable), dcr(b.ImmatureCoinbaseRewards+b.ImmatureStakeGeneration),
				dcr(b.LockedByTickets), dcr(b.Total), dcr(b.Unconfirmed))
		}
		return w.Flush()
	})
}

// dcr is an amount without its unit.
func dcr(a dcrutil.Amount) string { return fmt.Sprintf("%.8f", a.ToCoin()) }

// runAddress shows a fresh address.
func (p *program) runAddress(ctx context.Context) error {
	return p.offline(ctx, func(c *session) error {
		// Before, it is not known which ones are in use.
		_, height := c.wallet.MainChainTip(ctx)
		if owes, err := c.wallet.RescanPoint(ctx); err != nil || owes != nil || height == 0 {
			return cmp.Or(err, errUnsynced)
		}
		account, err := c.wallet.AccountNumber(ctx, p.opts.account)
		if err != nil {
			return err
		}
		addr, err := c.wallet.NewExternalAddress(ctx, account, wallet.WithGapPolicyWrap())
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(p.stdout, addr)
		return err
	})
}

// runHistory shows all transactions.
func (p *program) runHistory(ctx context.Context) error {
	return p.offline(ctx, func(c *session) error {
		w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
		err := c.wallet.GetTransactions(ctx, func(b *wallet.Block) (bool, error) {
			block := "unmined"
			if b.Header != nil {
				block = fmt.Sprint(b.Header.Height)
			}
			for _, tx := range b.Transactions {
				net := dcrutil.Amount(0)
				for _, out := range tx.MyOutputs {
					net += out.Amount
				}
				for _, in := range tx.MyInputs {
					net -= in.PreviousAmount
				}
				fmt.Fprintf(w, "%s\t%s\t %v\t\n", block, dcr(net), tx.Hash)
			}
			return false, nil
		}, nil, nil)
		if err != nil {
			return err
		}
		return w.Flush()
	})
}
