package adminweb

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"embed"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
)

//go:embed templates static
var files embed.FS

// pages are the templates by the name of their file, each within the frame.
var pages = parsePages()

func parsePages() map[string]*template.Template {
	frame := template.Must(template.New("frame.html").Funcs(template.FuncMap{
		"ago": ago, "age": age, "moment": moment, "who": who, "asset": asset, "percent": percent, "plural": plural, "args": args, "join": strings.Join, "mib": mib,
	}).ParseFS(files, "templates/frame.html", "templates/parts.html"))
	out := map[string]*template.Template{}
	entries, err := files.ReadDir("templates")
	if err != nil {
		panic(err) // they are part of the program
	}
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".html")
		if name != "frame" && name != "parts" {
			out[name] = template.Must(template.Must(frame.Clone()).ParseFS(files, "templates/"+e.Name()))
		}
	}
	return out
}

// screen is what every page shows around its own part.
type screen struct {
	Title, Section string
	Set            string
	Sets           []string
	Head           flags.Head
	Live           bool // the page follows the set
	Token          string
	Login          bool // there is somebody to log out
	Anonymous      bool // nobody logs in here, so that people sign with a name of their own
	Name           string
	Who            string
	Admin          bool        // may see how the router does
	APIKeys        bool        // may see the API keys
	Saved          string      // the revision of the write that led here
	Past           *flags.Head // what the page shows, where that is not what is there now
	Restores       bool        // the visitor may roll back to it
}

func (v *visit) screen(title, section string) screen {
	ctx, cancel := context.WithTimeout(v.ctx, time.Second)
	defer cancel()
	s := screen{Past: v.past, Title: title, Section: section, Set: v.set, Token: v.token(), Login: v.session != "", Anonymous: !v.opts.Login}
	if !v.opts.Login || v.session != "" {
		s.Sets = v.setNames(ctx)
		s.Admin = v.opts.Policy.Decide(v.who, authz.Admin, "") == nil
		s.APIKeys = s.Admin && v.opts.Records != nil
	}
	if s.Set == "" && len(s.Sets) > 0 {
		s.Set = s.Sets[0]
		if slices.Contains(s.Sets, defaultSet) {
			s.Set = defaultSet
		}
	}
	s.Restores = s.Past != nil && v.opts.Policy.Decide(v.who, authz.Write, v.set) == nil
	if v.session != "" {
		s.Who = cmp.Or(v.who.Name, v.who.String())
	}
	if c, err := v.r.Cookie(nameCookie); err == nil && s.Anonymous {
		s.Name = unescapeName(c.Value)
	}
	if saved, err := strconv.ParseUint(v.query.Get("saved"), 10, 64); err == nil {
		s.Saved = strconv.FormatUint(saved, 10)
	}
	return s
}

// Screen is the screen, for parts of templates.
func (s screen) Screen() screen { return s }

// at completes a screen by the version that it shows.
func (s screen) at(head flags.Head) screen {
	s.Head, s.Live = head, s.Past == nil
	return s
}

// render answers with a page. It is made as a whole first: what fails half way
// must not look like a page.
func (v *visit) render(status int, name string, data any) {
	var out bytes.Buffer
	if err := pages[name].Execute(&out, data); err != nil {
		v.opts.Logger.ErrorContext(v.ctx, "page: template", "page", name, "err", err)
		http.Error(v.w, "internal error", http.StatusInternalServerError)
		return
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.send(status, out.Bytes())
}

var zips = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is one there is
	return z
}}

// send answers with a body, compressed where the browser takes that. That the
// browser has gone is nobody's concern.
func (v *visit) send(status int, body []byte) {
	h := v.w.Header()
	h.Set("Vary", "Accept-Encoding")
	if len(body) > 1<<10 && takesGzip(v.r) {
		var out bytes.Buffer
		z := zips.Get().(*gzip.Writer)
		z.Reset(&out)
		_, _ = z.Write(body) // into memory
		_ = z.Close()
		zips.Put(z)
		body = out.Bytes()
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	v.w.WriteHeader(status)
	_, _ = v.w.Write(body)
}

func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" && strings.TrimSpace(q) != "q=0" {
			return true
		}
	}
	return false
}

// ago says how long ago something was.
func ago(t time.Time) string {
	if text := age(t); text != "< 1 min" {
		return text + " ago"
	}
	return "just now"
}

// age says how long it has been since, in the largest unit that fits.
func age(t time.Time) string {
	d := max(time.Since(t), 0)
	for _, u := range []struct {
		name string
		of   time.Duration
	}{{"y", 365 * 24 * time.Hour}, {"mo", 30 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}} {
		if d >= u.of {
			return fmt.Sprintf("%d %s", int(d/u.of), u.name)
		}
	}
	return "< 1 min"
}

// moment writes a time for people; machine is for the datetime attribute.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func percent(part, whole int) string {
	if whole <= 0 {
		return "0 %"
	}
	return strconv.FormatFloat(float64(part)*100/float64(whole), 'f', -1, 32) + " %"
}

// mib writes a size for people.
func mib(bytes int) string {
	return strconv.FormatFloat(math.Round(float64(bytes)/(1<<20)*10)/10, 'f', -1, 64) + " MiB"
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}

// args gives a part of a page several things to show: names and values in turn.
func args(pairs ...any) (map[string]any, error) {
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("argument %d is no name", i)
		}
		out[name] = pairs[i+1]
	}
	return out, nil
}
