package ach_test

import (
	"os"
	"slices"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/moneymovement/ach"
)

// reach makes a batch and walks it to a state.
func (w *world) reach(state ach.State) ach.BatchID {
	w.t.Helper()
	if state == ach.Uploaded {
		file, err := os.Open("nacha/testdata/valid/ppd-credit.ach")
		w.must(err)
		defer file.Close()
		ids, err := w.room.UploadFile(w.ctx(), as("dana"), ach.Upload{File: file, Again: true})
		w.must(err)
		return ids[0]
	}
	id := w.create("dana", 1_00)
	switch state {
	case ach.Pending:
		_, _, err := w.room.Submit(w.ctx(), as("dana"), w.order(id))
		w.must(err)
	case ach.Initiated, ach.Processing, ach.Processed:
		w.must(w.initiate("lee", id))
	}
	if state == ach.Processing || state == ach.Processed {
		w.clock.Set(w.get(id).Runs[0].Due)
		_, err := w.room.Tick(w.ctx())
		w.must(err)
	}
	if state == ach.Processed {
		w.desk.Now(w.ctx())
	}
	w.state(id, state)
	return id
}

// Every verb in every state: it does what the table says, or nothing.
func TestEveryVerbInEveryState(t *testing.T) {
	verbs := map[string]func(w *world, id ach.BatchID, version int64) error{
		"edit": func(w *world, id ach.BatchID, version int64) error {
			return w.room.Edit(w.ctx(), as("lee"), ach.Edit{Batch: id, Version: version, Set: []ach.EntryDraft{pay("Bo", 5_00)}})
		},
		"initiate": func(w *world, id ach.BatchID, version int64) error { return w.initiate("lee", id) },
		"submit": func(w *world, id ach.BatchID, version int64) error {
			_, _, err := w.room.Submit(w.ctx(), as("dana"), w.order(id))
			return err
		},
		"return": func(w *world, id ach.BatchID, version int64) error {
			return w.room.Return(w.ctx(), as("lee"), id, version, "")
		},
		"uninitiate": func(w *world, id ach.BatchID, version int64) error {
			return w.room.Uninitiate(w.ctx(), as("lee"), id, version)
		},
		"delete": func(w *world, id ach.BatchID, version int64) error {
			return w.room.Delete(w.ctx(), as("lee"), id, version)
		},
	}
	allowed := map[ach.State][]string{
		ach.Uploaded: {"edit", "initiate", "submit", "delete"}, ach.Ready: {"edit", "initiate", "submit", "delete"},
		ach.Pending: {"edit", "return", "delete"}, ach.Initiated: {"uninitiate"}, ach.Processing: {}, ach.Processed: {"delete"},
	}
	each(t, func(w *world) {
		w.must(w.room.SetRelaxed(w.ctx(), operator, northwind, true))
		w.set("lee", func(s *entitlement.Settings) { s.Limits = s.Limits.With(catalog.LimitACHDaily, bank.MaxAmount) })
		w.set("dana", func(s *entitlement.Settings) { s.Limits = s.Limits.With(catalog.LimitACHDaily, bank.MaxAmount) })
		for state, can := range allowed {
			for name, verb := range verbs {
				id := w.reach(state)
				err := verb(w, id, w.get(id).Version)
				if want := slices.Contains(can, name); (err == nil) != want {
					t.Errorf("%s while %s: %v", name, state, err)
				} else if !want {
					w.refuses(name+" while "+string(state), err, "STATE")
					w.state(id, state)
				}
				w.clock.Set(monday)
			}
		}
		w.checkUsage()
	})
}

// Each way to be kept from initiating, alone, with its reason.
func TestEachReasonBlocks(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("dana", 1_000_00)
		for _, p := range []catalog.Permission{catalog.ACHEnabled, catalog.ACHView, catalog.ACHInitiate} {
			w.set("lee", func(s *entitlement.Settings) { s.On = s.On.Without(p) })
			w.refuses("without "+p.ID(), w.initiate("lee", id), "USER_OFF")
		}
		w.set("lee", func(s *entitlement.Settings) { s.Limits = s.Limits.With(catalog.LimitACHDaily, 999_99) })
		w.refuses("over the limit by a cent", w.initiate("lee", id), "LIMIT_DAILY")
		w.set("lee", func(s *entitlement.Settings) { s.Limits = s.Limits.With(catalog.LimitACHDaily, 1_000_00) })
		w.must(w.initiate("lee", id))
		w.set("lee", func(s *entitlement.Settings) { s.On = s.On.Without(catalog.ACHInitiate) })
		w.refuses("taking back without the right", w.room.Uninitiate(w.ctx(), as("lee"), id, 1), "USER_OFF")
		w.set("lee", func(s *entitlement.Settings) { s.On = s.On.Without(catalog.ACHDelete) })
		w.refuses("deleting without the right", w.room.Delete(w.ctx(), as("lee"), id, 1), "USER_OFF")
	})
}

func TestCreditUnionsKnowDebitsAndBatchLimits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, bank.EditionCreditUnion)
		batchLimit := func(s *entitlement.Settings) { s.Limits = s.Limits.With(catalog.LimitACHPerBatch, 500_00) }
		debits := func(s *entitlement.Settings) { batchLimit(s); s.On = s.On.With(catalog.ACHDebits) }
		w.set("dana", batchLimit)
		w.set("lee", batchLimit)
		draw := pay("Ana", 500_00)
		draw.Debit = true
		_, err := w.room.Create(w.ctx(), as("dana"), payroll(false), []ach.EntryDraft{draw})
		w.refuses("a debit without the right", err, "USER_OFF")
		w.set("dana", debits)
		id, err := w.room.Create(w.ctx(), as("dana"), payroll(false), []ach.EntryDraft{draw})
		w.must(err)
		w.refuses("initiating a debit without the right", w.initiate("lee", id), "USER_OFF")
		w.set("lee", debits)
		w.must(w.initiate("lee", id))
		w.refuses("over the batch limit by a cent", w.initiate("lee", w.create("dana", 500_01)), "LIMIT_PER_TRANSACTION")
		w.must(w.initiate("lee", w.create("dana", 500_00)))
		w.clock.Set(w.get(id).Runs[0].Due)
		w.tick()
		if got := w.balance(); got != 500_000_00 { // 500 in, 500 out
			t.Errorf("the account holds %s", got)
		}
	})
}
