package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"text/tabwriter"
	"time"

	"mandate/internal/activity"
	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/idempotency"
)

// AuthorizeOptions say how payments are authorized.
type AuthorizeOptions struct {
	DB      string        // empty: an embedded database, made for it and removed
	Clients int           // how many ask at the same time
	Each    time.Duration // how long each row is measured
}

// Goals of authorizing over HTTP, in payments a second and at the 99th
// percentile.
const (
	goalSQLite     = 300
	goalPostgreSQL = 400
	goalLatest     = 50 * time.Millisecond
)

// batched is how many payments the row about batching puts into one
// transaction.
const batched = 16

// Authorize measures how many payments a second are authorized over HTTP so
// that they survive a crash, and then takes the way apart: what HTTP, the
// organization's lock, the room's own statements and the commit cost, and what
// several payments in one transaction would gain. On PostgreSQL it leaves the
// made-up institution behind.
func Authorize(ctx context.Context, w io.Writer, o AuthorizeOptions) (err error) {
	dir, err := os.MkdirTemp("", "mandate-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := openPayments(ctx, dir, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	dialect := b.app.DB.Dialect()
	fmt.Fprintf(w, "authorizing payments, %s, %d clients, %s each row, %d cores, program and clients in one process\n\n",
		dialect, o.Clients, o.Each, runtime.NumCPU())
	rows, err := b.rows(ctx)
	if err != nil {
		return err
	}
	if err := printRows(w, rows); err != nil {
		return err
	}
	goal := goalSQLite
	if dialect == db.PostgreSQL {
		goal = goalPostgreSQL
	}
	fmt.Fprintf(w, "\ngoal: %d a second, 99%% within %s\n", goal, goalLatest)
	explainLimit(w, rows)
	return nil
}

// A row is what was measured of one way to do something.
type row struct {
	name     string
	clients  int
	units    int // payments in each call
	rate     float64
	p50, p99 time.Duration
	cpu      time.Duration // of this process, for each payment
}

// The rows, in their order.
const (
	rowHTTP = iota
	rowOneOrganization
	rowAlone
	rowService
	rowCommit
	rowBatch
	rowDecision
)

func (b *payments) rows(ctx context.Context) ([]row, error) {
	ways := []struct {
		name    string
		clients int
		units   int
		call    func(ctx context.Context, client, n int) error
	}{
		rowHTTP:            {"over HTTP, an organization for each client", b.clients, 1, b.overHTTP},
		rowOneOrganization: {"over HTTP, all in one organization", b.clients, 1, b.overHTTPInOne},
		rowAlone:           {"over HTTP, one client alone", 1, 1, b.overHTTP},
		rowService:         {"without HTTP", b.clients, 1, b.direct},
		rowCommit:          {"one small row stored, nothing decided", b.clients, 1, b.commitOnly},
		rowBatch:           {fmt.Sprintf("without HTTP, %d in one transaction", batched), b.clients, batched, b.batch},
		rowDecision:        {"reading and deciding, nothing stored", b.clients, 1, b.decideOnly},
	}
	rows := make([]row, len(ways))
	for i, way := range ways {
		var err error
		if rows[i], err = measure(ctx, b.each, way.clients, way.units, way.call); err != nil {
			return nil, fmt.Errorf("%s: %w", way.name, err)
		}
		rows[i].name = way.name
	}
	return rows, nil
}

// measure lets clients call at the same time, each as soon as it has its last
// answer, for as long as it is measured.
func measure(ctx context.Context, each time.Duration, clients, units int, call func(ctx context.Context, client, n int) error) (row, error) {
	for n := range warmUp {
		for client := range clients {
			if err := call(ctx, client, -1-n); err != nil {
				return row{}, err
			}
		}
	}
	times := make([][]time.Duration, clients)
	failures := make([]error, clients)
	var stop atomic.Bool
	var all sync.WaitGroup
	began, cpu := time.Now(), processTime()
	for client := range clients {
		all.Go(func() {
			for n := 0; !stop.Load(); n++ {
				asked := time.Now()
				if failures[client] = call(ctx, client, n); failures[client] != nil {
					return
				}
				times[client] = append(times[client], time.Since(asked))
			}
		})
	}
	select {
	case <-time.After(each):
	case <-ctx.Done():
	}
	stop.Store(true)
	all.Wait()
	took, used := time.Since(began), processTime()-cpu
	if err := errors.Join(append(failures, ctx.Err())...); err != nil {
		return row{}, err
	}
	sorted := slices.Sorted(slices.Values(slices.Concat(times...)))
	paid := len(sorted) * units
	return row{
		clients: clients, units: units, rate: float64(paid) / took.Seconds(), cpu: used / time.Duration(max(1, paid)),
		p50: percentile(sorted, 50), p99: percentile(sorted, 99),
	}, nil
}

// processTime is the processor time of this process so far.
func processTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0 // nobody is told a false number: the column is then empty
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func printRows(w io.Writer, rows []row) error {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "way\tclients\ta second\tp50\tp99\tprocessor each\t")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%d\t%.0f\t%s\t%s\t%s\t\n", r.name, r.clients, r.rate, round(r.p50), round(r.p99), r.cpu.Round(10*time.Microsecond))
	}
	return table.Flush()
}

// explainLimit says what bounds the first row, by what the others cost.
func explainLimit(w io.Writer, rows []row) {
	http, cores := rows[rowHTTP], float64(runtime.NumCPU())
	busy := http.rate * http.cpu.Seconds() / cores * 100
	fmt.Fprintf(w, "processor: %.0f%% of %.0f cores are this process's own while it answers %.0f a second\n", busy, cores, http.rate)
	fmt.Fprintf(w, "HTTP: without it %.1f times as many\n", rows[rowService].rate/http.rate)
	fmt.Fprintf(w, "lock: in one organization %.1f times as many as in many\n", rows[rowOneOrganization].rate/http.rate)
	fmt.Fprintf(w, "disk: one small row could be stored %.1f times as often as a payment without HTTP\n",
		rows[rowCommit].rate/rows[rowService].rate)
	fmt.Fprintf(w, "batching: %d payments in one transaction give %.1f times as many as one by one, both without HTTP\n",
		batched, rows[rowBatch].rate/rows[rowService].rate)
	fmt.Fprintf(w, "decision: reading and deciding alone could be done %.1f times as often\n", rows[rowDecision].rate/rows[rowService].rate)
}

func (b *payments) direct(ctx context.Context, client, n int) error {
	p := b.places[client]
	answer, err := b.app.Authorizations.Authorize(ctx, b.caller, p.organization, b.ref("direct", client, n), asked(p))
	return errors.Join(err, refused(answer.Decision))
}

// commitOnly stores one small row durably.
func (b *payments) commitOnly(ctx context.Context, client, n int) error {
	key := idempotency.Key{Institution: b.caller.Institution, Client: bank.ClientID(b.caller.ID), Text: b.ref("commit", client, n)}
	return b.app.DB.Write(ctx, func(tx *db.Tx) error { return idempotency.Keep(tx, key, nil, "") })
}

// batch authorizes several payments in one change.
func (b *payments) batch(ctx context.Context, client, n int) error {
	p := b.places[client]
	action := guard.Action{
		Event: authorization.EventAuthorized, Organization: p.organization, Others: []bank.ActorKind{bank.ActorClient},
		Scope: asked(p).Scope(), Target: activity.Target{Kind: activity.TargetPayment},
	}
	return b.app.Guard.Do(ctx, b.caller, action, func(c *guard.Change) error {
		for i := range batched {
			ref := authorization.Ref{Client: bank.ClientID(b.caller.ID), Name: b.ref("batch", client, n) + fmt.Sprint(" ", i)}
			answer, err := b.app.Authorizations.AuthorizeIn(c, ref, asked(p))
			if err := errors.Join(err, refused(answer.Decision)); err != nil {
				return err
			}
			c.RecordQuiet(authorization.EventAuthorized, answer.Authorization.Target(), "")
		}
		return nil
	})
}

func (b *payments) decideOnly(ctx context.Context, client, _ int) error {
	p := b.places[client]
	return b.app.Guard.Look(ctx, b.caller, guard.Action{
		Organization: p.organization, Others: []bank.ActorKind{bank.ActorClient}, Scope: asked(p).Scope(),
	}, func(v *guard.View) error {
		d, err := authorization.Decide(v.Tx, v.Policy, asked(p))
		return errors.Join(err, refused(d))
	})
}

func refused(d entitlement.Decision) error {
	if d.Allowed {
		return nil
	}
	return fmt.Errorf("a payment was refused: %v", d.Reasons)
}
