package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// DecisionsOptions say how decisions over HTTP are measured.
type DecisionsOptions struct {
	Organizations int           // of the made-up institution
	Connections   int           // that ask at the same time
	Each          time.Duration // how long each row is measured in a round
	Rounds        int
	Changes       int // that arrive in a second, in the last row
}

// Goals of decisions over HTTP.
const (
	goalSingle = 30 * time.Microsecond  // of server processor time
	goalItem   = 1500 * time.Nanosecond // the same, of one item of a batch
	goalRatio  = 1.3                    // to a handler that answers a constant
	goalTail   = 2.0                    // p99 with changes to p99 without
)

const (
	itemsOfBatch   = 100
	crowdQuestions = 5_000
)

// Decisions measures decisions over HTTP: a server in a process of its own, made
// by command, with an institution in memory, and callers here that hold their
// connections open. Measured is the processor time that the server takes, by
// its own account, and how long callers wait. Every answer is compared with the
// one that the engine gives, in a pass before anything is timed and in all that
// follow.
//
// Rows are taken in turn and repeated, so that what else the machine does falls
// on all of them.
func Decisions(ctx context.Context, w io.Writer, command *exec.Cmd, o DecisionsOptions) error {
	if err := measureDecisions(ctx, w, command, o); err != nil {
		return err
	}
	changed, err := durableChanges(ctx, o.Connections, o.Each)
	if err != nil {
		return fmt.Errorf("changes: %w", err)
	}
	fmt.Fprintf(w, "apart from that, changes that survive a crash: %.0f a second on SQLite, by %d at the same time, p99 %s\n", changed.rate, o.Connections, round(changed.p99))
	fmt.Fprintf(w, "load at the end: %s\n", loadAverage())
	return nil
}

func measureDecisions(ctx context.Context, w io.Writer, command *exec.Cmd, o DecisionsOptions) (err error) {
	d, err := startDecisions(ctx, command, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	fmt.Fprintf(w, "decisions over HTTP, %d organizations of %d members and %d accounts in memory, %d connections, %d rounds of %s each row, %d cores, load %s\n",
		o.Organizations, crowdMembers, crowdAccounts, o.Connections, o.Rounds, o.Each, runtime.NumCPU(), loadAverage())
	checked, err := d.check()
	if err != nil {
		return fmt.Errorf("before anything was timed: %w", err)
	}
	fmt.Fprintf(w, "%d answers compared with the engine's, all equal\n\n", checked)
	rows := d.rows()
	for range o.Rounds {
		for i := range rows {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := d.measure(&rows[i]); err != nil {
				return fmt.Errorf("%s: %w", rows[i].name, err)
			}
		}
	}
	if err := printDecisions(w, rows); err != nil {
		return err
	}
	judgeDecisions(w, rows)
	return nil
}

// decisions is the server's process and what it is asked.
type decisions struct {
	o         DecisionsOptions
	process   *exec.Cmd
	in        io.WriteCloser
	out       *bufio.Reader
	constant  string // addresses
	decide    string
	keys      [crowdCallers]string
	questions []crowdQuestion
}

func startDecisions(ctx context.Context, command *exec.Cmd, o DecisionsOptions) (*decisions, error) {
	c, err := newCrowd(o.Organizations)
	if err != nil {
		return nil, err
	}
	d := &decisions{o: o, process: command}
	command.Stderr = os.Stderr
	if d.in, err = command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	d.out = bufio.NewReader(out)
	if err := command.Start(); err != nil {
		return nil, err
	}
	d.questions = c.questions(1, crowdQuestions, time.Now())
	said := []any{&d.constant, &d.decide}
	for n := range d.keys {
		said = append(said, &d.keys[n])
	}
	if _, err := fmt.Fscan(d.out, said...); err != nil {
		return nil, errors.Join(fmt.Errorf("the server does not say where it is: %w", err), d.stop())
	}
	return d, ctx.Err()
}

// stop ends the server, which ends when nobody tells it anything any more.
func (d *decisions) stop() error { return errors.Join(d.in.Close(), d.process.Wait()) }

// tell gives the server a command and reads its answer.
func (d *decisions) tell(command string) (n int64, err error) {
	if _, err := fmt.Fprintln(d.in, command); err != nil {
		return 0, err
	}
	_, err = fmt.Fscan(d.out, &n)
	return n, err
}

// A decisionRow is one way to ask, and what was measured of it in each round.
type decisionRow struct {
	name    string
	address string
	asks    []exchange
	items   int // decisions in each request
	changes int // in a second, while it is asked

	cpu      []time.Duration // of the server, for each decision
	p50, p99 []time.Duration // of a request
	rate     []float64       // decisions a second
}

// The rows, in their order.
const (
	rowConstant = iota
	rowSingle
	rowConstantBatch
	rowHundred
	rowChanging
)

func (d *decisions) rows() []decisionRow {
	yes := func(crowdQuestion) bool { return true }
	right := func(q crowdQuestion) bool { return q.allowed }
	return []decisionRow{
		rowConstant:      {name: "one, answered with a constant", address: d.constant, asks: d.singles(yes), items: 1},
		rowSingle:        {name: "one", address: d.decide, asks: d.singles(right), items: 1},
		rowConstantBatch: {name: "100 in a batch, answered with a constant", address: d.constant, asks: d.batches(yes), items: itemsOfBatch},
		rowHundred:       {name: "100 in a batch", address: d.decide, asks: d.batches(right), items: itemsOfBatch},
		rowChanging:      {name: fmt.Sprintf("one, while %d changes a second arrive", d.o.Changes), address: d.decide, asks: d.singles(right), items: 1, changes: d.o.Changes},
	}
}

func answerOf(yes bool) string { return fmt.Sprintf(`{"decision":%t}`, yes) }

func (d *decisions) singles(answer func(crowdQuestion) bool) (all []exchange) {
	for _, q := range d.questions {
		all = append(all, newExchange("/access/v1/evaluation", d.keys[len(all)%crowdCallers], q.body(), answerOf(answer(q))+"\n"))
	}
	return all
}

func (d *decisions) batches(answer func(crowdQuestion) bool) (all []exchange) {
	for some := range slices.Chunk(d.questions, itemsOfBatch) {
		var asked, answers []string
		for _, q := range some {
			asked, answers = append(asked, q.body()), append(answers, answerOf(answer(q)))
		}
		all = append(all, newExchange("/access/v1/evaluations", d.keys[len(all)%crowdCallers],
			`{"evaluations":[`+strings.Join(asked, ",")+`]}`, `{"evaluations":[`+strings.Join(answers, ",")+"]}\n"))
	}
	return all
}

// check asks every question once, alone and in a batch.
func (d *decisions) check() (n int, err error) {
	rows := d.rows()
	for _, row := range []decisionRow{rows[rowSingle], rows[rowHundred]} {
		if err := once(row.address, row.asks); err != nil {
			return n, err
		}
		n += len(row.asks) * row.items
	}
	return n, nil
}

func (d *decisions) measure(row *decisionRow) error {
	if _, err := d.tell(fmt.Sprint("changes ", row.changes)); err != nil {
		return err
	}
	before, err := d.tell("cpu")
	if err != nil {
		return err
	}
	began := time.Now()
	times, err := load(row.address, d.o.Connections, row.asks, d.o.Each)
	if err != nil {
		return err
	}
	took := time.Since(began)
	after, err := d.tell("cpu")
	if err != nil {
		return err
	}
	arrived, err := d.tell("changes 0")
	if err != nil {
		return err
	}
	if least := int64(took.Seconds() * float64(row.changes) * 0.9); arrived < least {
		return fmt.Errorf("%d changes arrived in %s, fewer than %d a second", arrived, took, row.changes)
	}
	if len(times) == 0 {
		return errors.New("nothing was answered in time")
	}
	n := len(times) * row.items
	row.cpu = append(row.cpu, time.Duration(after-before)/time.Duration(n))
	row.p50, row.p99 = append(row.p50, percentile(times, 50)), append(row.p99, percentile(times, 99))
	row.rate = append(row.rate, float64(n)/took.Seconds())
	return nil
}

func printDecisions(w io.Writer, rows []decisionRow) error {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "asked\tserver's processor for each: median\tbest\tdecisions a second\tp50 of a request\tp99\t")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%.0f\t%s\t%s\t\n", r.name, micros(median(r.cpu)), micros(slices.Min(r.cpu)), median(r.rate), micros(median(r.p50)), micros(median(r.p99)))
	}
	return table.Flush()
}

func micros(d time.Duration) string { return fmt.Sprintf("%.2f µs", float64(d)/1e3) }

func median[T ~int64 | ~float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// judgeDecisions holds the rows against the goals. Ratios are of rows of the same
// round; what is printed is the median of the rounds.
func judgeDecisions(w io.Writer, rows []decisionRow) {
	ratio := func(above, below []time.Duration) float64 {
		var all []float64
		for i := range above {
			all = append(all, float64(above[i])/float64(below[i]))
		}
		return median(all)
	}
	fmt.Fprintf(w, "\none decision: %s of the server's processor, goal at most %s\n", micros(median(rows[rowSingle].cpu)), micros(goalSingle))
	fmt.Fprintf(w, "one decision to one constant: %.2f, goal at most %.1f\n", ratio(rows[rowSingle].cpu, rows[rowConstant].cpu), goalRatio)
	fmt.Fprintf(w, "one of a batch of %d: %s, goal at most %s\n", itemsOfBatch, micros(median(rows[rowHundred].cpu)), micros(goalItem))
	fmt.Fprintf(w, "p99 with changes to p99 at rest: %.2f, goal at most %.1f\n", ratio(rows[rowChanging].p99, rows[rowSingle].p99), goalTail)
}

// loadAverage is how busy the machine is, as its system says.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}
