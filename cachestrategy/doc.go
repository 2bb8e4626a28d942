// Package cachestrategy says what a cache of flag sets is, and opens caches by
// name.
//
// What is cached is the whole set, as a checkpoint and the commits since, so a
// reader that already has something takes only what it is missing. An entry
// carries its own instants: from when its origin vouched for it and when it
// expires. A cache never hides an expired entry and never judges one; whoever
// reads it decides whether it is still good enough.
//
// Every [Strategy] keeps four promises, which the suite cachetest checks:
//
//   - Put if newer. Within a lineage, an older version never replaces a newer
//     one, not even after the newer one was dropped or invalidated.
//   - One history. An entry of another lineage is replaced only by a writer that
//     knows its own to be the right one.
//   - Fixed lifetimes. An entry's expiry is set when it is written. Reads do not
//     move it, nor do writes of other entries, nor old confirmations.
//   - Nothing wrong. A damaged entry is an error, never another set.
package cachestrategy
