package mongostore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/mongostore"
)

// A client's secondary: it only reads, and a server that does not answer is an
// error of the call, not of Open.
func Example() {
	ctx := context.Background()
	s, err := mongostore.Open(ctx, "mongodb://127.0.0.1:1/flags", &mongostore.Options{
		ReadOnly:    true,
		HeadTimeout: 200 * time.Millisecond,
	})
	if err != nil {
		fmt.Println(err) // the URI cannot be read
		return
	}
	defer func() { _ = s.Close() }()

	_, err = s.Head(ctx, "checkout")
	var failed *flags.SourceError
	if errors.As(err, &failed) {
		fmt.Println(failed.Op+":", failed.Class)
	}
	fmt.Println(mongostore.Redact("mongodb://ana:secret@db-1,db-2/flags?authSource=admin"))
	// Output:
	// mongostore: head checkout: transient
	// mongodb://db-1,db-2/flags
}
