package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"dcrspv/spv"
	"dcrspv/wallet/dcrwallet"

	walleterrors "decred.org/dcrwallet/v5/errors"
)

// The exit status: 0 is done.
const (
	statusFailed    = 1
	statusUsage     = 2
	statusNotSynced = 3
)

var (
	errInterrupted = errors.New("interrupted; what was done is kept, run it again to continue")
	errNotSynced   = errors.New("not in sync within --timeout")
	errStuck       = fmt.Errorf("%w", errNotSynced)
	errWallet      = errors.New("there is a wallet already")
	errNoWallet    = errors.New("there is no wallet yet")
	errUnsynced    = errors.New("the wallet was never in sync")
	errSeed        = errors.New("that is no seed")
	errPassphrase  = errors.New("no passphrase")
	errPending     = errors.New("is written down and the next sync announces it")
	errWatching    = errors.New("the wallet has no private keys")
)

// usageError is a command line that makes no sense.
type usageError string

func (e usageError) Error() string { return string(e) }

func usage(format string, args ...any) error { return usageError(fmt.Sprintf(format, args...)) }

// remedies say what to do about an error. The first that matches counts. Texts of dcrwallet
// name its functions, and are replaced.
var remedies = []struct {
	kind         error
	what, remedy string // what replaces the text
}{
	{errPending, "", "don't send it again; run sync"},
	{errNoWallet, "", "make one with create, restore or watch"},
	{errWallet, "", "choose another --datadir"},
	{errUnsynced, "", "run sync first"},
	{errSeed, "", "give the words in their order, or the hexadecimal digits"},
	{errPassphrase, "", "type it, or give it as the first line of standard input"},
	{errWatching, "", "restore it from its seed to spend"},
	{errStuck, "", "the line above says why"},
	{errNotSynced, "", "check the network, --connect and --proxy"},
	{spv.ErrInUse, "", "end the other program or choose another --datadir"},
	{spv.ErrNetwork, "", "give the --network that it was made for or choose another --datadir"},
	{spv.ErrAddress, "", "give --connect as HOST:PORT"},
	{walleterrors.Passphrase, "wrong passphrase", "give that of the wallet"},
	{walleterrors.InsufficientBalance, "not enough coins", "see balance; what is immature or unconfirmed can't be spent yet"},
	{walleterrors.NotExist, "there is no account of this name", "see balance for the names"},
	{dcrwallet.ErrLocked, "", "give its passphrase"},
}

// ended returns the error of a run. An interruption hides all others, but not a payment
// that is made: whoever runs it again would pay twice.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, errPending) {
		return errInterrupted
	}
	return err
}

// explain returns the line that a user sees and the exit status.
func explain(err error) (line string, status int) {
	line, status = err.Error(), statusFailed
	var wrong usageError
	switch {
	case errors.As(err, &wrong):
		status = statusUsage
	case errors.Is(err, errNotSynced):
		status = statusNotSynced
	case errors.Is(err, errPending): // whatever has ended the wait for nodes
	case errors.Is(err, context.Canceled):
		err = errInterrupted
	}
	for _, r := range remedies {
		if errors.Is(err, r.kind) {
			line = cmp.Or(r.what, line) + ": " + r.remedy
			break
		}
	}
	return strings.Join(strings.Fields(line), " "), status
}
