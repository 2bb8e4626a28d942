package router_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/holdfast-flags/holdfast/flags"
	syncv1 "github.com/holdfast-flags/holdfast/internal/pb/flagd/sync/v1"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// TestLargeSetIsReported: a set that sync clients do not take as they come is said to
// be so by the metric, in the log, on its page and on that about health, until it is
// small enough again.
func TestLargeSetIsReported(t *testing.T) {
	mem, log := memstore.New(nil), &buffer{}
	r := serve(t, router.Options{Store: mem, Logger: slog.New(slog.NewTextHandler(log, nil))})
	client := syncv1.NewFlagSyncServiceClient(dialed(t, r.grpc))
	var big, small []flags.Mutation
	for i := range 5 {
		key := flags.FlagKey(fmt.Sprint("big", i))
		big = append(big, flags.Mutation{Key: key, Bytes: fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%q}}`, strings.Repeat("x", 900_000))})
		small = append(small, flags.Mutation{Key: key})
	}
	head := apply(t, mem, flags.Commit{Set: "default", Op: flags.OpCreate, Changes: big})
	for _, oversize := range []bool{true, false} {
		eventually(t, "the set is served", time.Minute, func() bool {
			got, err := client.FetchAllFlags(t.Context(), &syncv1.FetchAllFlagsRequest{}, grpc.MaxCallRecvMsgSize(64<<20))
			return err == nil && strings.Contains(got.GetFlagConfiguration(), head.Token().String())
		})
		_, metrics := get(t, r.ops, "/metrics")
		if want := fmt.Sprintf(`holdfast_sync_oversize{set="default"} %d`, map[bool]int{true: 1}[oversize]); !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %s", want)
		}
		for _, path := range []string{"/s/default/flags", "/health"} {
			status, page := get(t, r.http, path)
			if said := strings.Contains(page, "too large for flagd clients") && strings.Contains(page, "4.3 MiB"); status != http.StatusOK || said != oversize {
				t.Errorf("%s: %d; warns: %v, want %v", path, status, said, oversize)
			}
		}
		head = apply(t, mem, flags.Commit{Set: "default", Changes: small[:1]})
		small = small[1:]
	}
	if strings.Count(log.String(), "too large for sync clients") != 1 || strings.Count(log.String(), "small enough") != 1 {
		t.Errorf("the log says %s", log.text.String())
	}
}

// journaled is a store whose journal can be closed to readers.
type journaled struct {
	*memstore.Store
	mu     sync.Mutex
	shut   bool
	newest flags.Version // that was read
}

func (j *journaled) Commits(ctx context.Context, set string, from, to flags.Version, most int) ([]flags.Commit, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.shut {
		return nil, context.DeadlineExceeded
	}
	commits, err := j.Store.Commits(ctx, set, from, to, most)
	if n := len(commits); n > 0 && j.newest.Before(commits[n-1].Version) {
		j.newest = commits[n-1].Version
	}
	return commits, err
}

func (j *journaled) read() flags.Version {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.newest
}

// TestPageIsWarm: a router reads for its page before anybody asks for it.
func TestPageIsWarm(t *testing.T) {
	st := &journaled{Store: memstore.New(nil)}
	create(t, st, "default")
	head := apply(t, st, flags.Commit{Set: "default", Actor: flags.Actor{ID: "ana"}, Changes: []flags.Mutation{
		{Key: flags.FlagKey("f"), Bytes: []byte(`{"defaultVariant":"on","state":"ENABLED","variants":{"on":true}}`)},
	}})
	r := serve(t, router.Options{Store: st})
	eventually(t, "the journal was read", time.Minute, func() bool { return st.read() == head.Version })
	st.mu.Lock()
	st.shut = true
	st.mu.Unlock()
	eventually(t, "the page knows who was the last", time.Minute, func() bool {
		status, page := get(t, r.http, "/s/default/flags")
		return status == http.StatusOK && strings.Contains(page, `<span class="by">ana</span>`)
	})
}
