package matrix

// outageCells are several layers at once.
var outageCells = []Cell{
	{
		ID: "L1", Fault: "cache up but outdated, primary down, secondary newer; processes running and starting",
		Pass:   "everybody ends at the secondary's version; the cache too; nobody goes back",
		Result: "a starting process has it within 1.2 s, a running one within 12 s, the cache 1 s after that",
		Tests:  []string{"internal/matrix.TestOutages"}, Twins: []string{"internal/matrix.TestTwins/older", "flags.TestLateOlderResult"},
	},
	{
		ID: "F16", Fault: "router and secondary down for an hour (24 in make test-long)",
		Pass:   "memory serves; reported stale; its age only rises; warm reads wait 0 s",
		Result: "0 failed reads; STALE; age >= the time that has passed",
		Tests:  []string{"internal/matrix.TestOutages", "flags.TestEverythingDies"}, Twins: []string{"internal/matrix.TestTwins/forgetful"},
	},
}
