package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// warnOfExposed says once if others on this computer can read wallet.db or look into its
// directory: what we make is for its owner alone, but what was there stays as it is. On
// Windows the mode says nothing of that.
func (p *program) warnOfExposed() {
	if p.warnedOfExposed || runtime.GOOS == "windows" {
		return
	}
	p.warnedOfExposed = true
	file := p.set.walletFile()
	for _, c := range []struct {
		path, remedy string
	}{{file, "chmod 600"}, {filepath.Dir(file), "chmod 700"}} {
		info, err := os.Stat(c.path)
		if err != nil || info.Mode().Perm()&0o077 == 0 {
			continue
		}
		doc := warningDoc{
			About: c.path, Remedy: c.remedy + " " + c.path,
			What: fmt.Sprintf("others on this computer have access to it (mode %04o)", info.Mode().Perm()),
		}
		fmt.Fprintln(p.stderr, doc.line())
		return
	}
}
