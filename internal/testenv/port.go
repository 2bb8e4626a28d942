package testenv

import (
	"errors"
	"net"
	"os"
	"strconv"
	"sync"
)

// Ports that are handed out. Below them are those of services, above them those that
// systems give to connections and to listeners on port 0: a server that is down for a
// while could not come back to one of these, as anybody may have been given it.
const (
	firstPort = 12_000
	ports     = 20_000
	perBinary = 64 // before it comes to those of another
)

var (
	portMu  sync.Mutex
	portNow = os.Getpid() * perBinary % ports
)

// FreeAddr returns a loopback address for a server that comes and goes: one that nothing
// listens on, that this process hands out once, and other test binaries hardly ever.
func FreeAddr() (string, error) {
	portMu.Lock()
	defer portMu.Unlock()
	for range ports {
		portNow = (portNow + 1) % ports
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+portNow))
		if l, err := net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", errors.New("testenv: no free port")
}
