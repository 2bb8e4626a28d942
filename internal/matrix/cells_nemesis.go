package matrix

var nemesisCells = []Cell{
	{
		ID: "F33", Fault: "random faults of every layer over 24 h, with restarts",
		Pass:   "nothing that may never be: failed, backwards, torn or wrong reads, writes unread, unclassified errors, goroutines left; settled within 90 s of the last fault",
		Result: "none; 3 seeds in make test, 100 in make test-long",
		Tests:  []string{"internal/matrix.TestNemesis"},
		Twins:  []string{"internal/matrix.TestNemesisSeesBackwards"},
	},
}
