package adminweb

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagdfile"
	"github.com/holdfast-flags/holdfast/internal/textdiff"
	"github.com/holdfast-flags/holdfast/internal/vendorformat"
)

// Bounds of an import by the page; flagctl takes larger files.
const (
	maxImportForm = 16 << 20 // of the form, in which the file is escaped
	shownNotes    = 200
)

// flagdFormat is the one that needs no translation.
const flagdFormat = "flagd"

// importPage takes a flag file or the export of another product, shows what importing it
// would change, and asks for the confirmation.
type importPage struct {
	screen
	Formats []string
	Shown   bool   // what would change is shown
	Base    string // version that it would change
	Seen    string // of which text and options
	Rows    []change
	Number  int // of entries that would change
	More    int
	Notes   []vendorformat.Note // what is not exactly as it was
	Omitted int                 // notes that are not shown
	Form    *form
}

func (v *visit) importing() error { return v.showImport(newForm("", nil)) }

// showImport shows the form and, where it has a file, what that would change.
func (v *visit) showImport(f *form) error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	_, now, err := v.open(ctx)
	if err != nil {
		return err
	}
	p := importPage{screen: v.screen("Import", "flags").at(now.Head()), Formats: append([]string{flagdFormat}, vendorformat.Names()...), Base: now.Head().Version.String(), Seen: f.importSum(), Form: f}
	p.Live = false // what was confirmed must be what was read
	if f.Value("text") != "" {
		doc, notes := f.document()
		p.Omitted = max(0, len(notes)-shownNotes)
		p.Notes = notes[:len(notes)-p.Omitted]
		if changes, ok := f.changesOf(doc, now); ok {
			p.preview(now, changes)
		}
	}
	v.render(f.status(), "import", p)
	return nil
}

// preview fills in what would change.
func (p *importPage) preview(now *catalog, changes []flags.Mutation) {
	p.Shown, p.Number = true, len(changes)
	for _, m := range changes[:min(len(changes), shownRollback)] {
		e, _ := now.Get(m.Key)
		p.Rows = append(p.Rows, change{Summary: textdiff.Summary(m.Key, e.Bytes, m.Bytes), Lines: diff(m.Key, e.Bytes, m.Bytes)})
	}
	p.More = len(changes) - len(p.Rows)
}

// importSum names the file and the options that a preview is of.
func (f *form) importSum() string {
	sum := sha256.New()
	for _, field := range []string{"text", "format", "environment", "lossy", "prune"} {
		sum.Write([]byte(strconv.Quote(f.Value(field))))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// document reads the file in a form, and returns with it what of it is not as it was. The
// document is nil where the form is refused.
func (f *form) document() (*flags.Document, []vendorformat.Note) {
	text := []byte(strings.ReplaceAll(f.Value("text"), "\r\n", "\n")) // as browsers end lines
	format := cmp.Or(f.Value("format"), flagdFormat)
	environment := f.line("environment", maxLine)
	switch {
	case format == flagdFormat:
		doc, err := flagdfile.Parse(text, "")
		f.refuseFile(err)
		return doc, nil
	case !slices.Contains(vendorformat.Names(), format):
		f.refuse("format", "There is no format %q.", short(format))
		return nil, nil
	}
	got, err := vendorformat.Read(format, text, vendorformat.Options{Environment: environment, Lossy: f.Value("lossy") != ""})
	var loss *vendorformat.LossError
	if errors.As(err, &loss) {
		f.refuse("lossy", "%s: they are listed below. Change the file, or leave them out.", strings.TrimPrefix(loss.Error(), "vendorformat: "))
		return nil, loss.Lost
	}
	f.refuseFile(err)
	return got.Document, got.Notes
}

// refuseFile notes what is wrong with a file, with the places in it.
func (f *form) refuseFile(err error) {
	if err != nil {
		f.refuse("text", "%s", strings.TrimPrefix(err.Error(), flags.ErrInvalid.Error()+": "))
	}
}

// changesOf returns what importing a document into a set changes; ok is false where the
// set cannot take it.
func (f *form) changesOf(doc *flags.Document, to *catalog) (changes []flags.Mutation, ok bool) {
	if doc == nil || f.Problem("text") != "" || f.Problem("environment") != "" {
		return nil, false
	}
	prune := f.Value("prune") != ""
	cp := to.Checkpoint()
	if err := doc.CheckAgainst(flags.ContentsOf(cp), prune); err != nil {
		f.refuseFile(err)
		return nil, false
	}
	changes = flags.Diff(cp.Entries, doc.Entries(), prune)
	slices.SortFunc(changes, func(a, b flags.Mutation) int { return a.Key.Compare(b.Key) })
	return changes, true
}

// importFile makes the set have what the file of a form defines, in one commit, on
// condition that what was shown is what would be done: of the same file, to the same
// version of the set. Otherwise it is shown first.
func (v *visit) importFile() error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	f := newForm("import", v.r.PostForm)
	if f.Value("text") == "" {
		f.refuse("text", "This may not be empty: paste a file, or choose one.")
	}
	if f.Refused() || f.Value("do") != "import" || f.Value("seen") != f.importSum() {
		return v.showImport(f)
	}
	b, now, err := v.open(ctx)
	if err != nil {
		return err
	}
	base, err := v.at(ctx, b, now, f.Value("base"))
	if err != nil {
		return err
	}
	c := v.commitOf(f)
	doc, _ := f.document()
	changes, ok := f.changesOf(doc, base)
	if ok && len(changes) == 0 {
		f.refuse("", "Nothing would change: the set has all of it already.")
	}
	c.Reason = cmp.Or(c.Reason, "import")
	c.If, c.Changes = base.Head().Version, changes
	accepted, ok := v.apply(f, c, at("text"))
	if f.Conflict != nil {
		f.Conflict = nil
		f.refuse("", "Somebody has changed the set meanwhile. Below is what importing would change now: look again.")
	}
	if !ok {
		return v.showImport(f)
	}
	return v.redirect(v.path("history"), url.Values{"saved": {strconv.FormatUint(accepted.Revision, 10)}})
}
