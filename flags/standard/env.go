package standard

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// FromEnv returns the Config that the environment describes:
//
//	HOLDFAST_SET  HOLDFAST_PRIMARY  HOLDFAST_SECONDARY  HOLDFAST_CACHE  HOLDFAST_LAST_KNOWN_GOOD  HOLDFAST_API_KEY
//	HOLDFAST_PRIMARY_TIMEOUT  HOLDFAST_SECONDARY_TIMEOUT  HOLDFAST_CACHE_TIMEOUT  HOLDFAST_CACHE_TTL
//	HOLDFAST_CACHE_MARGIN  HOLDFAST_MAX_STALENESS  HOLDFAST_STRICT  HOLDFAST_START_TIMEOUT
//	HOLDFAST_BREAKER_FAILURES  HOLDFAST_BREAKER_COOLDOWN  HOLDFAST_BREAKER_MAX_COOLDOWN
//
// Durations are Go's, e.g. 1.5s. The error names the variable and what it should be.
func FromEnv() (Config, error) {
	var c Config
	texts := map[string]*string{
		"SET": &c.Set, "PRIMARY": &c.Primary, "SECONDARY": &c.Secondary, "CACHE": &c.Cache,
		"LAST_KNOWN_GOOD": &c.LastKnownGood, "API_KEY": &c.APIKey,
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
	number := func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }
	if err := parse("CACHE_MARGIN", "a fraction such as 0.1", number, &c.CacheMargin); err != nil {
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
