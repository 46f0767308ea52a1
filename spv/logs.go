package spv

import "github.com/decred/slog"

// logs are the loggers of the subsystems, each with a level of its own.
type logs struct {
	sync     slog.Logger // SYNC: headers, reorgs, what phase it is
	peer     slog.Logger // PEER: connections and requests
	registry slog.Logger // REGI: addresses, faults, bans
	filters  slog.Logger // FLTR: filters and their verification
	wallet   slog.Logger // WLLT: scanning for the wallets, their transactions
}

func newLogs(log func(subsystem string) slog.Logger) logs {
	return logs{
		sync:     log("SYNC"),
		peer:     log("PEER"),
		registry: log("REGI"),
		filters:  log("FLTR"),
		wallet:   log("WLLT"),
	}
}
