package authz

// Options of Keys with one guard switched off.
var sabotages = map[string]keysSabotage{
	"rights never end":       {immortal: true},
	"sets are not looked at": {unscoped: true},
	"any secret will do":     {unproven: true},
	"any ticket will do":     {unsealed: true},
}

// Sabotaged returns opts with the named guard switched off.
func Sabotaged(opts KeysOptions, name string) KeysOptions {
	opts.sabotage = sabotages[name]
	return opts
}
