package adminweb

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
)

// assets are the files that pages load, with an address that changes with them.
var assets = loadAssets()

type assetFile struct {
	body []byte
	mark string // of its contents
}

func loadAssets() map[string]assetFile {
	out := map[string]assetFile{}
	entries, err := files.ReadDir("static")
	if err != nil {
		panic(err) // they are part of the program
	}
	for _, e := range entries {
		body, err := files.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(body)
		out[e.Name()] = assetFile{body, hex.EncodeToString(sum[:6])}
	}
	return out
}

var contentTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// asset returns the address of a file.
func asset(name string) string { return "/static/" + name + "?v=" + assets[name].mark }

// static serves a file. Browsers keep it for good where the address names its
// contents, and ask again where it does not, as scripts do that import each other.
func (v *visit) static() error {
	name := v.r.PathValue("name")
	file, ok := assets[name]
	if !ok {
		return v.nowhere()
	}
	h := v.w.Header()
	h.Set("Content-Type", contentTypes[path.Ext(name)])
	h.Set("ETag", `"`+file.mark+`"`)
	h.Set("Cache-Control", "no-cache")
	if v.query.Get("v") == file.mark {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if v.r.Header.Get("If-None-Match") == `"`+file.mark+`"` {
		v.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	v.send(http.StatusOK, file.body)
	return nil
}
