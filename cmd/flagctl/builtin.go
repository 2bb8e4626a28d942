package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// strictHelp makes a command that there is not an error of `flagctl help` too, and
// not a page of help and exit code 0.
func strictHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	help := subcommand(root, "help")
	help.Args = func(_ *cobra.Command, args []string) error {
		found, rest, err := root.Find(args)
		switch {
		case err != nil:
			found, rest = root, args
		case !found.HasSubCommands() || len(rest) == 0:
			return nil
		}
		err = fmt.Errorf("unknown command %q for %q", rest[0], found.CommandPath())
		return &exitError{code: exitUsage, err: err, hint: usageHint(found, err)}
	}
}

// strictCompletion does the same for a shell that there is no script for, and lets
// the script for bash do without the package bash-completion.
func strictCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	completion := subcommand(root, "completion")
	completion.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	bash := subcommand(completion, "bash")
	script := bash.RunE
	bash.RunE = func(cmd *cobra.Command, args []string) error {
		if _, err := io.WriteString(cmd.OutOrStdout(), bashWords); err != nil {
			return err
		}
		return script(cmd, args)
	}
}

// bashWords is what cobra's script for bash needs of the package bash-completion,
// which containers and fresh machines do not have. Bash takes words apart at = and :,
// too; what has no space in between is put together again.
const bashWords = `if ! declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref()
    {
        local i word rest=$COMP_LINE
        words=()
        for ((i = 0; i <= COMP_CWORD; i++)); do
            word=${COMP_WORDS[i]}
            if ((i == 0)) || [[ $rest == [[:space:]]* ]]; then
                words+=("$word")
            else
                words[${#words[@]} - 1]+=$word
            fi
            rest=${rest#*"$word"}
        done
        cword=$((${#words[@]} - 1))
        cur=${words[cword]}
        prev=${words[cword - 1]}
    }
fi

`

// subcommand returns a command of cobra's own, which is there.
func subcommand(parent *cobra.Command, name string) *cobra.Command {
	for _, c := range parent.Commands() {
		if c.Name() == name {
			return c
		}
	}
	panic("no command " + name)
}
