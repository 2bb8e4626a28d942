package rig

import (
	"runtime"
	"strings"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/internal/faultnet"
)

// goroutines returns the stack of each goroutine of the bubble by its id.
func goroutines() map[string]string {
	synctest.Wait() // those that are about to end
	buf := make([]byte, 64<<10)
	n := runtime.Stack(buf, true)
	for n == len(buf) {
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
	}
	all := strings.Split(string(buf[:n]), "\n\n")
	_, own, _ := strings.Cut(all[0], ", ") // the running one comes first: "goroutine 8 [running, synctest bubble 1]:"
	own, _, _ = strings.Cut(own, "]:")
	found := map[string]string{}
	for _, stack := range all {
		header, _, _ := strings.Cut(stack, "\n")
		if id, state, _ := strings.Cut(header, " ["); own != "" && strings.HasSuffix(state, ", "+own+"]:") {
			found[id] = stack
		}
	}
	return found
}

// leftOver returns a goroutine that was not there when the house was built, and how many
// there are after at most 10 s: a link goes on with what it was given to delay, for up to
// 3 s each way, after both ends are gone.
func (h *House) leftOver() (stack string, n int) {
	h.release()
	for began := time.Now(); ; Wait(100 * time.Millisecond) {
		stack, n = "", 0
		for id, s := range goroutines() {
			if _, old := h.base[id]; !old {
				stack, n = s, n+1
			}
		}
		if n == 0 || time.Since(began) >= 10*time.Second {
			return stack, n
		}
	}
}

// release lets connections whose end does not get through end at the other side too.
func (h *House) release() {
	links := map[*faultnet.Proxy]*Fault{
		h.Primary.Link: h.Primary.fault.Load(), h.Secondary.Link: h.Secondary.fault.Load(), h.Cache.Link: h.Cache.fault.Load(),
	}
	for link, f := range links {
		if f.Net != (faultnet.Faults{}) {
			setLink(h.tb, link, Reset.Net)
			setLink(h.tb, link, f.Net)
		}
	}
}
