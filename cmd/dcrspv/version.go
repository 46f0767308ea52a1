package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"text/tabwriter"

	"dcrspv/spv"
	"dcrspv/wallet"
)

// version is that of the program, and what peers are told.
const version = "0.1.0"

// versionDoc is the document of version. Module and commit are empty, and
// modified false, if the build does not know them.
type versionDoc struct {
	Version   string `json:"version"`
	Module    string `json:"module"`   // version of the module, made by the go command
	Commit    string `json:"commit"`   // of git
	Modified  bool   `json:"modified"` // the source was not that of the commit alone
	Go        string `json:"go"`
	OS        string `json:"os"`
	Arch      string `json:"arch"`
	ChainDB   uint32 `json:"chain_db"`  // version of the file's layout
	WalletDB  uint32 `json:"wallet_db"` // likewise
	Protocol  uint32 `json:"protocol"`  // highest version of the peer-to-peer protocol
	UserAgent string `json:"user_agent"`
}

// newVersionDoc takes from build what was built from what; nil knows nothing.
func newVersionDoc(build *debug.BuildInfo) versionDoc {
	doc := versionDoc{
		Version:   version,
		Go:        runtime.Version(),
		OS:        runtime.GOOS,
		Arch:      runtime.GOARCH,
		ChainDB:   spv.ChainFileVersion,
		WalletDB:  wallet.FileVersion,
		Protocol:  spv.ProtocolVersion,
		UserAgent: spv.Config{UserAgentVersion: version}.UserAgent(),
	}
	if build == nil {
		return doc
	}
	doc.Module = build.Main.Version
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			doc.Commit = s.Value
		case "vcs.modified":
			doc.Modified = s.Value == "true"
		}
	}
	return doc
}

// runVersion tells what the program is.
func (p *program) runVersion(context.Context) error {
	build, _ := debug.ReadBuildInfo() // nil if there is none
	doc := newVersionDoc(build)
	if p.opts.JSON {
		return p.printJSON(doc)
	}
	return p.printVersion(doc)
}

func (p *program) printVersion(doc versionDoc) error {
	commit := cmp.Or(doc.Commit, "unknown")
	if doc.Modified {
		commit += ", modified"
	}
	fmt.Fprintf(p.stdout, "dcrspv %s\n", doc.Version)
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "module\t%s\n", cmp.Or(doc.Module, "unknown"))
	fmt.Fprintf(w, "commit\t%s\n", commit)
	fmt.Fprintf(w, "go\t%s %s/%s\n", doc.Go, doc.OS, doc.Arch)
	fmt.Fprintf(w, "chain.db\tversion %d\n", doc.ChainDB)
	fmt.Fprintf(w, "wallet.db\tversion %d\n", doc.WalletDB)
	fmt.Fprintf(w, "protocol\tversion %d\n", doc.Protocol)
	fmt.Fprintf(w, "user agent\t%s\n", doc.UserAgent)
	return w.Flush()
}
