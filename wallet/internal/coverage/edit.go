package coverage

import (
	"bytes"
	"maps"
	"math"
	"slices"

	"dcrspv/spv/chain"
)

// Store keeps what a ledger holds.
type Store[S Script] interface {
	// NewGroup is a number that no group ever had.
	NewGroup() uint64

	SaveGroup(id uint64, covered chain.Ranges)
	DropGroup(id uint64)

	// SaveScripts stores scripts whose group or birthday is another one now. It may
	// sort them.
	SaveScripts(scripts []S)
}

// Edit changes a ledger, and has each change stored at once, except for Tested.
type Edit[S Script] struct {
	*Ledger[S]
	store   Store[S]
	changed bool
}

// Edit begins to change the ledger.
func (l *Ledger[S]) Edit(store Store[S]) *Edit[S] { return &Edit[S]{Ledger: l, store: store} }

// Changed reports whether another set of scripts is watched now, or other blocks are
// missing. Blocks that were tested are no change.
func (e *Edit[S]) Changed() bool { return e.changed }

// untested is the coverage of a script that was never tested.
func untested(birthday uint32) chain.Ranges {
	if birthday == 0 {
		return nil
	}
	return chain.Ranges{{From: 0, To: birthday - 1}}
}

// notBefore is a coverage with all that is below a birthday.
func notBefore(covered chain.Ranges, birthday uint32) chain.Ranges {
	for _, r := range untested(birthday) {
		covered = covered.Add(r)
	}
	return covered
}

// Add enters scripts with a birthday, or gives a lower one to scripts of the ledger.
// All blocks from there on are missing, also those tested already: they may spend coins
// that are found below.
func (e *Edit[S]) Add(scripts []S, birthday uint32) {
	if len(scripts) == 0 {
		return
	}
	for _, s := range scripts {
		s.entry().setBirthday(birthday)
	}
	e.birthdaysChanged()
	e.assign(scripts, untested(birthday))
	e.store.SaveScripts(scripts)
}

// Raise gives a script a higher birthday.
func (e *Edit[S]) Raise(s S, birthday uint32) {
	s.entry().setBirthday(birthday)
	e.birthdaysChanged()
	e.assign([]S{s}, notBefore(e.Covered(s), birthday))
	e.store.SaveScripts([]S{s})
}

// Remove takes a script out of the ledger, and a group that is empty away.
func (e *Edit[S]) Remove(s S) {
	e.leave(s)
	e.changed = true
	e.birthdaysChanged()
}

// SetWatched says whether a script counts: nothing is missing of a group that has none.
func (e *Edit[S]) SetWatched(s S, watched bool) {
	of := s.entry()
	if of.watched == watched {
		return
	}
	g := e.groups[of.group]
	g.setWatched(s, watched)
	if g != nil {
		e.changed = true
		e.birthdaysChanged()
	}
}

// Untest has a script tested again on some blocks, also on those below its birthday.
func (e *Edit[S]) Untest(s S, r chain.Range) {
	covered := e.groups[s.entry().group].covered
	if left := covered.Remove(r); !slices.Equal(left, covered) {
		e.assign([]S{s}, left)
		e.store.SaveScripts([]S{s})
	}
}

// UntestAll has all chosen scripts tested again on some blocks. Those below the birthday
// of a script are not.
func (e *Edit[S]) UntestAll(chosen func(S) bool, r chain.Range) {
	for _, g := range e.Groups() {
		parts := make(map[string][]S) // by coverage
		byBirthday := make(map[uint32]string)
		present := string(Encode(g.covered))
		for _, s := range g.scripts {
			key := present
			if chosen(s) {
				birthday := s.entry().birthday
				known, ok := byBirthday[birthday]
				if !ok {
					known = string(Encode(notBefore(g.covered.Remove(r), birthday)))
					byBirthday[birthday] = known
				}
				key = known
			}
			parts[key] = append(parts[key], s)
		}
		e.split(g, present, parts)
	}
}

// split gives the parts of a group their coverage. The largest part stays in it.
func (e *Edit[S]) split(g *Group[S], present string, parts map[string][]S) {
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
		covered, _ := Decode([]byte(stay))
		g.setCovered(covered)
		e.renew(g)
		e.save(g)
		e.changed = true
	}
	for _, key := range keys {
		if key != stay {
			covered, _ := Decode([]byte(key))
			e.assign(parts[key], covered)
			e.store.SaveScripts(parts[key])
		}
	}
}

// Undo takes away what was tested above a height. No scan under way counts any more: it
// may hold blocks of another branch.
func (e *Edit[S]) Undo(above uint32) {
	e.UntestAll(func(S) bool { return true }, chain.Range{From: above + 1, To: math.MaxUint32})
	e.TakeBack()
	for _, g := range e.groups {
		e.renew(g)
	}
}

// Tested notes that groups were tested on some blocks. It is stored with SaveTested: what
// is lost until then is tested again.
func (e *Edit[S]) Tested(groups []*Group[S], r chain.Range) {
	for _, g := range groups {
		g.setCovered(g.covered.Add(r))
		g.setUnsaved(true)
	}
}

// SaveTested stores what was tested. It goes with whatever else is stored, so that a
// store is never half of one state and half of another.
func (e *Edit[S]) SaveTested() {
	for _, g := range e.Groups() {
		if g.unsaved {
			e.save(g)
		}
	}
}

func (e *Edit[S]) save(g *Group[S]) {
	g.setUnsaved(false)
	e.store.SaveGroup(g.id, g.covered)
}

// assign puts scripts, new or from any group, into one of this coverage.
func (e *Edit[S]) assign(scripts []S, covered chain.Ranges) {
	g := e.findGroup(covered)
	for _, s := range scripts {
		switch s.entry().group {
		case g.id:
			continue
		case 0:
		default:
			e.leave(s)
		}
		g.add(s)
	}
	e.renew(g)
	e.changed = true
}

// findGroup is a group of this coverage that may take scripts.
func (e *Edit[S]) findGroup(covered chain.Ranges) *Group[S] {
	want := Encode(covered)
	for _, g := range e.Groups() {
		if !g.given && bytes.Equal(Encode(g.covered), want) {
			return g
		}
	}
	g := &Group[S]{id: e.store.NewGroup(), covered: covered}
	e.enter(g)
	e.save(g)
	return g
}

func (e *Edit[S]) leave(s S) {
	g := e.groups[s.entry().group]
	g.remove(s)
	e.renew(g)
	if len(g.scripts) == 0 {
		delete(e.groups, g.id)
		e.store.DropGroup(g.id)
	}
}

// Merge makes one group of all that have the same coverage. The smaller ones move, so a
// script moves only as often as its group doubles.
func (e *Edit[S]) Merge() {
	byCoverage := make(map[string]*Group[S])
	for _, g := range e.Groups() {
		key := string(Encode(g.covered))
		big := byCoverage[key]
		if big == nil {
			byCoverage[key] = g
			continue
		}
		if len(big.scripts) < len(g.scripts) {
			big, g = g, big
		}
		byCoverage[key] = big
		moved := slices.Clone(g.scripts)
		for _, s := range moved {
			e.leave(s)
			big.add(s)
		}
		e.renew(big)
		e.store.SaveScripts(moved)
	}
}
