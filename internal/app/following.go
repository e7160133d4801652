package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/db"
	"mandate/internal/follow"
	"mandate/internal/pdp/memory"
	"mandate/internal/usermgmt"
)

// A following keeps what a process knows in memory, of policies and of callers,
// as PostgreSQL has it, where other processes change it.
type following struct {
	*follow.Follower
	db *db.DB // for the follower alone
}

// openFollowing connects a follower. What it fills reads through it, and so is
// made after it: m has its parts before the follower runs.
func openFollowing(ctx context.Context, url, name string, clock bank.Clock, log *slog.Logger, m *remembered) (*following, error) {
	d, err := db.Open(ctx, db.Config{URL: url, Clock: clock, Connections: 1, Limit: follow.Limit})
	if err != nil {
		return nil, fmt.Errorf("open the database to follow: %w", err)
	}
	f := follow.New(follow.Config{DB: d, Memory: m, Log: log, Bound: memory.Bound, Name: name, Version: version()})
	return &following{f, d}, nil
}

// openMemory makes the memory of decisions: on SQLite it is told what this
// process changes, and on PostgreSQL it follows what all processes change, once
// the program serves (follow).
func (a *App) openMemory() error {
	options := memory.Options{Budget: a.Config.DecisionMemory << 20}
	if a.DB.Dialect() != db.PostgreSQL {
		a.Memory = memory.New(a.DB, usermgmt.MemorySources(), options)
		return nil
	}
	known := &remembered{clients: a.Clients}
	known.begin = func() {
		known.Memory.Follow()
		a.Clients.Follow(a.Memory.Fresh)
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("find the name of this machine: %w", err)
	}
	if a.following, err = openFollowing(context.Background(), a.Config.DB, host, a.Clock, a.Log, known); err != nil {
		return err
	}
	options.Read = a.read
	known.Memory = memory.New(a.DB, usermgmt.MemorySources(), options)
	a.Memory = known.Memory
	return a.Metrics.Register(a.following.Metrics())
}

// read reads for the memory, where it follows once it does. Until then every
// question looks into the database, and so do commands that serve nothing.
func (a *App) read(ctx context.Context, f func(*db.Tx) error) error {
	if follow.Inside(ctx) || a.Memory.Freshness() == memory.Followed {
		return a.following.Read(ctx, f)
	}
	return a.DB.Read(ctx, f)
}

// follow follows until ctx ends.
func (a *App) follow(ctx context.Context, start func(func())) {
	start(func() { a.following.Run(ctx) })
	start(func() {
		a.every(ctx, purgeEvery, "forget copies that said nothing for a day", func() error { return a.DB.Write(ctx, follow.Forget) })
	})
}

// version is the program's, as it was built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(len(s.Value), 12)]
		}
	}
	return info.Main.Version
}

// remembered is what a process knows in memory.
type remembered struct {
	*memory.Memory
	clients *client.Service

	begin func() // once everything is here; nil: nothing is to do then
	begun sync.Once
	said  uint64 // how often callers had been said to be stale when the last look ended
}

var _ follow.Memory = (*remembered)(nil)

// Refresh is of follow.Memory. While what callers may ask and what they are
// answered from change together, no caller is let in.
func (r *remembered) Refresh(tx *db.Tx, moved []activity.Head) error {
	callers := slices.ContainsFunc(moved, func(h activity.Head) bool { return h.Organization == "" })
	var said uint64
	if callers {
		said = r.clients.Stale()
	}
	if err := r.Memory.Refresh(tx, moved); err != nil || !callers {
		return err
	}
	if said != r.said+1 {
		return nil // this process changed a caller, perhaps after the look began: the next one reads them anew
	}
	return r.clients.Renew(tx, said)
}

// Confirm is of follow.Memory.
func (r *remembered) Confirm(asOf time.Time) {
	r.Memory.Confirm(asOf)
	r.said = r.clients.Said()
	if r.begin != nil {
		r.begun.Do(r.begin)
	}
}

// Forget is of follow.Memory.
func (r *remembered) Forget() {
	r.clients.Stale()
	r.Memory.Forget()
}

// Size is of follow.Memory.
func (r *remembered) Size() (organizations, bytes int64) {
	s := r.Memory.Status()
	return int64(s.Organizations), int64(s.Bytes)
}
