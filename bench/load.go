package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"mandate/bench/world"
	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/generate"
	"mandate/internal/importer"
	"mandate/internal/pdp/memory"
	"mandate/internal/usermgmt"
)

// loading imports as many organizations as the large institution has into an
// embedded database, as an operator would, opens it anew, and measures how long
// memory takes to have all of them.
func loading(out io.Writer, s sizes) error {
	dir, err := os.MkdirTemp("", "mandate-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	if err := seedDatabase(ctx, dir, s.large); err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	d, err := db.Open(ctx, db.Config{URL: settings(dir).DB, Clock: bank.SystemClock{}})
	if err != nil {
		return err
	}
	defer d.Close()
	var best time.Duration
	var organizations, bytes int64
	for range rounds {
		m := memory.New(d, usermgmt.MemorySources(), memory.Options{})
		start := time.Now()
		if err := m.Load(ctx, nil); err != nil {
			return err
		}
		if took := time.Since(start); best == 0 || took < best {
			best = took
		}
		organizations, bytes = m.Size()
	}
	fmt.Fprintf(out, "Load from SQLite: %d organizations in %.2f s, the best of %d, %.1f bytes for each member-account, what counts against daily limits included; bar 5 s: %s; load %s.\n\n",
		organizations, best.Seconds(), rounds, float64(bytes)/float64(s.large*world.Members*world.Accounts), verdict(best <= 5*time.Second), load())
	return nil
}

func settings(dir string) config.Config {
	return config.Config{Store: config.Store{DB: "sqlite:" + filepath.Join(dir, "bench.db"), Data: filepath.Join(dir, "data")}, HashMemory: 8, HashPasses: 1, ThrottleFactor: 100, LogLevel: "error"}
}

func seedDatabase(ctx context.Context, dir string, organizations int) error {
	files := filepath.Join(dir, "files")
	options := generate.Options{
		Seed: seed, Organizations: organizations, Members: world.Members, Accounts: world.Accounts,
		Distribution: generate.Even, ID: "bench", Name: "Bench Bank",
	}
	if err := generate.Write(files, options); err != nil {
		return err
	}
	a, err := app.Open(ctx, settings(dir), bank.SystemClock{}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer a.Close()
	return importer.Command(ctx, io.Discard, false, a.DB, a.Guard, files, importer.Options{})
}
