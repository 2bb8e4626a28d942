package flagstest_test

import (
	"context"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagstest"
)

// checkout is code under test.
func checkout(ctx context.Context, client *flags.Client, tenant string) string {
	if client.Bool(ctx, "new-checkout", flags.Entity(tenant), false) {
		return "new"
	}
	return "old"
}

// A test of code that reads flags.
func Example() {
	_ = func(t *testing.T) { // func TestCheckout(t *testing.T)
		client := flagstest.New(t, flagstest.Bool("new-checkout", true).For("tenant-42", false))
		if got := checkout(t.Context(), client, "tenant-7"); got != "new" {
			t.Errorf("tenant-7 got the %s checkout", got)
		}
		if got := checkout(t.Context(), client, "tenant-42"); got != "old" {
			t.Errorf("tenant-42 got the %s checkout", got)
		}
	}
}
