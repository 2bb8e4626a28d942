// Package memorycache keeps flag sets in the memory of this process, within a
// bound of entries and bytes.
//
// It pays where several clients of one process follow the same sets: give them
// one cache through cachestrategy.Shared, and what one of them has read from the
// primary the others read from memory.
package memorycache
