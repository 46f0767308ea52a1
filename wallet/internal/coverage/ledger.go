// Package coverage is the ledger of which blocks the scripts of a watch set were tested
// on, and of what follows from that: which blocks are missing, and what to test next.
//
// Scripts of equal coverage form a group. A script that is new, derived late, to be tested
// again or behind a reorg is the same thing here: blocks are missing. The ledger knows
// nothing of files, blocks or accounts. It does not decide what is watched, and it tests
// nothing.
//
// A Ledger is read as it is, and changed through an Edit, which has each change stored;
// blocks that were tested only when it is asked to (SaveTested).
// Neither may be used by several goroutines at once.
package coverage

import (
	"maps"
	"math"
	"slices"

	"dcrspv/spv/chain"
)

// Script is an entry of the watch set: a pointer to a struct that embeds an Entry.
type Script interface {
	comparable
	entry() *Entry
}

// Entry is the ledger's part of a script. Only this package writes it.
type Entry struct {
	birthday uint32
	watched  bool
	group    uint64 // 0 is none
	place    int    // index in the group's scripts
}

func (e *Entry) entry() *Entry { return e }

func (e *Entry) setBirthday(height uint32) { e.birthday = height }

// Birthday is the first height that can matter. What happens below is not the wallet's.
func (e *Entry) Birthday() uint32 { return e.birthday }

// Group is the number of the script's group; 0 if it is not in the ledger.
func (e *Entry) Group() uint64 { return e.group }

// Ledger is the coverage of a watch set.
type Ledger[S Script] struct {
	groups  map[uint64]*Group[S]
	version uint64 // the last one given to a group

	birthday      uint32 // lowest one of all that is watched, valid if birthdayKnown
	birthdayKnown bool
}

// enter adds a group.
func (l *Ledger[S]) enter(g *Group[S]) { l.groups[g.id] = g }

// Group is a set of scripts that were tested on the same blocks. It is the ledger's: read
// it before the next change.
type Group[S Script] struct {
	id uint64

	// version names this set of scripts with this history towards those who test. It
	// changes whenever scripts come or go or coverage is taken away, so that the result
	// of a scan under way never counts for more than was tested.
	version uint64

	// covered holds the heights that need no test: those tested, and those below the
	// birthday of each script. Scripts of different birthdays thus meet in one group
	// once they have caught up.
	covered chain.Ranges

	scripts []S
	watched int // how many of them are; without any, nothing is missing

	// unsaved: blocks were tested that the store does not know of.
	unsaved bool

	// given: a scan of this group may be under way. New scripts stay out of it until
	// then, so that adding scripts never spoils a scan.
	given bool
}

// New is an empty ledger. Groups get versions above the given one.
func New[S Script](version uint64) *Ledger[S] {
	return &Ledger[S]{groups: make(map[uint64]*Group[S]), version: version}
}

// Load enters a group that was stored.
func (l *Ledger[S]) Load(id uint64, covered chain.Ranges) {
	g := &Group[S]{id: id, covered: covered}
	l.renew(g)
	l.groups[id] = g
}

// LoadScript puts a script that was stored into its group. It reports whether there is
// such a group.
func (l *Ledger[S]) LoadScript(s S, group uint64, birthday uint32, watched bool) bool {
	g := l.groups[group]
	if g == nil {
		return false
	}
	*s.entry() = Entry{birthday: birthday, watched: watched}
	l.birthdaysChanged()
	g.add(s)
	return true
}

// renew gives a group a version of its own.
func (l *Ledger[S]) renew(g *Group[S]) {
	l.version++
	g.version = l.version
}

func (g *Group[S]) add(s S) {
	e := s.entry()
	e.group, e.place = g.id, len(g.scripts)
	g.scripts = append(g.scripts, s)
	if e.watched {
		g.watched++
	}
}

func (g *Group[S]) remove(s S) {
	e, last := s.entry(), len(g.scripts)-1
	g.scripts[e.place] = g.scripts[last]
	g.scripts[e.place].entry().place = e.place
	clear(g.scripts[last:])
	g.scripts = g.scripts[:last]
	e.group = 0
	if e.watched {
		g.watched--
	}
}

// setWatched counts a script of the group, or one that is in none, as watched or not.
func (g *Group[S]) setWatched(s S, watched bool) {
	s.entry().watched = watched
	switch {
	case g == nil:
	case watched:
		g.watched++
	default:
		g.watched--
	}
}

func (g *Group[S]) setCovered(covered chain.Ranges) { g.covered = covered }
func (g *Group[S]) setUnsaved(unsaved bool)         { g.unsaved = unsaved }
func (g *Group[S]) setGiven(given bool)             { g.given = given }

// ID is the group's number.
func (g *Group[S]) ID() uint64 { return g.id }

// Covered are the heights that need no test.
func (g *Group[S]) Covered() chain.Ranges { return g.covered }

// Scripts are the scripts of the group, in no order.
func (g *Group[S]) Scripts() []S { return g.scripts }

// Watched is how many of them are watched.
func (g *Group[S]) Watched() int { return g.watched }

// missing is what is still to be tested of some blocks.
func (g *Group[S]) missing(of chain.Range) chain.Ranges {
	if g.watched == 0 {
		return nil
	}
	return g.covered.Missing(of)
}

// Len is how many groups there are.
func (l *Ledger[S]) Len() int { return len(l.groups) }

// Groups are all groups in the order of their numbers.
func (l *Ledger[S]) Groups() []*Group[S] {
	if len(l.groups) == 1 { // most of the time
		for _, g := range l.groups {
			return []*Group[S]{g}
		}
	}
	return slices.SortedFunc(maps.Values(l.groups), func(a, b *Group[S]) int {
		return int(int64(a.id - b.id))
	})
}

// Covered are the heights on which a script of the ledger needs no test.
func (l *Ledger[S]) Covered(s S) chain.Ranges { return l.groups[s.entry().group].covered }

// IsCovered reports whether a script of the ledger needs no test at a height.
func (l *Ledger[S]) IsCovered(s S, height uint32) bool {
	return l.groups[s.entry().group].covered.Contains(height)
}

// Birthday is the lowest birthday of all that is watched; !ok if nothing is.
func (l *Ledger[S]) Birthday() (height uint32, ok bool) {
	if !l.birthdayKnown {
		l.birthday, l.birthdayKnown = math.MaxUint32, true
		for _, g := range l.groups {
			for _, s := range g.scripts {
				if e := s.entry(); e.watched {
					l.birthday = min(l.birthday, e.birthday)
				}
			}
		}
	}
	for _, g := range l.groups {
		if g.watched > 0 {
			return l.birthday, true
		}
	}
	return math.MaxUint32, false
}

// birthdaysChanged has the lowest birthday found anew.
func (l *Ledger[S]) birthdaysChanged() { l.birthdayKnown = false }

// Through is the end of the range from the birthday on that all that is watched was tested
// on, at most limit; !ok if that is empty.
func (l *Ledger[S]) Through(limit uint32) (through uint32, ok bool) {
	from, ok := l.Birthday()
	if !ok || from > limit {
		return 0, false
	}
	through = limit
	for _, g := range l.groups {
		missing := g.missing(chain.Range{To: limit})
		if len(missing) == 0 {
			continue
		}
		if missing[0].From <= from {
			return 0, false
		}
		through = min(through, missing[0].From-1)
	}
	return through, true
}

// Missing is how many blocks up to limit some watched script is still to be tested on.
func (l *Ledger[S]) Missing(limit uint32) (blocks uint32) {
	var missing chain.Ranges
	for _, g := range l.groups {
		for _, r := range g.missing(chain.Range{To: limit}) {
			missing = missing.Add(r)
		}
	}
	for _, r := range missing {
		blocks += uint32(r.Len())
	}
	return blocks
}
