package main

import (
	"fmt"
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"
)

// console is standard error, shared by logs, progress lines and bars. While
// bars are on the screen, lines appear above them. Any goroutine may write;
// what it writes must end with a line break.
type console struct {
	out io.Writer

	mu   sync.Mutex
	bars *mpb.Progress // nil: no bars on the screen
}

// Write implements io.Writer.
func (c *console) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bars != nil {
		return c.bars.Write(b)
	}
	return c.out.Write(b)
}

// printf writes a line.
func (c *console) printf(format string, args ...any) {
	fmt.Fprintf(c, format+"\n", args...)
}

// startBars makes room for bars at the bottom of the screen.
func (c *console) startBars() *mpb.Progress {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bars = mpb.New(mpb.WithOutput(c.out), mpb.WithWidth(48), mpb.WithAutoRefresh())
	return c.bars
}

// stopBars draws the bars a last time and leaves them where they are.
func (c *console) stopBars() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bars != nil {
		c.bars.Wait()
		c.bars = nil
	}
}
