package main

import (
	"context"
	"flag"
	"fmt"
	"text/tabwriter"
)

// command is an entry of the table of commands.
type command struct {
	name, usage, short, long string
	args                     int // how many words follow the name
	run                      func(*program, context.Context) error
}

// commands returns the table, in the order of the help.
func commands() []*command {
	return []*command{
		{
			name: "create", short: "make a new wallet",
			long: "Makes a new wallet and prints its seed, 33 words. Write them down: whoever has them has\n" +
				"the coins, and without them and the file there are none. The passphrase locks the file.",
			run: (*program).runCreate,
		},
		{
			name: "restore", short: "make a wallet from its seed",
			long: "Makes a wallet from a seed, in words or hexadecimal digits, that is asked for after the\n" +
				"passphrase that is to lock the file. Without a terminal each is a line of standard input.\n" +
				"The next sync finds its accounts and coins. --birthday is when it received nothing yet.",
			run: (*program).runRestore,
		},
		{
			name: "watch", usage: "XPUB", args: 1, short: "make a wallet without private keys",
			long: "Makes a wallet from the extended public key of an account. It shows what that has, and\n" +
				"can't spend it. Such a wallet has no passphrase.",
			run: (*program).runWatch,
		},
		{
			name: "sync", short: "sync to the tip, and end",
			long: "Syncs the chain and the wallet to the tip. Interrupted, it goes on next time where it was.\n" +
				"The first sync needs the passphrase, to search for accounts.",
			run: (*program).runSync,
		},
		{name: "balance", short: "what each account has, as of the last sync", run: (*program).runBalance,
			long: "Spendable coins, rewards that are not mature yet, what is locked by tickets, and what is\n" +
				"in no block yet. Works offline, as of the last sync."},
		{name: "address", short: "a fresh address to be paid at", run: (*program).runAddress,
			long: "The next address of the account. After 20 that nobody has paid it begins with these again:\n" +
				"a wallet that is restored would not find others. Works offline, after the first sync."},
		{name: "history", short: "the wallet's transactions", run: (*program).runHistory,
			long: "All transactions, oldest first, with what they have paid to the wallet and taken from it.\n" +
				"Works offline, as of the last sync."},
		{
			name: "send", usage: "ADDRESS DCR", args: 2, short: "pay somebody",
			long: "Syncs, pays the amount in DCR to the address, and tells which nodes took the transaction.\n" +
				"It is announced again by each sync until it is mined.",
			run: (*program).runSend,
		},
		{
			name: "ticket", short: "buy tickets",
			long: "Syncs and buys --count tickets at the price of the next block. A ticket has to vote, and this\n" +
				"program can't do that: a dcrwallet with the same seed and --enablevoting has to run, with\n" +
				"a full node, until then. One that misses its vote gives its price back and earns nothing.",
			run: (*program).runTicket,
		},
	}
}

// help writes the help of a command, or of the program.
func (p *program) help(f *flag.FlagSet, words []string) error {
	for _, c := range commands() {
		if len(words) > 0 && words[0] == c.name {
			_, err := fmt.Fprintf(p.stdout, "Usage: dcrspv-wallet [OPTIONS] %s %s\n\n%s\n", c.name, c.usage, c.long)
			return err
		}
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "A Decred wallet that verifies instead of trusting.\n\nUsage: dcrspv-wallet [OPTIONS] COMMAND\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %s %s\t%s\n", c.name, c.usage, c.short)
	}
	fmt.Fprint(w, "\nOptions, before or after the command:\n")
	f.VisitAll(func(o *flag.Flag) {
		value, text := flag.UnquoteUsage(o)
		fmt.Fprintf(w, "  --%s %s\t%s\n", o.Name, value, text)
	})
	fmt.Fprint(w, "\nExit status: 0 done, 1 failed, 2 wrong usage, 3 not in sync within --timeout.\n"+
		"More about a command: dcrspv-wallet COMMAND --help\n")
	return w.Flush()
}
