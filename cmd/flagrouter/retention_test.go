package main

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestRetention(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]retention{
		"24h,10000": {day, 10_000}, "90d": {90 * day, 10_000}, "36h": {36 * time.Hour, 10_000}, "50000": {day, 50_000},
		"90d,50000": {90 * day, 50_000}, "all": {math.MaxInt64, 10_000}, "36500d": {36_500 * day, 10_000},
	} {
		if got, err := parseRetention(text); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0d", "23h", "-1d", "1.5d", "36501d", "99999999999999d", "9999", "-10000", "1000000001", "90d,", ",10000", "90d,10000,1", "10000,90d", "90 d", "for ever", "all,10000", "4294967296d"} {
		if got, err := parseRetention(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
		_, err := parse([]string{"--keep-history", text}, nobody)
		if err == nil || !strings.HasPrefix(err.Error(), "--keep-history: ") {
			t.Errorf("%q: %v", text, err)
		}
	}
	c, err := parse(nil, nobody)
	if err != nil || c.keep != least {
		t.Errorf("by default %v is kept, %v", c.keep, err)
	}
}
