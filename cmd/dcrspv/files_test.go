package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"dcrspv/spv"
	"dcrspv/wallet"

	"github.com/decred/dcrd/chaincfg/v3"
	"go.etcd.io/bbolt"
)

// offline are the commands that need the files and no network.
var offline = [][]string{
	{"watch", simnetAddress}, {"balance"}, {"history"}, {"utxos"}, {"tickets"}, {"status"}, {"peers"}, {"verify"},
}

// Rule 24.
func TestUnusableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range append(offline, []string{"sync"}, []string{"run"}) {
		for _, dir := range []string{file, filepath.Join(file, "below")} {
			args := append([]string{"--network", "simnet", "--datadir", dir}, args...)
			dcrspv(t, args...).wantFailure(t, statusFailed, "not a directory", "--datadir")
		}
	}
}

func TestFilesInUse(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 1)
		n.dcrspv("status")
		chainFile, walletFile := n.files()

		other, err := spv.New(spv.Config{Params: n.demo.params, DataDir: filepath.Dir(chainFile)})
		if err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"sync"}, {"peers", "ban", "203.0.113.7"}} {
			n.run(args...).wantFailure(t, statusFailed, "chain.db", "in use", "end the other dcrspv")
		}
		if err := other.Close(); err != nil {
			t.Fatal(err)
		}

		w, err := wallet.Open(walletFile, n.demo.params)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		n.run("balance").wantFailure(t, statusFailed, "wallet.db", "in use", "end the other dcrspv")
	})
}

// TestDamagedFiles: every command that needs the file says so in one line, and
// leaves it alone.
// Rules 24 and 25.
func TestDamagedFiles(t *testing.T) {
	n := newTestNetwork(t, 1)
	n.dcrspv("watch", n.demo.xpub)
	n.dcrspv("sync")
	chainFile, walletFile := n.files()
	damages := map[string]func([]byte) []byte{
		"text":     func([]byte) []byte { return []byte(strings.Repeat("this is no database\n", 1000)) },
		"cut off":  func(b []byte) []byte { return b[:20_000] },
		"zeros":    func(b []byte) []byte { return make([]byte, len(b)) },
		"one byte": func([]byte) []byte { return []byte{1} },
	}
	for _, file := range []string{chainFile, walletFile} {
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for name, damage := range damages {
			t.Run(filepath.Base(file)+" "+name, func(t *testing.T) {
				bad := damage(slices.Clone(good))
				replace(t, file, bad)
				for _, command := range []string{"sync", "verify"} {
					r := n.run(command, "--log-level", "off")
					r.wantFailure(t, statusFailed, filepath.Base(file))
				}
				if now, err := os.ReadFile(file); err != nil || string(now) != string(bad) {
					t.Error("the damaged file was changed")
				}
			})
		}
		replace(t, file, good)
	}
	n.wantBalance(n.demo.truth)
}

// TestDamagedWalletPages: damage inside wallet.db, where the library that reads
// it has no sums to tell it by, is one line too. Where it is missed by nobody,
// the balance is the right one.
// Rules 24 and 25.
func TestDamagedWalletPages(t *testing.T) {
	n := newTestNetwork(t, 1)
	n.dcrspv("watch", n.demo.xpub)
	n.dcrspv("sync")
	_, file := n.files()
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	truth := n.dcrspv("balance")
	page := os.Getpagesize()
	zeros, noise := make([]byte, page), []byte(strings.Repeat("noise is what it is.", page))[:page]
	refused := 0
	for at := 0; at < len(good); at += page {
		if bytes.Equal(good[at:at+page], zeros) {
			continue
		}
		for _, damage := range [][]byte{zeros, noise} {
			bad := bytes.Clone(good)
			copy(bad[at:], damage)
			replace(t, file, bad)
			r := n.run("balance")
			if r.status == statusDone && at < 2*page { // the other head is there
				continue
			}
			if r.status == statusDone && r.stdout == truth { // a free page
				continue
			}
			refused++
			r.wantFailure(t, statusFailed, "wallet.db", "damaged", "backup")
			if strings.Count(r.stderr, "\n") != 1 {
				t.Errorf("page %d: %q", at/page, r.stderr)
			}
			if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, bad) {
				t.Error("the damaged file was changed")
			}
		}
	}
	if refused < 10 {
		t.Errorf("%d refused", refused)
	}
	replace(t, file, good)
	n.wantBalance(n.demo.truth)
}

// replace puts a new file in the place of one.
func replace(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFilesOfOthers: a file of another network, or of a newer version.
// Rule 24.
func TestFilesOfOthers(t *testing.T) {
	n := newTestNetwork(t, 1)
	n.dcrspv("status")
	chainFile, walletFile := n.files()
	regnet := filepath.Join(n.dir, "regnet")
	if err := os.Rename(filepath.Dir(chainFile), regnet); err != nil {
		t.Fatal(err)
	}
	for file, command := range map[string]string{"chain.db": "peers", "wallet.db": "balance"} {
		r := n.run(command, "--network", "regnet")
		r.wantFailure(t, statusFailed, file, "--network")
	}
	if err := os.Rename(regnet, filepath.Dir(chainFile)); err != nil {
		t.Fatal(err)
	}

	for file, command := range map[string]string{chainFile: "peers", walletFile: "balance"} {
		raiseVersion(t, file)
		r := n.run(command)
		r.wantFailure(t, statusFailed, filepath.Base(file), "newer version", "update dcrspv")
	}
}

// raiseVersion makes a file one of a version to come: whatever the buckets are,
// the key that is called version counts up. In wallet.db a checksum follows.
func raiseVersion(t *testing.T, file string) {
	t.Helper()
	db, err := bbolt.Open(file, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	raised := 0
	err = db.Update(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(bucket []byte, b *bbolt.Bucket) error {
			value := slices.Clone(b.Get([]byte("version")))
			if len(value) == 0 {
				return nil
			}
			raised++
			value[0]++
			if len(value) == 8 {
				sum := crc32.Checksum(slices.Concat(bucket, []byte("version"), value[:4]), crc32.MakeTable(crc32.Castagnoli))
				binary.BigEndian.PutUint32(value[4:], sum)
			}
			return b.Put([]byte("version"), value)
		})
	})
	if err != nil || raised != 1 {
		t.Fatalf("version raised %d times: %v", raised, err)
	}
}

// TestExplain: what the operating system says becomes what to do.
// Rule 24.
func TestExplain(t *testing.T) {
	for want, err := range map[string]error{
		"free some disk space": fmt.Errorf("writing: %w", &fs.PathError{Op: "write", Path: "chain.db", Err: syscall.ENOSPC}),
		"nothing is lost":      errors.New("file resize error: " + (&fs.PathError{Op: "truncate", Path: "chain.db", Err: syscall.ENOSPC}).Error()),
		"ulimit -f":            errors.New("file resize error: " + (&fs.PathError{Op: "truncate", Path: "chain.db", Err: syscall.EFBIG}).Error()),
		"ulimit -n":            fmt.Errorf("opening: %w", &fs.PathError{Op: "open", Path: "chain.db", Err: syscall.EMFILE}),
		"other programs":       &fs.PathError{Op: "open", Path: "chain.db", Err: syscall.ENFILE},
		"writable file system": &fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS},
		"check the permission": &fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES},
		"update dcrspv":        fmt.Errorf("x: %w", wallet.ErrNewer),
		"interrupted":          fmt.Errorf("x: %w", context.Canceled),
		"--log-level debug":    errors.New("a\nb\x1b[2J\tgoroutine"),
	} {
		f := userError(err)
		if f.status != statusFailed || !strings.Contains(f.line(), want) || strings.ContainsAny(f.line(), "\n\x1b\t") {
			t.Errorf("%v: %d, %q", err, f.status, f.line())
		}
	}
}

// TestFieldNames pins the names of the JSON: other programs read them.
func TestFieldNames(t *testing.T) {
	height := uint32(1)
	until := int64(1)
	span := spanDoc{&height, &height}
	status := statusDoc{Filters: span, Scanned: span, Trouble: &troubleDoc{}, Warnings: []warningDoc{{}}}
	const statusNames = "filters{from,through},network,peers,phase,received_bytes,requests{blocks,filters,headers}," +
		"scanned{from,through},seconds{filters,headers,scan,total},synced,target,tip{hash,height,time},trouble{cause,remedy,since},warnings[about,remedy,what]"
	const balanceNames = "immature,spendable,staked,total,unconfirmed"
	const historyNames = "block,height,label,net,time,tree,txid"
	const utxoNames = "address,amount,height,index,kind,label,matures,spendable,spent_by,tree,txid"
	for _, c := range []struct {
		doc  any
		want string
	}{
		{status, statusNames},
		{balanceDoc{}, balanceNames},
		{newKindsDoc(wallet.Balance{}), "by_kind{" + kindNames() + "}," + balanceNames},
		{[]unminedDoc{{Inputs: []inputDoc{{}}, Outputs: []outputDoc{{}}}}, "[behind,by,inputs[amount,index,ours,tree,txid],label,net,outputs[address,amount,index,ours,script],own,state,txid]"},
		{[]labelDoc{{}}, "[label,name]"},
		{[]entryDoc{{}}, "[" + historyNames + "]"},
		{[]utxoDoc{{}}, "[" + utxoNames + "]"},
		{[]ticketDoc{{}}, "[end_height,ended_by,expires,height,live,price,revoked,share,state,txid,unverified]"},
		{[]peerDoc{{BannedUntil: &until, History: []peerEventDoc{{Until: &until}}}}, "[addr,advertised_height,ban_score,banned_until,connected,history[data,kind,reason,time,until],latency_ms,persistent,pver,score,sendheaders,services,user_agent,validated_height]"},
		{addressDoc{}, "address"},
		{watchDoc{[]watchedDoc{{Address: "a"}}}, "watched[address,from,label]"},
		{watchDoc{[]watchedDoc{{XPub: "x", Gap: 1, External: 1, Internal: 1}}}, "watched[external,from,gap,internal,label,xpub]"},
		{watchDoc{[]watchedDoc{{XPub: "x", PubKeys: true}}}, "watched[from,label,pubkeys,xpub]"},
		{watchDoc{[]watchedDoc{{Address: "a", Script: "51", OutPoint: "b:0"}}}, "watched[address,from,label,outpoint,script]"},
		{watchDoc{[]watchedDoc{{XPub: "x", Warning: "w"}}}, "watched[from,label,warning,xpub]"},
		{broadcastDoc{Told: []string{"a"}}, "announced,delivered,kept,taken,told[],txid"},
		{dropDoc{Dropped: []string{"a"}}, "dropped[]"},
		{verifyDoc{}, "chain{anchors,blake3,committed,filter_set,filters,hash,headers,height,prices,proven,work},wallet{accounts,blocks,coins,events,records,scripts,transactions,unmined}"},
	} {
		if got := names(t, c.doc); got != c.want {
			t.Errorf("%T: %s\nwant %s", c.doc, got, c.want)
		}
	}
	rescan := names(t, rescanDoc{statusDoc: status, History: []entryDoc{{}}, Utxos: []utxoDoc{{}}})
	for _, part := range append(strings.Split(statusNames, ","), "balance{"+balanceNames+"}", "history["+historyNames+"]", "utxos["+utxoNames+"]") {
		if !strings.Contains(rescan, part) {
			t.Errorf("rescan lacks %s: %s", part, rescan)
		}
	}
	if text := fmt.Sprint(networkName(chaincfg.TestNet3Params())); text != "testnet" {
		t.Error(text)
	}
}

// kindNames are the names in by_kind.
func kindNames() string {
	var kinds []string
	for _, kind := range []string{"coinbase", "regular", "revocation", "stakechange", "ticket", "treasury", "vote"} {
		kinds = append(kinds, kind+"{coins,spendable,total}")
	}
	return strings.Join(kinds, ",")
}

// names are the names in a JSON document, sorted, without the values.
func names(t *testing.T, doc any) string {
	t.Helper()
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(nameTree(v), "{"), "}")
}

func nameTree(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, k+nameTree(v[k]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		if len(v) == 0 {
			return "[]"
		}
		return "[" + strings.TrimSuffix(strings.TrimPrefix(nameTree(v[0]), "{"), "}") + "]"
	}
	return ""
}
