package approval_test

import (
	"errors"
	"fmt"
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
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

func TestSecondPersonApproves(t *testing.T) {
	each(t, func(w *world) {
		item, approvers := w.ask("dana", "1", paper{content: "pay", cents: 500_00})
		if approvers != "kim lee" || item.State != approval.Waiting || item.Initiator.Name != "Dana" {
			t.Fatalf("%+v waits for %q", item, approvers)
		}
		if again, _ := w.ask("dana", "1", paper{content: "pay", cents: 500_00}); again.ID != item.ID {
			t.Error("asking again for the same made another item")
		}
		w.refuses("by whoever made it", w.approve("dana", item), "SELF_APPROVAL")
		w.refuses("by somebody who may not", w.approve("uma", item), "USER_OFF")
		w.proofs.wanting = true
		w.refuses("without proof", w.approve("lee", item), "STEP_UP")
		w.proofs.wanting = false
		if err := w.queue.Approve(t.Context(), caller("lee"), item.ID, item.Hash, " Looks right. "); err != nil {
			t.Fatal(err)
		}
		got := w.state(item.ID)
		if got.State != approval.Released || got.By.Name != "Lee" || got.Comment != "Looks right." || len(w.room.released) != 1 {
			t.Errorf("approved: %+v, released %v", got, w.room.released)
		}
		w.refuses("again", w.approve("kim", item), "NOT_PENDING")
		if want := []string{"1: kim lee"}; !slices.Equal(w.told.asked, want) {
			t.Errorf("asked %q, want %q", w.told.asked, want)
		}
		if want := []string{"1: dana"}; !slices.Equal(w.told.decided, want) {
			t.Errorf("told %q, want %q", w.told.decided, want)
		}
		if got := w.history(); got != "wire.approved refused:USER_OFF refused:SELF_APPROVAL" {
			t.Errorf("the history says %s", got)
		}
	})
}

// history are the events of the papers, with refusals by code.
func (w *world) history() string {
	var found []string
	err := w.d.Read(w.t.Context(), func(tx *db.Tx) error {
		events, err := activity.Feed(tx, activity.Filter{Institution: cedar, Organization: northwind, WithRefused: true})
		for _, e := range events {
			if e.Refused {
				found = append(found, "refused:"+e.Code)
			} else {
				found = append(found, e.Name)
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.SortFunc(found, func(a, b string) int { return strings.Compare(b, a) })
	return strings.Join(found, " ")
}

func TestEveryEditSendsBackAndExcludes(t *testing.T) {
	each(t, func(w *world) {
		first, _ := w.ask("dana", "1", paper{content: "pay", cents: 500_00})
		err := w.in("lee", func(c *guard.Change) error {
			w.room.put("1", paper{content: "pay more", cents: 600_00})
			sent, err := w.queue.EditedIn(c, "paper", "1")
			if !sent {
				t.Error("the edit sent nothing back")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.refuses("what was changed", w.approve("kim", first), "NOT_PENDING")
		second, approvers := w.ask("dana", "1", paper{content: "pay more", cents: 600_00})
		if approvers != "kim" {
			t.Errorf("after Lee's edit %q may approve, want Kim alone", approvers)
		}
		w.refuses("by a later editor", w.approve("lee", second), "SELF_APPROVAL")
		stale := second
		stale.Hash = first.Hash
		w.refuses("as it was seen before", w.approve("kim", stale), "CHANGED")
		w.room.put("1", paper{content: "pay somebody else", cents: 600_00, later: true}) // a room that forgot to say so
		w.refuses("what changed behind its back", w.approve("kim", second), "CHANGED")
		if len(w.room.released) > 0 {
			t.Errorf("released %v", w.room.released)
		}
	})
}

func TestRightsAreJudgedAgain(t *testing.T) {
	each(t, func(w *world) {
		small := sends()
		small.Limits = small.Limits.With(catalog.LimitPerWire, 400_00)
		item, _ := w.ask("dana", "1", paper{content: "pay", cents: 500_00, later: true})
		w.set("lee", small)
		w.refuses("over the approver's limit", w.approve("lee", item), "LIMIT_PER_TRANSACTION")
		w.set("lee", sends())
		w.set("dana", small)
		w.refuses("over the initiator's limit now", w.approve("lee", item), "INITIATOR_NOT_ALLOWED")
		w.set("dana", sends())
		release := func() error {
			return w.in("dana", func(c *guard.Change) error {
				_, err := w.queue.ReleaseIn(c, "paper", "1")
				return err
			})
		}
		w.refuses("before anybody approved", release(), "NOT_APPROVED")
		if err := w.approve("lee", item); err != nil {
			t.Fatal(err)
		}
		for name, code := range map[string]string{"lee": "APPROVER_NOT_ALLOWED", "dana": "INITIATOR_NOT_ALLOWED"} {
			w.set(name, entitlement.Settings{})
			w.refuses("after "+name+" lost the right", release(), code)
			w.set(name, sends())
		}
		w.room.put("1", paper{content: "pay x", cents: 500_00, later: true})
		w.refuses("after a change", release(), "CHANGED")
		w.room.put("1", paper{content: "pay", cents: 500_00, later: true})
		if err := release(); err != nil {
			t.Fatal(err)
		}
		w.refuses("twice", release(), "NOT_APPROVED")
		if got := w.state(item.ID).State; got != approval.Released {
			t.Errorf("it is %s", got)
		}
	})
}

func TestRejectExpireAndWithdraw(t *testing.T) {
	each(t, func(w *world) {
		rejected, _ := w.ask("dana", "1", paper{content: "pay", cents: 500_00})
		w.refuses("by somebody who may not", w.queue.Reject(t.Context(), caller("uma"), rejected.ID, ""), "USER_OFF")
		if err := w.queue.Reject(t.Context(), caller("dana"), rejected.ID, "Wrong."); err != nil {
			t.Fatal(err)
		}
		late, _ := w.ask("dana", "2", paper{content: "pay", cents: 500_00})
		taken, _ := w.ask("dana", "3", paper{content: "pay", cents: 500_00})
		err := w.in("dana", func(c *guard.Change) error {
			_, err := w.queue.WithdrawIn(c, "paper", "3")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := w.queue.Expire(t.Context()); n != 0 || err != nil {
			t.Errorf("%d expired before their time, %v", n, err)
		}
		dbtest.ClockOf(t, w.d).Advance(approval.Lifetime)
		w.refuses("too late", w.approve("lee", late), "EXPIRED")
		for _, want := range []int{1, 0} {
			if n, err := w.queue.Expire(t.Context()); n != want || err != nil {
				t.Errorf("%d expired, %v, want %d", n, err, want)
			}
		}
		for id, want := range map[string]approval.State{rejected.ID: approval.Rejected, late.ID: approval.Expired, taken.ID: approval.Withdrawn} {
			if got := w.state(id).State; got != want {
				t.Errorf("it is %s, want %s", got, want)
			}
		}
		if want := []approval.State{approval.Rejected, approval.Expired}; !slices.Equal(w.room.ended, want) || !slices.Equal(w.told.decidedStates, want) {
			t.Errorf("the room heard %v and the people %v, want %v", w.room.ended, w.told.decidedStates, want)
		}
		if err := w.queue.Reject(t.Context(), caller("lee"), late.ID, ""); !errors.Is(err, approval.ErrDecided) {
			t.Errorf("reject what has expired: %v", err)
		}
		long := strings.Repeat("x", approval.MaxComment+1)
		if err := w.queue.Approve(t.Context(), caller("lee"), late.ID, late.Hash, long); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a comment without end: %v", err)
		}
	})
}

func TestQueueShowsWhatConcernsOne(t *testing.T) {
	each(t, func(w *world) {
		w.set("kim", entitlement.Settings{})
		item, approvers := w.ask("dana", "1", paper{content: "pay", cents: 500_00})
		if approvers != "lee" {
			t.Fatalf("%q may approve", approvers)
		}
		for name, want := range map[string]string{"lee": "mine", "dana": "own", "kim": "", "uma": ""} {
			entries, err := w.queue.Queue(t.Context(), caller(name))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, e := range entries {
				got = map[bool]string{true: "mine"}[e.Mine] + map[bool]string{true: "own"}[e.Own]
				if len(e.Approvers) != 1 || e.Approvers[0].Name != "Lee" {
					t.Errorf("%s reads that %+v may approve", name, e.Approvers)
				}
			}
			if got != want {
				t.Errorf("%s sees it as %q, want %q", name, got, want)
			}
			_, err = w.queue.Get(t.Context(), caller(name), item.ID)
			if (err == nil) != (want != "") {
				t.Errorf("%s looks at it: %v", name, err)
			}
		}
		w.set("lee", entitlement.Settings{})
		if _, approvers := w.ask("dana", "2", paper{content: "pay", cents: 500_00}); approvers != "" {
			t.Errorf("%q may approve what nobody may", approvers)
		}
		other := caller("lee")
		other.Organization = "org_other"
		if err := w.queue.Approve(t.Context(), other, item.ID, item.Hash, ""); !errors.Is(err, approval.ErrNoItem) {
			t.Errorf("from another organization: %v", err)
		}
		if page, err := w.queue.Decided(t.Context(), caller("dana"), approval.DecidedQuery{}); err != nil || page.Total != 0 {
			t.Errorf("decided are %+v, %v", page, err)
		}
	})
}

// Of all who approve at once, one does; of an approval and an edit, never both.
func TestRaceToDecide(t *testing.T) {
	each(t, func(w *world) {
		for round := range dbtest.Rounds(5, 500) {
			ref := fmt.Sprint("paper ", round)
			item, _ := w.ask("dana", ref, paper{content: "pay", cents: 100})
			var mu sync.Mutex
			var wg sync.WaitGroup
			done, edited := 0, false
			for i := range 6 {
				wg.Go(func() {
					err := w.approve([]string{"lee", "kim"}[i%2], item)
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						done++
					} else if fault.KindOf(err) != fault.Conflict {
						t.Error(err)
					}
				})
			}
			wg.Go(func() {
				err := w.in("dana", func(c *guard.Change) error {
					sent, err := w.queue.EditedIn(c, "paper", ref)
					edited = sent
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
			wg.Wait()
			if want := map[bool]int{true: 0, false: 1}[edited]; done != want {
				t.Errorf("round %d: %d approved, sent back is %t", round, done, edited)
			}
		}
	})
}

// The exception for those who made it is the room's to give.
func TestOwnMayWhereTheRoomSaysSo(t *testing.T) {
	p := &entitlement.Policy{
		Institution:  entitlement.Institution{ID: cedar, Location: time.UTC, Offers: 1 << catalog.Wires},
		Organization: entitlement.Organization{ID: northwind, Entitlements: 1 << catalog.Wires},
		Accounts:     map[bank.AccountID]entitlement.Account{operating: {ID: operating}},
		Members:      map[bank.UserID]*entitlement.Member{},
	}
	for _, id := range []bank.UserID{"dana", "lee"} {
		on := sends()
		on.On, on.Limits = on.On.With(catalog.AccountAccess), entitlement.Limits{}
		p.Members[id] = &entitlement.Member{ID: id, Status: bank.StatusActive, Settings: sends(), Accounts: map[bank.AccountID]entitlement.Settings{operating: on}}
	}
	m := approval.Matter{Approve: func(bank.UserID) entitlement.Request {
		return entitlement.Request{Operation: catalog.WiresApprove, Account: operating, Amount: entitlement.AmountOf(1)}
	}}
	if got := joined(approval.Approvers(p, &m, []bank.UserID{"dana"}, dbtest.Start)); got != "lee" {
		t.Errorf("%q may approve", got)
	}
	m.MayOwn = func(_ *entitlement.Policy, member bank.UserID) bool { return member == "dana" }
	if got := joined(approval.Approvers(p, &m, []bank.UserID{"dana", "lee"}, dbtest.Start)); got != "dana" {
		t.Errorf("%q may approve with the room's exception for Dana", got)
	}
}

// What was decided is paged and narrowed, for those alone who may see it: who had
// a hand in it, who decided it, and whom the engine lets see it now.
func TestWhatWasDecided(t *testing.T) {
	each(t, func(w *world) {
		for i := range 5 {
			item, _ := w.ask([]string{"dana", "kim"}[i%2], fmt.Sprint(i), paper{content: "pay", cents: bank.Cents(100_00 * (i + 1))})
			decide := func() error { return w.approve("lee", item) }
			if i == 4 {
				decide = func() error { return w.queue.Reject(t.Context(), caller("dana"), item.ID, "") }
			}
			if err := decide(); err != nil {
				t.Fatal(err)
			}
			dbtest.ClockOf(t, w.d).Advance(time.Hour)
		}
		list := func(name string, q approval.DecidedQuery) string {
			t.Helper()
			page, err := w.queue.Decided(t.Context(), caller(name), q)
			if err != nil {
				t.Fatal(err)
			}
			var refs []string
			for _, e := range page.Entries {
				refs = append(refs, e.Ref)
			}
			return fmt.Sprintf("%s; %d of %d, %s, page %d", strings.Join(refs, " "), page.Matching, page.Total, page.Cents, page.Page)
		}
		start := dbtest.Start
		for _, one := range []struct {
			q    approval.DecidedQuery
			want string
		}{
			{approval.DecidedQuery{}, "4 3 2 1 0; 5 of 5, 1500.00, page 1"},
			{approval.DecidedQuery{Size: 2, Page: 2}, "2 1; 5 of 5, 1500.00, page 2"},
			{approval.DecidedQuery{Size: 2, Page: 9}, "0; 5 of 5, 1500.00, page 3"},
			{approval.DecidedQuery{Person: "kim"}, "3 1; 2 of 5, 600.00, page 1"},
			{approval.DecidedQuery{Person: "lee"}, "3 2 1 0; 4 of 5, 1000.00, page 1"},
			{approval.DecidedQuery{State: approval.Approved}, "3 2 1 0; 4 of 5, 1000.00, page 1"},
			{approval.DecidedQuery{State: approval.Rejected}, "4; 1 of 5, 500.00, page 1"},
			{approval.DecidedQuery{Kind: "other"}, "; 0 of 5, 0.00, page 1"},
			{approval.DecidedQuery{Search: " paper 2"}, "2; 1 of 5, 300.00, page 1"},
			{approval.DecidedQuery{Search: "$400"}, "3; 1 of 5, 400.00, page 1"},
			{approval.DecidedQuery{Search: "x", Matching: []bank.AccountID{operating}, Sort: approval.ByAmount, Ascending: true}, "0 1 2 3 4; 5 of 5, 1500.00, page 1"},
			{approval.DecidedQuery{From: start.Add(time.Hour), Until: start.Add(3 * time.Hour)}, "2 1; 2 of 5, 500.00, page 1"},
		} {
			if got := list("dana", one.q); got != one.want {
				t.Errorf("%+v: %s, want %s", one.q, got, one.want)
			}
		}
		w.set("dana", entitlement.Settings{})
		w.set("lee", entitlement.Settings{})
		w.set("kim", entitlement.Settings{})
		for name, want := range map[string]string{
			"dana": "4 2 0; 3 of 3, 900.00, page 1", "kim": "3 1; 2 of 2, 600.00, page 1", "lee": "3 2 1 0; 4 of 4, 1000.00, page 1", "uma": "; 0 of 0, 0.00, page 1",
		} {
			if got := list(name, approval.DecidedQuery{}); got != want {
				t.Errorf("%s sees %s, want %s", name, got, want)
			}
		}
	})
}
