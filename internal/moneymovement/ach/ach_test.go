package ach_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/ach/recipients"
	"mandate/internal/usage"
	"mandate/internal/usermgmt"
)

func TestOnePersonWithFullControlAndTheWholeWay(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("fay", 1_000_00)
		w.state(id, ach.Ready)
		w.must(w.initiate("fay", id))
		w.state(id, ach.Initiated)
		if got := w.used("fay", "2026-03-02"); got != 1_000_00 {
			t.Errorf("%s is used", got)
		}
		run := w.get(id).Runs[0]
		if run.Effective != "2026-03-03" || run.SameDay || !run.Due.Equal(time.Date(2026, 3, 3, 22, 0, 0, 0, time.UTC)) {
			t.Errorf("the run is %+v", run)
		}
		w.tick()
		w.state(id, ach.Initiated) // not before its cut-off
		w.clock.Set(run.Due)
		w.tick()
		w.state(id, ach.Processed)
		if got := w.balance(); got != 499_000_00 {
			t.Errorf("the account holds %s", got)
		}
		if got := w.used("fay", "2026-03-03"); got != 1_000_00 {
			t.Errorf("%s is used on the day of release", got)
		}
		w.clock.Advance(24 * time.Hour)
		w.tick()
		w.state(id, ach.Ready)
		want := "batch_created batch_initiated batch_processed batch_processed batch_processed"
		if got := strings.Join(w.history()[1:], " "); got != want {
			t.Errorf("the history says %s, want %s", got, want)
		}
	})
}

func TestLastEditorNeedsASecondPerson(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("dana", 1_000_00)
		w.refuses("what one edited last", w.initiate("dana", id), "SECOND_PERSON_REQUIRED")
		item := w.submit("dana", id)
		w.state(id, ach.Pending)
		if w.used("dana", "2026-03-02") != 1_000_00 {
			t.Error("it does not count for the submitter")
		}
		w.refuses("one's own", w.approve("dana", item), "SECOND_PERSON_REQUIRED")
		w.must(w.approve("lee", item))
		w.state(id, ach.Initiated)
		if w.used("lee", "2026-03-02") != 0 {
			t.Error("approving counts for the approver")
		}
		w.clock.Set(w.get(id).Runs[0].Due)
		w.tick()
		w.state(id, ach.Processed)
		other := w.create("dana", 5_00)
		w.must(w.initiate("lee", other)) // somebody else may at once
		w.state(other, ach.Initiated)
	})
}

func TestEveryEditSendsBackAndChangesTheLastEditor(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("dana", 1_000_00)
		item := w.submit("dana", id)
		d := w.get(id)
		draft := pay("Ana", 2_000_00)
		draft.ID = d.All[0].EntryID
		w.must(w.room.Edit(w.ctx(), as("lee"), ach.Edit{Batch: id, Version: d.Version, Set: []ach.EntryDraft{draft}}))
		w.state(id, ach.Ready)
		if w.used("dana", "2026-03-02") != 0 {
			t.Error("the amount still counts")
		}
		w.refuses("what was edited", w.approve("fay", item), "NOT_PENDING")
		w.refuses("by the new last editor", w.initiate("lee", id), "SECOND_PERSON_REQUIRED")
		stale := ach.Edit{Batch: id, Version: d.Version, Set: []ach.EntryDraft{draft}}
		draft.Amount = 3_00
		stale.Set[0] = draft
		w.refuses("as it was seen before", w.room.Edit(w.ctx(), as("dana"), stale), "CHANGED")
		w.must(w.initiate("dana", id)) // Lee edited last
		w.refuses("an initiated one", w.room.Edit(w.ctx(), as("dana"), ach.Edit{Batch: id, Version: w.get(id).Version, Set: []ach.EntryDraft{draft}}), "STATE")
		w.refuses("delete an initiated one", w.room.Delete(w.ctx(), as("dana"), id, w.get(id).Version), "STATE")
	})
}

func TestReturnRejectExpire(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("dana", 1_000_00)
		for name, end := range map[string]func(e approval.Entry){
			"return": func(approval.Entry) { w.must(w.room.Return(w.ctx(), as("pat"), id, w.get(id).Version, "Not yet.")) },
			"reject": func(e approval.Entry) { w.must(w.queue.Reject(w.ctx(), as("lee"), e.ID, "Wrong day.")) },
			"expire": func(e approval.Entry) {
				w.clock.Set(e.Expires)
				w.refuses("too late", w.approve("lee", e), "EXPIRED")
				_, err := w.queue.Expire(w.ctx())
				w.must(err)
			},
		} {
			end(w.submit("dana", id))
			d := w.get(id)
			if d.State != ach.Ready || d.Runs[0].Reason == "" || d.Runs[0].State != "returned" {
				t.Errorf("%s: %s, %+v", name, d.State, d.Runs[0])
			}
			for _, day := range []bank.Day{"2026-03-02", "2026-03-03", "2026-03-04"} {
				if w.used("dana", day) != 0 {
					t.Errorf("%s: the amount still counts on %s", name, day)
				}
			}
		}
		w.checkUsage()
	})
}

// checkUsage adds up every reservation again.
func (w *world) checkUsage() {
	w.t.Helper()
	w.must(w.d.Read(w.ctx(), func(tx *db.Tx) error {
		wrong, err := usage.Check(tx)
		if len(wrong) > 0 {
			w.t.Errorf("the counters are wrong: %+v", wrong)
		}
		return err
	}))
}

func TestUninitiateBeforeTheCutOff(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("dana", 1_000_00)
		w.must(w.initiate("lee", id))
		version := w.get(id).Version
		w.must(w.room.Uninitiate(w.ctx(), as("dana"), id, version))
		w.state(id, ach.Ready)
		if w.used("lee", "2026-03-02") != 0 {
			t.Error("the amount still counts")
		}
		w.must(w.initiate("lee", id))
		w.clock.Set(w.get(id).Runs[0].Due)
		w.refuses("at the cut-off", w.room.Uninitiate(w.ctx(), as("dana"), id, version), "PAST_CUTOFF")
		w.tick()
		w.state(id, ach.Processed)
		w.refuses("what was sent", w.room.Uninitiate(w.ctx(), as("dana"), id, version), "STATE")
		w.checkUsage()
	})
}

func TestRightsAreJudgedAgainAtRelease(t *testing.T) {
	each(t, func(w *world) {
		for _, name := range []string{"dana", "lee"} {
			id := w.create("dana", 1_000_00)
			w.must(w.approve("lee", w.submit("dana", id)))
			w.set(name, func(s *entitlement.Settings) { s.On = s.On.Without(catalog.ACHInitiate) })
			w.clock.Set(w.get(id).Runs[0].Due)
			w.tick()
			d := w.get(id)
			if d.State != ach.Ready || d.Runs[0].Reason == "" {
				t.Errorf("after %s lost the right: %s, %q", name, d.State, d.Runs[0].Reason)
			}
			w.set(name, func(*entitlement.Settings) {})
		}
		if w.balance() != 500_000_00 {
			t.Error("something was sent")
		}
		w.checkUsage()
	})
}

func TestTheHostRefusesWhatIsNotCovered(t *testing.T) {
	each(t, func(w *world) {
		w.set("fay", func(s *entitlement.Settings) { s.Limits = s.Limits.With(catalog.LimitACHDaily, 900_000_00) })
		id := w.create("fay", 600_000_00)
		w.must(w.initiate("fay", id))
		w.clock.Set(w.get(id).Runs[0].Due)
		w.tick()
		d := w.get(id)
		if d.State != ach.Ready || !strings.Contains(d.Runs[0].Reason, "not enough available in Operating") {
			t.Errorf("%s, %q", d.State, d.Runs[0].Reason)
		}
		if w.used("fay", "2026-03-03") != 0 {
			t.Error("the amount still counts")
		}
		w.checkUsage()
	})
}

func TestLimitsToTheCent(t *testing.T) {
	each(t, func(w *world) {
		exact, over := w.create("dana", 99_999_99), w.create("dana", 2)
		last := w.create("dana", 1)
		w.must(w.initiate("lee", exact))
		err := w.initiate("lee", over)
		w.refuses("a cent over", err, "LIMIT_DAILY")
		if reasons := ach.ReasonsOf(err); len(reasons) != 1 || reasons[0].Limit != 100_000_00 || reasons[0].Used != 99_999_99 {
			t.Errorf("the reasons are %+v", reasons)
		}
		w.must(w.initiate("lee", last))
		w.must(w.room.SetCompany(w.ctx(), operator, northwind, ach.Company{Ident: "1234567890", Name: "Northwind", Exposure: 100_000_01}))
		w.refuses("over the company's exposure", w.initiate("fay", over), "EXPOSURE_LIMIT")
		w.must(w.initiate("fay", w.create("dana", 1)))
	})
}

func TestSameDayHolidaysAndCutOffs(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("dana", 1_000_00)
		o := w.order(id)
		o.Effective = "2026-03-02"
		w.set("lee", func(s *entitlement.Settings) { s.On = s.On.Without(catalog.ACHSameDay) })
		_, _, err := w.room.Initiate(w.ctx(), as("lee"), o)
		w.refuses("the same day without the right", err, "USER_OFF")
		run, _, err := w.room.Initiate(w.ctx(), as("fay"), o)
		w.must(err)
		if !run.SameDay || !run.Due.Equal(time.Date(2026, 3, 2, 19, 0, 0, 0, time.UTC)) {
			t.Errorf("%+v", run)
		}
		w.must(w.room.Uninitiate(w.ctx(), as("fay"), id, w.get(id).Version))
		w.clock.Set(time.Date(2026, 3, 2, 19, 0, 0, 0, time.UTC)) // 2 PM
		run, note, err := w.room.Initiate(w.ctx(), as("lee"), o)
		w.must(err)
		if run.SameDay || run.Effective != "2026-03-03" || !strings.Contains(note, "past 2:00 PM") {
			t.Errorf("after the cut-off: %+v %q", run, note)
		}
		w.must(w.room.Uninitiate(w.ctx(), as("fay"), id, w.get(id).Version))
		o.Effective = "2026-03-07"
		if run, _, err = w.room.Initiate(w.ctx(), as("lee"), o); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a Saturday moves to Monday the 9th, beyond six days: %v %+v", err, run)
		}
		for _, wrong := range []bank.Day{"2026-03-01", "soon", "2026-03-30"} {
			o.Effective = wrong
			if _, _, err = w.room.Initiate(w.ctx(), as("lee"), o); fault.KindOf(err) != fault.Invalid {
				t.Errorf("dated %s: %v", wrong, err)
			}
		}
		o.Effective, o.Offset = "", ""
		if _, _, err = w.room.Initiate(w.ctx(), as("lee"), o); fault.KindOf(err) != fault.Invalid {
			t.Errorf("without an account: %v", err)
		}
		o.Offset = petty
		_, _, err = w.room.Initiate(w.ctx(), as("lee"), o)
		w.refuses("from an account without access", err, "ACCOUNT_ACCESS_OFF")
	})
}

func TestPartialEditTouchesFiveFieldsOnly(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("dana", 1_000_00)
		edit := func(change func(e *ach.EntryDraft)) error {
			d := w.get(id)
			draft := pay("Ana", d.All[0].Amount)
			draft.ID, draft.Held, draft.Debit = d.All[0].EntryID, d.All[0].Held, d.All[0].Code.Debit()
			draft.Addenda, _ = d.All[0].Addendum()
			change(&draft)
			return w.room.Edit(w.ctx(), as("pat"), ach.Edit{Batch: id, Version: d.Version, Set: []ach.EntryDraft{draft}})
		}
		for name, change := range map[string]func(*ach.EntryDraft){
			"amount": func(e *ach.EntryDraft) { e.Amount = 7_00 }, "debit": func(e *ach.EntryDraft) { e.Debit = true },
			"addenda": func(e *ach.EntryDraft) { e.Addenda = "Invoice 7" }, "held": func(e *ach.EntryDraft) { e.Held = true },
			"prenote": func(e *ach.EntryDraft) { e.Prenote = true },
		} {
			if err := edit(change); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := w.get(id); got.LastEditor.ID != "pat" {
			t.Errorf("the last editor is %s", got.LastEditor.ID)
		}
		for name, change := range map[string]func(*ach.EntryDraft){
			"name": func(e *ach.EntryDraft) { e.Name = "Bo" }, "account": func(e *ach.EntryDraft) { e.Account = "1" },
			"routing": func(e *ach.EntryDraft) { e.Routing = "121042882" }, "kind": func(e *ach.EntryDraft) { e.Kind = "savings" },
			"id": func(e *ach.EntryDraft) { e.Recipient.ID = "9" }, "new": func(e *ach.EntryDraft) { e.ID = "" },
		} {
			w.refuses(name, edit(change), "USER_OFF")
		}
		h := payroll(false)
		d := w.get(id)
		h.Name = "Wages"
		w.refuses("the header", w.room.Edit(w.ctx(), as("pat"), ach.Edit{Batch: id, Version: d.Version, Header: &h}), "USER_OFF")
		w.refuses("removing", w.room.Edit(w.ctx(), as("pat"), ach.Edit{Batch: id, Version: d.Version, Remove: []ach.EntryID{d.All[0].EntryID}}), "USER_OFF")
		_, err := w.room.Create(w.ctx(), as("pat"), h, nil)
		w.refuses("creating", err, "USER_OFF")
		_, err = w.room.Copy(w.ctx(), as("pat"), id, "")
		w.refuses("copying", err, "USER_OFF")
	})
}

func TestRestrictedBatchesAreAbsent(t *testing.T) {
	each(t, func(w *world) {
		open := w.create("dana", 1_00)
		secret, err := w.room.Create(w.ctx(), as("dana"), payroll(true), []ach.EntryDraft{pay("Boss", 50_000_00)})
		w.must(err)
		_, err = w.room.Create(w.ctx(), as("kim"), payroll(true), nil)
		w.refuses("making one without the right", err, "USER_OFF")
		for name, want := range map[string]int{"dana": 2, "kim": 1} {
			l, err := w.room.List(w.ctx(), as(name), ach.Filter{Search: "payroll"})
			w.must(err)
			if l.Total != want || len(l.Batches) != want || want == 1 && (l.Credits != 1_00 || l.Entries != 1) {
				t.Errorf("%s sees %d batches of %s", name, l.Total, l.Credits)
			}
		}
		kim := as("kim")
		_, err = w.room.Get(w.ctx(), kim, secret)
		w.hides("looking", err)
		_, _, err = w.room.Initiate(w.ctx(), kim, ach.Order{Batch: secret, Version: 1, Offset: operating})
		w.hides("initiating", err)
		w.hides("editing", w.room.Edit(w.ctx(), kim, ach.Edit{Batch: secret, Version: 1}))
		w.hides("deleting", w.room.Delete(w.ctx(), kim, secret, 1))
		_, err = w.room.Copy(w.ctx(), kim, secret, "")
		w.hides("copying", err)
		_, err = w.room.PreviewImport(w.ctx(), kim, ach.Import{Batch: secret, Format: recipients.CSV, File: strings.NewReader("")})
		w.hides("importing", err)
		d := w.get(open)
		h := payroll(true)
		w.refuses("restricting without the right", w.room.Edit(w.ctx(), kim, ach.Edit{Batch: open, Version: d.Version, Header: &h}), "USER_OFF")

		w.submit("dana", secret)
		if entries, err := w.queue.Queue(w.ctx(), kim); err != nil || len(entries) != 0 {
			t.Errorf("Kim sees %d items that wait, %v", len(entries), err)
		}
		w.must(w.room.Delete(w.ctx(), as("dana"), secret, w.get(secret).Version))
		events := w.events()
		for name, want := range map[string]bool{"dana": true, "kim": false} {
			got := w.visible(name, events)
			about := slices.ContainsFunc(got, func(e activity.Event) bool { return e.Target.ID == string(secret) })
			if about != want || !slices.ContainsFunc(got, func(e activity.Event) bool { return e.Target.ID == string(open) }) {
				t.Errorf("%s reads about the restricted batch: %t", name, about)
			}
		}
	})
}

func (w *world) visible(name string, events []activity.Event) (visible []activity.Event) {
	w.t.Helper()
	w.must(w.d.Read(w.ctx(), func(tx *db.Tx) error {
		p, err := usermgmt.LoadPolicy(tx, cedar, northwind, entitlement.Scope{Members: []bank.UserID{bank.UserID(name)}})
		if err != nil {
			return err
		}
		visible, err = w.room.Visible(tx, p, bank.UserID(name), events)
		return err
	}))
	return visible
}

func TestRestrictedCategoriesHideTheirBatches(t *testing.T) {
	each(t, func(w *world) {
		category, err := w.room.SetCategory(w.ctx(), as("dana"), ach.Category{Name: "People", Restricted: true})
		w.must(err)
		h := payroll(false)
		h.Category = category
		id, err := w.room.Create(w.ctx(), as("dana"), h, []ach.EntryDraft{pay("Ana", 1_00)})
		w.must(err)
		_, err = w.room.Get(w.ctx(), as("kim"), id)
		w.hides("a batch of a restricted category", err)
		_, err = w.room.SetCategory(w.ctx(), as("kim"), ach.Category{ID: category, Name: "People"})
		w.hides("opening the category", err)
		_, err = w.room.SetCategory(w.ctx(), as("dana"), ach.Category{ID: category, Name: "People"})
		w.must(err)
		if _, err = w.room.Get(w.ctx(), as("kim"), id); err != nil {
			t.Errorf("after the category was opened: %v", err)
		}
	})
}

func TestHeldEntriesAndPrenotes(t *testing.T) {
	each(t, func(w *world) {
		held, tested := pay("Bo", 500_00), pay("Cy", 70_00)
		held.Held, tested.Prenote = true, true
		id, err := w.room.Create(w.ctx(), as("dana"), payroll(false), []ach.EntryDraft{pay("Ana", 1_00), held, tested})
		w.must(err)
		if d := w.get(id); d.Credits != 1_00 || d.Idle != 2 || d.Entries != 3 {
			t.Errorf("%s in %d entries, %d idle", d.Credits, d.Entries, d.Idle)
		}
		l, err := w.room.List(w.ctx(), as("dana"), ach.Filter{Kind: ach.Prenotes})
		w.must(err)
		if l.Total != 1 || l.Batches[0].Name != "PNT Payroll" || l.Batches[0].Amount() != 0 {
			t.Fatalf("the tests are %+v", l.Batches)
		}
		test := l.Batches[0].ID
		w.refuses("a test one made", w.initiate("dana", test), "SECOND_PERSON_REQUIRED")
		w.must(w.initiate("lee", test))
		w.clock.Set(w.get(test).Runs[0].Due)
		w.tick()
		w.state(test, ach.Processed)
		if w.balance() != 500_000_00 || w.used("lee", "2026-03-02") != 0 {
			t.Error("a test moved money")
		}
		run, _, err := w.room.Initiate(w.ctx(), as("lee"), w.order(id)) // for the 4th: the test settles on the 3rd
		w.must(err)
		if run.Credits != 1_00 {
			t.Errorf("%s goes out before the test is over", run.Credits)
		}
		w.must(w.room.Uninitiate(w.ctx(), as("lee"), id, w.get(id).Version))
		o := w.order(id)
		o.Effective = "2026-03-06" // three banking days later
		run, _, err = w.room.Initiate(w.ctx(), as("lee"), o)
		w.must(err)
		if run.Credits != 71_00 {
			t.Errorf("%s goes out after the test", run.Credits)
		}
	})
}

func TestBulk(t *testing.T) {
	each(t, func(w *world) {
		ok, own, big := w.create("dana", 1_00), w.create("lee", 2_00), w.create("dana", 200_000_00)
		orders := []ach.Order{w.order(ok), w.order(own), w.order(big), {Batch: "ach_none", Offset: operating}, w.order(ok)}
		w.proofs.wanted = true
		_, err := w.room.InitiateMany(w.ctx(), as("lee"), orders)
		w.refuses("without proof", err, "STEP_UP")
		w.state(ok, ach.Ready)
		w.proofs.wanted = false
		results, err := w.room.InitiateMany(w.ctx(), as("lee"), orders)
		w.must(err)
		for i, code := range []string{"", "SECOND_PERSON_REQUIRED", "LIMIT_DAILY", "", "STATE"} {
			if i != 0 && i != 3 {
				w.refuses("result", results[i].Err, code)
			}
		}
		if results[0].Err != nil || fault.KindOf(results[3].Err) != fault.NotFound {
			t.Errorf("results %+v", results)
		}
		w.state(ok, ach.Initiated)
		if w.used("lee", "2026-03-02") != 1_00 {
			t.Error("what was refused counts")
		}
		gone, err := w.room.DeleteMany(w.ctx(), as("lee"), []ach.Choice{{Batch: own, Version: w.get(own).Version}, {Batch: ok, Version: w.get(ok).Version}})
		w.must(err)
		if gone[0].Err != nil {
			t.Errorf("deleting: %v", gone[0].Err)
		}
		w.refuses("deleting what is initiated", gone[1].Err, "STATE")
		_, err = w.room.Get(w.ctx(), as("fay"), own)
		w.hides("what was deleted", err)
	})
}

func TestProofIsAskedFor(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("dana", 1_00)
		o := w.order(id)
		w.proofs.wanted = true
		_, _, err := w.room.Submit(w.ctx(), as("dana"), o)
		w.refuses("submitting", err, "STEP_UP")
		_, _, err = w.room.Initiate(w.ctx(), as("lee"), o)
		w.refuses("initiating", err, "STEP_UP")
		if step, ok := errors.AsType[*guard.StepUp](err); !ok || !strings.Contains(string(step.Content), "2026-03-03") {
			t.Errorf("the proof is for %v", step)
		}
		w.state(id, ach.Ready)
	})
}

func TestUploadSamples(t *testing.T) {
	each(t, func(w *world) {
		w.must(w.room.SetRelaxed(w.ctx(), operator, northwind, true))
		names, err := filepath.Glob("nacha/testdata/valid/*.ach")
		w.must(err)
		w.set("fay", func(s *entitlement.Settings) { s.Limits = s.Limits.With(catalog.LimitACHDaily, bank.MaxAmount) })
		for _, name := range names {
			file, err := os.Open(name)
			w.must(err)
			ids, err := w.room.UploadFile(w.ctx(), as("fay"), ach.Upload{Name: filepath.Base(name), File: file, Again: true})
			w.must(file.Close())
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for _, id := range ids {
				o := ach.Order{Batch: id, Version: 1, Offset: operating}
				if _, _, err := w.room.Initiate(w.ctx(), as("fay"), o); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		w.clock.Set(time.Date(2026, 3, 3, 22, 0, 0, 0, time.UTC))
		_, err = w.room.Tick(w.ctx())
		w.must(err)
		l, err := w.room.List(w.ctx(), as("fay"), ach.Filter{})
		w.must(err)
		for _, b := range l.Batches {
			if b.State != ach.Processing {
				t.Errorf("%s is %s: %s", b.Name, b.State, w.get(b.ID).Runs[0].Reason)
			}
		}
	})
}

func TestUploadIsDecidedBeforeAFileIsRead(t *testing.T) {
	each(t, func(w *world) {
		_, err := w.room.UploadFile(w.ctx(), as("uma"), ach.Upload{File: unread{t}})
		w.refuses("without the right", err, "USER_OFF")
		_, err = w.room.UploadFile(w.ctx(), as("kim"), ach.Upload{Restricted: true, File: unread{t}})
		w.refuses("restricted, without the right", err, "USER_OFF")
		sample, err := os.ReadFile("nacha/testdata/valid/ppd-credit.ach")
		w.must(err)
		_, err = w.room.UploadFile(w.ctx(), as("fay"), ach.Upload{File: strings.NewReader(string(sample))})
		w.refuses("by strict rules", err, "FILE_HAS_PROBLEMS")
		if problems := fault.ProblemsOf(err); len(problems) == 0 || !strings.Contains(problems[0].Field, "line 2, batch header, company identification") {
			t.Errorf("the problems are %+v", problems)
		}
		w.must(w.room.SetRelaxed(w.ctx(), operator, northwind, true))
		ids, err := w.room.UploadFile(w.ctx(), as("fay"), ach.Upload{File: strings.NewReader(string(sample))})
		w.must(err)
		w.state(ids[0], ach.Uploaded)
		_, err = w.room.UploadFile(w.ctx(), as("fay"), ach.Upload{File: strings.NewReader(string(sample))})
		w.refuses("twice", err, "DUPLICATE_FILE")
	})
}

// unread is a file that nobody may read.
type unread struct{ t testing.TB }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the file was read")
	return 0, os.ErrInvalid
}

func TestImportRecipients(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("dana", 1_00)
		in := func(text string) ach.Import {
			return ach.Import{Batch: id, Version: w.get(id).Version, Format: recipients.CSV, File: strings.NewReader(text)}
		}
		list := "Bo,20.00,231380104,77\nCy,30.00,231380104,78\n"
		_, err := w.room.PreviewImport(w.ctx(), as("lee"), in(list))
		w.refuses("before the layout is set up", err, "NO_LAYOUT")
		l := recipients.Layout{Format: recipients.CSV, Places: map[recipients.Field]recipients.Place{
			recipients.Name: {Column: 1}, recipients.Amount: {Column: 2}, recipients.Routing: {Column: 3}, recipients.Account: {Column: 4}}}
		w.refuses("the layout, without the right", w.room.SetLayout(w.ctx(), as("uma"), l), "USER_OFF")
		w.must(w.room.SetLayout(w.ctx(), as("lee"), l))
		p, err := w.room.PreviewImport(w.ctx(), as("lee"), in(list))
		w.must(err)
		if len(p.Recipients) != 2 || w.get(id).Entries != 1 {
			t.Errorf("the preview is %+v", p)
		}
		if _, err = w.room.ImportRecipients(w.ctx(), as("lee"), in("Name,Amount,Routing,Account\nBo,20,231380105,77\n")); len(fault.ProblemsOf(err)) != 2 {
			t.Errorf("a bad list: %v", err)
		}
		_, err = w.room.ImportRecipients(w.ctx(), as("pat"), in(list))
		w.refuses("with partial editing", err, "USER_OFF")
		_, err = w.room.ImportRecipients(w.ctx(), as("lee"), in(list))
		w.must(err)
		replace := in("Di,5.00,231380104,79\n")
		if d := w.get(id); d.Entries != 3 || d.Credits != 51_00 || d.LastEditor.ID != "lee" {
			t.Errorf("%d entries, %s, by %s", d.Entries, d.Credits, d.LastEditor.ID)
		}
		replace.Replace = true
		_, err = w.room.ImportRecipients(w.ctx(), as("lee"), replace)
		w.must(err)
		if d := w.get(id); d.Entries != 1 || d.Credits != 5_00 {
			t.Errorf("%d entries, %s", d.Entries, d.Credits)
		}
	})
}

func TestSchedules(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("dana", 1_000_00)
		sch := ach.Schedule{Batch: id, Frequency: ach.Weekly, First: "2026-03-09", Last: "2026-03-16", Offset: operating}
		version := w.get(id).Version
		w.refuses("by the last editor", w.room.SetSchedule(w.ctx(), as("dana"), version, sch), "SECOND_PERSON_REQUIRED")
		w.refuses("with partial editing", w.room.SetSchedule(w.ctx(), as("pat"), version, sch), "USER_OFF")
		w.must(w.room.SetSchedule(w.ctx(), as("lee"), version, sch))
		w.tick()
		w.state(id, ach.Ready)
		w.clock.Set(time.Date(2026, 3, 6, 15, 0, 0, 0, time.UTC)) // the Friday before
		w.tick()
		d := w.get(id)
		if d.State != ach.Initiated || d.Runs[0].Effective != "2026-03-09" || !d.Runs[0].Recurring || d.Schedule.Next != "2026-03-16" || w.used("lee", "2026-03-06") != 1_000_00 {
			t.Errorf("%s, %+v, %+v", d.State, d.Runs, d.Schedule)
		}
		w.clock.Set(time.Date(2026, 3, 9, 22, 0, 0, 0, time.UTC))
		w.tick()
		w.state(id, ach.Processed)
		w.set("lee", func(s *entitlement.Settings) { s.On = s.On.Without(catalog.ACHRecurring) })
		w.clock.Set(time.Date(2026, 3, 13, 15, 0, 0, 0, time.UTC))
		w.tick()
		d = w.get(id)
		if d.State != ach.Ready || d.Schedule == nil || d.Schedule.Parked == "" {
			t.Errorf("after the right was taken: %s, %+v", d.State, d.Schedule)
		}
		w.set("lee", func(*entitlement.Settings) {})
		sch.First, sch.Last, sch.Frequency = "2026-03-16", "", ach.Once
		w.must(w.room.SetSchedule(w.ctx(), as("lee"), d.Version, sch))
		w.tick()
		if d = w.get(id); d.State != ach.Initiated || d.Schedule != nil {
			t.Errorf("once: %s, %+v", d.State, d.Schedule)
		}
	})
}

// Of two who initiate at once, one does; and parallel initiations never pass the
// limit.
func TestRaceToInitiate(t *testing.T) {
	each(t, func(w *world) {
		for range 3 {
			id := w.create("dana", 1_00)
			o := w.order(id)
			if n := w.race(2, func(int) error { _, _, err := w.room.Initiate(w.ctx(), as("lee"), o); return err }); n != 1 {
				t.Errorf("%d of two initiated it", n)
			}
		}
		orders := make([]ach.Order, 8)
		for i := range orders {
			orders[i] = w.order(w.create("dana", 30_000_00))
		}
		w.set("fay", func(*entitlement.Settings) {})
		if n := w.race(len(orders), func(i int) error { _, _, err := w.room.Initiate(w.ctx(), as("fay"), orders[i]); return err }); n != 3 || w.used("fay", "2026-03-02") != 90_000_00 {
			t.Errorf("%d were initiated, %s is used", n, w.used("fay", "2026-03-02"))
		}
		item := func() (ach.BatchID, approval.Entry) { id := w.create("dana", 1_00); return id, w.submit("dana", id) }
		id, e := item()
		version := w.get(id).Version
		if n := w.race(2, func(i int) error {
			if i == 0 {
				return w.approve("lee", e)
			}
			return w.room.Return(w.ctx(), as("pat"), id, version, "")
		}); n != 1 {
			t.Errorf("%d of approve and return were done", n)
		}
		w.checkUsage()
	})
}

// race runs n at once and says how many were done.
func (w *world) race(n int, do func(i int) error) (done int) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if do(i) == nil {
				mu.Lock()
				done++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return done
}
