package matrix

var cacheCells = []Cell{
	{
		ID:     "F11",
		Fault:  "Redis refuses, hangs, resets, or answers LOADING, READONLY, OOM, NOAUTH, BUSY, WRONGTYPE",
		Pass:   "a lookup in the cache takes <= 110 ms, for <= 4 lookups, then 0, and is answered from memory; reads of flags wait 0 s, toggles come as ever, a start waits <= 110 ms",
		Result: "0 errors in 200 lookups of each; reads of flags 0 s, toggles <= 200 ms",
		Tests:  []string{"internal/matrix.TestLayers", "cachestrategy.TestTieredOutages", "cachestrategy/rediscache.TestReplies"},
		Twins:  []string{"internal/matrix.TestTwins/patient_with_the_cache"},
	},
	{
		ID:     "F12",
		Fault:  "Redis loses all it has, loses the last writes, or has something of somebody else's under our keys",
		Pass:   "0 backwards; refilled within one period of renewal, 1 min",
		Result: "0 backwards; refilled within 1 min by clients, within 21 s of its time by a router",
		Tests: []string{
			"internal/matrix.TestLayers", "cachestrategy.TestTieredFailover", "flags.TestCacheIsRefilled", "router.TestFlushedCacheIsRefilled",
			"cachestrategy/rediscache.TestConformance",
		},
		Twins: []string{"cachestrategy.TestTieredFailover"},
	},
	{
		ID:     "F13",
		Fault:  "a writer that was held up puts an old version into Redis, 10 s, 24 h and 36 h late",
		Pass:   "refused by the script, also where the entry is gone: the watermark outlives it",
		Result: "refused each time; without the watermark taken once the entry is gone",
		Tests:  []string{"cachestrategy/rediscache.TestDelayedWriter"},
		Twins:  []string{"cachestrategy/rediscache.TestDelayedWriter", "cachestrategy/rediscache.TestUnguardedTwin"},
	},
	{
		ID:     "F21",
		Fault:  "50 processes that can only poll, on one Redis: started together with nothing in it; a flush; expiry under 10,000 readers",
		Pass:   "<= 3 loads of the origin at the start, none for what expires",
		Result: "<= 3; 0 in ten minutes of expiring",
		Tests:  []string{"flags/standard.TestFleetLoadsOnce", "flags/standard.TestTenClientsLoadOnce"},
		Twins:  []string{"flags/standard.TestFleetTwin"},
	},
	{
		ID:     "G8",
		Fault:  "10,000 sets with lifetimes of their own, written and read at random (50,000 calls, 1,000,000 in make test-long, over memory; fewer over Redis)",
		Pass:   "each entry ends when it was told to, to 1 ms over memory, 20 ms over Redis: writes and reads of others do not move it, reads do not lengthen it, the same version again does not shorten it",
		Result: "all of them",
		Tests: []string{
			"cachestrategy/memorycache.TestManyLifetimes", "cachestrategy/memorycache.TestConformance",
			"cachestrategy/rediscache.TestConformance", "cachestrategy/rediscache.TestConformanceVirtual",
		},
		Twins: []string{"cachestrategy/memorycache.TestOneTTLTwin", "cachestrategy/rediscache.TestUnguardedTwin"},
	},
	{
		ID:     "G9",
		Fault:  "entries in their margin, 10 % of the TTL and at most 30 s, or of their own",
		Pass:   "usable until the margin begins and not after: TTL 3500 with margin 200 until 3300; what a process holds is fresh until then +- 1 s, and never after",
		Result: "to the nanosecond in a process; 54 s of 60 by default",
		Tests: []string{
			"cachestrategy.TestMargin", "cachestrategy.TestLayer", "cachestrategy/memorycache.TestManyLifetimes", "cachestrategy/rediscache.TestConformance",
			"internal/matrix.TestClocks",
		},
		Twins: []string{"internal/matrix.TestTwins/ageless", "cachestrategy/memorycache.TestOneTTLTwin"},
	},
}
