package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jessevdk/go-flags"
)

// options are the global flags as given. They work before and after the
// command and, but for the last three, in the configuration file. All but the
// switches are strings: settings.go checks them with errors of its own.
type options struct {
	Network  string   `long:"network" value-name:"NAME" default:"mainnet" description:"mainnet, testnet, simnet or regnet"`
	DataDir  string   `long:"datadir" value-name:"DIR" description:"where chain.db and wallet.db live, in a folder for each network"`
	Connect  []string `long:"connect" value-name:"HOST:PORT" description:"use only this peer; may be repeated"`
	Proxy    string   `long:"proxy" value-name:"HOST:PORT" description:"SOCKS5 proxy for all connections, names included"`
	MaxPeers string   `long:"max-peers" value-name:"N" default:"8" description:"how many peers to keep"`
	Birthday string   `long:"birthday" value-name:"HEIGHT|YYYY-MM-DD" description:"where the wallet's history begins; filters below are not fetched"`
	Timeout  string   `long:"timeout" value-name:"DURATION" description:"give up with status 3 when not synced by then, like 90s or 10m"`
	LogLevel string   `long:"log-level" value-name:"SPEC" description:"trace, debug, info, warn, error or off; or by subsystem: SYNC=debug,PEER=trace"`
	NoRelay  bool     `long:"no-relay" description:"don't hear of transactions that are not in a block yet; incoming payments show when mined"`
	JSON     bool     `long:"json" description:"print one JSON document at the end, amounts in atoms"`

	Config  string `long:"config" no-ini:"true" value-name:"FILE" description:"configuration file with these names, default DIR/dcrspv.conf"`
	Version bool   `long:"version" no-ini:"true" description:"print the version and what else a fault report needs"`
	Help    bool   `short:"h" long:"help" no-ini:"true" description:"this text, or that of the command"`
}

// configName is the configuration file looked for in the data directory.
const configName = "dcrspv.conf"

// parse reads the command line and the configuration file; the command line
// wins. It returns the command, which is nil for plain --help or --version.
func (p *program) parse(args []string) (*command, error) {
	name, err := p.parseArgs(args, "")
	if err != nil {
		return nil, err
	}
	if cmd := findCommand(name); !p.opts.Help && !p.opts.Version && !cmd.bare {
		file, err := p.configFile()
		if err != nil {
			return nil, err
		}
		if file != "" {
			if name, err = p.parseArgs(args, file); err != nil {
				return nil, err
			}
		}
	}
	return findCommand(name), nil
}

// parseArgs fills p.opts and p.args from the file, if any, and the arguments.
func (p *program) parseArgs(args []string, file string) (name string, err error) {
	p.opts = options{}
	p.watch, p.history, p.address, p.span = watchFlags{}, historyFlags{}, addressFlags{}, rangeFlags{}
	parser := flags.NewNamedParser("dcrspv", flags.PassDoubleDash)
	if _, err := parser.AddGroup("Options", "", &p.opts); err != nil {
		return "", err
	}
	for _, c := range commands {
		data := c.flags
		if data == nil {
			data = func(*program) any { return &struct{}{} }
		}
		if _, err := parser.AddCommand(c.name, c.short, "", data(p)); err != nil {
			return "", err
		}
	}
	if file != "" {
		if err := parseConfig(flags.NewIniParser(parser), file); err != nil {
			return "", usage("correct the file, it takes the names of the global options", "cannot use the configuration file: %s", plain(err))
		}
	}
	p.args, err = parser.ParseArgs(args)
	if parser.Active != nil {
		name = parser.Active.Name
	}
	var ferr *flags.Error
	if errors.As(err, &ferr) && ferr.Type == flags.ErrCommandRequired {
		if p.opts.Help || p.opts.Version {
			return "", nil
		}
		return "", usage("see dcrspv --help", "no command given")
	}
	if err != nil {
		return name, usage("see "+strings.TrimSpace("dcrspv "+name)+" --help", "%s", plain(err))
	}
	return name, nil
}

// plain is the text of an error of the flag parser in our style: no capital,
// no back quotes.
func plain(err error) string {
	s := strings.ReplaceAll(err.Error(), "`", "'")
	return strings.ToLower(s[:1]) + s[1:]
}

// configFile is the file to read, or "" when there is none. A file that was
// parseTargets must exist; the default one need not.
func (p *program) configFile() (string, error) {
	if p.opts.Config != "" {
		file, err := p.inHome("--config", p.opts.Config)
		if err != nil {
			return "", err
		}
		if _, err := os.Stat(file); err != nil {
			return "", usage("check --config", "cannot read the configuration file: %s", plain(err))
		}
		return file, nil
	}
	dir, err := p.dataDir()
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, configName)
	if _, err := os.Stat(file); err != nil {
		return "", nil // what is wrong with the directory is told when it is used
	}
	return file, nil
}

// dataDir is the directory given or the default.
func (p *program) dataDir() (string, error) {
	if p.opts.DataDir != "" {
		return p.inHome("--datadir", p.opts.DataDir)
	}
	if dir, err := p.configDir(); err == nil {
		return filepath.Join(dir, "dcrspv"), nil
	}
	home, err := p.homeDir()
	if err != nil {
		return "", usage("give --datadir", "no default data directory: %v", err)
	}
	return filepath.Join(home, ".dcrspv"), nil
}

// findCommand returns the command of that name; the flag parser has made sure
// that there is one, or that the name is empty.
func findCommand(name string) *command {
	if i := slices.IndexFunc(commands, func(c *command) bool { return c.name == name }); i >= 0 {
		return commands[i]
	}
	return nil
}
