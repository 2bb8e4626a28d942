package matrix

// famousCells are eight that broke another SDK in production.
var famousCells = []Cell{
	{
		ID: "E1", Fault: "cache store dies, and its TTL passes; then everything else dies",
		Pass:   "nobody notices the first; the last known flags are served after the second",
		Result: "0 failed reads in 1 h of each",
		Tests:  []string{"internal/matrix.TestFamous"}, Twins: []string{"internal/matrix.TestTwins/forgetful"},
	},
	{
		ID: "E2", Fault: "Redis accepts but never answers",
		Pass:   "reads wait 0 s; a start waits <= 110 ms; toggles arrive as ever; its breaker opens after 4",
		Result: "0 s; 100 ms; <= 100 ms",
		Tests:  []string{"internal/matrix.TestFamous", "cachestrategy/rediscache.TestDeadServer"}, Twins: []string{"internal/matrix.TestTwins/patient_with_the_cache"},
	},
	{
		ID: "E3", Fault: "everything down at construction, and back after 5 min",
		Pass:   "a usable client after 1.5 s, which heals by itself",
		Result: "defaults, then the flags, within 75 s of the return",
		Tests:  []string{"internal/matrix.TestFamous"}, Twins: []string{"internal/matrix.TestTwins/patient_start"},
	},
	{
		ID: "E4", Fault: "a 3 s stall while the cache is written",
		Pass:   "reads wait 0 s; toggles arrive as ever; the cache has the newest afterwards",
		Result: "0 s; <= 100 ms; within 60 s",
		Tests:  []string{"internal/matrix.TestFamous"}, Twins: []string{"cachestrategy/rediscache.TestUnguardedTwin"},
	},
	{
		ID: "E5", Fault: "an OnChange listener that never returns",
		Pass:   "reads, toggles, other listeners and Close do not wait for it",
		Result: "0 s; <= 100 ms; Close returns",
		Tests:  []string{"internal/matrix.TestFamous", "flags.TestOnChangeCoalesces"}, Twins: []string{"internal/matrix.TestTwins/goroutine"},
	},
	{
		ID: "E6", Fault: "two processes race to write one Redis, one of them late by up to 2 s; then an outage",
		Pass:   "a process that starts from Redis alone has every flag, at the newest version that was put",
		Result: "0 flags gone, 0 versions lost in each round",
		Tests:  []string{"internal/matrix.TestFamous"}, Twins: []string{"cachestrategy/rediscache.TestUnguardedTwin"},
	},
	{
		ID: "E7", Fault: "a lagging secondary is offered after newer data",
		Pass:   "refused and counted; memory is kept; 0 backwards; taken once it has caught up",
		Result: "0 backwards; heads that were behind > 0",
		Tests:  []string{"internal/matrix.TestFamous", "flags.TestSecondaryLags"}, Twins: []string{"internal/matrix.TestTwins/older", "flags.TestLateOlderResult"},
	},
	{
		ID: "E8", Fault: "dead primary, and a secondary whose whole set takes 12 s",
		Pass:   "converges once, with one load; no going to and fro",
		Result: "1 load, 1 installation; ready in 12 to 14 s",
		Tests:  []string{"internal/matrix.TestFamous"}, Twins: []string{"internal/matrix.TestTwins/slower_bulk"},
	},
}
