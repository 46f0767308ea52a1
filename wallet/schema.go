package wallet

import (
	"context"
	"hash/crc32"

	"go.etcd.io/bbolt"
)

// FileVersion is the version of the buckets of a wallet file. A file of a higher
// one is refused (ErrNewer), and so is one of a lower one or without a format: both are
// from before there were releases (ErrDevelopment).
const FileVersion = 3

// fileFormat marks a file of this package. Those from before there were releases
// have versions too, but not this.
const fileFormat = "dcrspv wallet"

// The buckets of a wallet file. Numbers are big endian; "4" is four bytes. Behind each
// value comes its seal 4: see bucket. In a file of another version "format", "version"
// and "network" are the same, but those from before version 3 have no seals.
//
//	meta         "format" -> fileFormat, "version" -> 4 (FileVersion), "network" -> 4
//	             (wire.CurrencyNet), "tally" -> see saveTally, "totals" -> see totals.encode,
//	             "keep" -> 8 (events), "logged" -> 8 (bytes of the values in events), "price" -> 8 (of a
//	             ticket in the block after the tip), "unfit" -> 8 (see setUnfit)
//	accounts     id 4 -> see account.encode
//	scripts      payment script -> see script.encode; holds its group
//	points       txid 32, index 4 -> see script.encodeOutpoint; the outpoints that are
//	             watched by themselves, each with its group
//	groups       id 8 -> the ranges (from 4, to 4)* that its scripts are tested on
//	positions    height 4 -> block hash: blocks that the wallet has processed
//	blocks       height 4 -> hash 32, previous hash 32, time 4
//	             (only blocks with transactions of the wallet)
//	txs          txid 32 -> height 4, position 4, tree 1, credit 8, debit 8, transaction
//	order        height 4, tree 1, position 4 -> txid
//	coins        txid 32, index 4 -> see coin.encode
//	unspent      txid 32, index 4 -> nothing; the coins that are not spent
//	maturing     height 4, txid 32, index 4 -> kind 1, amount 8; of the unspent
//	             coins that have to mature, by the height from which on they may
//	             be spent; tickets are not among them
//	unmined      txid 32 -> see pendingTx.encode
//	own          txid 32 -> nothing; the transactions given to AddUnmined, be
//	             they mined or not
//	labels       txid 32 -> text for people
//	disapproved  height 4 -> as in blocks: blocks whose regular transactions
//	             would concern the wallet, but were disapproved
//	events       number 8 -> an Event as JSON
var bucketNames = [...]string{
	"meta", "accounts", "scripts", "groups", "positions", "blocks", "txs",
	"order", "coins", "unspent", "unmined", "disapproved", "events",
	"maturing", "own", "labels", "points",
}

// seeds are the CRCs of their names.
var seeds = func() (sums [len(bucketNames)]uint32) {
	for i, name := range bucketNames {
		sums[i] = crc32.Checksum([]byte(name), castagnoli)
	}
	return sums
}()

// neededToOpen tells the buckets that hold what is watched and what waits, and what the
// balance follows from. The others hold the history: nothing is read of them before
// somebody asks for it.
func neededToOpen(name string) bool {
	switch name {
	case "blocks", "txs", "order", "coins", "unspent", "disapproved", "events", "own", "labels":
		return false
	}
	return true
}

// buckets gives access to the buckets in one transaction.
type buckets struct {
	meta, accounts, scripts, groups, positions, blocks, txs,
	order, coins, unspent, unmined, disapproved, events,
	maturing, own, labels, points *bucket

	all [len(bucketNames)]bucket // in that order

	tip uint32 // the height of the newest block processed, for those who only read

	health
}

func (b *buckets) setTip(height uint32) { b.tip = height }

func (b *buckets) fields() [len(bucketNames)]**bucket {
	return [...]**bucket{
		&b.meta, &b.accounts, &b.scripts, &b.groups, &b.positions, &b.blocks, &b.txs,
		&b.order, &b.coins, &b.unspent, &b.unmined, &b.disapproved, &b.events,
		&b.maturing, &b.own, &b.labels, &b.points,
	}
}

func openBuckets(ctx context.Context, tx *bbolt.Tx) (*buckets, error) {
	b := &buckets{health: health{ended: ctx.Err}}
	for i, field := range b.fields() {
		raw := tx.Bucket([]byte(bucketNames[i]))
		if raw == nil {
			return nil, corrupt("bucket %s is missing", bucketNames[i])
		}
		*field = b.open(i, raw)
	}
	for _, ascending := range []*bucket{b.positions, b.blocks, b.order, b.disapproved, b.events} {
		ascending.raw.FillPercent = 0.9 // new keys come at the end
	}
	return b, b.loadTally()
}

// openMeta opens bucket meta alone.
func openMeta(raw *bbolt.Bucket) *buckets {
	b := new(buckets)
	b.meta = b.open(0, raw)
	return b
}

func createBuckets(tx *bbolt.Tx) (*buckets, error) {
	b := new(buckets)
	for i, field := range b.fields() {
		raw, err := tx.CreateBucket([]byte(bucketNames[i]))
		if err != nil {
			return nil, err
		}
		*field = b.open(i, raw)
	}
	return b, nil
}

var (
	keyVersion = []byte("version")
	keyFormat  = []byte("format")
	keyNetwork = []byte("network")
	keyTally   = []byte("tally")
	keyTotals  = []byte("totals")
	keyKeep    = []byte("keep")
	keyLogged  = []byte("logged")
	keyPrice   = []byte("price")
	keyUnfit   = []byte("unfit")
)

func (b *buckets) open(i int, raw *bbolt.Bucket) *bucket {
	b.all[i] = bucket{health: &b.health, isMeta: i == 0, late: !neededToOpen(bucketNames[i]), raw: raw, name: bucketNames[i], seed: seeds[i]}
	return &b.all[i]
}

// saveTally writes what there is in all buckets, at the end of a transaction: count 8,
// sum 8, last number 8 for each, in the order of bucketNames.
func (b *buckets) saveTally() error {
	v := make([]byte, 0, 24*len(b.all))
	for i := range b.all {
		t := &b.all[i].tally
		v = be.AppendUint64(be.AppendUint64(be.AppendUint64(v, t.count), t.sum), t.last)
	}
	return b.meta.raw.Put(keyTally, b.meta.sealed(keyTally, v))
}

func (b *buckets) loadTally() error {
	d := decoder{b: b.meta.Get(keyTally)}
	for i := range b.all {
		b.all[i].setTally(tally{count: d.u64(), sum: d.u64(), last: d.u64()})
	}
	if b.bad == nil && !d.ok() {
		b.damaged("the number of its records is missing")
	}
	return b.bad
}

// checkRecords reads all records, and tells how many there are.
func (b *buckets) checkRecords() (n int, err error) {
	for i := range b.all {
		of := &b.all[i]
		if err := of.ForEach(func(_, _ []byte) error { return nil }); err != nil {
			return n, err
		}
		if of.raw.Sequence() != 0 { // bbolt's own, which is not used
			return n, corrupt("the head of %s is not as it was written", of.name)
		}
		n += int(of.tally.count)
	}
	return n, nil
}
