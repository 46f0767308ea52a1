package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jessevdk/go-flags"
)

// options are the flags.
type options struct {
	Blocks    string `long:"blocks" value-name:"N,..." default:"10000,100000" description:"chain sizes"`
	Scripts   string `long:"scripts" value-name:"N,..." default:"20,1000,10000,100000" description:"how many scripts the table rescan looks for; from 100000 on in the last tenth of the blocks only"`
	Only      string `long:"only" value-name:"TABLE,..." description:"tables to measure; all but flood if left out"`
	Repeat    int    `long:"repeat" value-name:"N" default:"3" description:"how often each thing is measured"`
	Dcrwallet bool   `long:"dcrwallet" description:"measure dcrwallet beside the product; builds it first"`

	Flood     string        `long:"flood" value-name:"KIND,..." description:"kinds of the table flood; all if left out"`
	FloodTime time.Duration `long:"flood-time" value-name:"DURATION" default:"1m" description:"how long each of them lasts"`

	Cache string `long:"cache" value-name:"DIR" description:"where made chains are kept, 420 MB for a million blocks (default: spvbench in the user's cache directory)"`
	Work  string `long:"work" value-name:"DIR" description:"where clients keep their files while they are measured (default: the system's temporary directory)"`
	Out   string `long:"out" value-name:"DIR" description:"write results.json, tables.md and pictures there; rows that are not measured stay"`
	Page  string `long:"page" value-name:"FILE" description:"put the tables into a Markdown file, between its marks such as <!-- sync --> and <!-- /sync -->"`

	Under string `long:"under" value-name:"COMMAND" description:"start the clients of the table weak with this command, for a hard limit, like 'systemd-run --scope -p MemoryMax=100M'"`

	CPUProfile string `long:"cpuprofile" value-name:"DIR" description:"write a CPU profile of the first client of each row"`
	MemProfile string `long:"memprofile" value-name:"DIR" description:"write a profile of the allocations of the first client of each row"`

	sizes   []int
	scripts []int
	tables  []*table
	floods  []floodKind
}

// Defaults of --scripts and --flood-time.
const (
	defaultScripts   = "20,1000,10000,100000"
	defaultFloodTime = "1m0s"
)

// helpText is what go-flags does not make of the options itself.
func helpText() string {
	var b strings.Builder
	b.WriteString("measures the product against peers over loopback TCP, whole processes from start to synced.\n\nTables:\n")
	for _, t := range tables {
		fmt.Fprintf(&b, "  %-8s %s\n", t.name, t.title)
	}
	b.WriteString("\nKinds of flood:\n")
	for _, k := range floodKinds {
		fmt.Fprintf(&b, "  %-11s %s\n", k.name, k.what)
	}
	b.WriteString("\nWithout options it takes a few minutes. Another load on the machine makes all times wrong.")
	return b.String()
}

// parse checks the arguments. No options and no error is --help, which has been
// answered.
func parse(args []string, stdout *os.File) (*options, error) {
	opts := new(options)
	parser := flags.NewNamedParser("spvbench", flags.HelpFlag|flags.PassDoubleDash)
	parser.LongDescription = helpText()
	if _, err := parser.AddGroup("Options", "", opts); err != nil {
		return nil, err
	}
	rest, err := parser.ParseArgs(args)
	var asked *flags.Error
	if errors.As(err, &asked) && asked.Type == flags.ErrHelp {
		fmt.Fprintln(stdout, asked.Message)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("what is %q", rest[0])
	}
	return opts, opts.check()
}

// check reads the lists and fills in the defaults.
func (o *options) check() error {
	var err error
	if o.sizes, err = numbers("--blocks", o.Blocks, 1000, 10_000_000); err != nil {
		return err
	}
	if o.scripts, err = numbers("--scripts", o.Scripts, 1, 10_000_000); err != nil {
		return err
	}
	if o.Repeat < 1 {
		return fmt.Errorf("--repeat %d", o.Repeat)
	}
	if o.floods, err = chooseFloods(o.Flood); err != nil {
		return err
	}
	if o.FloodTime < time.Second {
		return fmt.Errorf("--flood-time %v: at least a second", o.FloodTime)
	}
	if err := o.choose(); err != nil {
		return err
	}
	if o.Cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("%w; give --cache", err)
		}
		o.Cache = filepath.Join(dir, "spvbench")
	}
	for _, dir := range []string{o.Cache, o.Out, o.CPUProfile, o.MemProfile} {
		if dir != "" {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}

// command is what to type to measure the same again, without directories and
// what else differs from machine to machine.
func (o *options) command() string {
	words := []string{"go run ./cmd/spvbench --blocks", o.Blocks}
	add := func(flag, value, without string) {
		if value != without {
			words = append(words, flag, value)
		}
	}
	add("--only", o.Only, "")
	if slices.ContainsFunc(o.tables, func(t *table) bool { return t.name == "rescan" }) {
		add("--scripts", o.Scripts, defaultScripts)
	}
	add("--flood", o.Flood, "")
	add("--flood-time", o.FloodTime.String(), defaultFloodTime)
	add("--repeat", strconv.Itoa(o.Repeat), "")
	if o.Dcrwallet {
		words = append(words, "--dcrwallet")
	}
	if o.Under != "" {
		words = append(words, "--under COMMAND")
	}
	if o.CPUProfile != "" {
		words = append(words, "--cpuprofile DIR")
	}
	return strings.Join(words, " ")
}

// numbers reads a list of them, and returns it in order.
func numbers(flag, list string, from, to int) ([]int, error) {
	var all []int
	for word := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < from || n > to {
			return nil, fmt.Errorf("%s %s: numbers from %d to %d", flag, list, from, to)
		}
		all = append(all, n)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// choose picks the tables that --only names, in their own order.
func (o *options) choose() error {
	if o.Only == "" {
		o.tables = slices.DeleteFunc(slices.Clone(tables), func(t *table) bool { return t.asked })
		return nil
	}
	names := strings.Split(o.Only, ",")
	for _, name := range names {
		if !slices.ContainsFunc(tables, func(t *table) bool { return t.name == name }) {
			return fmt.Errorf("--only %s: there is no such table", name)
		}
	}
	for _, t := range tables {
		if slices.Contains(names, t.name) || t.name == "sync" && slices.Contains(names, "growth") {
			o.tables = append(o.tables, t)
		}
	}
	return nil
}
