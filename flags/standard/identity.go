package standard

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// identity is what a router shows of this process to whoever asks which clients
// have applied a change: program, host and process id, version of the SDK.
func identity() grpcstore.Identity {
	id := grpcstore.Identity{Name: filepath.Base(os.Args[0])}
	if host, err := os.Hostname(); err == nil {
		id.Instance = fmt.Sprintf("%s:%d", host, os.Getpid())
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range append(build.Deps, &build.Main) {
			if m.Path == "github.com/holdfast-flags/holdfast" {
				id.Version = m.Version
			}
		}
	}
	return id
}
