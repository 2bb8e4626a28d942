package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "write docs/cli.md anew")

const referenceFile = "../../docs/cli.md"

func commands(t *testing.T) *cobra.Command {
	t.Helper()
	root := newRoot(stdio{in: strings.NewReader(""), out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }})
	root.InitDefaultHelpCmd()
	return root
}

// each calls f for every command of ours.
func each(c *cobra.Command, f func(*cobra.Command)) {
	if c.Name() == "help" || c.Name() == "completion" || c.Hidden {
		return
	}
	f(c)
	for _, sub := range c.Commands() {
		each(sub, f)
	}
}

// TestEveryCommandExplainsItself: what it does, an example that begins with its own
// name, and what each flag means.
func TestEveryCommandExplainsItself(t *testing.T) {
	n := 0
	each(commands(t), func(c *cobra.Command) {
		n++
		path := c.CommandPath()
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: short text %q", path, c.Short)
		}
		if !c.HasSubCommands() && !strings.Contains(c.Example, path) {
			t.Errorf("%s: no example of itself in %q", path, c.Example)
		}
		for line := range strings.Lines(c.Long) {
			if len(strings.TrimSuffix(line, "\n")) > 100 {
				t.Errorf("%s: a line of its text is %d long", path, len(line))
			}
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: --%s says nothing", path, f.Name)
			}
		})
	})
	if n < 40 {
		t.Errorf("only %d commands: the walk is broken", n)
	}
}

// TestReference holds docs/cli.md to the commands; `make docs` writes it.
func TestReference(t *testing.T) {
	var b strings.Builder
	b.WriteString("# flagctl\n\nGenerated from the commands by `make docs`; a test holds it to them. `flagctl VERB --help` says the same.\n")
	each(commands(t), func(c *cobra.Command) { section(&b, c) })
	if *update {
		if err := os.WriteFile(referenceFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(referenceFile)
	if err != nil || string(have) != b.String() {
		t.Errorf("docs/cli.md is not what the commands say (%v); run `make docs`", err)
	}
}

func section(b *strings.Builder, c *cobra.Command) {
	if c.HasParent() {
		fmt.Fprintf(b, "\n## %s\n", c.CommandPath())
	}
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	fmt.Fprintf(b, "\n%s\n", text)
	if c.Runnable() && !c.HasSubCommands() {
		fmt.Fprintf(b, "\n    %s\n", c.UseLine())
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\nExamples:\n\n```\n%s\n```\n", dedented(c.Example))
	}
	list := c.NonInheritedFlags()
	if !c.HasParent() {
		list = c.PersistentFlags()
	}
	if list.HasAvailableFlags() {
		fmt.Fprintf(b, "\n| flag | meaning |\n| --- | --- |\n")
		list.VisitAll(func(f *pflag.Flag) { flagRow(b, f) })
	}
}

func flagRow(b *strings.Builder, f *pflag.Flag) {
	if f.Hidden || f.Name == "help" {
		return
	}
	kind, usage := pflag.UnquoteUsage(f)
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	if kind != "" {
		name += " " + strings.ToUpper(kind)
	}
	if !slices.Contains([]string{"", "false", "[]", "0"}, f.DefValue) && f.NoOptDefVal == "" {
		usage += " (default " + f.DefValue + ")"
	}
	fmt.Fprintf(b, "| `%s` | %s |\n", name, strings.ReplaceAll(usage, "|", `\|`))
}

func dedented(example string) string {
	lines := strings.Split(example, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}
