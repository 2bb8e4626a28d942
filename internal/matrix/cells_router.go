package matrix

var routerCells = []Cell{
	{
		ID:    "F24",
		Fault: "the router is killed again and again while 8 clients write and read 10 flags",
		Pass:  "what the clients were told is linearizable; an acknowledged write is never lost, a repeated one never done twice",
		Tests: []string{"internal/e2e.TestRouterIsLinearizable"},
		Twins: []string{"internal/e2e.TestKillsFindWritesAcknowledgedEarly"},
	},
	{
		ID:    "F25",
		Fault: "followers of a set are cut off at every event, at random, and for longer than the journal is kept",
		Pass:  "events are ordered, unique and complete, and go on from the follower's token",
		Tests: []string{"internal/e2e.TestEventsOfStreams", "internal/e2e.TestCutAtEveryEvent"},
		Twins: []string{"internal/e2e.TestFollowersFindWhatIsWrong"},
	},
	{
		ID:     "F26",
		Fault:  "a follower does not read while 200 commits of 4 KiB are written",
		Pass:   "the router holds no queue for it, the others get each commit at once, and it is current after at most 64 messages",
		Result: "it gets what it missed in one piece",
		Tests:  []string{"router/flagsvc.TestSlowWatcher"},
		Twins:  []string{"router/flagsvc.TestQueuesAreFoundOut"},
	},
}
