// Package mongocache is a cache strategy of one's own, to copy from: flag sets in a
// MongoDB collection that all processes share.
//
//	standard.Config{
//		Cache:      "mongo:mongodb://db/app",
//		Strategies: map[string]cachestrategy.Factory{"mongo": mongocache.Factory},
//	}
//
// A strategy is a place for holdings and a way to replace one that nobody has
// replaced meanwhile; the rules are those of [cachestrategy.Holding]. Here the place is
// the newest document of a set, and the way is the unique _id of the next one. Package cachetest holds it to the
// contract, as it does the built-in ones.
package mongocache
