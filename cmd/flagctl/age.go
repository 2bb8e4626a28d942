package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxAge bounds ages: dates that far off are typing errors.
const maxAge = 100 * 365 * 24 * time.Hour

// parseAge reads a duration that may also be in days and weeks: 36h, 7d, 2w.
func parseAge(text string) (time.Duration, error) {
	for unit, size := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		number, ok := strings.CutSuffix(text, unit)
		if n, err := strconv.ParseUint(number, 10, 32); ok && err == nil && n <= uint64(maxAge/size) {
			return time.Duration(n) * size, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > maxAge {
		return 0, errors.New("want an age such as 36h, 7d or 2w")
	}
	return d, nil
}

// parseSince reads an age, a date or an instant.
func parseSince(text string, now time.Time) (time.Time, error) {
	if d, err := parseAge(text); err == nil {
		return now.Add(-d), nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("want an age such as 7d, a date such as %s, or %s", now.Format(time.DateOnly), now.UTC().Format(time.RFC3339))
	}
	return t, nil
}
