// Package rig is the whole client in front of real layers in memory, for scenarios in
// virtual time: the chain of flags/standard over two routers (real gRPC over pipes), Redis (go-redis
// over miniredis) and a last-known-good file. Only the connections are not TCP: they pass
// through faultnet, which breaks them.
//
// A secondary is a second router here, which is as legal as MongoDB is; that driver
// opens sockets of its own, which do not exist in virtual time.
//
// Everything must run inside a bubble of testing/synctest. Clients read all the time, and
// what an answer may never be fails the test; see [Report].
package rig
