package openfeature

import (
	"context"
	"errors"
	"fmt"
	"time"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/holdfast-flags/holdfast/flags"
)

// errShutdown: the provider was shut down while it waited for a set.
var errShutdown = errors.New("openfeature: provider was shut down")

// lookEvery is how often a client without a set is asked whether it was denied one.
const lookEvery = 50 * time.Millisecond

// condition is what the SDK calls a state, as the client has it.
type condition uint8

const (
	conditionNone condition = iota // before the first Init has ended
	conditionReady
	conditionStale
	conditionError
	conditionFatal
)

// condition returns what the client is in now. A client with a set is never FATAL: the SDK would
// answer reads with their defaults then, and an answer that is held is better.
func (p *Provider) condition() condition {
	switch p.client.State() {
	case flags.StateFresh:
		return conditionReady
	case flags.StateStale:
		return conditionStale
	}
	if layers := p.client.Status().Layers; len(layers) > 0 && layers[0].State == "denied" {
		return conditionFatal
	}
	return conditionError
}

// Init is InitWithContext without a context.
func (p *Provider) Init(of.EvaluationContext) error {
	p.sharing.calledFrom(2)
	return p.init(context.Background())
}

// InitWithContext waits until the client holds a set, for at most InitTimeout, and from then on
// emits events. Its error wraps an of.ProviderInitError with code PROVIDER_NOT_READY, or PROVIDER_FATAL
// where the first layer has denied the credentials; the client goes on trying, and PROVIDER_READY follows when a
// set comes. Any number of calls is fine: the SDK makes one for each domain.
func (p *Provider) InitWithContext(ctx context.Context, _ of.EvaluationContext) error {
	p.sharing.calledFrom(2)
	return p.init(ctx)
}

func (p *Provider) init(ctx context.Context) error {
	r := p.start()
	err := p.await(ctx, r)
	// What the SDK will make of it.
	said := conditionReady
	if fatal := (*of.ProviderInitError)(nil); errors.As(err, &fatal) && fatal.ErrorCode == of.ProviderFatalCode {
		said = conditionFatal
	} else if err != nil {
		said = conditionError
	}
	select {
	case r.inits <- said:
	case <-r.stop:
	}
	return err
}

// await returns nil once there is a set.
func (p *Provider) await(ctx context.Context, r *run) error {
	if p.opts.InitTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.opts.InitTimeout)
		defer cancel()
	}
	for {
		slice, cancel := context.WithTimeout(ctx, lookEvery)
		err := p.client.WaitReady(slice)
		cancel()
		switch {
		case err == nil:
			return nil
		case errors.Is(err, flags.ErrClosed):
			return fmt.Errorf("%w: %w", &of.ProviderInitError{ErrorCode: of.ProviderFatalCode, Message: "the client is closed"}, err)
		case p.condition() == conditionFatal:
			return fmt.Errorf("%w: %w", &of.ProviderInitError{ErrorCode: of.ProviderFatalCode, Message: "credentials were denied"}, err)
		case ctx.Err() != nil || p.opts.InitTimeout < 0:
			return fmt.Errorf("%w: %w", &of.ProviderInitError{ErrorCode: of.ProviderNotReadyCode, Message: "no flag set has come yet"}, err)
		}
		select {
		case <-r.stop:
			return fmt.Errorf("%w: %w", &of.ProviderInitError{ErrorCode: of.ProviderNotReadyCode, Message: "shut down"}, errShutdown)
		default:
		}
	}
}

// Shutdown is ShutdownWithContext without a context.
func (p *Provider) Shutdown() { _ = p.ShutdownWithContext(context.Background()) }

// ShutdownWithContext ends the events. The client is left as it is: it is its owner's to close. A
// provider that was shut down can be registered again. It does not wait for anybody, and never fails.
func (p *Provider) ShutdownWithContext(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == nil {
		return nil
	}
	p.run.end()
	p.run, p.events = nil, make(chan of.Event)
	return nil
}

// EventChannel returns the channel of the events. It is closed by Shutdown, after which
// there is another one.
func (p *Provider) EventChannel() <-chan of.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.events
}

func (p *Provider) start() *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == nil {
		p.run = newRun(p)
	}
	return p.run
}
