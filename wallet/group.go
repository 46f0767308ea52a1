package wallet

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"dcrspv/spv/chain"
)

// group is a set of scripts that have been tested on the same blocks.
type group struct {
	id uint64 // key in the file

	// label names this set of scripts with this history towards the Syncer. It
	// changes whenever scripts come or go or coverage is taken away, so that
	// the result of a scan under way never counts for more than was tested.
	label uint64

	// covered holds the heights that need no test: those tested, and those
	// below the birthday of each script. Scripts of different birthdays thus
	// meet in one group once they have caught up.
	covered chain.Ranges

	scripts []*script
	watched int // how many of them are; without any, the group owes nothing

	// given: a scan of this group may be under way. New scripts stay out of it
	// until then, so that adding scripts never spoils a scan.
	given bool
}

func (g *group) add(s *script) {
	s.group, s.place = g, len(g.scripts)
	g.scripts = append(g.scripts, s)
	if s.watched() {
		g.watched++
	}
}

func (g *group) remove(s *script) {
	last := len(g.scripts) - 1
	g.scripts[s.place] = g.scripts[last]
	g.scripts[s.place].place = s.place
	g.scripts[last] = nil
	g.scripts = g.scripts[:last]
	s.group = nil
	if s.watched() {
		g.watched--
	}
}

// debt is what still has to be tested of some blocks.
func (g *group) debt(of chain.Range) chain.Ranges {
	if g.watched == 0 {
		return nil
	}
	return g.covered.Missing(of)
}

// unwanted is the coverage of a script that was never tested.
func unwanted(from uint32) chain.Ranges {
	if from == 0 {
		return nil
	}
	return chain.Ranges{{From: 0, To: from - 1}}
}

func (w *Wallet) loadGroups(b *buckets) error {
	return b.groups.ForEach(func(k, v []byte) error {
		covered, ok := decodeRanges(v)
		if !ok || len(k) != 8 || be.Uint64(k) > b.groups.tally.last {
			return corrupt("group %.40x", k)
		}
		g := &group{id: be.Uint64(k), covered: covered}
		w.relabel(g)
		w.groups[g.id] = g
		return nil
	})
}

func (w *Wallet) relabel(g *group) {
	w.label++
	g.label = w.label
}

// sortedGroups is in the order of their ids, to make what follows repeatable.
func (w *Wallet) sortedGroups() []*group {
	return slices.SortedFunc(maps.Values(w.groups), func(a, b *group) int {
		return int(int64(a.id - b.id))
	})
}

func (c *change) saveGroup(g *group) {
	c.put(c.groups, key64(g.id), encodeRanges(g.covered))
}

// cover sets the coverage of a whole group that was not tested any further.
func (c *change) cover(g *group, covered chain.Ranges) {
	g.covered = covered
	c.w.relabel(g)
	c.saveGroup(g)
	c.debt = true
}

// assign puts scripts, new or from any group, into one of this coverage. It sorts
// them.
func (c *change) assign(scripts []*script, covered chain.Ranges) {
	if len(scripts) == 0 {
		return
	}
	g := c.findGroup(covered)
	// In the order of their keys: bbolt moves all that is behind a new one.
	slices.SortFunc(scripts, compareScripts)
	for _, s := range scripts {
		if s.group == g {
			continue
		}
		if s.group != nil {
			c.leave(s)
		}
		g.add(s)
		c.saveScript(s)
	}
	c.w.relabel(g)
	c.debt = true
}

// compareScripts orders by script, and the outpoints that pay it behind.
func compareScripts(a, b *script) int {
	if d := strings.Compare(a.raw, b.raw); d != 0 || a.point == nil || b.point == nil {
		return d
	}
	return bytes.Compare(a.point.key(), b.point.key())
}

// findGroup is a group of this coverage that may take scripts.
func (c *change) findGroup(covered chain.Ranges) *group {
	want := encodeRanges(covered)
	for _, g := range c.w.sortedGroups() {
		if !g.given && bytes.Equal(encodeRanges(g.covered), want) {
			return g
		}
	}
	id := c.groups.NextSequence()
	g := &group{id: id, covered: covered}
	c.w.groups[id] = g
	c.saveGroup(g)
	return g
}

// leave takes a script out of its group, and a group that is empty away.
func (c *change) leave(s *script) {
	g := s.group
	g.remove(s)
	c.w.relabel(g)
	if len(g.scripts) == 0 {
		delete(c.w.groups, g.id)
		c.del(c.groups, key64(g.id))
	}
}

// merge makes one group of all that have the same coverage. The smaller ones
// move, so a script moves only as often as its group doubles.
func (c *change) merge() {
	byCoverage := make(map[string]*group)
	for _, g := range c.w.sortedGroups() {
		key := string(encodeRanges(g.covered))
		big := byCoverage[key]
		if big == nil {
			byCoverage[key] = g
			continue
		}
		if len(big.scripts) < len(g.scripts) {
			big, g = g, big
		}
		byCoverage[key] = big
		for _, s := range slices.Clone(g.scripts) {
			c.leave(s)
			big.add(s)
			c.saveScript(s)
		}
		c.w.relabel(big)
	}
}

// regroup gives every chosen script the coverage that fn makes of its present
// one. fn is called once for all scripts of equal coverage and birthday.
func (c *change) regroup(chosen func(*script) bool, fn func(covered chain.Ranges, from uint32) chain.Ranges) {
	for _, p := range c.pending().byID {
		c.freshen(p) // birthdays count again
	}
	for _, g := range c.w.sortedGroups() {
		parts := make(map[string][]*script)
		byBirthday := make(map[uint32]string)
		present := string(encodeRanges(g.covered))
		for _, s := range g.scripts {
			key := present
			if chosen(s) {
				known, ok := byBirthday[s.from]
				if !ok {
					known = string(encodeRanges(fn(g.covered, s.from)))
					byBirthday[s.from] = known
				}
				key = known
			}
			parts[key] = append(parts[key], s)
		}
		c.split(g, present, parts)
	}
}

// split carries out what regroup found for one group: a map from coverage to
// the scripts that get it.
func (c *change) split(g *group, present string, parts map[string][]*script) {
	if len(parts[present]) == len(g.scripts) {
		return
	}
	keys := slices.Sorted(maps.Keys(parts))
	stay := keys[0]
	for _, key := range keys {
		if len(parts[key]) > len(parts[stay]) {
			stay = key
		}
	}
	if stay != present {
		covered, _ := decodeRanges([]byte(stay))
		c.cover(g, covered)
	}
	for _, key := range keys {
		if key != stay {
			covered, _ := decodeRanges([]byte(key))
			c.assign(parts[key], covered)
		}
	}
}
