module github.com/holdfast-flags/holdfast/internal/bench

go 1.26.0

require (
	github.com/holdfast-flags/holdfast v0.0.0
	github.com/twmb/murmur3 v1.1.8
)

replace github.com/holdfast-flags/holdfast => ../..
