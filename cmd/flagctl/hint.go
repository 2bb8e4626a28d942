package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/redact"
	"github.com/holdfast-flags/holdfast/internal/spelling"
	"github.com/holdfast-flags/holdfast/store"
)

// didYouMean is the hint at a name that does not exist: the known one that it was
// typed for, or those that have it in them; otherwise where they are shown.
func didYouMean(name string, known []string, otherwise string) string {
	if best, ok := spelling.Nearest(name, known); ok {
		return "did you mean " + clean(best) + "?"
	}
	var near []string
	for _, k := range known {
		if len(name) > 2 && strings.Contains(strings.ToLower(k), strings.ToLower(name)) {
			near = append(near, clean(k))
		}
	}
	if len(near) == 0 {
		return otherwise
	}
	slices.Sort(near)
	return "did you mean " + strings.Join(near[:min(3, len(near))], ", ") + "?"
}

// namesOf returns the names of all entries of a kind.
func namesOf(c entries, kind flags.Kind) []string {
	var names []string
	for e := range c.All() {
		if e.Key.Kind == kind {
			names = append(names, e.Key.Name)
		}
	}
	return names
}

// nearest is the hint at a flag that there is not.
func nearest(c entries, key string) string {
	return didYouMean(key, namesOf(c, flags.KindFlag), "`flagctl list` shows the flags there are")
}

func (a *app) noSegment(c entries, name string) error {
	hint := didYouMean(name, namesOf(c, flags.KindEvaluator), "`flagctl segment list` shows the segments there are, `flagctl segment set` makes one")
	return notFoundf(hint, "no segment %q in set %q", name, a.set)
}

// unknownVariant names what there is, and what was probably meant.
func unknownVariant(key string, d flags.Definition, name string) error {
	var names []string
	for _, v := range d.Variants() {
		names = append(names, v.Name)
	}
	return &exitError{
		code: exitUsage, hint: didYouMean(name, names, ""),
		err: fmt.Errorf("%s has no variant %q; it has %s", key, clean(shorten(name, 60)), variantNames(d)),
	}
}

// hinted adds to an error of the store what can be done about it.
func (a *app) hinted(ctx context.Context, st store.Store, err error) error {
	var known *exitError
	var failed *flags.SourceError
	switch {
	case err == nil, errors.As(err, &known), tlsHint(err) != "", otherPort(err): // of which more is known already
		return err
	case errors.Is(err, store.ErrNotFound):
		return a.noSet(ctx, st, err)
	case a.storeAt == "" && errors.As(err, &failed) && failed.Class == flags.ClassTransient && !errors.Is(err, context.DeadlineExceeded):
		return &exitError{code: exitFailed, err: err, hint: "is it running? `flagrouter` starts a router; --server or HOLDFAST_SERVER says where one is, other than " + redact.URL(a.server)}
	}
	return err
}

const otherPortHint = "something answers there that is not a router's gRPC API: --server is the address of --grpc-addr, port 8015 unless said otherwise"

// otherPort reports whether an HTTP server without our API answered: one of the
// router's other ports, most of the time. gRPC says so as text only.
func otherPort(err error) bool {
	for _, said := range []string{"looked like an HTTP/1.1 header", "unexpected HTTP status code received from server", "received unexpected content-type"} {
		if strings.Contains(err.Error(), said) {
			return true
		}
	}
	return false
}

// noSet adds the set that was probably meant to the error that there is none.
func (a *app) noSet(ctx context.Context, st store.Store, err error) error {
	_, named, found := strings.Cut(err.Error(), "no flag set ")
	var name string
	if _, scanErr := fmt.Sscanf(named, "%q", &name); !found || scanErr != nil {
		return err
	}
	heads, listErr := st.Sets(ctx)
	if listErr != nil {
		return err // the hint is not worth another error
	}
	var names []string
	for _, h := range heads {
		if h.Status == flags.StatusLive {
			names = append(names, h.Set)
		}
	}
	return &exitError{code: exitNotFound, err: err, hint: didYouMean(name, names, "`flagctl sets list` shows the sets there are; choose one with --set")}
}

// usageHint is what to do about a command line that is wrong.
func usageHint(cmd *cobra.Command, err error) string {
	help := "see `" + cmd.CommandPath() + " --help`"
	text := err.Error()
	var name string
	switch {
	case strings.HasPrefix(text, "unknown flag: --"):
		return didYouMeanFlag(cmd, strings.TrimPrefix(text, "unknown flag: --"), help)
	case strings.HasPrefix(text, "accepts ") && spacedWait(cmd) != "":
		return "`--wait=" + spacedWait(cmd) + "`, with an equals sign; " + help
	case strings.HasPrefix(text, "accepts "), strings.HasPrefix(text, "requires "), strings.HasPrefix(text, "required flag"):
		return "`" + strings.TrimSuffix(cmd.UseLine(), " [flags]") + "`; " + help
	case !strings.HasPrefix(text, "unknown command "):
		return help
	}
	if _, err := fmt.Sscanf(text, "unknown command %q", &name); err != nil {
		return help
	}
	var known []string
	for _, c := range cmd.Commands() {
		if slices.Contains(c.SuggestFor, name) {
			return "did you mean " + c.CommandPath() + "?"
		}
		if c.IsAvailableCommand() {
			known = append(known, c.Name())
		}
	}
	return didYouMean(name, known, help)
}

// didYouMeanFlag is the hint at a flag that the command does not have.
func didYouMeanFlag(cmd *cobra.Command, name, otherwise string) string {
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	if best, ok := spelling.Nearest(name, known); ok {
		return "did you mean --" + best + "?"
	}
	return otherwise
}

// spacedWait is the duration of `--wait 3s`, which counts as an argument: the
// duration may be left out.
func spacedWait(cmd *cobra.Command) string {
	if !cmd.Flags().Changed("wait") {
		return ""
	}
	for _, arg := range cmd.Flags().Args() {
		if _, err := time.ParseDuration(arg); err == nil {
			return arg
		}
	}
	return ""
}

// misspeltCommand is the error of a flag that is unknown because the command before
// it is: of `segment create x --when y` the word create is what is wrong.
func misspeltCommand(cmd *cobra.Command, err error) error {
	if words := cmd.Flags().Args(); cmd.HasSubCommands() && len(words) > 0 {
		return fmt.Errorf("unknown command %q for %q", words[0], cmd.CommandPath())
	}
	return err
}
