#!/usr/bin/env bash
# Regenerates the Go code beside every .proto in this folder.
#
# Needs protoc (Debian: protobuf-compiler). The two Go plugins are those pinned
# in internal/tools/go.mod; PLUGINS=DIR uses already built ones instead.
set -euo pipefail
cd "$(dirname "$0")"

plugins=${PLUGINS:-}
if [[ -z $plugins ]]; then
	plugins=$(mktemp -d)
	trap 'rm -rf "$plugins"' EXIT
	GOBIN=$plugins go install -C ../tools \
		google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
fi

find . -name '*.proto' -print0 | sort -z | PATH="$plugins:$PATH" xargs -0 protoc --proto_path=. \
	--go_out=. --go_opt=paths=source_relative \
	--go-grpc_out=. --go-grpc_opt=paths=source_relative
