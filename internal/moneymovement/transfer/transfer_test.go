package transfer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/usermgmt"
)

func names(d transfer.Detail) string {
	var found []string
	for _, e := range d.Events {
		found = append(found, strings.TrimPrefix(e.Name, "transfer."))
	}
	slices.Reverse(found)
	return strings.Join(found, " ")
}

func TestImmediateTransferMovesAtOnceAndOnce(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(1_250_00)
		d.Memo = " March wages "
		w.proofs.wanting = true
		_, err := w.room.Create(t.Context(), caller("dana"), d)
		w.refuses("without proof", err, "STEP_UP")
		w.has(map[bank.AccountID]bank.Cents{operating: 10_000_00, payroll: 0})
		w.proofs.wanting = false
		made := w.make(d)
		got := w.wants(made.ID, transfer.Completed, "")
		if made.ID != d.ID || got.Memo != "March wages" || got.Reference == "" || got.Day != "2026-03-02" || names(got) != "created executed" {
			t.Errorf("made %+v: %s", got.Transfer, names(got))
		}
		w.proofs.wanting = true // a repetition needs none: it does nothing
		if again := w.make(d); again != made {
			t.Errorf("the same form again made %+v", again)
		}
		w.proofs.wanting = false
		other := d
		other.Cents++
		_, err = w.room.Create(t.Context(), caller("dana"), other)
		w.refuses("the same form with another amount", err, "ID_REUSED")
		_, err = w.room.Create(t.Context(), caller("lee"), d)
		w.refuses("somebody else's form", err, "ID_REUSED")
		w.has(map[bank.AccountID]bank.Cents{operating: 8_750_00, payroll: 1_250_00})
	})
}

func TestEngineDecidesEveryTransfer(t *testing.T) {
	each(t, func(w *world) {
		try := func(change func(d *transfer.Draft)) error {
			d := w.draft(100_00)
			change(&d)
			_, err := w.room.Create(t.Context(), caller("dana"), d)
			return err
		}
		w.refuses("one cent over the limit", try(func(d *transfer.Draft) { d.Cents = 5_000_01 }), "LIMIT_PER_TRANSACTION")
		w.refuses("from an account not seen", try(func(d *transfer.Draft) { d.From = reserve }), "ACCOUNT_ACCESS_OFF")
		w.refuses("to an account that is none", try(func(d *transfer.Draft) { d.To = "acc_none" }), "UNKNOWN_ACCOUNT")
		_, err := w.room.Create(t.Context(), caller("eve"), w.draft(1))
		w.refuses("by somebody without transfers", err, "USER_OFF")
		if refusal, ok := errors.AsType[*transfer.Refusal](err); !ok || len(refusal.Reasons) < 3 {
			t.Errorf("the refusal does not carry every reason: %+v", err)
		}
		w.on("dana", operating, entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess, catalog.TransfersTo)})
		w.refuses("from an account without transfer from", try(func(*transfer.Draft) {}), "ACCOUNT_OFF")
		w.on("dana", operating, both())
		w.write(func(tx *db.Tx) error {
			return usermgmt.SetMemberStanding(tx, w.org.Num, w.people["dana"].Ordinal, bank.RoleUser, bank.StatusActive, true)
		})
		w.refuses("while on hold", try(func(*transfer.Draft) {}), "MEMBER_HELD")
		w.has(map[bank.AccountID]bank.Cents{operating: 10_000_00})
	})
}

func TestDraftsThatCannotBe(t *testing.T) {
	each(t, func(w *world) {
		for field, change := range map[string]func(d *transfer.Draft){
			"id":     func(d *transfer.Draft) { d.ID = "trf_1" },
			"from":   func(d *transfer.Draft) { d.From = "" },
			"to":     func(d *transfer.Draft) { d.To = d.From },
			"amount": func(d *transfer.Draft) { d.Cents = 0 },
			"memo":   func(d *transfer.Draft) { d.Memo = "a\x00b" },
			"on":     func(d *transfer.Draft) { d.On = "2026-03-01" },
			"repeat": func(d *transfer.Draft) { d.Repeat = "hourly" },
			"times":  func(d *transfer.Draft) { d.Repeat, d.Times = calendar.Weekly, 501 },
			"until":  func(d *transfer.Draft) { d.Repeat, d.On, d.Until = calendar.Weekly, "2026-03-10", "2026-03-09" },
		} {
			d := w.draft(100)
			change(&d)
			for name, err := range map[string]error{
				"Create":  func() error { _, err := w.room.Create(t.Context(), caller("dana"), d); return err }(),
				"Preview": func() error { _, err := w.room.Preview(t.Context(), caller("dana"), d); return err }(),
			} {
				problems := fault.ProblemsOf(err)
				if len(problems) != 1 || problems[0].Field != field {
					t.Errorf("%s with a wrong %s: %v", name, field, err)
				}
			}
		}
	})
}

func TestNotCovered(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(100_00)
		d.From, d.To = payroll, operating
		w.wants(w.make(d).ID, transfer.Failed, "NOT_COVERED")
		d.ID, d.On = transfer.NewID(w.clock.Now()), "2026-03-03"
		later := w.make(d).ID
		w.at("2026-03-03 00:00")
		w.run(1)
		got := w.wants(later, transfer.Parked, "NOT_COVERED")
		if !got.CanTry || !got.CanTake || names(got) != "scheduled sent refused" {
			t.Errorf("parked: %+v, %s", got, names(got))
		}
		if want := []string{"[dana] A transfer was not carried out", "[dana] A scheduled transfer needs attention"}; !slices.Equal(w.told.mails, want) {
			t.Errorf("told %q, want %q", w.told.mails, want)
		}
		w.deposit(payroll, 100_00)
		w.refuses("by somebody without transfers", w.room.Retry(t.Context(), caller("eve"), later, got.Version), "USER_OFF")
		if err := w.room.Retry(t.Context(), caller("lee"), later, got.Version); err != nil {
			t.Fatal(err)
		}
		if got := w.wants(later, transfer.Completed, ""); got.By.Name != "Lee" || got.Maker.Name != "Dana" {
			t.Errorf("tried again by %+v", got.By)
		}
		w.has(map[bank.AccountID]bank.Cents{operating: 10_100_00, payroll: 0})
	})
}

func TestScheduledTransferIsJudgedAgain(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(4_000_00)
		d.On = "2026-03-07" // a Saturday
		made := w.make(d)
		got := w.wants(made.ID, transfer.Scheduled, "")
		if got.Day != "2026-03-09" || got.Because != "Dated Monday, March 9, 2026: weekends are not business days." {
			t.Errorf("dated %s: %q", got.Day, got.Because)
		}
		w.at("2026-03-08 23:59")
		w.run(0)
		small := moves()
		small.Limits = small.Limits.With(catalog.LimitTransfer, 3_999_99)
		w.set("dana", small)
		w.at("2026-03-09 00:00")
		w.run(1)
		got = w.wants(made.ID, transfer.Parked, "LIMIT_PER_TRANSACTION")
		if got.Problem != "Dana's Transfer limit is $3,999.99." || got.CanTry {
			t.Errorf("parked with %q, can try again: %t", got.Problem, got.CanTry)
		}
		w.refuses("over the limit again", w.room.Retry(t.Context(), caller("dana"), made.ID, got.Version), "LIMIT_PER_TRANSACTION")
		if err := w.room.Cancel(t.Context(), caller("dana"), made.ID, got.Version); err != nil { // a limit keeps nobody from taking back
			t.Fatal(err)
		}
		w.has(map[bank.AccountID]bank.Cents{operating: 10_000_00})
	})
}

// Who cannot act any more is not the one to be told.
func TestAdminsAreToldForThoseWhoLeft(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(100_00)
		d.On = "2026-03-03"
		made := w.make(d)
		w.write(func(tx *db.Tx) error {
			return usermgmt.SetMemberStanding(tx, w.org.Num, w.people["dana"].Ordinal, bank.RoleUser, bank.StatusDisabled, false)
		})
		w.at("2026-03-03 08:00")
		w.run(1)
		if got, err := w.room.Get(t.Context(), caller("lee"), made.ID); err != nil || got.Code != "MEMBER_STATUS" {
			t.Errorf("%+v, %v", got.Transfer, err)
		}
		if want := []string{"[dana ana] A scheduled transfer needs attention"}; !slices.Equal(w.told.mails, want) {
			t.Errorf("told %q, want %q", w.told.mails, want)
		}
	})
}

func TestAfterTheCutOffItCountsTomorrow(t *testing.T) {
	each(t, func(w *world) {
		w.at("2026-03-06 19:00")
		got := w.wants(w.make(w.draft(100_00)).ID, transfer.Completed, "")
		if got.Day != "2026-03-09" || !strings.Contains(got.Because, "it is past 7:00 PM, the cut-off for transfers; weekends") {
			t.Errorf("dated %s: %q", got.Day, got.Because)
		}
	})
}

// A day that becomes a holiday after it was chosen is no day to go out on.
func TestHolidayMovesWhatWasScheduled(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(100_00)
		d.On = "2026-03-04"
		made := w.make(d)
		operator := bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: cedar}
		if err := w.calendar.SetHoliday(t.Context(), operator, calendar.Holiday{Day: "2026-03-04", Name: "Founders' Day"}); err != nil {
			t.Fatal(err)
		}
		w.at("2026-03-04 08:00")
		w.run(1)
		got := w.wants(made.ID, transfer.Scheduled, "")
		if got.Day != "2026-03-05" || got.Because != "Dated Thursday, March 5, 2026: Wednesday, March 4 is Founders' Day." {
			t.Errorf("moved to %s: %q", got.Day, got.Because)
		}
		w.at("2026-03-05 08:00")
		w.run(1)
		w.wants(made.ID, transfer.Completed, "")
	})
}

func TestEditGoesOnTheEditorsRight(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(100_00)
		d.On = "2026-03-04"
		made := w.make(d)
		d.Cents, d.Memo = 200_00, "More"
		w.refuses("by somebody without transfers", w.room.Edit(t.Context(), caller("eve"), 0, d), "USER_OFF")
		if err := w.room.Edit(t.Context(), caller("ana"), 0, d); !errors.Is(err, transfer.ErrNone) {
			t.Errorf("edited by somebody who cannot see it: %v", err)
		}
		if err := w.room.Edit(t.Context(), caller("lee"), 0, d); err != nil {
			t.Fatal(err)
		}
		w.refuses("as it was before", w.room.Edit(t.Context(), caller("dana"), 0, d), "CHANGED")
		got := w.get(made.ID)
		if got.By.Name != "Lee" || got.Cents != 200_00 || names(got) != "scheduled edited edited" { // a refusal is history, too
			t.Errorf("edited: %+v, %s", got.Transfer, names(got))
		}
		w.set("lee", entitlement.Settings{})
		w.at("2026-03-04 08:00")
		w.run(1)
		w.wants(made.ID, transfer.Parked, "USER_OFF") // Dana's right does not carry what Lee wrote
	})
}

func TestListShowsWhatMayBeSeen(t *testing.T) {
	each(t, func(w *world) {
		w.on("dana", reserve, both())
		for i, cents := range []bank.Cents{100_00, 200_00, 300_00} {
			d := w.draft(cents)
			d.Memo = []string{"Wages 100%", "Rent", "Tax"}[i]
			if i == 2 {
				d.To = reserve
			}
			w.make(d)
		}
		w.on("dana", reserve, entitlement.Settings{})
		list := func(name string, q transfer.Query) transfer.Page {
			page, err := w.room.List(t.Context(), caller(name), q)
			if err != nil {
				t.Fatal(err)
			}
			return page
		}
		all := list("dana", transfer.Query{Sort: transfer.ByAmount})
		if all.Matching != 3 || all.Total != 3 || all.Sum != 600_00 || all.Transfers[0].Cents != 300_00 || all.Transfers[0].To != "" || all.Transfers[0].From != operating {
			t.Errorf("Dana sees %+v", all)
		}
		if got := list("eve", transfer.Query{}); got.Total != 2 || got.Sum != 300_00 || got.Transfers[0].From != "" {
			t.Errorf("Eve sees %+v", got)
		}
		if got := list("ana", transfer.Query{}); got.Total != 0 {
			t.Errorf("Ana, who sees no account, sees %+v", got)
		}
		for search, want := range map[string]int{"rent": 1, "100%": 1, "%": 1, "_": 0, "200": 1, "$200.00": 1, "wAges": 1, "nothing": 0} {
			if got := list("dana", transfer.Query{Search: search}); got.Matching != want {
				t.Errorf("a search for %q finds %d, want %d", search, got.Matching, want)
			}
		}
		if got := list("dana", transfer.Query{Search: "payroll", Matching: []bank.AccountID{payroll}}); got.Matching != 2 {
			t.Errorf("a search for an account finds %d", got.Matching)
		}
		if got := list("dana", transfer.Query{State: transfer.Completed, Account: payroll, From: "2026-03-02", Until: "2026-03-02", Size: 1, Page: 9}); got.Matching != 2 || got.Page != 2 || len(got.Transfers) != 1 {
			t.Errorf("the last page is %+v", got)
		}
		if _, err := w.room.Get(t.Context(), caller("ana"), all.Transfers[0].ID); !errors.Is(err, transfer.ErrNone) {
			t.Errorf("Ana looks at a transfer: %v", err)
		}
	})
}

func TestOptionsOfferWhatTheEngineAllows(t *testing.T) {
	each(t, func(w *world) {
		w.on("dana", reserve, entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess, catalog.TransfersTo)})
		w.make(w.draft(1_000_00))
		o, err := w.room.Options(t.Context(), caller("dana"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(o.From, []bank.AccountID{operating, payroll}) || !slices.Equal(o.To, []bank.AccountID{operating, payroll, reserve}) {
			t.Errorf("from %v to %v", o.From, o.To)
		}
		if !o.May.Allowed || o.Room.UpTo != 5_000_00 || o.MadeToday != 1_000_00 || o.Balances[operating].Available != 9_000_00 || o.Balances[payroll].Available != 1_000_00 {
			t.Errorf("options %+v", o)
		}
		none, err := w.room.Options(t.Context(), caller("eve"))
		if err != nil || none.May.Allowed || len(none.From) > 0 {
			t.Errorf("Eve's options: %+v, %v", none, err)
		}
		p, err := w.room.Preview(t.Context(), caller("dana"), w.draft(9_000_01))
		if err != nil || p.May.Allowed || !p.May.Has(entitlement.LimitPerTransaction) {
			t.Errorf("preview over the limit: %+v, %v", p, err)
		}
		p, err = w.room.Preview(t.Context(), caller("dana"), w.draft(500_00))
		if err != nil || !p.May.Allowed || !p.Covered || !p.AtOnce {
			t.Errorf("preview: %+v, %v", p, err)
		}
	})
}

// A host that is slow, and then answers late and twice, changes nothing twice.
func TestLateAnswersChangeNothing(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(100_00)
		d.From, d.To, d.On = payroll, operating, "2026-03-03"
		made := w.make(d)
		w.at("2026-03-03 08:00")
		w.run(1)
		parked := w.wants(made.ID, transfer.Parked, "NOT_COVERED")
		w.deposit(payroll, 100_00)
		w.down.Store(true)
		if err := w.room.Retry(t.Context(), caller("dana"), made.ID, parked.Version); err != nil {
			t.Fatal(err)
		}
		w.wants(made.ID, transfer.Sent, "")
		hear := func(attempt string, r host.Receipt) {
			o := host.Order{Institution: cedar, Organization: northwind, Room: transfer.RoomName, Ref: string(made.ID) + "/" + attempt}
			if err := w.room.Hear(t.Context(), o, r); err != nil {
				t.Error(err)
			}
		}
		hear("1", host.Receipt{Reference: "1", Refused: host.NotCovered})
		w.wants(made.ID, transfer.Sent, "")
		w.down.Store(false)
		w.clock.Advance(time.Hour)
		w.run(0)
		w.make(w.draft(1)) // whoever comes next takes along what waits
		w.wants(made.ID, transfer.Completed, "")
		hear("2", host.Receipt{Reference: "2", Refused: host.NotCovered})
		w.wants(made.ID, transfer.Completed, "")
		w.has(map[bank.AccountID]bank.Cents{operating: 10_099_99, payroll: 1})
	})
}
