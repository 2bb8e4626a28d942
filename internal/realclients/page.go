package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// page is a page in headless Chromium with the providers for browsers, and the
// server that it is from: commands go to it as server-sent events, replies are
// posted. It needs no remote control of the browser.
type page struct {
	*host
	origin string
	server *http.Server
	cmd    *exec.Cmd
	log    tail
}

// flags that Chromium needs in a container and on a machine without the internet.
var chromiumFlags = []string{
	"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage", "--log-level=3",
	"--disable-background-networking", "--disable-component-update", "--disable-sync",
}

func newPage(ctx context.Context, dir string) (*page, error) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		return nil, fmt.Errorf("install the Debian package chromium (or your system's): %w", err)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &page{host: &host{}, origin: "http://" + listener.Addr().String()}
	p.server = &http.Server{Handler: p.routes(filepath.Join(dir, "page.js")), ReadHeaderTimeout: patience}
	go func() {
		if err := p.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.end(err)
		}
	}()
	p.cmd = exec.CommandContext(ctx, browser, append(chromiumFlags, "--user-data-dir="+filepath.Join(dir, "profile"), p.origin+"/")...)
	p.cmd.Env = append(os.Environ(), "HOME="+dir) // whose settings are none of our business
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	p.cmd.WaitDelay = patience // for its children, which have its output, too
	// A group of its own: the browser is many processes, which end together.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		_ = p.server.Close()
		return nil, err
	}
	return p, nil
}

func (p *page) routes(script string) http.Handler {
	commands := make(chan []byte, 64)
	p.send = func(data []byte) error {
		select {
		case commands <- data:
			return nil
		case <-time.After(patience):
			return errors.New("the page takes no commands")
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><title>real clients</title><link rel="icon" href="data:,"><body><script src="/page.js"></script>`)
	})
	mux.HandleFunc("GET /page.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, script) })
	mux.HandleFunc("GET /commands", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			_ = http.NewResponseController(w).Flush() // fails with the connection, which the loop notices
			select {
			case data := <-commands:
				_, _ = fmt.Fprintf(w, "data: %s\n\n", data)
			case <-r.Context().Done():
				return
			}
		}
	})
	mux.HandleFunc("POST /replies", func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err == nil {
			err = p.received(data)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	return mux
}

// close ends the browser, then the server.
func (p *page) close() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // may have ended by itself
	_ = p.cmd.Wait()
	_ = p.server.Close()
}
