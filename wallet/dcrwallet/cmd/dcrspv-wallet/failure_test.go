package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// Who interrupts a payment that is made already must not be asked to run it again: that
// would pay twice.
func TestInterruptedAfterPayment(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := fmt.Errorf("sent %w: %w", errPending, ctx.Err())
	line, status := explain(ended(ctx, err))
	if status != statusFailed || strings.Contains(line, "again to continue") || !strings.Contains(line, "don't send it again") {
		t.Errorf("%d, %s", status, line)
	}
	if line, _ := explain(ended(ctx, ctx.Err())); !strings.Contains(line, "again to continue") {
		t.Error(line)
	}
}
