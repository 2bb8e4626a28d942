module github.com/holdfast-flags/holdfast

go 1.26.0
