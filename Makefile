# Everything that is done to Holdfast is a target here. `make help` lists them.
TOOLS := $(CURDIR)/.tools
export HOLDFAST_DEVMONGO := $(TOOLS)/devmongo
PROVIDERS := $(TOOLS)/realclients
FUZZTIME ?= 30s
# Days of random faults, without the race detector, which a part of them has in the suite.
NEMESIS := go test -timeout 60m -run ^TestNemesis ./internal/matrix

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## bin/flagrouter and bin/flagctl
	go build -o bin/ ./cmd/...

.PHONY: test
test: deps ## everything: brings up Redis and the Mongo-protocol server, vet, lint, race tests, end-to-end
	@.ci/timed vet go vet ./...
	@.ci/timed tidy go mod tidy -diff
	@.ci/timed lint $(MAKE) --no-print-directory lint
	@.ci/timed devmongo $(MAKE) --no-print-directory $(HOLDFAST_DEVMONGO)
	@.ci/timed bench-build $(MAKE) --no-print-directory bench-build
	@.ci/timed race-tests .ci/tally sh -c 'go test -race -vet=off -p 3 -timeout 10m ./... && $(NEMESIS)'
	@.ci/timed realclients $(MAKE) --no-print-directory realclients
	@.ci/timed demo $(MAKE) --no-print-directory demo

.PHONY: test-long
test-long: deps $(HOLDFAST_DEVMONGO) ## the same tests with larger volumes, and each fuzz target for FUZZTIME
	HOLDFAST_LONG=1 .ci/tally sh -c 'go test -race -timeout 60m ./... && $(NEMESIS)'
	@$(MAKE) --no-print-directory fuzz

.PHONY: deps
deps:
	@.ci/deps

.PHONY: lint
lint: $(TOOLS)/golangci-lint ## golangci-lint, pinned in internal/tools
	$(TOOLS)/golangci-lint run --timeout 10m ./...

.PHONY: docs
docs: ## docs/failure-matrix.md, from what the tests find, and docs/cli.md, from the commands
	go test -count=1 -run '^TestSubsets$$' ./internal/matrix -update
	go test -count=1 -run '^TestReference$$' ./cmd/flagctl -update

.PHONY: bench
bench: ## reads, faults, starts, fan-out and memory beside their floors, ratios in one run
	cd internal/bench && go run .

.PHONY: bench-build
bench-build:
	cd internal/bench && go vet ./...

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (30s)
	@.ci/fuzz $(FUZZTIME)

.PHONY: demo
demo: deps build $(HOLDFAST_DEVMONGO) ## outage after outage in one terminal; ends by itself
	go run ./internal/demo

.PHONY: realclients
realclients: deps build $(PROVIDERS)/.installed ## published OpenFeature providers, in Node and in Chromium, against a router
	go run ./internal/realclients -modules $(PROVIDERS)/node_modules

.PHONY: generate
generate: $(TOOLS)/protoc-gen-go $(TOOLS)/protoc-gen-go-grpc $(TOOLS)/protoc-gen-connect-go ## protobuf code from internal/pb (needs protoc 3.21)
	PATH="$(TOOLS):$$PATH" internal/pb/generate.sh

.PHONY: clean
clean: ## remove what was built
	rm -rf bin $(TOOLS)

$(TOOLS)/golangci-lint: internal/tools/go.mod
	cd internal/tools && go build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(TOOLS)/protoc-gen-go: internal/tools/go.mod
	cd internal/tools && go build -o $@ google.golang.org/protobuf/cmd/protoc-gen-go

$(TOOLS)/protoc-gen-go-grpc: internal/tools/go.mod
	cd internal/tools && go build -o $@ google.golang.org/grpc/cmd/protoc-gen-go-grpc

$(TOOLS)/protoc-gen-connect-go: internal/tools/go.mod
	cd internal/tools && go build -o $@ connectrpc.com/connect/cmd/protoc-gen-connect-go

# The lock file names versions and checksums of all packages, and no registry.
$(PROVIDERS)/.installed: internal/realclients/js/package.json internal/realclients/js/package-lock.json
	mkdir -p $(PROVIDERS)
	cp $^ $(PROVIDERS)
	cd $(PROVIDERS) && npm ci --ignore-scripts --no-audit --no-fund --loglevel error
	touch $@

$(HOLDFAST_DEVMONGO): $(wildcard internal/devmongo/*.go) internal/devmongo/go.mod
	cd internal/devmongo && go build -o $@ .
