package main

import (
	"fmt"
	"reflect"
	"strings"
	"text/tabwriter"
)

// writeHelp prints the help of a command, or of the program if cmd is nil.
func (p *program) writeHelp(cmd *command) error {
	var b strings.Builder
	if cmd == nil {
		p.programHelp(&b)
	} else {
		p.commandHelp(&b, cmd)
	}
	_, err := fmt.Fprint(p.stdout, b.String())
	return err
}

func (p *program) programHelp(b *strings.Builder) {
	b.WriteString("dcrspv " + version + ": a light wallet for Decred that verifies instead of trusting\n\n" +
		"Usage:\n  dcrspv [OPTIONS] COMMAND [ARGUMENTS]\n\nCommands:\n")
	w := tabwriter.NewWriter(b, 0, 0, 3, ' ', 0)
	for _, c := range commands {
		fmt.Fprintf(w, "  %s\t%s\n", c.name, c.short)
	}
	w.Flush()
	b.WriteString("\nOptions, before or after the command:\n")
	writeFlags(b, &p.opts)
	b.WriteString("\nExamples:\n" +
		"  dcrspv demo                              see it work, without network\n" +
		"  dcrspv watch --from 2024-05-31 ADDR      add an address to the wallet\n" +
		"  dcrspv sync                              sync with mainnet and end\n" +
		"  dcrspv balance                           what the wallet holds\n" +
		"\nExit status: 0 done, 1 failed, 2 wrong usage, 3 not synced within --timeout.\n" +
		"More about a command: dcrspv COMMAND --help\n")
}

func (p *program) commandHelp(b *strings.Builder, c *command) {
	fmt.Fprintf(b, "Usage:\n  %s\n\n%s\n", strings.TrimSpace("dcrspv [OPTIONS] "+c.name+" "+c.usage), c.long)
	if c.flags != nil {
		b.WriteString("\nOptions of this command:\n")
		writeFlags(b, c.flags(p))
	}
	b.WriteString("\nExamples:\n")
	for _, e := range c.examples {
		fmt.Fprintf(b, "  %s\n", e[0])
		if e[1] != "" {
			fmt.Fprintf(b, "      %s\n", e[1])
		}
	}
	b.WriteString("\nThe options for network, directory, peers and output: dcrspv --help\n")
}

// columns is how wide the help is: what every terminal has.
const columns = 80

// writeFlags lists the flags of a struct from its tags, so that the help and
// the parser cannot disagree.
func writeFlags(b *strings.Builder, data any) {
	const left = 33 // what names and their values need
	w := tabwriter.NewWriter(b, left, 0, 3, ' ', 0)
	t := reflect.TypeOf(data).Elem()
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		name := "--" + tag.Get("long")
		if short := tag.Get("short"); short != "" {
			name = "-" + short + ", " + name
		}
		text := tag.Get("description")
		if def := tag.Get("default"); def != "" {
			text += " (default " + def + ")"
		}
		name = strings.TrimSpace(name + " " + tag.Get("value-name"))
		for _, line := range wrap(text, columns-left) {
			fmt.Fprintf(w, "  %s\t%s\n", name, line)
			name = ""
		}
	}
	w.Flush()
}

// wrap breaks a text into lines of at most so many bytes, between words.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
