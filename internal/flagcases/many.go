package flagcases

import "strings"

// Many is a context with a list long enough for a rule that is quadratic in it to
// run out of its budget.
var Many = `{"many":[` + strings.TrimSuffix(strings.Repeat("1,", 3000), ",") + `]}`
