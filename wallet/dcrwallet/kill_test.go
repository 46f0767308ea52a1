package dcrwallet

import (
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"dcrspv/wallet/dcrwallet/internal/simnet"
)

var (
	kills    = flag.Int("kills", 10, "how often TestKill kills the program")
	killSeed = flag.Uint64("kill-seed", 0, "of TestKill; 0 is a random one")
)

// killDir and killPeers are the variables in the environment that make TestVictim run.
const killDir, killPeers = "DCRWALLET_KILL_DIR", "DCRWALLET_KILL_PEERS"

// TestVictim is no test but the program that TestKill kills.
func TestVictim(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		t.Skip("run by TestKill")
	}
	c := &client{dir: dir, peers: strings.Fields(os.Getenv(killPeers)), names: []string{"wallet.db"}}
	c.start(t)
	select {} // until killed
}

// A program that is killed at any moment, again and again, while blocks come and go, loses
// nothing. Rule 17.
func TestKill(t *testing.T) {
	t.Parallel()
	rng := random(t, *killSeed)
	n := simnet.Start(t, 2, 150)
	c := newClient(t, n, "wallet.db")
	for range *kills {
		victim := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestVictim$")
		victim.Env = append(os.Environ(), killDir+"="+c.dir, killPeers+"="+strings.Join(c.peers, " "))
		if err := victim.Start(); err != nil {
			t.Fatal(err)
		}
		killed := make(chan error, 1)
		time.AfterFunc(time.Duration(rng.IntN(1500))*time.Millisecond, func() { killed <- victim.Process.Kill() })
		for range 1 + rng.IntN(3) {
			n.Pay(t, n.External[rng.IntN(20)], 1+rng.Int64N(5*simnet.Coin))
			n.Mine(t, 1+rng.IntN(2))
		}
		if rng.IntN(3) == 0 {
			n.Do(t, "reorg", simnet.Args{"depth": 1 + rng.IntN(4)}, nil)
		}
		if err := <-killed; err != nil {
			t.Fatal(err) // it has ended by itself
		}
		_ = victim.Wait() // killed
	}
	n.Mine(t, 1)
	c.start(t)
	c.reaches(t, n, 0)
}
