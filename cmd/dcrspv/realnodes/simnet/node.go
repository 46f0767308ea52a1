package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	rpcUser = "simnet"
	rpcPass = "simnet"

	// startLimit bounds how long a node may take until it answers calls,
	// stopLimit how long until it has ended by itself.
	startLimit = 60 * time.Second
	stopLimit  = 20 * time.Second
	pollEvery  = 50 * time.Millisecond
)

// node is one dcrd. Its addresses and its folder stay the same when it is
// stopped and started again.
type node struct {
	program string
	dir     string
	p2p     string
	rpc     *rpcClient

	cmd *exec.Cmd
	// life is the write end of dcrd's --piperx pipe. dcrd shuts down when the
	// pipe closes, which the kernel does for a driver that was killed.
	life  *os.File
	ended chan struct{}
	err   error // how it ended; read after ended is closed
}

func newNode(program, dir string, ports *ports) (*node, error) {
	p2p, err := ports.addr()
	if err != nil {
		return nil, err
	}
	rpc, err := ports.addr()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &node{program: program, dir: dir, p2p: p2p, rpc: newRPCClient(rpc, rpcUser, rpcPass)}, nil
}

func (n *node) logPath() string { return filepath.Join(n.dir, "dcrd.log") }

func (n *node) running() bool { return n.cmd != nil }

// start runs the node and returns once it answers calls.
func (n *node) start(ctx context.Context) error {
	if n.running() {
		return errors.New("node is running")
	}
	log, err := os.OpenFile(n.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	cmd := exec.Command(n.program,
		"--simnet", "--appdata="+n.dir, "--nofilelogging", "--noseeders", "--debuglevel=info",
		"--listen="+n.p2p, "--rpclisten="+n.rpc.addr, "--notls",
		"--rpcuser="+rpcUser, "--rpcpass="+rpcPass,
		"--maxsameip=0", "--piperx=3")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{r}
	if err := cmd.Start(); err != nil {
		w.Close()
		return err
	}
	n.cmd, n.life, n.ended = cmd, w, make(chan struct{})
	go func() {
		n.err = cmd.Wait()
		close(n.ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	err = poll(ctx, func() (bool, error) {
		select {
		case <-n.ended:
			return false, fmt.Errorf("dcrd ended: %v", n.err)
		default:
		}
		_, err := n.rpc.tip()
		return err == nil, nil
	})
	if err != nil {
		n.stop()
		return fmt.Errorf("start of %s: %w\n%s", n.dir, err, n.lastLog())
	}
	return nil
}

// lastLog is the end of the node's log.
func (n *node) lastLog() []byte {
	const limit = 2000
	log, err := os.ReadFile(n.logPath())
	if err != nil {
		return []byte(err.Error())
	}
	return log[max(0, len(log)-limit):]
}

// stop ends the node, by force if it does not end by itself.
func (n *node) stop() {
	if !n.running() {
		return
	}
	n.life.Close()
	select {
	case <-n.ended:
	case <-time.After(stopLimit):
		n.cmd.Process.Kill()
		<-n.ended
	}
	n.cmd = nil
}

// connect makes the node dial another one and waits until both handshakes are
// done.
func (n *node) connect(ctx context.Context, to *node) error {
	if err := n.rpc.call(nil, "node", "connect", to.p2p, "temp"); err != nil {
		return err
	}
	return poll(ctx, func() (bool, error) {
		peers, err := n.rpc.peers()
		for _, p := range peers {
			if p.Addr == to.p2p {
				return true, nil
			}
		}
		return false, err
	})
}

// isolate cuts the node off from all other nodes, but from no light client.
func (n *node) isolate(ctx context.Context) error {
	return poll(ctx, func() (bool, error) {
		peers, err := n.rpc.peers()
		if err != nil {
			return false, err
		}
		left := 0
		for _, p := range peers {
			if !strings.Contains(p.SubVer, "/dcrd:") {
				continue
			}
			left++
			err := n.rpc.call(nil, "node", "disconnect", fmt.Sprint(p.ID))
			if err != nil && !errors.Is(err, errRefused) { // refused: gone meanwhile
				return false, err
			}
		}
		return left == 0, nil
	})
}

// poll calls done every pollEvery until it reports true or an error, or ctx
// ends.
func poll(ctx context.Context, done func() (bool, error)) error {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
