package matrix

// primaryCells are the faults of the primary, each over every protocol that it may speak.
var primaryCells = []Cell{
	{
		ID: "F1", Fault: "router refuses connections",
		Pass:   "opens after exactly 4 failed calls, the lost stream being one; nothing more is sent for 15 s; TCP dials in 15 s <= 14; a cold process reads the secondary <= 1.2 s after the first failure, a warm one within 12 s",
		Result: "4 calls, then none; dials <= 14; cold <= 1.2 s, warm <= 12 s; warm reads wait 0 s",
		Tests:  []string{"internal/matrix.TestPrimary", "flags.TestPrimaryRefuses"}, Twins: []string{"internal/matrix.TestTwins/no_breaker"},
	},
	{
		ID: "F2", Fault: "router accepts and hangs",
		Pass:   "a call on a good connection is cut at its budget, 1 s (REST 5 s) +- 50 ms, none later; opens after 4; no reader waits",
		Result: "4 calls, each of one budget; warm reads wait 0 s",
		Tests:  []string{"internal/matrix.TestPrimary", "flags.TestPrimaryHangsAtStart"}, Twins: []string{"internal/matrix.TestTwins/no_budget", "internal/matrix.TestTwins/no_breaker"},
	},
	{
		ID: "F3", Fault: "router's connection is cut after any byte of a load (some 100 of them, each in make test-long), or reset",
		Pass:   "0 sets installed that were never committed; whole again once the connection is",
		Result: "0 torn, 0 wrong",
		Tests:  []string{"internal/matrix.TestPrimary", "store/grpcstore.TestCutAnywhere", "store/reststore.TestCutAnywhere"}, Twins: []string{"flags.TestChangedByte"},
	},
	{
		ID: "F4", Fault: "router slow: just below its budget, and just above (900 and 1100 ms; REST 4.9 and 5.1 s)",
		Pass:   "below: 0 trips in 1,000 calls; above: trip at the 4th",
		Result: "0 trips; trip at the 4th call",
		Tests:  []string{"internal/matrix.TestPrimary", "flags.TestPrimarySlow"}, Twins: []string{"internal/matrix.TestTwins/no_budget"},
	},
	{
		ID: "F5", Fault: "three failures and a success, 1,000 times (200 in make test); three failures, 100 ignored, one failure",
		Pass:   "never opens; opens at once",
		Result: "closed after all of them; open at the 4th failure",
		Tests:  []string{"internal/matrix.TestPrimary", "breaker.TestRunOfFailures", "breaker.TestIgnoredKeepsTheRun"}, Twins: []string{"breaker.TestRunOfFailuresSabotaged"},
	},
	{
		ID: "F6", Fault: "10,000 callers leave at random instants",
		Pass:   "closed; failures 0; ignored = those that were sent",
		Result: "10,000 ignored, 0 failures",
		Tests:  []string{"internal/matrix.TestPrimary", "breaker.TestImpatientCallersNeverCount"}, Twins: []string{"breaker.TestImpatientCallersSabotaged"},
	},
	{
		ID: "F7", Fault: "every error that is not transient, 1,000 times each (200 in make test)",
		Pass:   "never opens; a run of three failures is what it was, but for an authoritative absence, which ends it",
		Result: "closed after all of each",
		Tests:  []string{"internal/matrix.TestPrimary", "breaker.TestRunOfFailures", "store/grpcstore.TestCodes", "store/reststore.TestStatusClasses"},
		Twins:  []string{"breaker.TestRunOfFailuresSabotaged"},
	},
	{
		ID: "F8", Fault: "router down for 10 min, with 1,000 callers that want an answer of its own",
		Pass:   "probes after 15, 45, 105, 165 ... s (each +0 to 10 %), 10 or 11 in all, one in each window",
		Result: "10 or 11 probes; 0 other calls",
		Tests:  []string{"internal/matrix.TestPrimary", "breaker.TestCooldownLadder", "breaker.TestOneProbeForACrowd"},
		Twins:  []string{"breaker.TestCooldownLadderSabotaged", "breaker.TestOneProbeForACrowdSabotaged"},
	},
	{
		ID: "F9", Fault: "probe hangs, panics, exits its goroutine",
		Pass:   "slot free again within the budget, 1 s (REST 5 s), + 100 ms; next cooldown 30 s",
		Result: "within the budget; 30 s (+0 to 10 %)",
		Tests:  []string{"internal/matrix.TestPrimary", "breaker.TestBadProbeFreesItsSlot"}, Twins: []string{"breaker.TestHungProbeSabotaged"},
	},
	{
		ID: "F10", Fault: "router back after 50 s",
		Pass:   "first good read <= 2 s after the gate opens next; stream there <= 12 s after it",
		Result: "a good read <= 2 s, the stream, spread over the processes, <= 12 s",
		Tests:  []string{"internal/matrix.TestPrimary", "flags.TestPrimaryDownForLong"}, Twins: []string{"internal/matrix.TestTwins/long_cooldown"},
	},
	{
		ID: "F30", Fault: "router 200 ms up, 200 ms down, for 5 min",
		Pass:   "at most one trip in 15 s; every trip and closing told once and in order; no reader notices",
		Result: "trips >= 15 s apart; 0 failed reads",
		Tests:  []string{"internal/matrix.TestPrimary", "breaker.TestFlapping"}, Twins: []string{"internal/matrix.TestTwins/short_cooldown"},
	},
	{
		ID: "F31", Fault: "router says that there is no such set",
		Pass:   "the secondary is not read; to the breaker a success; what is held stays",
		Result: "0 trips; 0 loads of the secondary but the one that tries it out",
		Tests:  []string{"internal/matrix.TestPrimary", "flags.TestPrimaryAnswersNo", "breaker.TestGoodProbeCloses"}, Twins: []string{"internal/matrix.TestTwins/not_told_apart"},
	},
	{
		ID: "F32", Fault: "router refuses the credentials",
		Pass:   "the secondary is not read; last known flags, reported stale; error in Status",
		Result: "0 trips; 0 loads of the secondary but the one that tries it out; STALE; state denied",
		Tests:  []string{"internal/matrix.TestPrimary", "flags.TestDeniedKeepsLastKnown"}, Twins: []string{"internal/matrix.TestTwins/not_told_apart"},
	},
}
