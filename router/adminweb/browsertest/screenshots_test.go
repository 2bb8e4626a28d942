package browsertest

import (
	"context"
	"net/url"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/holdfast-flags/holdfast/flags"
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
	b.run(emulation.SetDeviceMetricsOverride(1180, p.height, 1, false),
		chromedp.ActionFunc(func(ctx context.Context) (err error) {
			png, err = page.CaptureScreenshot().Do(ctx)
			return err
		}))
	if err := os.WriteFile(filepath.Join(folder, p.name+"-"+scheme+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// picture is a page that docs show.
type picture struct {
	name, path string
	height     int64
}

var pictures = []picture{
	{"flags", "/s/default/flags", 640},
	{"flag", "/s/default/flag?key=search-ranking", 1250},
	{"entity", "/s/default/entity?id=tenant-42&context=" + url.QueryEscape(`{"plan":"pro"}`), 640},
	{"playground", "/s/default/playground?key=free-shipping-from&context=" + url.QueryEscape(`{"targetingKey":"tenant-42","plan":"pro","country":"FR"}`), 640},
	{"segments", "/s/default/segments", 640},
	{"history", "/s/default/history", 640},
	{"sets", "/sets", 640},
	{"health", "/health", 640},
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
