package addrbook

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// saved returns the file of a book with two hundred addresses, some of them
// good.
func saved(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	b := Open(dir, nil)
	b.Add(spread(200), "9.9.9.9:9108")
	for _, addr := range spread(20) {
		b.Good(addr)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// openWith opens a book whose file has this content.
func openWith(t *testing.T, data []byte) (*Book, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), fileName)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return Open(filepath.Dir(path), nil), path
}

func TestBookIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	path := filepath.Join(dir, fileName)
	want := append(spread(200), "[2a00:1450::1]:9108")
	slices.Sort(want)
	b := Open(dir, nil)
	b.Add(spread(200), "9.9.9.9:9108")
	b.Add([]string{"[2a00:1450::1]:9108"}, "seeder.example")
	b.Good(spread(1)[0])
	for range 2 {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := inFile(t, path); !slices.Equal(got, want) {
		t.Errorf("saved: %v", got)
	}
	again := Open(dir, nil)
	if addr, ok := again.Next(nobody, time.Now()); !ok || !slices.Contains(want, addr) {
		t.Errorf("the book says %q, %v", addr, ok)
	}
	again.Good(want[0]) // something to save
	again.Close()
	if got := inFile(t, path); !slices.Equal(got, want) {
		t.Errorf("saved again: %v", got)
	}
	if _, err := os.Stat(path + setAsideExt); err == nil {
		t.Error("a good file was set aside")
	}
}

// Besides Close, the book is saved every ten minutes. Its goroutine ends with
// Close, or the bubble would not.
func TestBookIsSavedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		b := Open(dir, nil)
		b.Add(spread(30), "9.9.9.9:9108")
		time.Sleep(10*time.Minute - 1)
		synctest.Wait()
		if _, err := os.Stat(filepath.Join(dir, fileName)); err == nil {
			t.Error("saved too early")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if _, err := os.Stat(filepath.Join(dir, fileName)); err != nil {
			t.Error(err)
		}
		b.Close()
	})
}

// A file that can't be used is kept beside, and the book works.
// Rule 24.
func TestUnusableFileIsSetAside(t *testing.T) {
	good := saved(t)
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(good, &fields); err != nil {
		t.Fatal(err)
	}
	change := func(field, old, new string) []byte {
		changed := make(map[string]json.RawMessage)
		for k, v := range fields {
			changed[k] = v
		}
		changed[field] = bytes.Replace(fields[field], []byte(old), []byte(new), 1)
		data, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, data := range map[string][]byte{
		"empty":       {},
		"noise":       []byte("\x00\xff noise"),
		"half":        good[:len(good)/2],
		"newer":       change("Version", "1", "2"),
		"bad address": change("Addresses", ".7.7:9108", ".7.x:9108"),
		// These fail when many addresses are counted already.
		"bad new bucket":   change("NewBuckets", ".7.7:9108", ".7.8:9108"),
		"bad tried bucket": change("TriedBuckets", ".7.7:9108", ".7.8:9108"),
	} {
		t.Run(name, func(t *testing.T) {
			if bytes.Equal(data, good) {
				t.Fatal("the file is not changed")
			}
			b, path := openWith(t, data)
			if addr, ok := b.Next(nobody, time.Now()); ok {
				t.Errorf("the book says %s", addr)
			}
			if aside, err := os.ReadFile(path + setAsideExt); err != nil || !bytes.Equal(aside, data) {
				t.Errorf("set aside are %d bytes of %d, %v", len(aside), len(data), err)
			}
			b.Add([]string{"8.8.4.4:9108"}, "9.9.9.9:9108")
			b.Close()
			if got := inFile(t, path); !slices.Equal(got, []string{"8.8.4.4:9108"}) {
				t.Errorf("the new book has %v", got)
			}
		})
	}
}

// A book that was saved by a clock which was far ahead of or behind the one of now is
// used all the same, without waiting, and kept.
// Rule 24.
func TestBookOfAnotherTime(t *testing.T) {
	var file map[string]any
	if err := json.Unmarshal(saved(t), &file); err != nil {
		t.Fatal(err)
	}
	for _, off := range []time.Duration{-10 * 365 * 24 * time.Hour, -31 * 24 * time.Hour, time.Hour, 10 * 365 * 24 * time.Hour} {
		for _, entry := range file["Addresses"].([]any) {
			for _, field := range []string{"TimeStamp", "LastAttempt", "LastSuccess"} {
				entry.(map[string]any)[field] = time.Now().Add(off).Unix()
			}
		}
		data, err := json.Marshal(file)
		if err != nil {
			t.Fatal(err)
		}
		b, path := openWith(t, data)
		found := make(map[string]bool)
		for range 200 {
			addr, ok := b.Next(func(addr string) bool { return found[addr] }, time.Now())
			if found[addr] = true; !ok {
				break
			}
		}
		if len(found) < 100 {
			t.Errorf("off by %v: the book says only %d addresses", off, len(found))
		}
		b.Good(spread(1)[0]) // something to save
		b.Close()
		if n := len(inFile(t, path)); n != 200 {
			t.Errorf("off by %v: %d addresses are left", off, n)
		}
	}
}

// Where nothing can be written the book works all the same.
func TestBookWithoutDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := Open(filepath.Join(file, "below"), nil)
	b.Add(spread(3), "9.9.9.9:9108")
	if addr, ok := b.Next(nobody, time.Now()); !ok {
		t.Errorf("the book says %q, %v", addr, ok)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// No content of the file keeps the book from opening and picking.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"Version":1}`))
	f.Add([]byte(`{"Version":2}`))
	f.Add([]byte(`{"Version":1,"Addresses":[{"Addr":"8.8.4.4:9108","Src":"9.9.9.9:9108"}],"NewBuckets":[["8.8.4.4:9108"]]}`))
	f.Add([]byte(`{"Version":1,"Addresses":[{"Addr":"8.8.4.4:9108","Src":"9.9.9.9:9108"}],"TriedBuckets":[["8.8.4.4:9108"]]}`))
	f.Add([]byte(`{"Version":1,"Addresses":[{"Addr":"8.8.4.4:9108","Src":"9.9.9.9:9108"}],"NewBuckets":[["8.8.4.4:9108"]],"TriedBuckets":[["x"]]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, _ := openWith(t, data)
		b.Next(nobody, time.Now())
		b.Add([]string{"8.8.4.4:9108"}, "9.9.9.9:9108")
		if addr, ok := b.Next(nobody, time.Now()); !ok || strings.TrimSpace(addr) == "" {
			t.Errorf("the book says %q, %v", addr, ok)
		}
		b.Close()
	})
}

// A book without a directory works, and leaves nothing anywhere.
func TestOpenWithoutDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	addr := spread(1)[0]
	b := Open("", nil)
	b.Add([]string{addr}, "seeder.example")
	b.Attempt(addr)
	b.Good(addr)
	if next, ok := b.Next(func(string) bool { return false }, time.Now().Add(time.Hour)); !ok || next != addr {
		t.Errorf("next is %q", next)
	}
	for range 2 {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if _, ok := Open("", nil).Next(func(string) bool { return false }, time.Now()); ok {
		t.Error("another book has it too")
	}
}
