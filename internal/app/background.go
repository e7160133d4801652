package app

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// How often the product looks after itself.
const (
	sweepEvery   = time.Minute
	purgeEvery   = 10 * time.Minute
	compareEvery = 15 * time.Minute // looks whether a day is over
	hostEvery    = 3 * time.Second  // how long what somebody changes at the host may go unseen
)

// runBackground starts what the product does by itself and returns a channel
// that closes when all of it has ended.
func (a *App) runBackground(ctx context.Context) <-chan struct{} {
	var wg sync.WaitGroup
	wg.Go(func() {
		a.every(ctx, sweepEvery, "void what was never confirmed", func() error {
			_, err := a.Authorizations.Sweep(ctx)
			return err
		})
	})
	wg.Go(func() {
		a.every(ctx, purgeEvery, "forget ended sign-ins", func() error { return a.Identity.Purge(ctx) })
	})
	wg.Go(func() {
		a.every(ctx, sweepEvery, "end what nobody answered", func() error { return a.Identity.Expire(ctx) })
	})
	wg.Go(func() {
		a.every(ctx, purgeEvery, "forget ended sign-ins at products", func() error { return a.Grants.Purge(ctx) })
	})
	wg.Go(func() {
		a.every(ctx, sweepEvery, "note when programs were here", func() error { return a.Clients.NoteUses(ctx) })
	})
	wg.Go(func() { a.courier.Run(ctx) })
	wg.Go(func() { a.logouts.Run(ctx) })
	wg.Go(func() { a.Webhooks.Run(ctx) })
	wg.Go(func() {
		a.every(ctx, purgeEvery, "forget old webhooks", func() error { return a.Webhooks.Prune(ctx) })
	})
	wg.Go(func() {
		a.every(ctx, purgeEvery, "forget old idempotency keys", func() error { return a.Authorizations.ForgetKeys(ctx) })
	})
	wg.Go(func() { a.every(ctx, rootKeyEvery, "look whether the root key was changed", a.followRootKeys) })
	wg.Go(func() {
		a.every(ctx, resealEvery, "seal anew what old keys have sealed", func() error { return a.resealAll(ctx) })
	})
	a.moneyBackground(ctx, wg.Go)
	if a.following != nil {
		a.follow(ctx, wg.Go)
	} else {
		wg.Go(func() { a.loadDecisions(ctx) })
	}
	wg.Go(func() { a.Memory.Run(ctx) })
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	return done
}

// every does something now and then until ctx ends.
func (a *App) every(ctx context.Context, pause time.Duration, what string, do func() error) {
	every(ctx, pause, what, a.Log, do)
}

// every does something now and then until ctx ends. A failure is logged and
// tried again next time.
func every(ctx context.Context, pause time.Duration, what string, log *slog.Logger, do func() error) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		if err := do(); err != nil && ctx.Err() == nil {
			log.Error("background work failed", "work", what, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
