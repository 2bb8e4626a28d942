package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store"
)

// keyView is an API key as it is shown. Key is there once, when it is made.
type keyView struct {
	Key      string     `json:"key,omitempty"`
	ID       string     `json:"id"`
	Name     string     `json:"name,omitempty"`
	Role     string     `json:"role"`
	Sets     []string   `json:"sets"` // empty: all
	State    string     `json:"state"`
	Rate     int        `json:"rate,omitempty"` // requests per second
	Created  time.Time  `json:"created"`
	By       string     `json:"createdBy,omitempty"`
	Expires  *time.Time `json:"expires,omitempty"`
	LastUsed *time.Time `json:"lastUsed,omitempty"`
	Revoked  *time.Time `json:"revoked,omitempty"`
}

func viewOfKey(k *authz.Key) keyView {
	known := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	return keyView{
		ID: k.ID, Name: k.Name, Role: string(k.Role), Sets: append([]string{}, k.Sets...), State: k.State(time.Now()), Rate: k.Rate,
		Created: k.Created, By: k.CreatedBy, Expires: known(k.Expires), LastUsed: known(k.LastUsed), Revoked: known(k.Revoked),
	}
}

func (a *app) apikeyCmd() *cobra.Command {
	return group("apikey", "Make, list and revoke API keys", a.createKeyCmd(), a.listKeysCmd(), a.revokeKeyCmd())
}

// roles are what --role can be, from the least.
var roles = []string{"reader", "evaluator", "editor", "admin"}

func (a *app) createKeyCmd() *cobra.Command {
	var k authz.Key
	var role string
	var sets []string
	var expires time.Duration
	cmd := &cobra.Command{
		Use: "create --role ROLE", Short: "Make an API key, and show it this once", Args: cobra.NoArgs,
		Long: `Make an API key, and show it this once: it is kept as a hash only.

Roles:
  reader     sees sets, their flags and their history
  evaluator  asks for values and follows sets: for applications
  editor     reads, evaluates and changes flags
  admin      everything, keys among it`,
		Example: "  flagctl apikey create --role evaluator --set checkout-prod --name checkout --expires 2160h",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(roles, role) {
				return usagef("--role %q: want %s", role, strings.Join(roles, ", "))
			}
			if expires < 0 {
				return usagef("--expires %v: want a time from now, such as 720h", expires)
			}
			k.Role, k.Sets, k.CreatedBy = authz.Role(role), sets, actor(a.std.getenv).ID
			if expires != 0 {
				k.Expires = time.Now().Add(expires)
			}
			return a.withRecords(cmd.Context(), func(ctx context.Context, r store.Records) error {
				text, made, err := authz.CreateKey(ctx, r, k)
				if err != nil {
					return err
				}
				v := viewOfKey(&made)
				v.Key = text
				return a.print(v, func(w io.Writer) { fmt.Fprintf(w, "%s\n", text) })
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&role, "role", "", "reader, evaluator, editor or admin")
	f.StringSliceVarP(&sets, "set", "s", nil, "flag set the key is for; repeatable (default: all)")
	f.StringVar(&k.Name, "name", "", "what to call it")
	f.DurationVar(&expires, "expires", 0, "time until it expires, such as 720h (default: never)")
	f.IntVar(&k.Rate, "rate", 0, "requests per second it may make (default: any number)")
	mustComplete(cmd, "role", roles...)
	_ = cmd.MarkFlagRequired("role") // it is there
	return cmd
}

func (a *app) listKeysCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the API keys, also those that ended within 30 days", Args: cobra.NoArgs,
		Example: "  flagctl apikey list -o json --fields id,name,lastUsed",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withRecords(cmd.Context(), func(ctx context.Context, r store.Records) error {
				keys, err := authz.ListKeys(ctx, r)
				if err != nil {
					return err
				}
				views := make([]keyView, 0, len(keys))
				for i := range keys {
					views = append(views, viewOfKey(&keys[i]))
				}
				return a.print(views, func(w io.Writer) { keysTable(w, views) })
			})
		},
	}
}

func keysTable(w io.Writer, views []keyView) {
	at := func(t *time.Time) string {
		if t == nil {
			return "-"
		}
		return t.Local().Format(time.DateTime)
	}
	row(w, "ID", "NAME", "ROLE", "SETS", "STATE", "EXPIRES", "LAST USED")
	for _, v := range views {
		sets := strings.Join(v.Sets, ",")
		if sets == "" {
			sets = "all"
		}
		row(w, v.ID, v.Name, v.Role, sets, v.State, at(v.Expires), at(v.LastUsed))
	}
}

func (a *app) revokeKeyCmd() *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Short: "End an API key for good; whoever is connected with it is cut off", Args: cobra.ExactArgs(1),
		Example: "  flagctl apikey revoke k3x7mzq2ab",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withRecords(cmd.Context(), func(ctx context.Context, r store.Records) error {
				k, err := authz.RevokeKey(ctx, r, args[0], actor(a.std.getenv).ID)
				if flags.ClassOf(err) == flags.ClassNotFound {
					return notFoundf("`flagctl apikey list` lists them", "no API key %.40q", args[0])
				}
				if err != nil {
					return err
				}
				v := viewOfKey(&k)
				return a.print(v, func(w io.Writer) { fmt.Fprintf(w, "revoked %s\n", v.ID) })
			})
		},
	}
}

// withRecords runs f on what is kept beside the journal.
func (a *app) withRecords(ctx context.Context, f func(context.Context, store.Records) error) error {
	return a.with(ctx, func(ctx context.Context, st store.Store) error {
		r, ok := st.(store.Records)
		if !ok {
			return usagef("this store keeps no records")
		}
		return f(ctx, r)
	})
}
