package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ErrSignature: a delivery that was not signed with the secret, or not lately.
var ErrSignature = errors.New("webhook: bad signature")

// Sign returns the value of the signature header: when, and for each secret the
// HMAC-SHA256 of "TIME.BODY", in hexadecimal digits.
//
//	t=1767225600,v1=5257a869e7...
func Sign(body []byte, at time.Time, secrets ...[]byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	fields := []string{"t=" + t}
	for _, secret := range secrets {
		fields = append(fields, "v1="+hex.EncodeToString(digest(body, t, secret)))
	}
	return strings.Join(fields, ",")
}

func digest(body []byte, t string, secret []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(t + ".")) // documented never to fail
	_, _ = mac.Write(body)
	return mac.Sum(nil)
}

// Verify is for receivers: it returns nil where the header signs the body with the
// secret, not longer than tolerance from now, else an error wrapping ErrSignature. A
// tolerance of 5 minutes keeps old deliveries from being played again.
func Verify(header string, body, secret []byte, now time.Time, tolerance time.Duration) error {
	t, signatures := "", []string(nil)
	for field := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "t":
			t = value
		case "v1":
			signatures = append(signatures, value)
		}
	}
	at, err := strconv.ParseInt(t, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: no time in it", ErrSignature)
	}
	if age := now.Sub(time.Unix(at, 0)); age > tolerance || age < -tolerance {
		return fmt.Errorf("%w: made %v ago", ErrSignature, age.Round(time.Second))
	}
	want := digest(body, t, secret)
	for _, s := range signatures {
		if got, err := hex.DecodeString(s); err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return fmt.Errorf("%w: of another secret or another body", ErrSignature)
}
