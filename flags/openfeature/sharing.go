package openfeature

import (
	"runtime"
	"strings"
	"sync/atomic"
)

// sharing says whether reads of one flag may be given the same metadata map. The SDK's client copies what it is
// given, and to copy it here too would be a tenth of a read; but the SDK's package multi writes its own notes into the map, and so
// may others that wrap a provider. They all call Init: so the map is shared only while every Init has come
// from the SDK's own package.
type sharing struct{ state atomic.Int32 }

const (
	sharingUnknown int32 = iota // nobody has called Init: each reader gets a map of its own
	sharingAllowed
	sharingRefused // for good
)

const sdkPackage = "github.com/open-feature/go-sdk/openfeature."

func (s *sharing) allowed() bool { return s.state.Load() == sharingAllowed }

// calledFrom notes who is skip calls up: 1 is who calls calledFrom, 2 is who called that.
func (s *sharing) calledFrom(skip int) {
	pc := make([]uintptr, 1)
	runtime.Callers(skip+1, pc)
	frame, _ := runtime.CallersFrames(pc).Next()
	if strings.HasPrefix(frame.Function, sdkPackage) {
		s.state.CompareAndSwap(sharingUnknown, sharingAllowed)
		return
	}
	s.state.Store(sharingRefused)
}
