package browsertest

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/holdfast-flags/holdfast/flags"
)

// TestScreenshots visits the main pages in both colour schemes. With
// HOLDFAST_SCREENSHOTS it keeps pictures of them, in the folder that it names.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("HOLDFAST_SCREENSHOTS")
	h := serve(t, someFlags, nil)
	history(h)
	b := h.open(t, "/")
	for _, scheme := range []string{"light", "dark"} {
		b.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
		for _, p := range pictures {
			b.visit(p.path)
			if p.ready != "" {
				b.until(p.ready)
			}
			height := int64(p.height)
			if height == 0 {
				height = 800
			}
			var png []byte
			b.run(emulation.SetDeviceMetricsOverride(1180, height, 1, false),
				chromedp.ActionFunc(func(ctx context.Context) (err error) {
					png, err = page.CaptureScreenshot().Do(ctx)
					return err
				}))
			var ground string
			b.eval(`getComputedStyle(document.documentElement).backgroundColor`, &ground)
			if dark := ground == "rgb(20, 25, 27)"; dark != (scheme == "dark") {
				t.Errorf("%s is on %s when people ask for %s", p.name, ground, scheme)
			}
			if folder == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(folder, p.name+"-"+scheme+".png"), png, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

var pictures = []struct {
	name, path, ready string
	height            int
}{
	{"flags", "/s/default/flags", "", 0},
	{"flag", "/s/default/flag?key=search-ranking", "", 1250},
	{"entity", "/s/default/entity?id=tenant-42&context=" + url.QueryEscape(`{"plan":"pro"}`), "", 0},
	{"playground", "/s/default/playground?key=free-shipping-from&context=" + url.QueryEscape(`{"targetingKey":"tenant-42","plan":"pro","country":"FR"}`), "", 0},
	{"segments", "/s/default/segments", "", 0},
	{"history", "/s/default/history", "", 0},
	{"sets", "/sets", "", 0},
	{"health", "/health", "", 0},
}

// history gives the set something to show.
func history(h *host) {
	h.edit("Ana", "new-checkout", func(d flags.Definition) flags.Definition { return d.WithDefaultVariant("on") })
	h.edit("Ben", "search-ranking", func(d flags.Definition) flags.Definition {
		return d.WithDescription("Half of all tenants get the new ranking")
	})
	h.edit("Ben", "search-ranking", func(d flags.Definition) flags.Definition {
		d, err := d.WithRollout([]flags.Share{{Variant: "neural", Weight: 50}, {Variant: "classic", Weight: 50}}, "")
		if err != nil {
			h.t.Fatal(err)
		}
		return d
	})
}
