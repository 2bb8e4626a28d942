package webhook_test

import (
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/router/webhook"
)

func ExampleVerify() {
	secret, body := []byte("0123456789abcdef"), []byte(`{"set":"shop"}`)
	header := webhook.Sign(body, time.Now(), secret) // comes as Holdfast-Signature
	fmt.Println(webhook.Verify(header, body, secret, time.Now(), 5*time.Minute))
	fmt.Println(webhook.Verify(header, []byte(`{"set":"other"}`), secret, time.Now(), 5*time.Minute))
	// Output:
	// <nil>
	// webhook: bad signature: of another secret or another body
}
