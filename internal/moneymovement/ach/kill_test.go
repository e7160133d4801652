package ach_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/host/hostsim/hostsimtest"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/moneytest"
	"mandate/internal/usage"
)

func TestMain(m *testing.M) { moneytest.ToBeKilled(m, sendForEver) }

// What a batch of the killed processes is worth says how far it may get.
const (
	direct  bank.Cents = 1 // Dana makes it, Lee initiates it
	agreed  bank.Cents = 2 // Dana submits it, Lee approves it
	edited  bank.Cents = 3 // so much once Kim edited what Lee was to approve: never
	dropped bank.Cents = 4 // nobody approves it: never
)

// A killable is the room in a process that will be killed.
type killable struct {
	world
	say func(string)
}

// sendForEver creates, submits, edits, approves, initiates, takes back and
// releases, all at once, and says which runs will go out and which never.
func sendForEver(url string, clock moneytest.Clock, say func(string)) ([]func() error, error) {
	d, err := clock.Open(url)
	if err != nil {
		return nil, err
	}
	k := &killable{world{d: d, ledger: hostsimtest.Of(d), proofs: &proofs{}}, say}
	k.process("killed")
	go k.desk.Run(context.Background())
	return []func() error{k.initiates, k.approves, k.editsAndApproves, k.takesBack, k.drops, k.releases}, nil
}

// releases lets the cut-off come of all that was initiated, and releases it.
func (k *killable) releases() error {
	ctx := context.Background()
	err := k.d.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`update ach_run set due_micros = $1 where state = 'initiated' and due_micros > $1`, tx.Now.UnixMicro())
		return err
	})
	if err == nil {
		_, err = k.room.Tick(ctx)
	}
	return err
}

// make creates a batch as Dana and sends it off.
func (k *killable) make(cents bank.Cents, off func(context.Context, bank.Caller, ach.Order) (ach.Run, string, error), by string) (ach.Run, error) {
	ctx := context.Background()
	id, err := k.room.Create(ctx, as("dana"), payroll(false), []ach.EntryDraft{pay("Ana", cents)})
	if err != nil {
		return ach.Run{}, err
	}
	run, _, err := off(ctx, as(by), ach.Order{Batch: id, Version: 1, Offset: operating})
	return run, err
}

func (k *killable) approve(run ach.Run) error {
	ctx := context.Background()
	e, err := k.queue.About(ctx, as("lee"), ach.Room, string(run.ID))
	if err != nil {
		return err
	}
	return k.queue.Approve(ctx, as("lee"), e.ID, e.Hash, "")
}

// tell says that a run will go out, or never.
func (k *killable) tell(goes bool, run ach.Run) {
	k.say(map[bool]string{true: "goes ", false: "stays "}[goes] + string(run.ID))
}

func (k *killable) initiates() error {
	run, err := k.make(direct, k.room.Initiate, "lee")
	if err == nil {
		k.tell(true, run)
	}
	return err
}

func (k *killable) approves() error {
	run, err := k.make(agreed, k.room.Submit, "dana")
	if err != nil {
		return err
	}
	if err := k.approve(run); err != nil {
		return err
	}
	k.tell(true, run)
	return nil
}

// editsAndApproves lets Lee approve what Kim edits at the same time: of the two
// one is done.
func (k *killable) editsAndApproves() error {
	run, err := k.make(agreed, k.room.Submit, "dana")
	if err != nil {
		return err
	}
	approved := make(chan error)
	go func() { approved <- k.approve(run) }()
	edit := k.room.Edit(context.Background(), as("kim"), ach.Edit{Batch: run.Batch, Version: run.Version, Set: []ach.EntryDraft{pay("Bo", edited-agreed)}})
	return k.one(run, <-approved, edit)
}

// takesBack takes back what may be going out at the same moment.
func (k *killable) takesBack() error {
	run, err := k.make(direct, k.room.Initiate, "lee")
	if err != nil {
		return err
	}
	back := k.room.Uninitiate(context.Background(), as("dana"), run.Batch, run.Version)
	if fault.KindOf(back) == fault.Conflict {
		k.tell(true, run)
		return nil
	}
	if back == nil {
		k.tell(false, run)
	}
	return back
}

func (k *killable) drops() error {
	run, err := k.make(dropped, k.room.Submit, "dana")
	if err == nil {
		k.tell(false, run)
	}
	return err
}

// one tells which of two was done; the other must have been too late.
func (k *killable) one(run ach.Run, goes, stays error) error {
	switch {
	case goes == nil && fault.KindOf(stays) == fault.Conflict:
		k.tell(true, run)
	case stays == nil && (fault.KindOf(goes) == fault.Conflict || fault.KindOf(goes) == fault.NotFound):
		k.tell(false, run)
	default:
		return errors.Join(errors.New("both were done, or neither"), goes, stays)
	}
	return nil
}

// Killed between any two steps, every batch that was initiated or approved goes
// out once, and none goes out that nobody agreed to as it stands; the books, the
// files and what is counted agree with what the batches say.
func TestKilledBatchesGoOutOnce(t *testing.T) {
	moneytest.Killed{
		Start: monday, Within: 120 * time.Millisecond,
		Seed: func(t *testing.T, d *db.DB) []string {
			newWorld(t, d, bank.EditionBank)
			return nil
		},
		Settle: settleKilled,
	}.Run(t)
}

// settleKilled starts the program anew, lets it do what was left, once the
// leases of those that were killed are over, and compares.
func settleKilled(t *testing.T, url string, clock moneytest.Clock, said []string) {
	t.Helper()
	d, err := clock.Later(32 * time.Hour).Open(url) // after the cut-off of what was initiated on Monday
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, d: d, ledger: hostsimtest.Of(d), proofs: &proofs{}}
	defer func() { w.must(hostsimtest.Close(d)) }()
	w.process("the next one")
	if _, err := w.room.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	moneytest.CarryAll(t, d, w.desk, func(tx *db.Tx) (int64, error) {
		return db.One(tx, db.Value[int64], `select count(*) from ach_batch where state = 'processing'`)
	})
	runs := w.killedRuns()
	for _, line := range said {
		what, id, _ := strings.Cut(line, " ")
		if went := runs[ach.RunID(id)].State == "processed"; went != (what == "goes") {
			t.Errorf("%s was said of %s, and it is %+v", what, id, runs[ach.RunID(id)])
		}
	}
	w.proveKilled(runs)
	w.removeKilled()
}

// A killedRun is what a test must know of a run.
type killedRun struct {
	ID                        ach.RunID
	State, Approver, FileHash string
	Cents                     bank.Cents
	Second                    bool
}

func (w *world) killedRuns() map[ach.RunID]killedRun {
	w.t.Helper()
	byID := map[ach.RunID]killedRun{}
	w.must(w.d.Read(w.t.Context(), func(tx *db.Tx) error {
		all, err := db.All(tx, func(s db.Scanner) (r killedRun, err error) {
			err = s.Scan(&r.ID, &r.State, &r.Approver, &r.FileHash, &r.Cents, &r.Second)
			return r, err
		}, `select id, state, approver_name, file_hash, credits, second from ach_run`)
		for _, r := range all {
			byID[r.ID] = r
		}
		return err
	}))
	return byID
}

// proveKilled compares the runs with the files, the books, what is counted and
// the history.
func (w *world) proveKilled(runs map[ach.RunID]killedRun) {
	w.t.Helper()
	var sum bank.Cents
	out := 0
	for _, r := range runs {
		switch {
		case r.State == "processed" && (r.Cents == direct && !r.Second || r.Cents == agreed && r.Second && r.Approver == "Lee") && r.FileHash != "":
			sum, out = sum+r.Cents, out+1
		case r.State == "initiated", r.State == "processing", r.State == "processed", r.FileHash != "":
			w.t.Errorf("%+v is not as it should be", r)
		}
	}
	if got := w.balance(); got != 500_000_00-sum {
		w.t.Errorf("the account holds %s after %d runs of %s", got, out, sum)
	}
	w.must(w.d.Read(w.t.Context(), func(tx *db.Tx) error {
		wrong, err := usage.Check(tx)
		if err != nil || len(wrong) > 0 {
			w.t.Errorf("what is counted: %+v", wrong)
			return err
		}
		broken, err := activity.Verify(tx, "", nil)
		if err != nil || len(broken.Broken) > 0 {
			w.t.Errorf("the history: %+v", broken.Broken)
			return err
		}
		return nil
	}))
	files := 0
	for before := int64(0); ; {
		page, err := w.ledger.Files(w.ctx(), cedar, before, 500)
		w.must(err)
		if len(page) == 0 {
			break
		}
		for _, file := range page {
			files, sum, before = files+1, sum-file.Credits, file.Number
		}
	}
	if files != out || sum != 0 {
		w.t.Errorf("%d files for %d runs, worth %s less", files, out, sum)
	}
}

// removeKilled deletes all batches, so that there is room for others.
func (w *world) removeKilled() {
	w.t.Helper()
	var all []ach.Choice
	w.must(w.d.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		all, err = db.All(tx, func(s db.Scanner) (c ach.Choice, err error) {
			err = s.Scan(&c.Batch, &c.Version)
			return c, err
		}, `select id, version from ach_batch where state <> 'deleted'`)
		return err
	}))
	for _, c := range all {
		w.must(w.room.Delete(w.t.Context(), as("dana"), c.Batch, c.Version))
	}
}
