package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"dcrspv/cmd/spvbench/usage"
)

var floodColumns = []column{
	{"rss", "resident, MB", 0}, {"cores", "CPU beside that without them, cores", 3}, {"event", "block to event, s", 2},
	{"longest", "longest connection, s", 1}, {"connections", "connections", 0},
}

const (
	// floodAim and allowedAim are what is asked of a flood that must end and of
	// one that may go on.
	floodAim   = "80 MB, 0.1 cores, 2 s, 2 s"
	allowedAim = "80 MB, 0.1 cores, 2 s"

	// blockEvery is how often a block comes meanwhile.
	blockEvery = 5 * time.Second
)

// measureFlood runs the built program beside one honest peer alone, and then
// beside eight flooders of each kind as well.
func measureFlood(ctx context.Context, b *bench) error {
	dcrspv, err := b.buildDcrspv(ctx)
	if err != nil {
		return err
	}
	b.progress("%s blocks: starting the flooders", thousands(b.world.Blocks))
	var hello ready
	flooders, err := b.serve(ctx, serveSpec{First: peerCount + 1, Flood: true}, &hello)
	if err != nil {
		return err
	}
	defer flooders.stop()
	alone := &row{Table: "flood", What: "one honest peer alone"}
	quiet, err := b.flooded(ctx, dcrspv, alone, b.hello.Peers[:1], flooders)
	if err != nil {
		return err
	}
	for _, kind := range b.opts.floods {
		if _, err := flooders.order(order{Flood: kind.name}); err != nil {
			return err
		}
		r := &row{Table: "flood", What: kind.name + ": " + kind.what, Aim: floodAim}
		if kind.allowed {
			r.Aim = allowedAim
		}
		cpu, err := b.flooded(ctx, dcrspv, r, append(b.hello.Peers[:1:1], hello.Peers...), flooders)
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		told, err := flooders.order(order{Tell: true})
		if err != nil {
			return err
		}
		r.put("cores", (cpu-quiet)/b.opts.FloodTime.Seconds())
		r.put("longest", told.Longest)
		r.put("connections", float64(told.Floods))
		b.progress("flood %s: %s MB, %s cores, an event after %s s, a connection of %s s", kind.name,
			r.cell(floodColumns[0]), r.cell(floodColumns[1]), r.cell(floodColumns[2]), r.cell(floodColumns[3]))
	}
	return nil
}

// flooded runs the program for as long as a flood takes, while blocks are mined that
// pay the wallet, and adds the row. It returns how many seconds of CPU that took.
func (b *bench) flooded(ctx context.Context, dcrspv string, r *row, connect []string, flooders *process) (cpu float64, err error) {
	dir, err := b.fresh("flood")
	if err != nil {
		return 0, err
	}
	args := []string{"--network", "simnet", "--datadir", dir}
	if out, err := exec.CommandContext(ctx, dcrspv, append(args, "watch", b.hello.XPub)...).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("dcrspv watch: %w: %s", err, out)
	}
	for _, addr := range connect {
		args = append(args, "--connect", addr)
	}
	peers, err := b.peerSeconds(flooders)
	if err != nil {
		return 0, err
	}
	machine, started := usage.MachineSeconds(), time.Now()
	p, err := startRun(ctx, dcrspv, append(args, "run"))
	if err != nil {
		return 0, err
	}
	defer p.cmd.Process.Kill()
	if _, err := p.wait("synced "); err != nil {
		return 0, err
	}
	n := max(1, int(b.opts.FloodTime/blockEvery))
	for range n {
		mined, err := b.mine(flooders)
		if err != nil {
			return 0, err
		}
		told, err := p.wait(fmt.Sprintf("in block %d,", mined.Height))
		if err != nil {
			return 0, err
		}
		r.put("event", told.Sub(mined.Mined[0]).Seconds())
		time.Sleep(time.Until(mined.Mined[0].Add(b.opts.FloodTime / time.Duration(n))))
	}
	r.put("rss", float64(usage.StatusBytes(p.cmd.Process.Pid, "VmHWM:"))/1e6)
	if cpu, err = p.stop(); err != nil {
		return 0, err
	}
	after, err := b.peerSeconds(flooders)
	b.others.add(usage.MachineSeconds()-machine-cpu-(after-peers), time.Since(started))
	b.results.add(b, r)
	return cpu, err
}

// peerSeconds is how many seconds of CPU all peers have taken, the flooders as well.
func (b *bench) peerSeconds(flooders *process) (float64, error) {
	honest, err := b.server.order(order{Tell: true})
	if err != nil {
		return 0, err
	}
	flooded, err := flooders.order(order{Tell: true})
	return honest.CPU + flooded.CPU, err
}

// mine has a block mined that pays the wallet, and the flooders have it too.
func (b *bench) mine(flooders *process) (reply, error) {
	mined, err := b.server.order(order{Mine: 1})
	if err != nil {
		return mined, err
	}
	_, err = flooders.order(order{Mine: 1})
	return mined, err
}

// buildDcrspv builds the program that people run.
func (b *bench) buildDcrspv(ctx context.Context) (string, error) {
	b.progress("building dcrspv")
	path := filepath.Join(b.work, "dcrspv")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "dcrspv/cmd/dcrspv").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building dcrspv: %w: %s", err, out)
	}
	return path, nil
}

// running is a dcrspv run.
type running struct {
	cmd     *exec.Cmd
	printed chan printed // closed with its standard error
}

// printed is a line on standard error.
type printed struct {
	text string
	at   time.Time
}

const (
	// maxPrinted is how many lines wait for who reads them: more than there are,
	// or the program would wait too.
	maxPrinted = 1 << 16

	// runPatience is how long a line is waited for.
	runPatience = time.Minute
)

func startRun(ctx context.Context, dcrspv string, args []string) (*running, error) {
	p := &running{exec.CommandContext(ctx, dcrspv, args...), make(chan printed, maxPrinted)}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	go func() {
		defer close(p.printed)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			p.printed <- printed{lines.Text(), time.Now()}
		}
	}()
	return p, p.cmd.Start()
}

// wait returns when the program has printed something.
func (p *running) wait(text string) (time.Time, error) {
	timeout := time.After(runPatience)
	for last := ""; ; {
		select {
		case l, ok := <-p.printed:
			if !ok {
				return l.at, fmt.Errorf("dcrspv run has ended: %s", last)
			}
			if last = l.text; strings.Contains(l.text, text) {
				return l.at, nil
			}
		case <-timeout:
			return time.Time{}, fmt.Errorf("dcrspv run has not printed %q for %v", text, runPatience)
		}
	}
}

// stop ends the program and returns how many seconds of CPU it has taken.
func (p *running) stop() (cpu float64, err error) {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil { // not on Windows
		p.cmd.Process.Kill()
	}
	for range p.printed { // all of it, or Wait would cut it off
	}
	err = p.cmd.Wait()
	return (p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()).Seconds(), err
}
