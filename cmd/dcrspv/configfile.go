package main

import (
	"bytes"
	"errors"
	"os"
	"strings"

	"github.com/jessevdk/go-flags"
)

// byteOrderMark is what editors on Windows put at the beginning of a text.
var byteOrderMark = []byte("\xef\xbb\xbf")

// dcrdSection heads the options in the files of dcrd and dcrwallet. Ours have no
// sections, and it says nothing.
const dcrdSection = "[Application Options]"

// parseConfig reads a configuration file.
func parseConfig(parser *flags.IniParser, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	lines := bytes.Split(bytes.TrimPrefix(text, byteOrderMark), []byte("\n"))
	for i, line := range lines {
		if strings.EqualFold(string(bytes.TrimSpace(line)), dcrdSection) {
			lines[i] = nil // the number of a line in an error stays right
		}
	}
	err = parser.Parse(bytes.NewReader(bytes.Join(lines, []byte("\n"))))
	var bad *flags.IniError
	if errors.As(err, &bad) {
		bad.File = file
	}
	return err
}

// inHome is a path as shells read it: one that begins with ~ lies in the home
// directory. In a file, and behind the = of a flag, no shell has seen to that.
func (p *program) inHome(flag, path string) (string, error) {
	rest, short := strings.CutPrefix(path, "~")
	if !short {
		return path, nil
	}
	if rest != "" && !os.IsPathSeparator(rest[0]) {
		return "", usage("write it in full, or ./"+path+" for what is called so",
			"%s %s: only your own home directory has a short name, ~", flag, path)
	}
	home, err := p.homeDir()
	if err != nil {
		return "", usage("write "+flag+" in full", "no home directory for ~: %v", err)
	}
	return home + rest, nil
}
