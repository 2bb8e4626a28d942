package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagdfile"
)

// draft is a flag's definition on its way through an editor.
type draft struct {
	key      string
	contents *flags.Contents // that it is checked against
	dir      string
	path     string
	theirs   string // where what somebody else wrote meanwhile is kept
	body     []byte // YAML, without the comments at the top
	touched  bool   // somebody has put work into it
}

func newDraft(key string, contents *flags.Contents, definition []byte) (*draft, error) {
	body, err := flagdfile.FormatYAML(definition)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "flagctl-")
	if err != nil {
		return nil, fmt.Errorf("make a draft: %w", err)
	}
	return &draft{key: key, contents: contents, dir: dir, path: filepath.Join(dir, fileName(key)+".yaml"), body: body}, nil
}

// fileName is a key as far as every file system takes it: only editors look at it.
func fileName(key string) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", r) {
			return r
		}
		return '_'
	}, key)
	return strings.TrimLeft(name[:min(len(name), 80)], ".-")
}

// show writes the draft out with what is to be known on top, and returns it.
func (d *draft) show(faults []string) ([]byte, error) {
	var b bytes.Buffer
	if len(faults) > 0 {
		fmt.Fprintf(&b, "# NOT WRITTEN, %d faults. Mend and save them, or leave this as it is to give up:\n", len(faults))
		for _, f := range faults {
			fmt.Fprintf(&b, "#   %s\n", f)
		}
		b.WriteString("#\n")
	}
	fmt.Fprintf(&b, "# Flag %s of set %s.\n", clean(d.key), d.contents.Head().Token())
	b.WriteString("# Save and close to write it; unchanged or empty writes nothing.\n")
	b.Write(d.body)
	return b.Bytes(), os.WriteFile(d.path, b.Bytes(), 0o600)
}

// withoutHeader leaves the comments at the top out.
func withoutHeader(text []byte) []byte {
	for bytes.HasPrefix(text, []byte("#")) {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return text
}

// above is what makes a flag file of a definition; faults count its lines.
const above = "flags:\n  %s:\n"

const (
	aboveLines = 2
	indent     = "    "
)

// read returns the definition that the draft has, or its faults as lines of text.
func (d *draft) read() (definition []byte, faults []string) {
	name, err := json.Marshal(d.key)
	if err != nil {
		return nil, []string{err.Error()}
	}
	var file bytes.Buffer
	fmt.Fprintf(&file, above, name)
	for line := range bytes.Lines(d.body) {
		file.WriteString(indent)
		file.Write(line)
	}
	doc, err := flagdfile.Parse(file.Bytes(), "draft.yaml")
	if err == nil {
		err = doc.CheckAgainst(d.contents, false)
	}
	if err != nil {
		return nil, d.faults(err)
	}
	entries := doc.Entries()
	if len(entries) != 1 {
		return nil, []string{"overrides are not edited here; use `flagctl override`"}
	}
	return entries[0].Bytes, nil
}

// faults words faults with the lines of the draft, counted from below the comments.
func (d *draft) faults(err error) []string {
	var invalid *flags.ValidationError
	if !errors.As(err, &invalid) {
		return []string{clean(err.Error())}
	}
	var out []string
	for _, f := range invalid.Faults {
		text := f.String()
		if line := f.Line - aboveLines; line > 0 {
			text = fmt.Sprintf("%q, column %d: %s", shorten(strings.TrimSpace(d.line(line)), 40), max(1, f.Column-len(indent)), text)
		}
		out = append(out, clean(text))
	}
	return out
}

func (d *draft) line(n int) string {
	lines := bytes.Split(d.body, []byte("\n"))
	return string(lines[min(n, len(lines))-1])
}

// saveTheirs keeps what somebody else wrote beside the draft.
func (d *draft) saveTheirs(definition []byte) error {
	body := []byte("# deleted\n")
	if definition != nil {
		var err error
		if body, err = flagdfile.FormatYAML(definition); err != nil {
			return err
		}
	}
	d.theirs = strings.TrimSuffix(d.path, ".yaml") + ".theirs.yaml"
	return os.WriteFile(d.theirs, body, 0o600)
}

func (d *draft) remove() { _ = os.RemoveAll(d.dir) }

// openEditor lets the user edit a file. The editor's name may have arguments, so a
// shell takes it apart, as it does for other tools.
func (a *app) openEditor(ctx context.Context, path string) error {
	editor := "vi"
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if v := a.std.getenv(name); v != "" {
			editor = v
			break
		}
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", editor+` "$1"`, "sh", path) //nolint:gosec // the user's own editor
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.std.in, a.std.err, a.std.err
	if f, ok := a.std.out.(*os.File); ok && isTerminal(f) {
		cmd.Stdout = f
	}
	if err := cmd.Run(); err != nil {
		return &exitError{code: exitFailed, err: fmt.Errorf("editor %q: %w", editor, err), hint: "set EDITOR to one that works"}
	}
	return nil
}
