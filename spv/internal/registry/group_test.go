package registry

import "testing"

func TestGroup(t *testing.T) {
	for addr, want := range map[string]string{
		"203.0.113.9:9108":            "203.0.0.0/16",
		"203.0.200.1:1":               "203.0.0.0/16",
		"203.1.113.9:9108":            "203.1.0.0/16",
		"[::ffff:203.0.113.9]:9108":   "203.0.0.0/16",
		"203.0.113.9":                 "203.0.0.0/16",
		"[2001:db8:1:2::3]:9108":      "2001:db8::/32",
		"[2001:db9::]:1":              "2001:db9::/32",
		"127.0.0.1:9108":              "",
		"[::1]:9108":                  "",
		"10.1.2.3:9108":               "",
		"192.168.1.1:9108":            "",
		"172.16.0.1:9108":             "",
		"172.32.0.1:9108":             "172.32.0.0/16",
		"[fd00::1]:9108":              "",
		"169.254.1.1:9108":            "",
		"node.example.org:9108":       "",
		"abcdefghij234567.onion:9108": "",
		"":                            "",
		"nowhere at all":              "",
	} {
		if got := Group(addr); got != want {
			t.Errorf("%q is in %q, want %q", addr, got, want)
		}
	}
}

// An attacker who owns a network gets one connection, not all of them.
// Rule 22.
func TestOneConnectionOfEachGroup(t *testing.T) {
	r := fixture(t, Options{}, "203.0.1.1:1", "203.0.2.1:1", "203.0.3.1:1", "203.1.1.1:1",
		"127.0.0.1:1", "127.0.0.2:1", "a.example:1", "b.example:1")
	dialed := make(map[string]int)
	for range 8 {
		addr, ok := r.NextDial(t0)
		if !ok {
			break
		}
		if err := r.Dialing(addr, t0); err != nil {
			t.Fatal(err)
		}
		dialed[Group(addr)]++
	}
	if dialed["203.0.0.0/16"] != 1 || dialed["203.1.0.0/16"] != 1 || dialed[""] != 4 {
		t.Errorf("dialed %v", dialed)
	}
	if when, ok := r.NextDialTime(t0); ok {
		t.Errorf("only an event can free the group, but the next dial is at %v", when)
	}

	// Persistent peers are exempt, but they count.
	r = fixture(t, Options{}, "203.0.9.1:1")
	for _, addr := range []string{"203.0.1.1:1", "203.0.2.1:1"} {
		if err := r.Add(addr, true, t0); err != nil {
			t.Fatal(err)
		}
		if got, _ := r.NextDial(t0); got != addr {
			t.Fatalf("dials %q, want %s", got, addr)
		}
		connectOne(t, r, addr, 1)
	}
	if addr, ok := r.NextDial(t0); ok {
		t.Errorf("dials %s into a group that is taken", addr)
	}
	for _, addr := range []string{"203.0.1.1:1", "203.0.2.1:1"} {
		r.Disconnected(addr, nil, t0)
	}
	if addr, _ := r.NextDial(t0); addr != "203.0.9.1:1" {
		t.Errorf("dials %q when the group is free", addr)
	}
}
