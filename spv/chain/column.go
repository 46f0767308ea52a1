package chain

import "slices"

// column is a list that grows at its end and shrinks at its beginning. It is kept in
// pieces, so that no element is moved. Elements are written once, so a part of it may
// be lent to another goroutine.
type column[T any] struct {
	pieces  [][]T // of pieceLen elements, but for the last one
	dropped int   // elements of the first piece that are not part of it any more
}

// pieceLen is how many elements a piece has: four messages of headers.
const pieceLen = 8000

func (c *column[T]) len() int {
	last := len(c.pieces) - 1
	if last < 0 {
		return 0
	}
	return last*pieceLen + len(c.pieces[last]) - c.dropped
}

func (c *column[T]) at(i int) *T {
	i += c.dropped
	return &c.pieces[i/pieceLen][i%pieceLen]
}

func (c *column[T]) last() *T { return c.at(c.len() - 1) }

func (c *column[T]) push(v T) {
	last := len(c.pieces) - 1
	switch {
	case last < 0: // most side branches are short: it grows as it needs to
		c.pieces = append(c.pieces, nil)
		last++
	case len(c.pieces[last]) == pieceLen:
		c.pieces = append(c.pieces, make([]T, 0, pieceLen))
		last++
	}
	c.pieces[last] = append(c.pieces[last], v)
}

// pushAll appends what x holds.
func (c *column[T]) pushAll(x *column[T]) {
	for i := range x.len() {
		c.push(*x.at(i))
	}
}

// drop takes the first n elements away.
func (c *column[T]) drop(n int) {
	c.dropped += n
	whole := c.dropped / pieceLen
	c.pieces = slices.Delete(c.pieces, 0, whole)
	c.dropped -= whole * pieceLen
}

// first is a column of the first n elements, which shares memory with c.
func (c *column[T]) first(n int) column[T] {
	n += c.dropped
	pieces := slices.Clone(c.pieces[:(n+pieceLen-1)/pieceLen])
	if rest := n % pieceLen; rest > 0 {
		last := len(pieces) - 1
		pieces[last] = slices.Clip(pieces[last][:rest])
	}
	return column[T]{pieces, c.dropped}
}

// from is a column of the elements from i on, in memory of its own.
func (c *column[T]) from(i int) (x column[T]) {
	for ; i < c.len(); i++ {
		x.push(*c.at(i))
	}
	return x
}

// run lends the elements from i to before j, as far as they lie together: at
// least one.
func (c *column[T]) run(i, j int) []T {
	i, j = i+c.dropped, j+c.dropped
	start := i / pieceLen * pieceLen
	return slices.Clip(c.pieces[i/pieceLen][i-start : min(j-start, pieceLen)])
}

// slice is the elements from i to before j. It is lent if they lie together, and
// a copy otherwise.
func (c *column[T]) slice(i, j int) []T {
	s := c.run(i, j)
	for i += len(s); i < j; i = i + len(c.run(i, j)) {
		s = append(s, c.run(i, j)...)
	}
	return s
}
