// Package pb holds the protocol sources and the code generated from them, one
// folder a protocol package. Run `make generate` after changing a .proto file.
package pb
