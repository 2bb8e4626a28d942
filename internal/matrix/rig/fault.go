package rig

import (
	"time"

	"google.golang.org/grpc/codes"

	"github.com/holdfast-flags/holdfast/internal/faultnet"
)

// Fault is what is wrong with a layer. The zero value is a layer in good health.
type Fault struct {
	Net     faultnet.Faults // with the way to it
	Code    codes.Code      // routers: every call is answered with it
	Wait    time.Duration   // routers: every call is answered so much later
	Only    string          // routers: the method that Code and Wait are for, e.g. Head; default: every call
	Between time.Duration   // routers: pause before each further message of a stream
	Reply   string          // Redis: every command is answered with this error
}

// The usual faults of any layer.
var (
	Healthy = Fault{}
	Refused = Fault{Net: faultnet.Faults{Mode: faultnet.Refuse}} // nobody listens
	Hanging = Fault{Net: faultnet.Faults{Mode: faultnet.Hang}}   // accepts, and never answers
	Reset   = Fault{Net: faultnet.Faults{Mode: faultnet.Reset}}  // accepts, and resets
	Deaf    = Fault{Net: faultnet.Faults{Up: faultnet.Path{Drop: true}}}
	Mute    = Fault{Net: faultnet.Faults{Down: faultnet.Path{Drop: true}}}
)

// CutAfter ends each connection when it has brought so many bytes.
func CutAfter(n int64) Fault {
	return Fault{Net: faultnet.Faults{Down: faultnet.Path{CutAfter: n}}}
}

// Says makes a router answer every call with an error.
func Says(code codes.Code) Fault { return Fault{Code: code} }

// Slow makes a router answer every call so much later.
func Slow(d time.Duration) Fault { return Fault{Wait: d} }

// Replies makes Redis answer every command with an error.
func Replies(text string) Fault { return Fault{Reply: text} }
