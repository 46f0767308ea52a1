package addrbook

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// nobody is a skip function that lets all through.
func nobody(string) bool { return false }

// open returns an empty book that is closed with the test, and where it is
// saved.
func open(t *testing.T) (*Book, string) {
	dir := t.TempDir()
	b := Open(dir, nil)
	t.Cleanup(func() { b.Close() })
	return b, filepath.Join(dir, fileName)
}

// inFile returns all addresses in a book's file.
func inFile(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Addresses []struct{ Addr string } }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var addrs []string
	for _, a := range file.Addresses {
		addrs = append(addrs, a.Addr)
	}
	slices.Sort(addrs)
	return addrs
}

func TestAddKeepsWhatCanBeDialed(t *testing.T) {
	b, path := open(t)
	if addr, ok := b.Next(nobody, time.Now()); ok {
		t.Errorf("an empty book says %s", addr)
	}
	b.Add([]string{
		"8.8.4.4:9108", "[2a00:1450::1]:9108", "[::ffff:9.9.9.9]:9108", "8.8.4.4:9109",
		// What there is no use or no place for.
		"8.8.8.8", "8.8.8.8:0", "8.8.8.8:65536", "8.8.8.8:http", "", ":9108", "node.example:9108",
		"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:9108",
		"127.0.0.1:9108", "10.0.0.1:9108", "192.168.1.1:9108", "100.64.0.1:9108", "0.0.0.0:9108",
		"198.51.100.1:9108", "[::1]:9108", "[fe80::1%eth0]:9108", "[fd00::1]:9108", "255.255.255.255:9108",
	}, "9.9.9.9:9108")
	want := []string{"8.8.4.4:9108", "8.8.4.4:9109", "9.9.9.9:9108", "[2a00:1450::1]:9108"}
	b.Close()
	if got := inFile(t, path); !slices.Equal(got, want) {
		t.Errorf("the book has %v, want %v", got, want)
	}
}

// Whoever tells of it, an address has its place.
func TestSources(t *testing.T) {
	for i, source := range []string{
		"9.9.9.9:9108", "9.9.9.9", "[2a00:1450::1]:9108", "2a00:1450::1", "127.0.0.1:19108", "fe80::1%eth0",
		"mainnet-seed-1.decred.org", "abc.onion:9108", "", "0.0.0.0", "[::]:0",
	} {
		b, _ := open(t)
		addr := fmt.Sprintf("8.8.%d.1:9108", i)
		b.Add([]string{addr}, source)
		if got, ok := b.Next(nobody, time.Now()); got != addr || !ok {
			t.Errorf("source %q: %q, %v", source, got, ok)
		}
	}
}

func TestAddTakesAThousand(t *testing.T) {
	b, _ := open(t)
	addrs := append(slices.Repeat([]string{"no address"}, 1000), "8.8.4.4:9108")
	b.Add(addrs, "9.9.9.9:9108")
	if addr, ok := b.Next(nobody, time.Now()); ok {
		t.Errorf("number 1001 of one Add is in the book: %s", addr)
	}
	b.Add(addrs[1:], "9.9.9.9:9108")
	if _, ok := b.Next(nobody, time.Now()); !ok {
		t.Error("number 1000 of one Add is not in the book")
	}
}

func TestNextSkips(t *testing.T) {
	b, _ := open(t)
	b.Add(spread(200), "9.9.9.9:9108")
	odd := func(addr string) bool { return slices.Index(spread(200), addr)%2 == 1 }
	for range 50 {
		if addr, ok := b.Next(odd, time.Now()); !ok || odd(addr) {
			t.Fatalf("the book says %q, %v", addr, ok)
		}
	}
}

// drawsOf returns how often Next asks a skip function that wants nothing.
func drawsOf(b *Book) int {
	n := 0
	b.Next(func(string) bool { n++; return true }, time.Now())
	return n
}

// After it has found nothing, the book is not searched again at every
// occasion.
func TestNextPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := Open(t.TempDir(), nil)
		defer b.Close()
		b.Add(spread(200), "9.9.9.9:9108")
		for _, want := range []int{100, 0, 0} {
			if n := drawsOf(b); n != want {
				t.Errorf("%d draws, want %d", n, want)
			}
		}
		time.Sleep(5*time.Second - 1)
		if n := drawsOf(b); n != 0 {
			t.Errorf("%d draws before the pause is over", n)
		}
		time.Sleep(time.Nanosecond)
		if n := drawsOf(b); n != 100 {
			t.Errorf("%d draws after the pause", n)
		}
		b.Add(spread(1), "9.9.9.9:9108")
		if n := drawsOf(b); n != 100 {
			t.Errorf("%d draws after new addresses", n)
		}
	})
}

// An address that was just attempted is left out in the first 30 draws, and
// taken when there is nothing else.
func TestNextLeavesRecentAttemptsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := Open(t.TempDir(), nil)
		defer b.Close()
		b.Add(spread(200), "9.9.9.9:9108")
		for _, addr := range spread(200) {
			b.Attempt(addr)
		}
		b.Attempt("no address")
		b.Attempt("8.8.4.4:1") // not in the book
		if n := drawsOf(b); n != 70 {
			t.Errorf("%d draws right after the attempts", n)
		}
		time.Sleep(10*time.Minute - 1)
		if n := drawsOf(b); n != 70 {
			t.Errorf("%d draws after 10 minutes less a moment", n)
		}
		time.Sleep(5 * time.Second)
		if n := drawsOf(b); n != 100 {
			t.Errorf("%d draws after 10 minutes", n)
		}
	})
}

// Addresses that were good come up far more often than hearsay.
// Rule 22.
func TestGoodIsPreferred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := Open(t.TempDir(), nil)
		defer b.Close()
		b.Add(spread(500), "9.9.9.9:9108")
		for _, addr := range spread(5) {
			b.Attempt(addr)
			b.Good(addr)
		}
		b.Good("no address")
		b.Good("8.8.4.4:1")
		time.Sleep(time.Hour)
		good := 0
		for range 2000 {
			if addr, _ := b.Next(nobody, time.Now()); slices.Contains(spread(5), addr) {
				good++
			}
		}
		if good < 800 {
			t.Errorf("%d of 2000 picks were good ones", good)
		}
	})
}

func TestNeeds(t *testing.T) {
	b, _ := open(t)
	if !b.Needs() {
		t.Error("an empty book needs nothing")
	}
	for i := range 60 {
		b.Add(spread(3000)[i*50:(i+1)*50], fmt.Sprintf("9.%d.9.9:9108", i))
	}
	if b.Needs() {
		t.Error("3000 addresses are not enough")
	}
}

// spread returns n addresses of n networks.
func spread(n int) []string {
	addrs := make([]string, n)
	for i := range addrs {
		addrs[i] = fmt.Sprintf("%d.%d.7.7:9108", 11+i/250, i%250)
	}
	return addrs
}

// share returns how many of 1000 picks pass is.
func share(b *Book, is func(ip netip.Addr) bool) int {
	n := 0
	for range 1000 {
		addr, ok := b.Next(nobody, time.Now())
		if ok && is(netip.MustParseAddrPort(addr).Addr()) {
			n++
		}
	}
	return n
}

// One peer that tells of ten thousand addresses of one network, or of all
// networks there are, does not take over the book.
// Rules 20 and 22.
func TestFloodOfOneSourceIsBounded(t *testing.T) {
	honest := func() (*Book, string) {
		b, path := open(t)
		for i := range 8 { // eight peers, 25 addresses each
			b.Add(spread(200)[i*25:(i+1)*25], fmt.Sprintf("%d.1.1.1:9108", 100+i))
		}
		return b, path
	}
	const hostile = "66.66.66.66:9108"

	one, path := honest()
	for i := range 10 {
		var addrs []string
		for k := range 1000 {
			addrs = append(addrs, fmt.Sprintf("66.66.%d.%d:9108", i*25+k/40, 1+k%40))
		}
		one.Add(addrs, hostile)
	}
	network := netip.MustParsePrefix("66.66.0.0/16")
	// One bucket of about 180: half a percent of the picks.
	if n := share(one, network.Contains); n > 30 {
		t.Errorf("one network has %d of 1000 picks", n)
	}
	one.Close()
	if known := len(inFile(t, path)); known > 200+65 {
		t.Errorf("the book has %d addresses", known)
	}

	all, _ := honest()
	for i := range 10 {
		var addrs []string
		for k := range 1000 {
			addrs = append(addrs, fmt.Sprintf("%d.%d.66.66:9108", 130+i*4+k/250, k%250))
		}
		all.Add(addrs, hostile)
	}
	// 64 buckets of about 240.
	n := share(all, func(ip netip.Addr) bool { return ip.As4()[2] == 66 })
	if n > 400 {
		t.Errorf("one peer has %d of 1000 picks", n)
	}
}

// BenchmarkNextFindsNothing is the most that a pick costs: a small book of
// which nothing is wanted.
func BenchmarkNextFindsNothing(b *testing.B) {
	book := Open(b.TempDir(), nil)
	defer book.Close()
	book.Add(spread(8), "9.9.9.9:9108")
	for now := time.Now(); b.Loop(); now = now.Add(Pause) {
		book.Next(func(string) bool { return true }, now)
	}
}
