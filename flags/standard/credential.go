package standard

import (
	"fmt"

	"github.com/holdfast-flags/holdfast/internal/keyfile"
)

// readFiles reads what is said by files, for the first time.
func (c *Config) readFiles() (err error) {
	if c.APIKeyFile != "" {
		if c.APIKey != "" {
			return fmt.Errorf("%w: APIKey and APIKeyFile exclude each other", errConfig)
		}
		if c.key, err = keyfile.Key(c.APIKeyFile); err != nil {
			return fmt.Errorf("%w: APIKeyFile: %w", errConfig, err)
		}
	}
	if c.TLSCert == "" && c.TLSKey == "" && c.TLSCA == "" {
		return nil
	}
	if c.TLS != nil {
		return fmt.Errorf("%w: TLS and TLSCert, TLSKey, TLSCA exclude each other", errConfig)
	}
	if c.tlsFrom, err = keyfile.Client(c.TLSCert, c.TLSKey, c.TLSCA); err != nil {
		return fmt.Errorf("%w: TLSCert, TLSKey, TLSCA: %w", errConfig, err)
	}
	return nil
}
