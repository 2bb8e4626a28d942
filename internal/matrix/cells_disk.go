package matrix

var diskCells = []Cell{
	{
		ID: "F17", Fault: "every other layer dead, cold start, 10,000 flags on disk",
		Pass:   "answers at once from the file, reported stale; the benchmark says how long reading it takes (bar 250 ms)",
		Result: "New waits for nothing",
		Tests:  []string{"internal/matrix.TestColdStartFromDisk", "internal/matrix.TestOutages"}, Twins: []string{"internal/matrix.TestTwins/no_file"},
	},
	{
		ID: "F18", Fault: "every layer dead, cold start, nothing on disk",
		Pass:   "defaults within 1.5 s + 100 ms, with an error code; Status says what each layer is short of",
		Result: "New returns after 1.5 s",
		Tests:  []string{"internal/matrix.TestColdStartFromNothing", "internal/matrix.TestOutages"}, Twins: []string{"internal/matrix.TestTwins/patient_start"},
	},
	{
		ID: "F19", Fault: "last-known-good file: cut at each byte, each bit of 64 KiB flipped, disk full, directory read-only, kill -9 while writing",
		Pass:   "corrupt files accepted: 0; after a kill the file is the old or the new one; the newest good one is served",
		Result: "each cut and each flip refused; 50 kills (1,000 in the long run) and one at each step of a write leave a whole file",
		Tests: []string{
			"store/filestore.TestDamageIsRefused", "store/filestore.TestForeignFiles", "store/filestore.TestFullDisk",
			"store/filestore.TestReadOnlyDirectory", "store/filestore.TestKilledWriter", "store/filestore.TestKilledAtEachStep",
		},
		Twins: []string{
			"store/filestore.TestFlipsFindUncheckedFiles", "store/filestore.TestPreviousGenerationSaves", "store/filestore.TestKilledAtEachStep",
		},
	},
	{
		ID: "F20", Fault: "two processes write one last-known-good file",
		Pass:   "the newest revision is there in the end; readers never go back",
		Result: "the newest of 200 versions, written in turns",
		Tests:  []string{"store/filestore.TestTwoProcessesOnOnePath", "store/filestore.TestManyWritersOnePath"},
		Twins:  []string{"store/filestore.TestOneWriterAtATime", "store/filestore.TestNeverBack"},
	},
}
