package matrix

var loadCells = []Cell{
	{
		ID:     "F14",
		Fault:  "the secondary hangs, or one direction to it is dead, for a minute, while readers demand fresh answers; each code and label that a Mongo server can answer with",
		Pass:   "one call under way at a time, each cut at 1 s +- 50 ms; its own breaker opens at 4; only what passes by itself counts as a failure",
		Result: "1 at a time; open at the 4th",
		Tests:  []string{"internal/matrix.TestLayers", "store/mongostore.TestCodesOfServers", "store/mongostore.TestServersThatDoNotAnswer", "flags.TestFleetOnTheSecondary"},
		Twins:  []string{"internal/matrix.TestTwins/no_breaker", "internal/matrix.TestTwins/no_budget"},
	},
	{
		ID:     "F15",
		Fault:  "the secondary is 1,000 revisions behind, and the primary goes down",
		Pass:   "what is older is refused by its head, without reading a set; memory is kept; STALE; 0 backwards",
		Result: "lag 1,000 in Status; STALE; 0 backwards",
		Tests:  []string{"internal/matrix.TestLayers", "flags.TestSecondaryLags"},
		Twins:  []string{"internal/matrix.TestTwins/older"},
	},
	{
		ID:     "F29",
		Fault:  "the primary dies under 200 processes that read all the time, many reads demanding what nobody can answer",
		Pass:   "at most 0.2 reads a second of the secondary for each process, one at a time; no growth over 10 min; no whole set for one toggle",
		Result: "<= 40 heads/s in any 5 s, 0 sets; < 200 bytes for a toggle",
		Tests:  []string{"flags.TestFleetOnTheSecondary/guarded", "flags.TestFleetReturns"},
		Twins:  []string{"flags.TestFleetOnTheSecondary/sabotaged", "flags.TestFleetReturns"},
	},
}
