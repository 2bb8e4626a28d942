package matrix

var routerCells = []Cell{
	{
		ID:     "F24",
		Fault:  "the router is killed again and again while 8 clients write and read 10 flags",
		Pass:   "what the clients were told is linearizable; an acknowledged write is never lost, a repeated one never done twice",
		Result: "linearizable in every run; writes of unknown outcome took effect once or never",
		Tests:  []string{"internal/e2e.TestRouterIsLinearizable"},
		Twins:  []string{"internal/e2e.TestKillsFindWritesAcknowledgedEarly"},
	},
	{
		ID:     "F25",
		Fault:  "followers of a set are cut off at every event, at random, and for longer than the journal is kept",
		Pass:   "events are ordered, unique and complete, and go on from the follower's token",
		Result: "20,000 events to five followers, and 1,000 cuts at 1,000 events: none lost, doubled or out of order",
		Tests:  []string{"internal/e2e.TestEventsOfStreams", "internal/e2e.TestCutAtEveryEvent"},
		Twins:  []string{"internal/e2e.TestFollowersFindWhatIsWrong"},
	},
	{
		ID:     "F26",
		Fault:  "a follower does not read while 200 commits of 4 KiB are written",
		Pass:   "the router holds no queue for it, the others get each commit at once, and it is current after at most 64 messages",
		Result: "it gets what it missed in one piece",
		Tests:  []string{"router/flagsvc.TestSlowWatcher"},
		Twins:  []string{"router/flagsvc.TestQueuesAreFoundOut"},
	},
	{
		ID:     "F27",
		Fault:  "a set is restored from a backup, in place or into a new store",
		Pass:   "clients and mirrors with newer revisions of the old epoch take the new one over, once, and so do cache and disk; a token of the old epoch costs one question to the primary, without which it is NOT_FRESH; a stale writer conflicts and is told the epoch",
		Result: "one change at each client and mirror; 1 question for 100 reads; conflicts name the new epoch",
		Tests:  []string{"internal/matrix.TestLayers", "router.TestRestore", "flags.TestTokenOfAnOlderEpoch"},
		Twins:  []string{"router.TestRestoreWithinTheEpoch"},
	},
	{
		ID:     "F28",
		Fault:  "wall clocks an hour apart, ahead and behind: of a writer of commits, of one that fills the shared cache, of the process before on the same disk; origins up, and down for ten minutes",
		Pass:   "a running process counts by its own monotonic clock: ages are never negative and right, freshness ends when it should +- 1 s, the breaker keeps its cooldowns; a cache entry of the future is not fresh, one of the past is older than it is",
		Result: "ages right to the microsecond; a start from an entry of the future is a day old, stale; from a file of the future 0 old, stale",
		Tests:  []string{"internal/matrix.TestClocks", "router.TestClocks", "cachestrategy/rediscache.TestClockAhead"},
		Twins:  []string{"internal/matrix.TestTwins/ageless"},
	},
}
