package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// retention is which history is kept: a commit is forgotten only once it is older than
// age and not among the newest commits of its set.
type retention struct {
	age     time.Duration
	commits int
}

// least is the default, too: clients that come back, writers that repeat themselves and
// mirrors go on from commits, so a shorter history would cost more than it saves.
var least = retention{24 * time.Hour, 10_000}

// most keeps the numbers of bytes and of nanoseconds from overflowing.
const (
	mostDays    = 36_500
	mostCommits = 1_000_000_000
)

// parseRetention reads AGE,COMMITS, either of them alone, or all.
func parseRetention(text string) (retention, error) {
	r := least
	if text == "all" {
		r.age = math.MaxInt64
		return r, nil
	}
	age, commits, both := strings.Cut(text, ",")
	if _, err := strconv.Atoi(age); err == nil && !both {
		age, commits = "", age
	}
	var err error
	if age != "" || commits == "" || both {
		if r.age, err = parseAge(age); err != nil {
			return r, fmt.Errorf("age %.40q: want 24h or more, as 36h or 90d", age)
		}
	}
	if commits != "" || both {
		if r.commits, err = strconv.Atoi(commits); err != nil || r.commits < least.commits || r.commits > mostCommits {
			return r, fmt.Errorf("%.40q commits: want %d or more", commits, least.commits)
		}
	}
	return r, nil
}

func parseAge(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 32)
		if err != nil || n == 0 || n > mostDays {
			return 0, fmt.Errorf("%q days", days)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	age, err := time.ParseDuration(text)
	if err == nil && age < least.age {
		err = fmt.Errorf("%v is less than %v", age, least.age)
	}
	return age, err
}
