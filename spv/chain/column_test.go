package chain

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Whatever is done to a column, it holds what a slice would; and what was lent,
// or shared with another column, stays as it was.
func TestColumn(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var c column[int]
	var model []int
	next := 0
	push := func(n int) {
		for range n {
			c.push(next)
			model = append(model, next)
			next++
		}
	}
	type loan struct{ lent, want []int }
	var loans []loan
	var shared []column[int]
	var sharedModels [][]int
	all := func(c *column[int]) (values []int) {
		for i := range c.len() {
			values = append(values, *c.at(i))
		}
		return values
	}
	for range 400 {
		switch n := rng.IntN(pieceLen); rng.IntN(6) {
		case 0, 1:
			push(n)
		case 2:
			n = min(n, len(model))
			c.drop(n)
			model = slices.Clone(model[n:])
		case 3: // shorter, and then grown again beside the longer one
			n = len(model) - min(n, len(model))
			shared, sharedModels = append(shared, c), append(sharedModels, model)
			c, model = c.first(n), slices.Clone(model[:n])
			push(10)
		case 4:
			x := c.from(min(n, len(model)))
			if got, want := all(&x), model[min(n, len(model)):]; !slices.Equal(got, want) {
				t.Fatalf("from %d: %d elements, want %d", n, len(got), len(want))
			}
			c.pushAll(&x)
			model = append(slices.Clone(model), model[min(n, len(model)):]...)
		case 5:
			if len(model) == 0 {
				continue
			}
			i := rng.IntN(len(model))
			j := i + 1 + rng.IntN(len(model)-i)
			run := c.run(i, j)
			if len(run) == 0 || !slices.Equal(run, model[i:i+len(run)]) || !slices.Equal(c.slice(i, j), model[i:j]) {
				t.Fatalf("%d to %d of %d: wrong", i, j, len(model))
			}
			loans = append(loans, loan{run, slices.Clone(run)})
		}
		if c.len() != len(model) || len(model) > 0 && *c.last() != model[len(model)-1] {
			t.Fatalf("%d elements, want %d", c.len(), len(model))
		}
		if len(model) > 20*pieceLen {
			c.drop(18 * pieceLen)
			model = slices.Clone(model[18*pieceLen:])
		}
	}
	if !slices.Equal(all(&c), model) {
		t.Error("not what the slice holds")
	}
	for _, l := range loans {
		if !slices.Equal(l.lent, l.want) {
			t.Error("what was lent has changed")
		}
	}
	for i := range shared {
		if !slices.Equal(all(&shared[i]), sharedModels[i]) {
			t.Error("a column has changed by what was done to another")
		}
	}
}
