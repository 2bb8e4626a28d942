#!/usr/bin/env bash
# Regenerates the Go code beside every .proto in this folder. Run `make generate`:
# it puts the Go plugins on the PATH, as pinned in internal/tools/go.mod.
# protoc itself is Debian's protobuf-compiler, 3.21, with libprotobuf-dev.
set -euo pipefail
cd "$(dirname "$0")"

# protos FOLDER...: the .proto files below, in an order that does not change.
protos() { find "$@" -name '*.proto' -print0 | sort -z; }

protos . | xargs -0 protoc --proto_path=. --go_out=. --go_opt=paths=source_relative
# What grpc-go serves, and what is served over gRPC, gRPC-Web and Connect alike.
protos holdfast flagd/sync | xargs -0 protoc --proto_path=. --go-grpc_out=. --go-grpc_opt=paths=source_relative
protos flagd/evaluation schema | xargs -0 protoc --proto_path=. --connect-go_out=. --connect-go_opt=paths=source_relative,package_suffix=
