package testenv

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// StartMongo starts a MongoDB-protocol server of the test's own. It ends with
// the test; if that failed, its log is shown.
func StartMongo(tb testing.TB) *Server {
	tb.Helper()
	return own(tb, mongo{})
}

// Mongo returns the URI of a fresh database on a server shared by the package's
// tests.
func Mongo(tb testing.TB) string {
	tb.Helper()
	return MongoURI(sharedMongo.get(tb), Name(tb))
}

// MongoURI returns the URI of a database on a server of StartMongo. Retryable
// writes are off: this server has none.
func MongoURI(s *Server, database string) string {
	return "mongodb://" + s.Addr() + "/" + database + "?retryWrites=false"
}

type mongo struct{}

func (mongo) command(addr, dir string) (*exec.Cmd, error) {
	bin, err := devmongo()
	if err != nil {
		return nil, err
	}
	if addr == "" {
		if addr, err = FreeAddr(); err != nil {
			return nil, err
		}
	}
	return exec.Command(bin, "--listen", addr, "--dir", dir, "--exit-with-stdin"), nil
}

func (mongo) ready(_ string, out io.Reader, p *process) (string, error) {
	line := make(chan string, 1)
	go func() {
		first, _ := bufio.NewReader(out).ReadString('\n')
		line <- first
		_, _ = io.Copy(io.Discard, out)
	}()
	select {
	case first := <-line:
		u, err := url.Parse(strings.TrimSpace(first))
		if err != nil || u.Host == "" {
			return "", fmt.Errorf("printed %q, not its URI", first)
		}
		return u.Host, nil
	case <-p.done:
		return "", fmt.Errorf("ended: %v", p.cmd.ProcessState)
	case <-time.After(startTimeout):
		return "", fmt.Errorf("not ready after %v", startTimeout)
	}
}
