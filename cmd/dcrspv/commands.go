package main

import "context"

// command is an entry of the table of commands.
type command struct {
	name  string
	short string // for the list of commands
	usage string // what follows the name
	long  string // for the command's own help
	// examples are complete command lines, each with what it does.
	examples [][2]string
	minArgs  int
	maxArgs  int  // -1: any number
	verbose  bool // logs more without a terminal
	bare     bool // needs no settings: it works whatever is in the configuration file
	flags    func(*program) any
	run      func(*program, context.Context) error
}

// rangeFlags are those of rescan.
type rangeFlags struct {
	From  string `long:"from" value-name:"HEIGHT|YYYY-MM-DD" description:"first block; default: --birthday or genesis"`
	To    string `long:"to" value-name:"HEIGHT|YYYY-MM-DD" description:"last block; default: the tip"`
	Quick bool   `long:"quick" description:"test these blocks alone: what spends older coins may be missing"`

	PubKeys bool `long:"pubkeys" description:"of an XPUB also what pays its public keys themselves: twice the scripts"`
}

// commands in the order of the help.
var commands = []*command{
	{
		name: "sync", short: "sync to the tip, watched scripts scanned, and end",
		long: "Syncs headers and filters to the tip of the network, tests every watched script\n" +
			"on every block since its birthday, and ends. Interrupted, it goes on next time\n" +
			"where it was. A line \"warning\" tells of what may not be found for how it is\n" +
			"watched.",
		examples: [][2]string{
			{"dcrspv sync", "mainnet, peers found by themselves"},
			{"dcrspv sync --connect 127.0.0.1 --timeout 5m", "from your own node, status 3 if not done by then"},
			{"dcrspv sync --birthday 2024-05-31 --json", "filters since that day only, result as JSON"},
		},
		run: (*program).runSync,
	},
	{
		name: "run", short: "sync, then follow the tip until interrupted",
		long: "As sync, and then follows the tip: prints a line for every payment in or out,\n" +
			"when it is announced and when it is mined, and for every reorganisation. An\n" +
			"announced payment is not verified; --no-relay does without. Ctrl-C is the normal\n" +
			"end.",
		examples: [][2]string{
			{"dcrspv run", "until Ctrl-C"},
			{"dcrspv run --proxy 127.0.0.1:9050", "through Tor"},
		},
		verbose: true,
		run:     (*program).runRun,
	},
	{
		name: "watch", usage: "[--from H] [--gap N] [--label T] [--pubkeys] [WHAT...]",
		short: "add addresses or extended public keys to the watch set",
		long: "Adds to the watch set: addresses of any standard kind, extended public keys of\n" +
			"accounts, output scripts in hex, and single outputs as TXID:INDEX:SCRIPT, with\n" +
			"the script that the output pays: nothing else that pays it counts. --from is not\n" +
			"above the block that makes it. Works offline; the next sync tests the new\n" +
			"scripts on every block since --from, with stored filters where there are some.\n" +
			"Of an extended public key both branches are watched, --gap addresses beyond the\n" +
			"last one used; what lies beyond is not seen, and a warning says if that gap was\n" +
			"nearly used up, or if the key was used before --from, as soon as blocks show it.\n" +
			"An output can also pay a public key itself, which hardly any wallet does.\n" +
			"--pubkeys finds those too, for twice the scripts: of a new account 480 in place\n" +
			"of 240, so that a million blocks are tested in 1.3 s of a core in place of 0.9,\n" +
			"and some 300 more of them are fetched in vain. It stays on until unwatch.\n" +
			"Watching again with other options changes them, and is harmless otherwise.\n" +
			"Without arguments it lists the watch set.",
		examples: [][2]string{
			{"dcrspv watch --from 2024-05-31 DsUZxxoHJSty8DCfwfartwTYbuhmVct7tJu", "an address, paid since that day"},
			{"dcrspv watch --label savings --gap 50 dpubZF...", "an account's extended public key, both branches"},
			{"dcrspv watch --pubkeys dpubZF...", "the same, with what pays its public keys themselves"},
			{"dcrspv watch 76a914...88ac", "an output script, whether it has an address or not"},
			{"dcrspv watch 5e29b1...c4:0:76a914...88ac", "one output, and who spends it"},
			{"dcrspv watch", "what is watched"},
		},
		maxArgs: -1,
		flags:   func(p *program) any { return &p.watch },
		run:     (*program).runWatch,
	},
	{
		name: "unwatch", usage: "ADDR|XPUB|SCRIPT|TXID:INDEX...", short: "take addresses or extended public keys from the watch set",
		long: "Takes from the watch set. Works offline. What was found of them is forgotten;\n" +
			"watching them again finds it again.",
		examples: [][2]string{{"dcrspv unwatch DsUZxxoHJSty8DCfwfartwTYbuhmVct7tJu", "no longer watched"}},
		minArgs:  1, maxArgs: -1,
		run: (*program).runUnwatch,
	},
	{
		name: "rescan", usage: "[--from H] [--to H] [--quick] [ADDR|XPUB|SCRIPT...]", short: "scan addresses, or the watch set again",
		long: "With addresses: prints what they got and spent in the range, and what they held\n" +
			"at its end, without adding them to the watch set. The answer is the whole truth,\n" +
			"so blocks before the range are tested too: from --birthday on, or from where the\n" +
			"addresses are watched from, or else from genesis. --quick tests the range alone;\n" +
			"then what spends a coin from before it is missing, and of an extended key what\n" +
			"is beyond a gap that begins before it. Without addresses: forgets that the watch\n" +
			"set was tested on the range and tests it again. Syncs first.",
		examples: [][2]string{
			{"dcrspv rescan --from 700000 DsUZxxoHJSty8DCfwfartwTYbuhmVct7tJu", "what did this address get since block 700000"},
			{"dcrspv rescan --from 2024-01-01 --to 2024-12-31 --json ADDR", "one year, as JSON"},
			{"dcrspv rescan --birthday 500000 --from 700000 ADDR", "the same of an address not used before block 500000"},
			{"dcrspv rescan", "the whole watch set from its birthday"},
		},
		maxArgs: -1,
		flags:   func(p *program) any { return &p.span },
		run:     (*program).runRescan,
	},
	{
		name: "balance", short: "what the wallet holds", run: (*program).runBalance,
		long: "Spendable, immature and staked coins, their total, and the net effect of\n" +
			"transactions that are not mined yet, which is not in the total: of those that\n" +
			"others have announced nothing is verified. Then the kinds of outputs that the\n" +
			"total is made of. Works offline, as of the last sync.",
		examples: [][2]string{{"dcrspv balance", "in DCR"}, {"dcrspv balance --json", "in atoms"}},
	},
	{
		name: "history", usage: "[--last N | --unmined]", short: "every transaction of the wallet", run: (*program).runHistory,
		long: "Every transaction that paid to or spent from a watched script, oldest first,\n" +
			"with its net effect; and below, those that are not in a block: unconfirmed, or\n" +
			"lately conflicted (another one has spent the same), expired or superseded (a\n" +
			"ticket below the price of now). As JSON only the mined ones, or with --unmined\n" +
			"only the others. Works offline, as of the last sync. Unconfirmed transactions of\n" +
			"others are heard of while dcrspv run is running and connected; what they spend\n" +
			"of ours is verified, and nothing else of them. Of two of our own that spend the\n" +
			"same the second waits behind the first, and is not announced.",
		examples: [][2]string{
			{"dcrspv history --last 20", "the newest ones of a long history"},
			{"dcrspv history --json", "for other programs"},
			{"dcrspv history --unmined --json", "what is not in a block"},
		},
		flags: func(p *program) any { return &p.history },
	},
	{
		name: "utxos", short: "every unspent output", run: (*program).runUtxos,
		long: "Every unspent output of a watched script, and whether it can be spent now or\n" +
			"from which block on. One that a transaction spends which is not in a block yet\n" +
			"names it, and counts as spendable all the same. Works offline, as of the last\n" +
			"sync.",
		examples: [][2]string{{"dcrspv utxos", ""}, {"dcrspv utxos --json", "spent_by tells what is on its way"}},
	},
	{
		name: "tickets", short: "every ticket that is to pay the wallet", run: (*program).runTickets,
		long: "Every ticket that is to pay the wallet in the end, or has: its state, what it\n" +
			"locks, and what of that is the wallet's, whoever bought it and whoever votes\n" +
			"with it. Filters do not show that a ticket was called to vote and did not: it\n" +
			"seems live until it is revoked. Works offline, as of the last sync.",
		examples: [][2]string{{"dcrspv tickets", "with the number of each state"}, {"dcrspv tickets --json", "in atoms"}},
	},
	{
		name: "address", usage: "[--new] [XPUB]", maxArgs: 1, short: "an unused address to be paid at", run: (*program).runAddress,
		long: "The next unused address of a watched extended public key: of the one given, or\n" +
			"else of the one that was watched first. It stays the same until it is paid. With\n" +
			"--new never the same one twice. Only those are given out that a restored wallet\n" +
			"finds: within the gap of addresses in use for 24 blocks. Works offline.",
		examples: [][2]string{{"dcrspv address", "the same until it is paid"}, {"dcrspv address --new", "one for each payer"}},
		flags:    func(p *program) any { return &p.address },
	},
	{
		name: "label", usage: "[NAME TEXT]", maxArgs: 2, short: "name an address, a key or a transaction", run: (*program).runLabel,
		long: "Gives a text to a watched address or extended public key, or to a transaction of\n" +
			"the wallet; watch, history, utxos and status show it. An empty text takes it\n" +
			"away. Without arguments it lists the labels. Works offline.",
		examples: [][2]string{
			{"dcrspv label DsUZxxoHJSty8DCfwfartwTYbuhmVct7tJu 'shop in Lyon'", ""},
			{"dcrspv label DsUZxxoHJSty8DCfwfartwTYbuhmVct7tJu ''", "no label any more"},
		},
	},
	{
		name: "broadcast", usage: "HEX|-", short: "send a signed transaction", minArgs: 1, maxArgs: 1,
		long: "Sends a signed transaction, as hex or from standard input, to every connected\n" +
			"peer and tells who took it, and who has it for certain. Of three peers and more\n" +
			"one is told last, to hear whether others announce it: nodes do not say when they\n" +
			"refuse a transaction, nor why. If it concerns the wallet that is written down\n" +
			"before anything is sent: it counts as unconfirmed, and dcrspv run announces it\n" +
			"again until it is mined, has expired or can't be mined any more because another\n" +
			"one has spent the same, or dcrspv drop ends it. One that no node would take is\n" +
			"refused, as far as the wallet knows what it spends; one that spends the same as\n" +
			"another one of our own is kept and not sent while that waits.",
		examples: [][2]string{
			{"dcrspv broadcast 0100000001...", ""},
			{"dcrspv broadcast - < tx.hex", "from a file"},
		},
		run: (*program).runBroadcast,
	},
	{
		name: "drop", usage: "TXID", short: "announce a transaction no longer", minArgs: 1, maxArgs: 1,
		long: "Forgets a transaction that is not in a block, and those that spend it: one of\n" +
			"our own that nodes refuse is not announced any more. What it spends was never\n" +
			"locked. Nodes that have it may have it mined all the same; then it is found as\n" +
			"any other. Works offline.",
		examples: [][2]string{{"dcrspv drop 5e29b1...c4", "as history --unmined shows it"}},
		run:      (*program).runDrop,
	},
	{
		name: "peers", usage: "[list | ban HOST | unban HOST | reset HOST | export]", maxArgs: 2,
		short: "what is known about peers, and bans",
		long: "list    every known peer with its heights, score and ban, and the last 20\n" +
			"        disconnects, pauses and bans of all\n" +
			"ban     no connection to this host for 24 hours\n" +
			"unban   lift a ban\n" +
			"reset   forget scores, bans and history of a host\n" +
			"export  the list as JSON\n\n" +
			"HOST is an IP address or a name; a port may follow. Works offline. The last five\n" +
			"disconnects, pauses and bans of each are kept, and --json has them all.",
		examples: [][2]string{
			{"dcrspv peers", ""},
			{"dcrspv peers ban 203.0.113.7", "all its ports"},
			{"dcrspv peers unban 203.0.113.7", ""},
			{"dcrspv peers reset 203.0.113.7", ""},
			{"dcrspv peers export > peers.json", ""},
		},
		run: (*program).runPeers,
	},
	{
		name: "status", short: "how far the files are", run: (*program).runStatus,
		long: "Reads the two files and tells how far they are, and if the last sync did not\n" +
			"succeed what was wrong and what to do about it. Works offline.",
		examples: [][2]string{{"dcrspv status --json", "the same fields as sync --json"}},
	},
	{
		name: "verify", short: "check both files against themselves", run: (*program).runVerify,
		long:     "Reads both files from end to end: every header's work and place in the chain,\nevery filter against its header's commitment, every coin against the history.\nPrints what was checked. Works offline.",
		examples: [][2]string{{"dcrspv verify", ""}},
	},
	{
		name: "demo", short: "a whole network inside this process, and a wallet that syncs", run: (*program).runDemo,
		long: "Builds a chain of 50,000 blocks and a network of 8 honest and 4 hostile peers in\n" +
			"memory, syncs a wallet from it, tells who was cut off and why, and compares the\n" +
			"balance with the truth. Needs no network and touches no file of yours.",
		examples: [][2]string{{"dcrspv demo", ""}},
	},
	{
		name: "version", short: "what a fault report needs to say of the program", bare: true, run: (*program).runVersion,
		long: "The version of the program, what it was built from and with, the versions of the\n" +
			"files that it writes, and what peers are told. Reads no file, not even the\n" +
			"configuration file. dcrspv --version does the same.",
		examples: [][2]string{{"dcrspv version", "to paste into a fault report"}, {"dcrspv version --json", ""}},
	},
}

// checkArgs reports a wrong number of arguments.
func (c *command) checkArgs(args []string) error {
	see := "see dcrspv " + c.name + " --help"
	switch {
	case len(args) < c.minArgs:
		return usage(see, "%s needs %s", c.name, c.usage)
	case c.maxArgs >= 0 && len(args) > c.maxArgs:
		return usage(see, "%s takes no argument %q", c.name, args[c.maxArgs])
	}
	return nil
}
