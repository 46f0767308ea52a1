package main

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// TestAddresses: the next one stays, a new one never comes again, and when the
// gap limit is used up the error says what to do.
func TestAddresses(t *testing.T) {
	n := newTestNetwork(t, 1)
	n.dcrspv("watch", "--gap", "3", n.demo.xpub)
	one := func(args ...string) string {
		t.Helper()
		var doc addressDoc
		n.json(&doc, append([]string{"address"}, args...)...)
		return doc.Address
	}
	first := one()
	if one(n.demo.xpub) != first || strings.TrimSpace(n.dcrspv("address")) != first {
		t.Error("the next address does not stay")
	}
	given := map[string]bool{}
	for range 3 {
		given[one("--new")] = true
	}
	if len(given) != 3 || !given[first] || given[""] {
		t.Errorf("%v, the first is %s", given, first)
	}
	for _, args := range [][]string{{"address", "--new"}, {"address"}} {
		n.run(args...).wantFailure(t, statusFailed, "gap limit", "--gap")
	}
	n.dcrspv("watch", "--gap", "4", n.demo.xpub)
	if addr := one("--new", n.demo.xpub); given[addr] {
		t.Errorf("%s again", addr)
	}
	other := n.demo.xpub[:len(n.demo.xpub)-1] + "x"
	n.run("address", other).wantFailure(t, statusFailed, "not watched", "watch XPUB")

	// The first payment shows that they are used, and gives room for more.
	n.dcrspv("sync")
	if addr := one("--new"); given[addr] {
		t.Errorf("%s again", addr)
	}
}

// TestLabels: a label is set with watch or later, is shown wherever its owner
// is, and goes.
func TestLabels(t *testing.T) {
	n := newTestNetwork(t, 1)
	used := n.demo.used[0]
	n.dcrspv("watch", "--label", "the account", n.demo.xpub)
	n.dcrspv("sync")
	txid := n.demo.truth.History[0].TxID.String()
	n.dcrspv("label", txid, "first income ✓")
	n.dcrspv("label", used, "shop in Lyon")

	var labels []labelDoc
	n.json(&labels, "label")
	want := map[string]string{n.demo.xpub: "the account", txid: "first income ✓", used: "shop in Lyon"}
	if len(labels) != len(want) {
		t.Errorf("%+v", labels)
	}
	for _, l := range labels {
		if want[l.Name] != l.Label {
			t.Errorf("%+v", l)
		}
	}
	var history []entryDoc
	n.json(&history, "history")
	if history[0].Label != want[txid] || history[1].Label != "" {
		t.Errorf("%+v", history[:2])
	}
	var utxos []utxoDoc
	n.json(&utxos, "utxos")
	for _, u := range utxos {
		if (u.Label == want[used]) != (u.Address == used) {
			t.Errorf("%+v", u)
		}
	}
	for command, text := range map[string]string{
		"label": "shop in Lyon", "history": "first income ✓", "watch": "the account", "status": "the account",
	} {
		if got := n.dcrspv(command); !strings.Contains(got, text) {
			t.Errorf("%s does not say %q: %s", command, text, got)
		}
	}
	if text := n.dcrspv("label", used, ""); !strings.Contains(text, "no label") {
		t.Error(text)
	}
	if n.json(&labels, "label"); len(labels) != 2 {
		t.Errorf("%+v", labels)
	}
	n.run("label", simnetAddress, "x").wantFailure(t, statusFailed, simnetAddress, "watched")
	n.run("label", strings.Repeat("ab", 32), "x").wantFailure(t, statusFailed, "history")
	n.run("label", used, "\x1b[31m").wantFailure(t, statusUsage, "label")
}

// TestTablesAreClean: a label that got into the file some other way cannot act
// on a terminal.
// Rule 21.
func TestTablesAreClean(t *testing.T) {
	p, stdout, _ := testProgram(t)
	const evil = "a\x1b[31m\nb"
	if err := firstError(
		p.printUtxos([]utxoDoc{{Label: oneLine(evil)}}),
		p.printHistory([]entryDoc{{Label: oneLine(evil)}}),
		p.printUnmined([]unminedDoc{{Label: oneLine(evil)}}),
		p.printLabels([]labelDoc{{Label: oneLine(evil)}}),
	); err != nil {
		t.Fatal(err)
	}
	if text := stdout.String(); strings.Contains(text, "\x1b") || strings.Count(text, "\n") != 7 {
		t.Errorf("%q", text)
	}
}

// TestWatchList: watch alone lists, and watching again changes nothing that was
// not asked for.
func TestWatchList(t *testing.T) {
	n := newTestNetwork(t, 1)
	if text := n.dcrspv("watch"); !strings.Contains(text, "dcrspv watch ADDRESS") {
		t.Error(text)
	}
	n.dcrspv("watch", "--from", "300", "--label", "mine", "--gap", "5", n.demo.xpub)
	n.dcrspv("watch", "--from", "200", simnetAddress)
	text := n.dcrspv("watch")
	for _, want := range []string{
		n.demo.xpub + " from block 300, 5 external and 5 internal addresses, gap 5, mine\n",
		simnetAddress + " from block 200\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
	if text := n.dcrspv("watch", "--gap", "7", n.demo.xpub); !strings.Contains(text, "already") {
		t.Error(text)
	}
	var doc watchDoc
	n.json(&doc, "watch")
	if e := doc.Watched[0]; e.Gap != 7 || e.External != 7 || e.Internal != 7 || e.From != 300 || e.Label != "mine" {
		t.Errorf("%+v", e)
	}
	if e := doc.Watched[1]; e.From != 200 || e.Address != simnetAddress || e.Gap != 0 {
		t.Errorf("%+v", e)
	}
	n.dcrspv("watch", "--pubkeys", n.demo.xpub)
	if text := n.dcrspv("watch", "--label", "ours", n.demo.xpub) + n.dcrspv("watch"); !strings.Contains(text, "gap 7, and their public keys, ours\n") {
		t.Error(text)
	}
	n.json(&doc, "watch")
	if e := doc.Watched[0]; !e.PubKeys || e.From != 300 {
		t.Errorf("%+v", e)
	}
}

// TestWatchScript: an output script is watched by itself, whether it has an
// address or not, as often as one likes.
func TestWatchScript(t *testing.T) {
	n := newTestNetwork(t, 1)
	_, script := n.script(n.demo.used[0])
	known, odd := hex.EncodeToString(script), "51ae"
	for range 2 {
		n.dcrspv("watch", "--from", "100", known, strings.ToUpper(odd))
		n.dcrspv("watch", known, odd)
	}
	var doc watchDoc
	n.json(&doc, "watch")
	if len(doc.Watched) != 2 || doc.Watched[1].Address != n.demo.used[0] || doc.Watched[0].Script != odd ||
		doc.Watched[0].From != 100 || doc.Watched[1].From != 100 {
		t.Fatalf("%+v", doc)
	}
	n.dcrspv("sync")
	var history []entryDoc
	if n.json(&history, "history"); len(history) == 0 {
		t.Error("nothing was found of the script")
	}
	var scan rescanDoc
	if n.json(&scan, "rescan", "--from", "100", known); len(scan.History) != len(history) {
		t.Errorf("rescan found %d transactions, the wallet %d", len(scan.History), len(history))
	}
	n.json(&doc, "unwatch", known, odd)
	if len(doc.Watched) != 0 {
		t.Errorf("%+v", doc)
	}
	n.run("unwatch", odd).wantFailure(t, statusFailed, odd)
}

// TestScriptsOfAnyLength: what is all hex digits is a script, also where it is as
// long as an extended key.
func TestScriptsOfAnyLength(t *testing.T) {
	n := newTestNetwork(t, 1)
	var doc watchDoc
	for _, size := range []int{1, 25, 39, 40, 41, 56, 105, 200, 16384} {
		script := "51" + strings.Repeat("61", size-1)
		n.json(&doc, "watch", script)
		if len(doc.Watched) != 1 || doc.Watched[0].Script != script {
			t.Fatalf("%d bytes: %d entries", size, len(doc.Watched))
		}
		if size == 41 {
			var scan rescanDoc
			n.json(&scan, "rescan", script)
		}
		if n.json(&doc, "unwatch", script); len(doc.Watched) != 0 {
			t.Errorf("%d bytes: %d entries are left", size, len(doc.Watched))
		}
	}
}

// TestWhichArgumentIsBad: of several one is, and the line says which one and why, and
// nothing is changed.
func TestWhichArgumentIsBad(t *testing.T) {
	n := newTestNetwork(t, 1)
	good := []string{simnetAddress, n.demo.xpub, "51ae"}
	n.dcrspv(append([]string{"watch"}, good...)...)
	key := n.demo.xpub[:len(n.demo.xpub)-1] + "1"
	long := strings.Repeat("51", 16385)
	for bad, parts := range map[string][]string{
		"SsNotAnAddress":                   {"SsNotAnAddress", "bad address"},
		mainAddress:                        {mainAddress, "mainnet"},
		key:                                {"..." + key[len(key)-5:], "checksum"},
		long:                               {"script 515151", "16385 bytes"},
		strings.Repeat("51", 40)[:79]:      {"515151", "odd number of hex digits"},
		strings.Repeat("ab", 32) + ":x:51": {"ab:x:51", "number of an output"},
	} {
		for _, command := range []string{"watch", "unwatch", "rescan"} {
			if command == "rescan" && strings.Contains(bad, ":") {
				continue // knows no outpoints
			}
			args := append([]string{command, good[0], bad}, good[1:]...)
			n.run(args...).wantFailure(t, statusUsage, parts...)
		}
	}
	var doc watchDoc
	if n.json(&doc, "watch"); len(doc.Watched) != len(good) {
		t.Errorf("%+v", doc)
	}
}

// TestWatchOutPoint: of what pays a script one output counts, and its spending.
func TestWatchOutPoint(t *testing.T) {
	n := newTestNetwork(t, 1)
	n.dcrspv("watch", n.demo.xpub)
	n.dcrspv("sync")
	var utxos []utxoDoc
	n.json(&utxos, "utxos")
	n.dcrspv("unwatch", n.demo.xpub)
	_, script := n.script(utxos[0].Address)
	name := fmt.Sprintf("%s:%d", utxos[0].TxID, utxos[0].Index)
	full := fmt.Sprintf("%s:%x", name, script)
	n.dcrspv("watch", "--from", "3", "--label", "this one", full)
	if text := n.dcrspv("watch", "--label", "that one", strings.ToUpper(full)); !strings.Contains(text, "already") {
		t.Error(text)
	}
	n.dcrspv("watch", utxos[0].Address) // is not known because its outpoint is
	n.dcrspv("unwatch", utxos[0].Address)
	if text := n.dcrspv("watch"); text != name+" of "+utxos[0].Address+" from block 3, that one\n" {
		t.Errorf("%q", text)
	}
	var doc watchDoc
	want := watchedDoc{
		OutPoint: name, Address: utxos[0].Address, Script: hex.EncodeToString(script), From: 3, Label: "that one",
	}
	if n.json(&doc, "watch"); len(doc.Watched) != 1 || doc.Watched[0] != want {
		t.Errorf("%+v", doc)
	}
	n.dcrspv("sync")
	var found []utxoDoc
	utxos[0].Label = "that one"
	if n.json(&found, "utxos"); len(found) != 1 || found[0] != utxos[0] {
		t.Errorf("%+v, not %+v", found, utxos[0])
	}
	n.run("watch", name+":51").wantFailure(t, statusUsage, "outpoint", "TXID:INDEX:SCRIPT")
	n.run("unwatch", name+":51").wantFailure(t, statusFailed, "not watched")
	n.json(&doc, "unwatch", name)
	if n.json(&found, "utxos"); len(doc.Watched) != 0 || len(found) != 0 {
		t.Errorf("%+v %+v", doc, found)
	}
	n.run("unwatch", full).wantFailure(t, statusFailed, name)
	for arg, text := range map[string]string{
		name: "is missing", "ab:0:51": "transaction hash", strings.Repeat("x", 64) + ":0:51": "transaction hash",
		utxos[0].TxID + ":-1:51": "number", utxos[0].TxID + ":4294967296:51": "number", name + ":": "script",
		name + ":5": "script", name + ":51:52": "script", ":": "transaction hash",
	} {
		n.run("watch", arg).wantFailure(t, statusUsage, text, "TXID:INDEX:SCRIPT")
	}
}

// TestLastOfHistory: the newest ones, oldest first.
// Rule 26.
func TestLastOfHistory(t *testing.T) {
	n := newTestNetwork(t, 1)
	n.dcrspv("watch", n.demo.xpub)
	n.dcrspv("sync")
	var all, last []entryDoc
	n.json(&all, "history")
	n.json(&last, "history", "--last", "3")
	if len(last) != 3 || len(all) <= 3 {
		t.Fatalf("%d of %d", len(last), len(all))
	}
	for i, e := range last {
		if e != all[len(all)-3+i] {
			t.Errorf("%+v, want %+v", e, all[len(all)-3+i])
		}
	}
	if text := n.dcrspv("history", "--last", "2"); strings.Count(text, "\n") != 3 {
		t.Errorf("%s", text)
	}
	n.json(&last, "history", "--last", "1000000")
	if len(last) != len(all) {
		t.Errorf("%d of %d", len(last), len(all))
	}
}
