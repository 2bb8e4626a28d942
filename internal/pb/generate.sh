#!/usr/bin/env bash
# Regenerates the Go code beside every .proto in this folder. Run `make generate`:
# it puts the two Go plugins on the PATH, as pinned in internal/tools/go.mod.
# protoc itself is Debian's protobuf-compiler, 3.21.
set -euo pipefail
cd "$(dirname "$0")"

find . -name '*.proto' -print0 | sort -z | xargs -0 protoc --proto_path=. \
	--go_out=. --go_opt=paths=source_relative \
	--go-grpc_out=. --go-grpc_opt=paths=source_relative
