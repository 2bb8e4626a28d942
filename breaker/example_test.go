package breaker_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/breaker"
)

// Four failures in a row open the breaker; from then on nothing is sent, and the caller reads from its next layer.
func Example() {
	router := breaker.New(breaker.Options{
		Name:   "router",
		OnTrip: func(t breaker.Trip) { fmt.Printf("%s opened after %d failures: %v\n", t.Name, t.Failures, t.Err) },
	})
	head := func(context.Context) (int, error) { return 0, errors.New("connection refused") }

	for range 5 {
		_, err := breaker.Do(context.Background(), router, time.Second, head)
		fmt.Println(errors.Is(err, breaker.ErrOpen), router.State())
	}
	// Output:
	// false closed
	// false closed
	// false closed
	// router opened after 4 failures: connection refused
	// false open
	// true open
}

// A stream shares the breaker with the calls: opening it is a call, losing it is one failure, and it is opened again
// only after a small read has closed the breaker.
func ExampleBreaker_RunIfClosed() {
	ctx := context.Background()
	router := breaker.New(breaker.Options{Name: "router"})
	openStream := func(context.Context) error { return nil }

	fmt.Println("opened:", router.RunIfClosed(ctx, openStream) == nil)
	for range 4 {
		router.Report(ctx, errors.New("stream lost"))
	}
	fmt.Println("refused:", errors.Is(router.RunIfClosed(ctx, openStream), breaker.ErrOpen))
	// Output:
	// opened: true
	// refused: true
}
