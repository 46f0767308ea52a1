package wallet

import "cmp"

// finish works out what follows from a change, before it is committed, and is the one
// list of that: whoever makes a change only notes what it touched. Each step finds the
// work of those above it done, and none makes work for them.
func (c *change) finish() error {
	for _, step := range [...]func(){
		// Accounts first. When one reaches less far, its scripts are lost to the steps
		// below as if the owner had unwatched them.
		c.fit,

		// Coins of lost scripts go before anything is judged by the coins.
		c.forget,

		// What waits is checked again, by all coins and scripts that are left.
		c.recheckPending,

		// What has passed that check is worth looking for. This only marks blocks as
		// not tested.
		c.searchBelowBirthdays,

		// Which scripts ahead of a gap count for what waits follows from what still
		// waits. Whatever concerns the wallet through none of them goes.
		c.await,

		// Now it is settled what waits and what is ours: the effects are final. Their
		// events are the last of a change, as doc.go promises to readers.
		c.logEffects,

		// The sums of the coins, once no coin moves any more.
		c.saveTotals,

		// The log is cut to its length after the last event.
		c.saveLog,

		// The position and what was tested, if there is anything to write or much of it.
		c.saveProgress,
	} {
		if c.err != nil {
			return c.err
		}
		step()
	}
	// The tally counts the records of all buckets, so nothing may be written after it.
	return cmp.Or(c.err, c.saveTally())
}
