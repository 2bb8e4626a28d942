// Package remote is what the drivers of stores and caches across a network share: budgets
// that grow as an answer comes in, a mailbox for a stream that is read slowly,
// and what an error of connecting means.
package remote
