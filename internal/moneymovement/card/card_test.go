package card_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/hostsim/hostsimtest"
	"mandate/internal/moneymovement/card"
	"mandate/internal/usermgmt"
)

const (
	cedar     = bank.InstitutionID("cedar")
	northwind = bank.OrganizationID("org_northwind")
	operating = bank.AccountID("acc_operating")
)

// A world is an organization whose Dana manages the cards of Operating, and
// whose Uma may nothing.
type world struct {
	t      *testing.T
	d      *db.DB
	books  *hostsim.Bank
	desk   *host.Desk
	room   *card.Service
	told   []string
	wants  bool        // proofs are wanting
	down   atomic.Bool // the line to the host
	asked  int
	issued int
}

// A line to the host can be down.
type line struct {
	*hostsim.Bank
	down *atomic.Bool
}

func (l *line) Carry(ctx context.Context, o host.Order) (host.Receipt, error) {
	if l.down.Load() {
		return host.Receipt{}, errors.New("the line is down")
	}
	return l.Bank.Carry(ctx, o)
}

func (w *world) Tell(_ *db.Tx, _ bank.InstitutionID, people []bank.UserID, _, _, subject string, _ ...string) error {
	w.told = append(w.told, fmt.Sprint(people, " ", subject))
	return nil
}

func (w *world) Consume(*db.Tx, bank.Caller, string, string, []byte) error {
	if w.wants {
		return fault.New(fault.StepUp, "Prove it.").With("STEP_UP")
	}
	return nil
}

func each(t *testing.T, test func(w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newWorld(t, d)) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	w := &world{t: t, d: d, books: hostsimtest.Open(t, d)}
	door := guard.New(d, usermgmt.LoadPolicy, nil, w)
	w.desk = host.NewDesk(d, &line{w.books, &w.down}, slog.New(slog.DiscardHandler))
	w.room = card.New(card.Config{Guard: door, Desk: w.desk, Teller: w})
	has := catalog.EntitlementSet(0).With(catalog.Cards)
	org := usermgmt.Organization{Institution: cedar, ID: northwind, Name: "Northwind", Entitlements: has}
	account := usermgmt.Account{ID: operating, Name: "Operating"}
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: cedar, Name: "Cedar Bank", TimeZone: "America/New_York", Offers: has}); err != nil {
			return err
		}
		if err := usermgmt.InsertOrganization(tx, &org); err != nil {
			return err
		}
		if err := usermgmt.InsertAccount(tx, org.Num, &account); err != nil {
			return err
		}
		for name, on := range map[string]catalog.Set{"dana": catalog.SetOf(catalog.CardsEnabled, catalog.CardsManage), "uma": 0} {
			m := usermgmt.Member{ID: bank.UserID(name), FirstName: name, Email: name + "@northwind.example", Status: bank.StatusActive, Settings: entitlement.Settings{On: on}}
			if err := usermgmt.InsertMember(tx, cedar, org.Num, &m); err != nil {
				return err
			}
			if err := usermgmt.SetMemberAccount(tx, org.Num, m.Ordinal, account.Ordinal, entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func caller(name string) bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: name, Name: strings.ToUpper(name[:1]) + name[1:], Institution: cedar, Organization: northwind, Channel: bank.ChannelOnline}
}

// issue is a new card in a state.
func (w *world) issue(state host.CardState) host.CardID {
	w.t.Helper()
	w.issued++
	c := host.Card{
		ID: host.CardID(fmt.Sprint("crd_", w.issued)), Organization: northwind, Account: operating, Holder: "Dana Diaz", Kind: "debit",
		LastFour: fmt.Sprintf("%04d", w.issued), Expires: "2029-04", State: state,
	}
	if err := w.books.Issue(w.t.Context(), cedar, c); err != nil {
		w.t.Fatal(err)
	}
	return c.ID
}

func (w *world) draft(id host.CardID, step host.CardStep) card.Draft {
	w.asked++
	d := card.Draft{ID: card.RequestID(fmt.Sprintf("crq_019caf10-3180-7a14-9502-%012x", w.asked)), Card: id, Step: step}
	if step == host.ActivateCard {
		d.Expires = "2029-04"
	}
	return d
}

func (w *world) ask(who string, d card.Draft) error { return w.room.Ask(w.t.Context(), caller(who), d) }

func (w *world) get(id host.CardID) card.Detail {
	w.t.Helper()
	d, err := w.room.Get(w.t.Context(), caller("dana"), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) refuses(what string, err error, code string) {
	w.t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != code {
		w.t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// Every step of a card in every state either does what the table says, or is
// refused and changes nothing.
func TestEveryStepInEveryState(t *testing.T) {
	want := map[host.CardState]string{
		host.CardOrdered: "activate=active report_lost=lost report_stolen=stolen",
		host.CardActive:  "lock=locked reorder=active report_lost=lost report_stolen=stolen",
		host.CardLocked:  "unlock=active reorder=locked report_lost=lost report_stolen=stolen",
		host.CardLost:    "", host.CardStolen: "", host.CardReplaced: "",
	}
	each(t, func(w *world) {
		for _, state := range card.States() {
			var did []string
			for _, step := range card.Steps() {
				id := w.issue(state)
				err := w.ask("dana", w.draft(id, step))
				if err == nil {
					did = append(did, fmt.Sprintf("%s=%s", step, w.get(id).State))
					continue
				}
				w.refuses(fmt.Sprint(step, " while ", state), err, "STATE")
				if got := w.get(id); got.State != state || len(got.Requests) != 0 {
					t.Errorf("%s while %s left it %s", step, state, got.State)
				}
			}
			if got := strings.Join(did, " "); got != want[state] {
				t.Errorf("%s: %q, want %q", state, got, want[state])
			}
		}
	})
}

func TestWhatProtectsNeedsNoProof(t *testing.T) {
	each(t, func(w *world) {
		w.wants = true
		for step, state := range map[host.CardStep]host.CardState{host.UnlockCard: host.CardLocked, host.ReorderCard: host.CardActive, host.ActivateCard: host.CardOrdered} {
			w.refuses(string(step), w.ask("dana", w.draft(w.issue(state), step)), "STEP_UP")
		}
		for _, step := range []host.CardStep{host.LockCard, host.LoseCard, host.StealCard} {
			if err := w.ask("dana", w.draft(w.issue(host.CardActive), step)); err != nil {
				t.Errorf("%s: %v", step, err)
			}
		}
		replace := w.draft(w.issue(host.CardActive), host.LoseCard)
		replace.Replace = true
		w.refuses("sending a new one", w.ask("dana", replace), "STEP_UP")
		w.refuses("somebody who may not", w.ask("uma", w.draft(w.issue(host.CardActive), host.LockCard)), "USER_OFF")
		if _, err := w.room.Get(t.Context(), caller("uma"), "crd_1"); !errors.Is(err, card.ErrNone) {
			t.Errorf("somebody who may not looks: %v", err)
		}
	})
}

// While the host does not answer, nothing else is asked about the card; what it
// refuses in the end is told.
func TestTheHostTakesItsTime(t *testing.T) {
	each(t, func(w *world) {
		id := w.issue(host.CardActive)
		w.down.Store(true)
		lock := w.draft(id, host.LockCard)
		for range 2 { // the same form, sent twice
			if err := w.ask("dana", lock); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.get(id); !got.Waits || got.State != host.CardActive || len(got.Can) != 0 || len(got.Requests) != 1 {
			t.Errorf("while the host is silent: %+v", got)
		}
		w.refuses("another request meanwhile", w.ask("dana", w.draft(id, host.LoseCard)), "CARD_WAITS")
		other := lock
		other.Step = host.LoseCard
		w.refuses("the same form with something else", w.ask("dana", other), "ID_REUSED")
		w.down.Store(false)
		stolen := host.Order{Institution: cedar, Organization: northwind, Room: "branch", Ref: "1", Card: &host.CardOrder{Card: id, Step: host.StealCard}}
		if r, err := w.books.Carry(t.Context(), stolen); err != nil || !r.Done() {
			t.Fatalf("%+v, %v", r, err)
		}
		dbtest.ClockOf(t, w.d).Advance(time.Hour) // the next try is due
		w.desk.Now(t.Context())
		got := w.get(id)
		if got.State != host.CardStolen || got.Waits || got.Requests[0].State != card.Refused || got.Requests[0].Code != string(host.CardStanding) {
			t.Errorf("after the host answered: %+v", got)
		}
		if len(w.told) != 1 || w.told[0] != "[dana] A card was not changed" {
			t.Errorf("told %q", w.told)
		}
	})
}

func TestAReplacementEndsWhatItReplaces(t *testing.T) {
	each(t, func(w *world) {
		id := w.issue(host.CardActive)
		if err := w.ask("dana", w.draft(id, host.ReorderCard)); err != nil {
			t.Fatal(err)
		}
		old := w.get(id)
		if old.State != host.CardActive || old.Instead == nil || old.Instead.State != host.CardOrdered || old.Instead.LastFour == old.LastFour {
			t.Fatalf("reordered: %+v, instead %+v", old.Card, old.Instead)
		}
		w.refuses("a second one", w.ask("dana", w.draft(id, host.ReorderCard)), "STATE")
		wrong := w.draft(old.Instead.ID, host.ActivateCard)
		if problems := fault.ProblemsOf(w.ask("dana", wrong)); len(problems) != 1 || problems[0].Field != "expires" {
			t.Errorf("activated without it in hand: %+v", problems)
		}
		right := w.draft(old.Instead.ID, host.ActivateCard)
		right.Expires = old.Instead.Expires
		if err := w.ask("dana", right); err != nil {
			t.Fatal(err)
		}
		if got := w.get(id); got.State != host.CardReplaced {
			t.Errorf("the old one is %s", got.State)
		}
		clock := dbtest.ClockOf(t, w.d)
		clock.Advance(30 * 24 * time.Hour)
		w.get(id)
		clock.Advance(time.Microsecond)
		if page, err := w.room.List(t.Context(), caller("dana"), card.Query{}); err != nil || page.Total != 1 || page.Cards[0].ID != old.Instead.ID {
			t.Errorf("after thirty days: %+v, %v", page, err)
		}
	})
}
