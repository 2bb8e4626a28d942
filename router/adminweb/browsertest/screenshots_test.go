package browsertest

import (
	"cmp"
	"context"
	"net/url"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// inColours checks that a page is light or dark as people ask for. With
// HOLDFAST_SCREENSHOTS it keeps a picture, in the folder that it names.
func (b *tab) inColours(p picture, scheme string) {
	b.t.Helper()
	var ground string
	b.eval(`getComputedStyle(document.documentElement).backgroundColor`, &ground)
	if dark := ground == "rgb(20, 25, 27)"; dark != (scheme == "dark") {
		b.t.Errorf("%s is on %s when people ask for %s", p.name, ground, scheme)
	}
	folder := os.Getenv("HOLDFAST_SCREENSHOTS")
	if folder == "" {
		return
	}
	var png []byte
	b.run(emulation.SetDeviceMetricsOverride(cmp.Or(p.width, 1180), p.height, 1, false),
		chromedp.ActionFunc(func(ctx context.Context) (err error) {
			png, err = page.CaptureScreenshot().Do(ctx)
			return err
		}), emulation.ClearDeviceMetricsOverride())
	if err := os.WriteFile(filepath.Join(folder, p.name+"-"+scheme+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// picture is a page that docs show.
type picture struct {
	name, path string
	height     int64
	width      int64 // default 1180
}

// onPhone checks that nothing of a page is beside the screen of a phone.
func (b *tab) onPhone(path string) {
	b.t.Helper()
	b.run(emulation.SetDeviceMetricsOverride(390, 844, 1, true))
	var wide string
	b.eval(`(() => {
		const scrolls = (e) => e !== null && (["auto", "scroll"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
		const beside = [...document.querySelectorAll("main *, .top *")].filter((e) => e.getBoundingClientRect().right > 391 && !e.closest(".hidden") && !scrolls(e));
		return beside.slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join("\n");
	})()`, &wide)
	if wide != "" {
		b.t.Errorf("%s is wider than a phone:\n%s", path, wide)
	}
	b.run(emulation.ClearDeviceMetricsOverride())
}

var pictures = []picture{
	{"flags", "/s/default/flags", 640, 0},
	{"flag", "/s/default/flag?key=search-ranking", 1250, 0},
	{"entity", "/s/default/entity?id=tenant-42&context=" + url.QueryEscape(`{"plan":"pro"}`), 640, 0},
	{"playground", "/s/default/playground?key=free-shipping-from&context=" + url.QueryEscape(`{"targetingKey":"tenant-42","plan":"pro","country":"FR"}`), 640, 0},
	{"segments", "/s/default/segments", 640, 0},
	{"history", "/s/default/history", 640, 0},
	{"sets", "/sets", 640, 0},
	{"health", "/health", 640, 0},
	{"phone", "/s/default/flags", 844, 390},
}

// follow is a process that follows the set, and says that its layers are in states.
func (h *host) follow(name string, states map[string]string) {
	h.t.Helper()
	c, err := grpcstore.Open("grpc://"+h.grpc, &grpcstore.Options{HeadTimeout: patience, Identity: grpcstore.Identity{Name: name, Version: "v1.4.0"}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	stream, err := c.Watch(h.t.Context(), "default", flags.Head{})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = stream.Close() })
	ev, err := stream.Next()
	if err == nil {
		err = stream.Applied(flags.Ack{Head: ev.Head, Layers: states})
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// history gives the set something to show.
func history(h *host) {
	on, err := h.definition("search-ranking").WithRollout([]flags.Share{{Variant: "neural", Weight: 50}, {Variant: "classic", Weight: 50}}, "")
	if err != nil {
		h.t.Fatal(err)
	}
	for _, c := range []struct {
		actor, reason string
		d             flags.Definition
		key           string
	}{
		{"Ana", "the launch", h.definition("new-checkout").WithDefaultVariant("on"), "new-checkout"},
		{"Ben", "the experiment goes well", on, "search-ranking"},
		{"Ben", "say what it does now", on.WithDescription("Half of all tenants get the new ranking"), "search-ranking"},
	} {
		_, err := h.store.Apply(h.t.Context(), flags.Commit{
			Set: "default", ID: flags.NewCommitID(), Actor: flags.Actor{Kind: "user", ID: c.actor, Via: "page"}, Reason: c.reason,
			Changes: []flags.Mutation{{Key: flags.FlagKey(c.key), Bytes: c.d.Bytes()}},
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
}
