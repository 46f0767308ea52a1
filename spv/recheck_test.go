package spv

import "testing"

// Who is to be asked once more does not wait behind those that claim more, however
// many they are, nor the other way round.
// Rule 22.
func TestRechecksAndClaimsTakeTurns(t *testing.T) {
	e, sessions := stillEngine(t, 0, 1000, 1000, 0)
	sessions[2].recheck.want()
	claims, rechecks := 0, 0
	for range 10 {
		if s := e.headerPeer(); s.recheck.wanted {
			rechecks++
		} else {
			claims++
		}
	}
	if claims != 5 || rechecks != 5 {
		t.Errorf("%d of those that claim more, %d of those to be asked once more; want 5 each", claims, rechecks)
	}
}
