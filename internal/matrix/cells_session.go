package matrix

var sessionCells = []Cell{
	{
		ID:     "F22",
		Fault:  "write, then read with the token through another process, 100,000 times (5,000 in make test), under faults drawn at random on every layer",
		Pass:   "read-your-writes violations 0; p99 wait <= 250 ms while the stream is healthy",
		Tests:  []string{"internal/matrix/rig.TestReadYourWrites", "internal/e2e.TestTokenOfFlagctl", "internal/e2e.TestWritersAndReaders"},
		Twins:  []string{"internal/matrix/rig.TestReadYourWrites", "internal/e2e.TestWritersAndReaders"},
		Result: "0 violations: an answer has the write in it or says NOT_FRESH; the same reads without their tokens were older",
	},
	{
		ID:     "F23",
		Fault:  "one session hops over 4 instances with the token header, 400,000 reads, while instances hear of changes late",
		Pass:   "backwards reads 0; without the header more than 0",
		Tests:  []string{"flags/sessionhttp.TestSessionHopping/with_the_header"},
		Twins:  []string{"flags/sessionhttp.TestSessionHopping/without"},
		Result: "0 backwards, 0 NOT_FRESH in 400,000 reads; without the header more than half of the reads went back",
	},
}
