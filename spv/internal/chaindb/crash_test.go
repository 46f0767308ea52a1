package chaindb

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"dcrspv/spv/chain"
)

// copy returns a model that later steps of m do not change.
func (m *model) copy() *model {
	return &model{chain: m.chain.fork(m.chain.tip()), held: maps.Clone(m.held), blob: m.blob}
}

// TestPowerLoss makes the files that a loss of power can leave during a write, in
// which the disk has written some pages and not others, in any order: bbolt writes
// all pages, syncs, writes the root and syncs. Before the sync any subset of the
// pages may be there, but no root; after it, all pages and a part of the root.
// Rule 17.
func TestPowerLoss(t *testing.T) {
	rules := simnetRules()
	rng := rand.New(rand.NewPCG(7, 7))
	path, crashed := testPath(t), testPath(t)
	db := openTest(t, path, rules)
	m := newModel(rules)
	for i := range 20 {
		old, before := m.copy(), readFile(t, path)
		what, err := m.step(rules, rng, db)
		if err != nil {
			t.Fatal(err)
		}
		after := readFile(t, path)
		for image := range 6 {
			want := []*model{old}
			var file []byte
			switch image {
			case 0, 1, 2:
				file = mixPages(rng, before, after)
			case 3: // all of the pages, and the old roots
				file = append(append([]byte{}, before[:2*os.Getpagesize()]...), after[2*os.Getpagesize():]...)
			case 4: // and a part of the new root
				file = tornRoot(rng, before, after)
				want = append(want, m)
			default:
				file, want = after, []*model{m}
			}
			if err := os.WriteFile(crashed, file, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := opensAs(crashed, rules, want...); err != nil {
				t.Fatalf("step %d, %s, image %d: %v", i, what, image, err)
			}
		}
	}
}

// mixPages returns before with a random subset of the pages of after, but not the
// roots. The file may have been grown or not.
func mixPages(rng *rand.Rand, before, after []byte) []byte {
	pageSize := os.Getpagesize()
	file := append([]byte{}, before...)
	if rng.IntN(2) == 0 {
		file = append(file, make([]byte, len(after)-len(before))...)
	}
	for at := 2 * pageSize; at < len(file); at += pageSize {
		if rng.IntN(2) == 0 {
			copy(file[at:at+pageSize], after[at:])
		}
	}
	return file
}

// tornRoot returns after with a part of the new root written over the old one.
func tornRoot(rng *rand.Rand, before, after []byte) []byte {
	pageSize := os.Getpagesize()
	file := append([]byte{}, after...)
	for at := 0; at < 2*pageSize; at += pageSize {
		written := rng.IntN(100) // the root record is shorter
		copy(file[at+written:at+pageSize], before[at+written:])
	}
	return file
}

// opensAs checks that the file opens and holds what one of the models does.
func opensAs(path string, rules *chain.Rules, models ...*model) error {
	db, err := Open(path, rules)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, m := range models {
		if err = m.differs(db); err == nil {
			return nil
		}
	}
	return err
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// childEnv names the file for the child process of TestKilled.
const childEnv = "CHAINDB_TEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		fmt.Fprintln(os.Stderr, writeForever(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// killedSeed is the seed of the steps that the child does.
func killedSeed() *rand.Rand { return rand.New(rand.NewPCG(8, 8)) }

// writeForever does the steps of the model, and prints the number of each once it
// is done.
func writeForever(path string) error {
	rules := simnetRules()
	db, err := Open(path, rules)
	if err != nil {
		return err
	}
	rng, m := killedSeed(), newModel(rules)
	for i := 0; ; i++ {
		fmt.Println(i)
		if _, err := m.step(rules, rng, db); err != nil {
			return err
		}
	}
}

// TestKilled kills a process that writes, at random moments, and looks at what it
// leaves: the state after the last write that was reported, or the one after.
// Rule 17.
func TestKilled(t *testing.T) {
	rules := simnetRules()
	rng := rand.New(rand.NewPCG(9, 9))
	for round := range 12 {
		path := testPath(t)
		done := killAfter(t, path, rng.IntN(40), rng.IntN(3000))
		steps, m := killedSeed(), newModel(rules)
		for range done {
			if _, err := m.step(rules, steps, nil); err != nil {
				t.Fatal(err)
			}
		}
		next := m.copy()
		if _, err := next.step(rules, steps, nil); err != nil {
			t.Fatal(err)
		}
		if err := opensAs(path, rules, m, next); err != nil {
			t.Fatalf("round %d, killed after step %d: %v", round, done, err)
		}
	}
}

// killAfter runs a child until it has done the given number of steps, wastes a
// moment, and kills it. It returns the number of steps the child has reported.
func killAfter(t *testing.T, path string, steps, moment int) (done int) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done = -1
	killed := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if done, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
		if done >= steps && !killed {
			noise(moment) // work that takes from none to some tens of microseconds
			killed = true
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // "killed"
	if done < 0 || stderr.Len() > 0 {
		t.Fatalf("the child failed after %d steps: %s", done, &stderr)
	}
	return done
}
