package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// column is a column of a table.
type column struct {
	name   string // in row.Values
	header string
	digits int
}

// markdown is all tables, each under its title.
func (r *results) markdown() string {
	var b strings.Builder
	for _, t := range tables {
		if text := r.table(t); text != "" {
			fmt.Fprintf(&b, "### %s\n\n%s\n", t.title, text)
		}
	}
	return b.String()
}

// table is a table with the commands that made it below, or nothing if it has
// no rows.
func (r *results) table(t *table) string {
	rows := r.of(t.name)
	if len(rows) == 0 {
		return ""
	}
	scripts := slices.ContainsFunc(rows, func(r *row) bool { return r.Scripts != 0 })
	head := []string{"what"}
	if !t.once {
		head = append(head, "blocks")
	}
	if scripts {
		head = append(head, "scripts")
	}
	for _, c := range t.columns {
		head = append(head, c.header)
	}
	head = append(head, "aim")
	var b strings.Builder
	line(&b, head)
	line(&b, slices.Repeat([]string{"---"}, len(head)))
	var commands []string
	others := make(map[string]float64)
	for _, r := range rows {
		cells := []string{r.What}
		if !t.once {
			cells = append(cells, thousands(r.Blocks))
		}
		if scripts {
			cells = append(cells, thousands(r.Scripts))
		}
		for _, c := range t.columns {
			cells = append(cells, r.cell(c))
		}
		line(&b, append(cells, r.Aim))
		c := fmt.Sprintf("`%s`, %s", r.Command, r.Date)
		if !slices.Contains(commands, c) {
			commands = append(commands, c)
		}
		others[c] = max(others[c], r.Others)
	}
	const quiet = 0.3 // cores; the kernel itself needs some
	for i, c := range commands {
		if others[c] > quiet {
			commands[i] += fmt.Sprintf(" (other processes kept up to %.1f cores busy: the times are too long)", others[c])
		}
	}
	fmt.Fprintf(&b, "\nMade by %s.\n", strings.Join(commands, "; "))
	return b.String()
}

func line(b *strings.Builder, cells []string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

// cell is the median of a column, and the least and the most if they differ.
func (r *row) cell(c column) string {
	v, ok := r.median(c.name)
	if !ok {
		return ""
	}
	text := number(v, c.digits)
	low, high := number(slices.Min(r.Values[c.name]), c.digits), number(slices.Max(r.Values[c.name]), c.digits)
	if low != high {
		text += fmt.Sprintf(" (%s to %s)", low, high)
	}
	return text
}

func number(v float64, digits int) string {
	text := strconv.FormatFloat(v, 'f', digits, 64)
	whole, rest, point := strings.Cut(text, ".")
	if n, err := strconv.Atoi(whole); err == nil && n >= 10_000 {
		whole = thousands(n)
	}
	if point {
		return whole + "." + rest
	}
	return whole
}

// thousands is a number with its digits in groups of three.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// writePage puts the tables, and what the machine is, between their marks in a
// Markdown file. Marks of tables without rows keep what is between them.
func (r *results) writePage(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	page := string(data)
	texts := map[string]string{"machine": "Machine: " + r.Machine + ".\n"}
	for _, t := range tables {
		texts[t.name] = r.table(t)
	}
	for name, text := range texts {
		if page, err = between(page, name, text); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return os.WriteFile(path, []byte(page), 0o644)
}

// between replaces what is between the marks of a name, if there are any and
// there is something to put there.
func between(page, name, text string) (string, error) {
	open, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	head, rest, ok := strings.Cut(page, open)
	if !ok || text == "" {
		return page, nil
	}
	_, tail, ok := strings.Cut(rest, end)
	if !ok {
		return "", fmt.Errorf("the mark %s is missing", end)
	}
	return head + open + "\n" + text + "\n" + end + tail, nil
}
