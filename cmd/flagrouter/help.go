package main

// examples are what most people came for.
const examples = `flagrouter stores feature flags and serves them.

Usage:
  flagrouter [flags]

Examples:
  # An embedded store in ./holdfast-data, with a few sample flags on first start:
  flagrouter

  # Begin a new store with flags of yours, in a place of your choice:
  flagrouter --data-dir /var/lib/holdfast --seed flags.json

  # Keep a secondary and a cache current, for services to fall back on:
  flagrouter --mirror mongodb://db/holdfast --cache redis://cache:6379

  # Several routers over one database:
  flagrouter --store mongodb://db/holdfast

  # In front of another router, near its readers, with a copy on its own disk:
  flagrouter --store grpc://router:8015 --store-api-key-file /etc/holdfast/relay.key

Each flag can also be a variable (--grpc-addr: FLAGROUTER_GRPC_ADDR) or a line of
the YAML file that --config names (grpc-addr: 127.0.0.1:8015). A flag wins over a
variable, a variable over the file. What is repeatable is a list in the file; in a
variable it is one value a line or, where no value has spaces, one after another:
FLAGROUTER_CONTEXT="region=akl plan=pro".

Flags:
`

func usage() string { return examples + (&config{}).flagSet().FlagUsages() }
