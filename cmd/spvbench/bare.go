package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"dcrspv/cmd/spvbench/usage"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/wire"
)

// The bare work of a first sync is what nobody can leave out who verifies a chain: each
// header and each filter is received once, each header hashed for its block hash and for
// its proof of work, each filter hashed for its commitment, and all of it is written to a
// file, which is synced once. One goroutine does it, over one connection, in memory for
// two messages. No rule is checked, nothing is indexed, and no script is looked for.

// The rows of the table bare beside that of the product.
const (
	bareWork      = "the bare work"
	bareChecksums = "the bare work, and the checksum of each message"
)

var bareColumns = []column{
	{"wall", "done, s", 2}, {"cpu", "CPU, s", 2}, {"system", "of that in the kernel, s", 2},
	{"ratio", "CPU / bare work", 2}, {"summed", "CPU / bare work and checksums", 2},
}

// measureBare has the bare work and first syncs take turns, so that what else the machine
// does hits all of them.
func measureBare(ctx context.Context, b *bench) error {
	bare := client{command: []string{b.self, "bare"}}
	rows := []*row{
		{Table: "bare", What: bareWork},
		{Table: "bare", What: bareChecksums},
		{Table: "bare", What: product, Aim: "at most 3.5 times the bare work"},
	}
	for i := range b.opts.Repeat {
		for _, r := range rows {
			r.Blocks = b.world.Blocks
			dir, err := b.fresh("bare")
			if err != nil {
				return err
			}
			c, spec := b.product, b.spec(dir)
			if r.What != product {
				c, spec = bare, clientSpec{Dir: dir, Connect: b.hello.Peers, Checksums: r.What == bareChecksums}
			}
			if i == 0 {
				b.profiles(&spec, r)
			}
			s, err := b.sample(ctx, c, spec, nil)
			if err != nil {
				return err
			}
			r.put("wall", s.Wall)
			r.put("cpu", s.CPU)
			r.put("system", s.System)
			b.progress("%s blocks, %s: %.2f s of CPU", thousands(r.Blocks), r.What, s.CPU)
		}
	}
	for _, r := range rows {
		for i, cpu := range r.Values["cpu"] {
			r.put("ratio", cpu/rows[0].Values["cpu"][i])
			r.put("summed", cpu/rows[1].Values["cpu"][i])
		}
		b.results.add(b, r)
	}
	return nil
}

// runBare is the process that does the bare work. It says what a client says.
func runBare(spec clientSpec, out io.Writer) error {
	if spec.CPUProfile != "" {
		stop, err := startCPUProfile(spec.CPUProfile)
		if err != nil {
			return err
		}
		defer stop()
	}
	file, err := os.Create(filepath.Join(spec.Dir, "bare"))
	if err != nil {
		return err
	}
	defer file.Close()
	conn, err := net.Dial("tcp", spec.Connect[0])
	if err != nil {
		return err
	}
	defer conn.Close()
	w := &bare{conn: conn, file: file, rules: chain.NewRules(chaincfg.SimNetParams()), checksums: spec.Checksums}
	if err := w.work(); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if _, err := out.Write([]byte("\n")); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(clientResult{Synced: time.Now(), PeakRSS: usage.PeakRSS()})
}

// bare does the bare work.
type bare struct {
	conn      net.Conn
	file      *os.File
	rules     *chain.Rules
	checksums bool

	headers, filters []byte // payloads of the last messages
}

// work gets the chain, 2,000 blocks at a time, and fails if a filter is not the one that
// the header commits to: what is measured was done.
func (w *bare) work() error {
	if err := w.greet(); err != nil {
		return err
	}
	_, genesis := w.rules.Genesis()
	for last := genesis.Hash; ; {
		hashes, err := w.getHeaders(last)
		if err != nil || len(hashes) == 0 {
			return err
		}
		if err := w.getFilters(hashes); err != nil {
			return err
		}
		last = hashes[len(hashes)-1]
	}
}

// greet shakes hands.
func (w *bare) greet() error {
	err := w.send(wire.NewMsgVersion(&wire.NetAddress{}, &wire.NetAddress{}, 1, 0))
	if err == nil {
		_, err = w.receive(wire.CmdVerAck, nil)
	}
	if err != nil {
		return err
	}
	return w.send(wire.NewMsgVerAck(), wire.NewMsgInitState())
}

// getHeaders gets the headers after a block, writes them, and returns their hashes.
func (w *bare) getHeaders(after chainhash.Hash) (hashes []chainhash.Hash, err error) {
	ask := wire.NewMsgGetHeaders()
	if err := ask.AddBlockLocatorHash(&after); err != nil {
		return nil, err
	}
	if err := w.send(ask); err != nil {
		return nil, err
	}
	if w.headers, err = w.receive(wire.CmdHeaders, w.headers); err != nil {
		return nil, err
	}
	_, entries := count(w.headers)
	for entry := range slices.Chunk(entries, chain.HeaderSize+1) {
		h := (*chain.Header)(entry)
		hashes = append(hashes, h.Hash())
		w.rules.PowHash(h)
	}
	_, err = w.file.Write(w.headers)
	return hashes, err
}

// getFilters gets the filters of the blocks whose headers came last, checks and writes
// them.
func (w *bare) getFilters(hashes []chainhash.Hash) (err error) {
	var asks []wire.Message
	for batch := range slices.Chunk(hashes, wire.MaxCFiltersV2PerBatch) {
		asks = append(asks, wire.NewMsgGetCFsV2(&batch[0], &batch[len(batch)-1]))
	}
	if err := w.send(asks...); err != nil {
		return err
	}
	_, headers := count(w.headers)
	for range asks {
		if w.filters, err = w.receive(wire.CmdCFiltersV2, w.filters); err != nil {
			return err
		}
		n, rest := count(w.filters)
		for range n {
			// The hash of the block, the filter, and an empty proof: an index and a number
			// of hashes.
			size, filter := count(rest[chainhash.HashSize:])
			if commitment := (*chain.Header)(headers).StakeRoot(); blake256.Sum256(filter[:size]) != commitment {
				return fmt.Errorf("a filter is not %x", commitment)
			}
			rest, headers = filter[size+4+1:], headers[chain.HeaderSize+1:]
		}
		if _, err := w.file.Write(w.filters); err != nil {
			return err
		}
	}
	return nil
}

// count reads the number that a list in a message begins with, and returns it and what
// follows. A list that does not fit is none of our own peers'.
func count(list []byte) (n int, rest []byte) {
	const twoBytes = 0xfd // as wire.ReadVarInt has it
	if list[0] < twoBytes {
		return int(list[0]), list[1:]
	}
	return int(binary.LittleEndian.Uint16(list[1:])), list[3:]
}

// send sends messages, all at once.
func (w *bare) send(msgs ...wire.Message) error {
	var buf bytes.Buffer
	for _, msg := range msgs {
		if err := wire.WriteMessage(&buf, msg, wire.BatchedCFiltersV2Version, w.rules.Params().Net); err != nil {
			return err
		}
	}
	_, err := w.conn.Write(buf.Bytes())
	return err
}

// receive returns the payload of the next message of a command, in buf if there is room.
// Others are passed over.
func (w *bare) receive(command string, buf []byte) ([]byte, error) {
	for {
		var head [wire.MessageHeaderSize]byte
		if _, err := io.ReadFull(w.conn, head[:]); err != nil {
			return nil, err
		}
		const lengthAt = 4 + wire.CommandSize
		length := int(binary.LittleEndian.Uint32(head[lengthAt:]))
		buf = slices.Grow(buf[:0], length)[:length]
		if _, err := io.ReadFull(w.conn, buf); err != nil {
			return nil, err
		}
		if w.checksums {
			if sum := blake256.Sum256(buf); !bytes.Equal(sum[:4], head[lengthAt+4:]) {
				return nil, fmt.Errorf("checksum of %s", command)
			}
		}
		if string(bytes.TrimRight(head[4:lengthAt], "\x00")) == command {
			return buf, nil
		}
	}
}
