package wallet

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/decred/dcrd/chaincfg/v3"
	"go.etcd.io/bbolt"
)

// upgrade brings a file of an older version up to this one, in one transaction.
// Nothing has to be scanned again.
func upgrade(s *store, params *chaincfg.Params) error {
	return s.Update(func(tx *bbolt.Tx) error {
		meta := tx.Bucket([]byte(bucketNames[0]))
		v := be.Uint32(meta.Get(keyVersion))
		switch {
		case v == FileVersion:
			return errUnchanged
		case v == 0 || v > FileVersion:
			return corrupt("it has version %d, which never was", v)
		}
		if err := upgradeFrom(v, tx, params); err != nil {
			return fmt.Errorf("upgrade from version %d: %w", v, err)
		}
		return meta.Put(keyVersion, key32(FileVersion))
	})
}

// newBuckets are those that came with a version; all begin empty.
var newBuckets = [FileVersion + 1][]string{
	2: {"maturing", "own", "labels"},
	3: {"points"},
	4: {"strays", "strayspends", "strangers"},
}

func upgradeFrom(v uint32, tx *bbolt.Tx, params *chaincfg.Params) error {
	for _, names := range newBuckets[v+1:] {
		for _, name := range names {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
	}
	if v == 1 {
		if err := upgrade1(tx, params); err != nil {
			return err
		}
	}
	return upgrade3(tx, params)
}

// upgrade1 makes version 2 of version 1, which had no sums and list of maturing
// coins, did not know whose a pending transaction is, nor of addresses ahead of
// the gap.
func upgrade1(tx *bbolt.Tx, params *chaincfg.Params) error {
	b, err := openBuckets(tx)
	if err != nil {
		return err
	}
	c := &change{buckets: b, w: &Wallet{params: params}}
	for _, step := range []func() error{c.sumCoins1, c.markSeen1, c.ownPending1, c.widenAccounts1} {
		if err := step(); err != nil {
			return err
		}
	}
	c.saveTotals()
	return c.err
}

// sumCoins1 makes the sums and the list of maturing coins.
func (c *change) sumCoins1() error {
	c.recount = true
	return c.eachUnspent(func(key []byte, coin *coin) {
		c.w.totals.count(coin, true)
		if coin.ripens(c.w.params) {
			c.put(c.maturing, coin.maturingKey(key, c.w.params), coin.maturingValue())
		}
	})
}

// markSeen1 notes which scripts that are watched by themselves have coins.
func (c *change) markSeen1() error {
	seen := make(map[string][]byte)
	err := c.coins.ForEach(func(k, v []byte) error {
		coin, ok := decodeCoin(v)
		if !ok {
			return corrupt("coin %.40x", k)
		}
		if seen[string(coin.script)] != nil {
			return nil
		}
		record := bytes.Clone(c.scripts.Get(coin.script))
		if len(record) > scriptFlags && be.Uint32(record[12:]) == 0 { // of no account
			record[scriptFlags] |= scriptSeen
			seen[string(coin.script)] = record
		}
		return nil
	})
	for raw, record := range seen {
		c.put(c.scripts, []byte(raw), record)
	}
	return err
}

// ownPending1 takes all pending transactions for the owner's: version 1 had next
// to no others, and announced them all.
//
// They were: number 8, death 1, its height 4 and tree 1, transaction.
func (c *change) ownPending1() error {
	tip := c.tipHeight()
	records := make(map[string][]byte)
	err := c.unmined.ForEach(func(k, v []byte) error {
		d := decoder{b: v}
		p := pendingTx{seq: d.u64(), origin: fromOwner, arrived: tip, since: tip}
		p.dead, p.deadHeight, p.deadTree = death(d.u8()), d.u32(), int8(d.u8())
		p.raw = d.rest()
		if !d.ok() || p.dead > expired {
			return corrupt("unmined transaction %.40x", k)
		}
		records[string(k)] = p.encode()
		return nil
	})
	for k, v := range records {
		c.put(c.unmined, []byte(k), v)
		c.put(c.own, []byte(k), ownMark)
	}
	return err
}

// widenAccounts1 adds what an account did not have: addresses ahead of the gap,
// of which there are none yet, and the number of those given out. They were:
// birthday 4, gap 4, used 4 and derived 4 for each branch, length of the key 4,
// key, label.
func (c *change) widenAccounts1() error {
	records := make(map[string][]byte)
	err := c.accounts.ForEach(func(k, v []byte) error {
		d := decoder{b: v}
		a := account{from: d.u32(), gap: d.u32()}
		for i := range branches {
			a.used[i], a.derived[i] = d.u32(), d.u32()
			a.known[i] = a.derived[i]
		}
		n := d.u32()
		if d.bad || int64(n) > int64(len(d.b)) {
			return corrupt("account %.40x", k)
		}
		a.key = string(d.bytes(int(n)))
		a.label = string(d.rest())
		records[string(k)] = a.encode()
		return nil
	})
	for k, v := range records {
		c.put(c.accounts, []byte(k), v)
	}
	return err
}

// upgrade3 has the log tell the effects of the transactions that wait. Version 3
// told of each when it came what it would do if it were alone, and no more.
func upgrade3(tx *bbolt.Tx, params *chaincfg.Params) error {
	b, err := openBuckets(tx)
	if err != nil {
		return err
	}
	c := &change{buckets: b, w: &Wallet{params: params, keepEvents: keepEvents}, weighed: true}
	if err := c.w.loadKeep(b); err != nil {
		return err
	}
	if len(c.pending().byID) > 0 {
		if c.w.told, err = c.readTold3(); err != nil {
			return err
		}
		c.tellUnmined()
	}
	return c.err
}

// readTold3 is what a log says of the transactions that wait, among others: their
// last event is an EventUnmined.
func (b *buckets) readTold3() (map[hash]string, error) {
	told := make(map[hash]string)
	err := b.events.ForEach(func(k, v []byte) error {
		var ev Event
		if json.Unmarshal(v, &ev) != nil {
			return corrupt("event %.40x", k)
		}
		if ev.Kind == EventUnmined {
			told[ev.Tx] = (&Unmined{Net: ev.Net, Own: ev.Own, Credits: ev.Credits, Debits: ev.Debits}).digest()
		}
		return nil
	})
	return told, err
}
