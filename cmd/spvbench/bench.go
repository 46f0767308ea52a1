package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"dcrspv/cmd/spvbench/usage"
)

// peerCount is how many peers serve.
const peerCount = 8

// bench is one run of the program.
type bench struct {
	opts    *options
	command string // what to type to measure the same
	stderr  io.Writer
	self    string // this program
	product client
	rival   client // no command if it is not measured
	hybrid  client // likewise: the rival's wallet on the product
	work    string // directory of this run
	results *results
	others  others

	// Of the chain size at hand.
	world  world
	server *process
	hello  ready
	store  string // directory with a complete chain and a wallet; see storeDir
}

// newBench prepares a run. The caller closes it.
func newBench(opts *options, stderr io.Writer) (*bench, error) {
	b := &bench{opts: opts, stderr: stderr, command: opts.command()}
	var err error
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	b.product.command = []string{b.self, "client"}
	if b.results, err = openResults(opts.Out); err != nil {
		return nil, err
	}
	b.work, err = os.MkdirTemp(opts.Work, "spvbench-*")
	return b, err
}

// close ends the serving process and removes what clients have left.
func (b *bench) close() {
	b.stopServer()
	os.RemoveAll(b.work)
}

// benchmark measures all tables at all sizes and writes what was asked for.
func benchmark(ctx context.Context, opts *options, stderr io.Writer) error {
	b, err := newBench(opts, stderr)
	if err != nil {
		return err
	}
	defer b.close()
	b.warnOfLoad()
	if opts.Dcrwallet {
		if err := b.buildRivals(ctx); err != nil {
			return err
		}
	}
	for _, blocks := range opts.sizes {
		if err = b.atSize(ctx, blocks); err != nil {
			err = fmt.Errorf("%s blocks: %w", thousands(blocks), err)
			break
		}
	}
	// What was measured before something failed is not lost.
	return errors.Join(err, b.results.write(opts, stderr))
}

// atSize measures all tables on a chain of a number of blocks.
func (b *bench) atSize(ctx context.Context, blocks int) error {
	b.world, b.store = worldOf(blocks), ""
	defer b.stopServer()
	for _, t := range b.opts.tables {
		if t.measure == nil || t.once && blocks != b.opts.sizes[len(b.opts.sizes)-1] {
			continue
		}
		if t.serves && b.server == nil {
			if err := b.startServer(ctx); err != nil {
				return err
			}
		}
		if t.serves {
			if _, err := b.server.order(order{Manners: []manner{}}); err != nil {
				return err
			}
		}
		if err := t.measure(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

// progress tells the user what is going on.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(b.stderr, format+"\n", args...)
}

// warnOfLoad tells when others use the machine.
func (b *bench) warnOfLoad() {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return
	}
	var load float64
	if _, err := fmt.Sscan(string(data), &load); err == nil && load > 0.5 {
		b.progress("The machine is busy (load %.1f): times will be too long, CPU seconds a little.", load)
	}
}

// process is a child that is spoken to in lines of JSON.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// start starts a client, or another process of the same manners: what it is to
// do is its last argument.
func (c client) start(ctx context.Context, stderr io.Writer, spec any) (*process, error) {
	arg, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, c.command[0], append(slices.Clone(c.command[1:]), string(arg))...)
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &process{cmd, in, bufio.NewReader(out)}, cmd.Start()
}

// startServer makes the chain, if need be, and serves it.
func (b *bench) startServer(ctx context.Context) (err error) {
	b.progress("%s blocks: making or loading the chain", thousands(b.world.Blocks))
	b.server, err = b.serve(ctx, serveSpec{First: 1}, &b.hello)
	return err
}

// serve starts a process whose peers serve the chain at hand.
func (b *bench) serve(ctx context.Context, spec serveSpec, hello *ready) (*process, error) {
	spec.World, spec.Cache, spec.Peers = b.world, b.opts.Cache, peerCount
	server := client{command: []string{b.self, "serve"}}
	p, err := server.start(ctx, b.stderr, spec)
	if err != nil {
		return nil, err
	}
	return p, p.read(hello)
}

func (p *process) read(v any) error {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return errors.Join(errors.New("the serving process ended"), p.cmd.Wait())
	}
	return json.Unmarshal(line, v)
}

// order has a serving process do something.
func (p *process) order(o order) (r reply, err error) {
	if err := json.NewEncoder(p.in).Encode(o); err != nil {
		return r, err
	}
	return r, p.read(&r)
}

// stop ends a serving process.
func (p *process) stop() {
	p.in.Close()
	p.cmd.Wait()
}

// stopServer ends the serving process.
func (b *bench) stopServer() {
	if b.server != nil {
		b.server.stop()
		b.server = nil
	}
}

// fresh makes an empty directory.
func (b *bench) fresh(name string) (string, error) {
	dir := filepath.Join(b.work, name)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.Mkdir(dir, 0o755)
}

// storeDir is a directory in which the client has synced the chain at hand; it
// is made when it is first needed.
func (b *bench) storeDir(ctx context.Context) (string, error) {
	if b.store != "" {
		return b.store, nil
	}
	b.progress("%s blocks: syncing the store for what follows", thousands(b.world.Blocks))
	dir, err := b.fresh("store")
	if err != nil {
		return "", err
	}
	_, err = b.sample(ctx, b.product, b.spec(dir), nil)
	b.store = dir
	return dir, err
}

// spec tells a client to watch the account with its files in a directory.
func (b *bench) spec(dir string) clientSpec {
	return clientSpec{
		Dir:     dir,
		Wallet:  filepath.Join(dir, "wallet.db"),
		Connect: b.hello.Peers,
		XPub:    b.hello.XPub,
	}
}

// sample is one measurement of a client.
type sample struct {
	clientResult
	Wall   float64 // seconds from the start of the process to synced
	CPU    float64 // seconds, of the whole process
	System float64 // of that in the kernel
	Sent   float64 // bytes that the peers sent
	Peer   float64 // CPU seconds of the serving process
}

// client is how to start a client: its words, and what its environment has
// besides.
type client struct {
	command []string
	env     []string
}

// sample runs a client once, with something to do once it is synced, and checks
// what it found.
func (b *bench) sample(ctx context.Context, c client, spec clientSpec, synced func() error) (*sample, error) {
	before, err := b.server.order(order{Tell: true})
	if err != nil {
		return nil, err
	}
	machine := usage.MachineSeconds()
	started := time.Now()
	p, err := c.start(ctx, b.stderr, spec)
	if err != nil {
		return nil, err
	}
	s := new(sample)
	err = s.take(p, synced)
	if err := errors.Join(err, p.cmd.Wait()); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(c.command[0]), err)
	}
	after, err := b.server.order(order{Tell: true})
	if err != nil {
		return nil, err
	}
	s.Wall = s.Synced.Sub(started).Seconds()
	s.System = p.cmd.ProcessState.SystemTime().Seconds()
	s.CPU = p.cmd.ProcessState.UserTime().Seconds() + s.System
	s.Peer, s.Sent = after.CPU-before.CPU, float64(after.Sent-before.Sent)
	b.others.add(usage.MachineSeconds()-machine-s.CPU-s.Peer, time.Since(started))
	if spec.XPub != "" && s.Holdings != after.Truth {
		return nil, fmt.Errorf("%s found %+v, the truth is %+v", filepath.Base(c.command[0]), s.Holdings, after.Truth)
	}
	return s, nil
}

// others is what other processes took of the machine while something was
// measured.
type others struct {
	cpu, wall float64 // seconds
	told      bool    // in a row: what comes now is for the next
}

func (o *others) add(cpu float64, wall time.Duration) {
	if o.told {
		*o = others{}
	}
	o.cpu, o.wall = o.cpu+max(cpu, 0), o.wall+wall.Seconds()
}

// cores is how many of them others kept busy.
func (o *others) cores() float64 {
	o.told = true
	return o.cpu / max(o.wall, 0.01)
}

// take reads what a client says.
func (s *sample) take(p *process, synced func() error) error {
	if _, err := p.out.ReadBytes('\n'); err != nil {
		return errors.New("it ended before it was synced")
	}
	if synced != nil {
		if err := synced(); err != nil {
			return err
		}
	}
	return json.NewDecoder(p.out).Decode(&s.clientResult)
}
