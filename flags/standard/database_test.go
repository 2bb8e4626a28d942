package standard_test

import (
	"errors"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// Clients of a process that read from the same database share it; the last one closes it.
func TestClientsShareDatabase(t *testing.T) {
	opened := 0
	open := func() (standard.Origin, error) {
		opened++
		return memstore.New(nil), nil
	}
	var leave []func() error
	for _, url := range []string{"mongodb://a:x@db/flags", "mongodb://a:x@db/flags", "mongodb://b:y@db/flags", "mongodb://a:x@other/flags"} {
		closeOne, err := standard.ShareDatabase(url, time.Second, open)
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, closeOne)
	}
	if stores, bulkheads := standard.Databases(); opened != 3 || stores != 3 || bulkheads != 2 {
		t.Errorf("opened %d, %d stores behind %d bulkheads; want 3, 3 and one for each of 2 servers", opened, stores, bulkheads)
	}
	for _, l := range leave {
		if err := l(); err != nil {
			t.Error(err)
		}
		if err := l(); err != nil { // once more changes nothing
			t.Error(err)
		}
	}
	if stores, bulkheads := standard.Databases(); stores != 0 || bulkheads != 0 {
		t.Errorf("%d stores and %d bulkheads left", stores, bulkheads)
	}
}

// A name that takes the DNS its time holds up those who share the database, and nobody else; what
// could not be opened is tried again.
func TestOpeningDatabaseHoldsUpNobodyElse(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan error)
	slow := func() (standard.Origin, error) {
		close(asked)
		return nil, <-answer
	}
	failed := make(chan error)
	go func() {
		_, err := standard.ShareDatabase("mongodb+srv://slow/flags", time.Second, slow)
		failed <- err
	}()
	<-asked
	quick := func() (standard.Origin, error) { return memstore.New(nil), nil }
	leave, err := standard.ShareDatabase("mongodb://quick/flags", time.Second, quick)
	if err != nil {
		t.Fatal(err)
	}
	answer <- errors.New("no such host")
	if err := <-failed; err == nil {
		t.Error("opened what could not be opened")
	}
	again, err := standard.ShareDatabase("mongodb+srv://slow/flags", time.Second, quick)
	if err != nil {
		t.Fatalf("the second time: %v", err)
	}
	if err := errors.Join(leave(), again()); err != nil {
		t.Error(err)
	}
	if stores, bulkheads := standard.Databases(); stores != 0 || bulkheads != 0 {
		t.Errorf("%d stores and %d bulkheads left", stores, bulkheads)
	}
}
