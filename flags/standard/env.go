package standard

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

// FromEnv returns the Config that the environment describes:
//
//	HOLDFAST_SET  HOLDFAST_PRIMARY  HOLDFAST_SECONDARY  HOLDFAST_CACHE  HOLDFAST_LAST_KNOWN_GOOD
//	HOLDFAST_API_KEY  HOLDFAST_API_KEY_FILE  HOLDFAST_TLS_CERT  HOLDFAST_TLS_KEY  HOLDFAST_TLS_CA
//	HOLDFAST_PRIMARY_TIMEOUT  HOLDFAST_SECONDARY_TIMEOUT  HOLDFAST_CACHE_TIMEOUT  HOLDFAST_CACHE_TTL
//	HOLDFAST_CACHE_MARGIN  HOLDFAST_CACHE_LIFETIMES  HOLDFAST_CACHE_READ_ONLY  HOLDFAST_MAX_STALENESS  HOLDFAST_STRICT  HOLDFAST_START_TIMEOUT
//	HOLDFAST_BREAKER_FAILURES  HOLDFAST_BREAKER_COOLDOWN  HOLDFAST_BREAKER_MAX_COOLDOWN
//
// Durations are Go's, e.g. 1.5s. The error names the variable and what it should be.
func FromEnv() (Config, error) {
	var c Config
	texts := map[string]*string{
		"SET": &c.Set, "PRIMARY": &c.Primary, "SECONDARY": &c.Secondary, "CACHE": &c.Cache,
		"LAST_KNOWN_GOOD": &c.LastKnownGood, "API_KEY": &c.APIKey,
		"API_KEY_FILE": &c.APIKeyFile, "TLS_CERT": &c.TLSCert, "TLS_KEY": &c.TLSKey, "TLS_CA": &c.TLSCA,
	}
	for name, field := range texts {
		*field = os.Getenv(prefix + name)
	}
	durations := map[string]*time.Duration{
		"PRIMARY_TIMEOUT": &c.PrimaryTimeout, "SECONDARY_TIMEOUT": &c.SecondaryTimeout, "CACHE_TIMEOUT": &c.CacheTimeout,
		"CACHE_TTL": &c.CacheTTL, "MAX_STALENESS": &c.MaxStaleness, "START_TIMEOUT": &c.StartTimeout,
		"BREAKER_COOLDOWN": &c.Breaker.Cooldown, "BREAKER_MAX_COOLDOWN": &c.Breaker.MaxCooldown,
	}
	for name, field := range durations {
		if err := parse(name, "a duration such as 1.5s", time.ParseDuration, field); err != nil {
			return Config{}, err
		}
	}
	var margin cachestrategy.Lifetime
	if err := parse("CACHE_MARGIN", "a part such as 0.1 or 10%, or a duration such as 30s", parseMargin, &margin); err != nil {
		return Config{}, err
	}
	c.CacheMargin, c.CacheMarginTime = margin.Part, margin.Margin
	if err := parse("CACHE_LIFETIMES", "SET=TTL/MARGIN, such as checkout=300s/30s,default=60s", parseLifetimes, &c.CacheLifetimes); err != nil {
		return Config{}, err
	}
	if err := parse("CACHE_READ_ONLY", "true or false", strconv.ParseBool, &c.CacheReadOnly); err != nil {
		return Config{}, err
	}
	if err := parse("STRICT", "true or false", strconv.ParseBool, &c.Strict); err != nil {
		return Config{}, err
	}
	if err := parse("BREAKER_FAILURES", "a whole number", strconv.Atoi, &c.Breaker.Failures); err != nil {
		return Config{}, err
	}
	return c, nil
}

const prefix = "HOLDFAST_"

// parse reads a variable into field where it is set.
func parse[T any](name, want string, read func(string) (T, error), field *T) error {
	text := os.Getenv(prefix + name)
	if text == "" {
		return nil
	}
	v, err := read(text)
	if err != nil {
		return fmt.Errorf("%w: %s%s is %q; want %s", errConfig, prefix, name, text, want)
	}
	*field = v
	return nil
}

func parseMargin(text string) (l cachestrategy.Lifetime, err error) {
	l.Part, l.Margin, err = flags.ParseMargin(text)
	return l, err
}

// parseLifetimes reads a list such as checkout=300s/30s,default=60s/10%. A margin
// may be left out.
func parseLifetimes(text string) (map[string]cachestrategy.Lifetime, error) {
	sets := map[string]cachestrategy.Lifetime{}
	for item := range strings.SplitSeq(text, ",") {
		set, life, ok := strings.Cut(strings.TrimSpace(item), "=")
		ttl, margin, marked := strings.Cut(life, "/")
		if _, twice := sets[set]; !ok || twice {
			return nil, strconv.ErrSyntax
		}
		var l cachestrategy.Lifetime
		var err error
		if marked {
			if l, err = parseMargin(margin); err != nil {
				return nil, err
			}
		}
		if l.TTL, err = time.ParseDuration(ttl); err != nil {
			return nil, err
		}
		sets[set] = l
	}
	return sets, nil
}
