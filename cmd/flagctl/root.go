package main

import (
	"cmp"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// app is what every command works with: where the flags are and how to answer.
type app struct {
	std                    stdio
	server                 string
	storeAt                string
	set                    string
	apiKey                 string
	keyFile                string
	tlsCert, tlsKey, tlsCA string
	tlsName                string // that the router's certificate is for
	output                 string
	fields                 []string
	timeout                time.Duration
	working                *progress // what is shown until there is an answer; nil: nothing

	sabotage struct { // tests: guards that are switched off
		blind     bool // what others have written meanwhile is not looked at
		forgetful bool // drafts that were not written are not kept
	}
}

const rootLong = `flagctl changes and reads feature flags.

It talks to a router (--server), or works straight on a journal without one
(--store). Every write prints its revision token and is kept in the history
with who, when and why.

Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict (somebody changed
it meanwhile, or it exists), 5 written but not confirmed in time, 6 denied.

The answer is a table on a terminal and JSON elsewhere; -o chooses, --fields
picks. NO_COLOR and COLUMNS are honoured.`

const rootExample = `  flagctl import flags.json
  flagctl list
  flagctl toggle new-checkout --reason "release 42"
  flagctl rollout new-checkout on=25,off=75
  flagctl target new-checkout --when 'country in ["NZ", "AU"] && plan == "pro"' --serve on
  flagctl eval new-checkout --entity tenant-42 --attr plan=pro
  flagctl history new-checkout`

func newRoot(std stdio) *cobra.Command {
	a := &app{std: std}
	root := &cobra.Command{
		Use:           "flagctl",
		Short:         "Change and read feature flags",
		Long:          rootLong,
		Example:       rootExample,
		SilenceUsage:  true,
		SilenceErrors: true,
		// The hint has what it was typed for.
		DisableSuggestions: true,
		Version:            cmp.Or(version(), "unknown"),
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return a.settle(cmd)
		},
	}
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	root.SetFlagErrorFunc(misspeltCommand)
	root.SetVersionTemplate("flagctl {{.Version}}\n")
	// What is not a file must not complete to the names of those there are.
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)

	p := root.PersistentFlags()
	p.StringVar(&a.server, "server", "", "router to talk to, HOST:PORT (HOLDFAST_SERVER, default localhost:8015)")
	p.StringVar(&a.storeAt, "store", "", "work straight on a journal: mongodb://... or bolt:PATH (HOLDFAST_STORE)")
	p.StringVarP(&a.set, "set", "s", "", "flag set (HOLDFAST_SET, default default)")
	p.StringVar(&a.apiKey, "api-key", "", "key to authenticate with (HOLDFAST_API_KEY)")
	p.StringVar(&a.keyFile, "api-key-file", "", "file with the key, instead of --api-key (HOLDFAST_API_KEY_FILE)")
	p.StringVar(&a.tlsCert, "tls-cert", "", "PEM file with the certificate to show to the router (HOLDFAST_TLS_CERT)")
	p.StringVar(&a.tlsKey, "tls-key", "", "PEM file with the key of --tls-cert (HOLDFAST_TLS_KEY)")
	p.StringVar(&a.tlsCA, "tls-ca", "", "PEM file with the authority that the router's certificate is of (HOLDFAST_TLS_CA)")
	p.StringVar(&a.tlsName, "tls-server-name", "", "name that the router's certificate is for, where it is not that of --server (HOLDFAST_TLS_SERVER_NAME)")
	p.StringVarP(&a.output, "output", "o", "", "table, json or yaml (default table on a terminal, else json)")
	p.StringSliceVar(&a.fields, "fields", nil, "only these fields of the answer, by their names in JSON, such as key,state")
	p.DurationVar(&a.timeout, "timeout", 10*time.Second, "how long a command may take")
	mustComplete(root, "output", "table", "json", "yaml")
	for _, file := range []string{"api-key-file", "tls-cert", "tls-key", "tls-ca"} {
		mustCompleteBy(root, file, completeFile)
	}
	mustCompleteBy(root, "set", a.completeSets(math.MaxInt))

	root.AddGroup(
		&cobra.Group{ID: "flags", Title: "Flags:"},
		&cobra.Group{ID: "history", Title: "History:"},
		&cobra.Group{ID: "fleet", Title: "Fleet:"},
	)
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("flags", a.listCmd(), a.getCmd(), a.createCmd(), a.describeCmd(), a.editCmd(), a.enableCmd(), a.disableCmd(), a.toggleCmd(), a.setDefaultCmd(),
		a.rolloutCmd(), a.targetCmd(), a.segmentCmd(), a.overrideCmd(), a.deleteCmd(), a.importCmd(), a.exportCmd(), a.validateCmd(), a.evalCmd())
	add("history", a.historyCmd(), a.showCmd(), a.diffCmd(), a.rollbackCmd(), a.revertCmd())
	add("fleet", a.watchCmd(), a.clientsCmd(), a.statusCmd(), a.cacheCmd(), a.setsCmd(), a.apikeyCmd(), a.doctorCmd(), a.backupCmd(), a.restoreCmd())
	strictHelp(root)
	strictCompletion(root)
	return root
}

// group returns a command that only holds others.
func group(use, short string, cmds ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs, // so that a mistyped one is an error, not a page of help
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(cmds...)
	var examples []string
	for _, c := range cmds {
		example, _, _ := strings.Cut(c.Example, "\n")
		examples = append(examples, example)
	}
	cmd.Example = strings.Join(examples, "\n")
	return cmd
}

// settle fills in from the environment what the command line leaves open.
func (a *app) settle(cmd *cobra.Command) error {
	orEnv := func(value *string, name, fallback string) {
		if *value == "" {
			*value = a.std.getenv(name)
		}
		if *value == "" {
			*value = fallback
		}
	}
	if a.server == "" || a.storeAt == "" {
		// A flag beats the environment also across the pair: --server wins over HOLDFAST_STORE.
		if !cmd.Flags().Changed("server") {
			orEnv(&a.storeAt, "HOLDFAST_STORE", "")
		}
		orEnv(&a.server, "HOLDFAST_SERVER", "localhost:8015")
	}
	if cmd.Flags().Changed("server") && cmd.Flags().Changed("store") {
		return usagef("--server and --store exclude each other")
	}
	orEnv(&a.set, "HOLDFAST_SET", "default")
	orEnv(&a.tlsCert, "HOLDFAST_TLS_CERT", "")
	orEnv(&a.tlsKey, "HOLDFAST_TLS_KEY", "")
	orEnv(&a.tlsCA, "HOLDFAST_TLS_CA", "")
	orEnv(&a.tlsName, "HOLDFAST_TLS_SERVER_NAME", "")
	if cmd.Flags().Changed("api-key") && cmd.Flags().Changed("api-key-file") {
		return usagef("--api-key and --api-key-file exclude each other")
	}
	// A flag beats the environment also across the pair.
	if !cmd.Flags().Changed("api-key-file") {
		orEnv(&a.apiKey, "HOLDFAST_API_KEY", "")
	}
	if a.apiKey == "" {
		orEnv(&a.keyFile, "HOLDFAST_API_KEY_FILE", "")
	}
	if a.timeout <= 0 {
		return usagef("--timeout %v: want a positive duration such as 10s", a.timeout)
	}
	return a.settleOutput()
}

// mustComplete registers fixed completions; it fails only for a flag that does
// not exist, which is a mistake of ours.
func mustComplete(cmd *cobra.Command, flag string, values ...string) {
	mustCompleteBy(cmd, flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

func mustCompleteBy(cmd *cobra.Command, flag string, words cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, words); err != nil {
		panic(err)
	}
}

// completeFile completes names of files.
func completeFile(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}
