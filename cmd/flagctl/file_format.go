package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagdfile"
	"github.com/holdfast-flags/holdfast/internal/vendorformat"
)

// flagdFormat is the one that needs no translation.
const flagdFormat = "flagd"

// fileFormat is in which form a file is, and how what has no meaning here is taken.
type fileFormat struct {
	name        string
	environment string
	lossy       bool
}

func (f *fileFormat) register(cmd *cobra.Command) {
	names := append([]string{flagdFormat}, vendorformat.Names()...)
	cmd.Flags().StringVar(&f.name, "format", flagdFormat, "form of the file: "+joined(names))
	cmd.Flags().StringVar(&f.environment, "environment", "", "which one, of a file that has several")
	cmd.Flags().BoolVar(&f.lossy, "lossy", false, "go on where something cannot be kept; the flags it is of are switched off")
	mustComplete(cmd, "format", names...)
}

// joined lists two names or more.
func joined(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// check finds what is wrong with the flags before a file is read.
func (f *fileFormat) check() error {
	if f.name == flagdFormat && (f.environment != "" || f.lossy) {
		return usagef("--environment and --lossy are for other formats than flagd")
	}
	if f.name == flagdFormat {
		return nil
	}
	for _, name := range vendorformat.Names() {
		if name == f.name {
			return nil
		}
	}
	return usagef("--format %q: want %s", clean(shorten(f.name, 40)), joined(append([]string{flagdFormat}, vendorformat.Names()...)))
}

// read returns the definitions of a file, and says on standard error what of them
// is not as it was.
func (a *app) read(path string, f *fileFormat) (*flags.Document, []vendorformat.Note, error) {
	if f.name == flagdFormat {
		doc, err := a.readDocument(path)
		return doc, nil, err
	}
	data, name, err := a.readFile(path)
	if err != nil {
		return nil, nil, err
	}
	got, err := vendorformat.Read(f.name, data, vendorformat.Options{Name: name, Environment: f.environment, Lossy: f.lossy})
	var loss *vendorformat.LossError
	if errors.As(err, &loss) {
		a.working.done()
		a.printNotes(loss.Lost)
		return nil, nil, &exitError{code: exitFailed, err: fmt.Errorf("%s: %w; nothing was written", name, err),
			hint: "change the file, or import it with --lossy: then the flags named are switched off"}
	}
	if err != nil {
		return nil, nil, err
	}
	a.working.done()
	a.printNotes(got.Notes)
	return got.Document, got.Notes, nil
}

// printNotes writes notes as a table to standard error: standard output is the answer's.
func (a *app) printNotes(notes []vendorformat.Note) {
	if len(notes) == 0 {
		return
	}
	w := &strings.Builder{}
	row(w, "FLAG", "PLACE", "NOTE")
	for _, n := range notes {
		text := n.Text
		if n.Lost {
			text = "cannot be kept: " + text
		}
		row(w, orDash(n.Flag), orDash(n.Place), text)
	}
	l := layout{colour: layoutOf(a.std.err, a.std.getenv).colour} // as wide as the notes: half of one is none
	if err := l.write(a.std.err, w.String()); err != nil {
		return // there is nobody to tell
	}
}

// readFile reads a file, or standard input, of at most what a flag file may have.
func (a *app) readFile(path string) (data []byte, name string, err error) {
	in, name := a.std.in, "stdin"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, path, err
		}
		defer func() { _ = f.Close() }() // it was only read
		in, name = f, path
	}
	data, err = io.ReadAll(io.LimitReader(in, flags.MaxDocumentBytes+1))
	switch {
	case err != nil:
		return nil, name, fmt.Errorf("read %s: %w", name, err)
	case len(data) > flags.MaxDocumentBytes:
		return nil, name, fmt.Errorf("%w: %s has more than %d bytes", flags.ErrTooLarge, name, flags.MaxDocumentBytes)
	}
	return data, name, nil
}

func (a *app) readDocument(path string) (*flags.Document, error) {
	data, name, err := a.readFile(path)
	if err != nil {
		return nil, err
	}
	return flagdfile.Parse(data, name)
}
