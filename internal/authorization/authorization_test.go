package authorization_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

const (
	monday  = bank.Day("2026-03-02") // where the clocks of tests stand
	tuesday = bank.Day("2026-03-03")
)

func TestAReferenceIsDecidedAndCountedOnce(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		w.says("authorize", w.authorize("1", wire("dana", "60000.00")))
		again := w.authorize("1", wire("dana", "60000"))
		w.says("authorize again", again)
		if !again.Repeated {
			t.Error("the second answer does not say that it is a repetition")
		}
		if used := w.used(monday); used != 60_000_00 {
			t.Errorf("used = %s", used)
		}
		w.says("one cent over", w.authorize("2", wire("dana", "40000.01")), entitlement.LimitDaily)
		w.says("a refused one keeps its reference", w.authorize("2", wire("dana", "1.00")), entitlement.RefReused)
		w.says("exactly at the limit", w.authorize("3", wire("dana", "40000.00")))
		w.void("1")
		w.says("the stored refusal", w.authorize("2", wire("dana", "40000.01")), entitlement.LimitDaily)
		w.says("voided", w.authorize("1", wire("dana", "60000.00")), entitlement.RefVoided)
		w.says("voided, and other content", w.authorize("1", wire("lee", "60000.00")), entitlement.RefReused)
		if used := w.used(monday); used != 40_000_00 {
			t.Errorf("used after void = %s", used)
		}
	})
}

// TestContentIsComparedValueByValue: each line is the same question as the
// first, or another.
func TestContentIsComparedValueByValue(t *testing.T) {
	ask := func(change func(a *authorization.Asked)) authorization.Asked {
		a := wire("dana", "10.00")
		change(&a)
		return a
	}
	eachWorld(t, 0, func(w *world) {
		w.authorize("plain", wire("dana", "10.00"))
		w.authorize("none", ask(func(a *authorization.Asked) { a.Amount = entitlement.Amount{} }))
		w.authorize("malformed", ask(func(a *authorization.Asked) { a.Amount = entitlement.ReadAmount("1e1") }))
		w.authorize("context", ask(func(a *authorization.Asked) {
			a.Context = map[string]any{"recurring": false, "memo": json.Number("1")}
		}))
		for _, c := range []struct {
			ref    string
			change func(a *authorization.Asked)
			same   bool
		}{
			{"plain", func(a *authorization.Asked) { a.Amount = entitlement.ReadAmount("10") }, true},
			{"plain", func(a *authorization.Asked) { a.Amount = entitlement.ReadAmount("0000000010.0") }, true},
			{"plain", func(a *authorization.Asked) { a.Context = map[string]any{} }, true},
			{"plain", func(a *authorization.Asked) { a.Amount = entitlement.ReadAmount("10.01") }, false},
			{"plain", func(a *authorization.Asked) { a.Amount = entitlement.Amount{} }, false},
			{"plain", func(a *authorization.Asked) { a.Context = map[string]any{"recurring": false} }, false},
			{"plain", func(a *authorization.Asked) { a.Member = "lee" }, false},
			{"plain", func(a *authorization.Asked) { a.Operation = "wires.approve" }, false},
			{"plain", func(a *authorization.Asked) { a.Account = "payroll" }, false},
			{"plain", func(a *authorization.Asked) { a.ToAccount = "operating" }, false},
			{"none", func(a *authorization.Asked) { a.Amount = entitlement.Amount{} }, true},
			{"none", func(a *authorization.Asked) { a.Amount = entitlement.ReadAmount("") }, true},
			{"none", func(a *authorization.Asked) { a.Amount = entitlement.ReadAmount("0") }, false},
			{"malformed", func(a *authorization.Asked) { a.Amount = entitlement.ReadAmount("1e1") }, true},
			{"malformed", func(a *authorization.Asked) { a.Amount = entitlement.ReadAmount("1e01") }, false},
			{"malformed", func(*authorization.Asked) {}, false},
			{"context", func(a *authorization.Asked) {
				a.Context = map[string]any{"memo": json.Number("1"), "recurring": false}
			}, true},
			{"context", func(a *authorization.Asked) { a.Context = map[string]any{"recurring": false} }, false},
			{"context", func(a *authorization.Asked) {
				a.Context = map[string]any{"memo": json.Number("2"), "recurring": false}
			}, false},
			{"context", func(a *authorization.Asked) {
				a.Context = map[string]any{"memo": "1", "recurring": false}
			}, false},
		} {
			got := w.authorize(c.ref, ask(c.change))
			if same := !got.Has(entitlement.RefReused); same != c.same {
				t.Errorf("%s asked again as %+v: the same question: %t, want %t", c.ref, ask(c.change), same, c.same)
			}
		}
	})
}

func TestASecondPersonApproves(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		w.change("dana", dual)
		if answer := w.authorize("1", wire("dana", "10000.01")); !answer.Allowed || !answer.ApprovalRequired {
			t.Fatalf("authorize over the dual limit = %+v", answer)
		}
		w.says("at the dual limit nobody is needed", w.authorize("2", wire("dana", "10000.00")))
		w.says("nothing to approve", w.approve("2", "lee"), entitlement.NotPending)
		w.says("unknown", w.approve("3", "lee"), entitlement.UnknownRef)
		w.says("confirm too early", w.confirm("1"), entitlement.NotApproved)
		w.says("oneself", w.approve("1", "dana"), entitlement.SelfApproval)
		w.says("a stranger", w.approve("1", "nobody"), entitlement.UnknownMember)
		w.change("dana", hold)
		w.says("the initiator is held", w.approve("1", "lee"), entitlement.InitiatorNotAllowed)
		w.change("dana", release)
		w.says("approve", w.approve("1", "lee"))
		w.says("approve again", w.approve("1", "lee"), entitlement.NotPending)
		w.change("lee", hold)
		w.says("the approver is held", w.confirm("1"), entitlement.ApproverNotAllowed)
		w.change("dana", hold)
		w.says("both are held", w.confirm("1"), entitlement.ApproverNotAllowed, entitlement.InitiatorNotAllowed)
		w.change("dana", release)
		w.change("lee", release)
		w.says("confirm", w.confirm("1"))
		w.change("dana", hold)
		again := w.confirm("1")
		w.says("a confirmed one is not judged again", again)
		if !again.Repeated {
			t.Error("the second confirmation does not say that it is a repetition")
		}
		w.says("void", w.void("1"), entitlement.Confirmed)
		w.says("approve what is confirmed", w.approve("1", "lee"), entitlement.NotPending)
	})
}

// TestDualControlSwitchedOnLater: what needed nobody then may need somebody
// now.
func TestDualControlSwitchedOnLater(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		w.authorize("1", wire("dana", "20000.00"))
		w.change("dana", dual)
		w.says("confirm", w.confirm("1"), entitlement.NotApproved)
		w.says("approve", w.approve("1", "lee"))
		w.says("confirm", w.confirm("1"))
	})
}

// TestConfirmingCountsOnTheDayOfRelease: the day is the institution's, where
// midnight in Chicago is six in the morning of Greenwich.
func TestConfirmingCountsOnTheDayOfRelease(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		w.authorize("1", wire("dana", "70000.00"))
		dated := wire("dana", "60000.00")
		dated.Context = map[string]any{"effective_date": string(tuesday)}
		w.says("a wire for tomorrow", w.authorize("2", dated))
		w.clock.Set(time.Date(2026, 3, 3, 5, 59, 59, 0, time.UTC))
		w.says("still monday", w.authorize("3", wire("dana", "30000.01")), entitlement.LimitDaily)
		w.clock.Advance(time.Second)
		w.says("tuesday's limit is nearly used", w.confirm("1"), entitlement.InitiatorNotAllowed)
		w.void("2")
		w.says("confirm", w.confirm("1"))
		if m, tu := w.used(monday), w.used(tuesday); m != 0 || tu != 70_000_00 {
			t.Errorf("used on monday %s and on tuesday %s", m, tu)
		}
	})
}

func TestADatedWireStaysOnItsDay(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		dated := wire("dana", "100000.00")
		dated.Context = map[string]any{"effective_date": string(tuesday)}
		w.says("authorize", w.authorize("1", dated))
		w.says("confirm", w.confirm("1"))
		if m, tu := w.used(monday), w.used(tuesday); m != 0 || tu != 100_000_00 {
			t.Errorf("used on monday %s and on tuesday %s", m, tu)
		}
	})
}

func TestEachClientHasReferencesOfItsOwn(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		w.authorize("1", wire("dana", "10.00"))
		second := client
		second.ID = "cli_other"
		answer, err := w.service.Authorize(t.Context(), second, acme, "1", wire("lee", "20.00"))
		w.must(err)
		w.says("another client's reference", answer)
		answer, err = w.service.Confirm(t.Context(), second, "2")
		w.must(err)
		w.says("no reference of this client", answer, entitlement.UnknownRef)
	})
}

// TestAReferenceBelongsToOneOrganization, whatever is asked under it elsewhere.
func TestAReferenceBelongsToOneOrganization(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		w.authorize("1", wire("dana", "10.00"))
		answer, err := w.service.Authorize(t.Context(), client, other, "1", wire("dana", "10.00"))
		w.must(err)
		w.says("the same words at another organization", answer, entitlement.RefReused)
		if answer.Authorization.ID != "" {
			t.Error("the other organization was told about acme's payment")
		}
	})
}

func TestOnlyPaymentSystemsOfTheInstitutionMayAsk(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		for name, caller := range map[string]bank.Caller{
			"a member":                     {Kind: bank.ActorMember, ID: "dana", Institution: first, Organization: acme},
			"a staff user":                 {Kind: bank.ActorStaff, ID: "stf_1", Institution: first},
			"nobody":                       {Institution: first},
			"a client of another bank":     {Kind: bank.ActorClient, ID: client.ID, Institution: "second"},
			"a client of one organization": {Kind: bank.ActorClient, ID: client.ID, Institution: first, Organization: other},
		} {
			if _, err := w.service.Authorize(t.Context(), caller, acme, "1", wire("dana", "10.00")); err == nil {
				t.Errorf("%s authorized a payment", name)
			}
		}
		if used := w.used(monday); used != 0 {
			t.Errorf("used = %s", used)
		}
	})
}

func TestHistoryHasEveryOutcomeOnce(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		w.change("dana", dual)
		revision := w.revision()
		for range 2 {
			w.authorize("1", wire("dana", "20000.00"))
			w.authorize("2", wire("dana", "200000.00"))
		}
		w.approve("1", "dana")
		w.approve("1", "lee")
		w.confirm("1")
		w.confirm("1")
		w.void("1")
		w.void("2")
		w.void("2")
		w.confirm("unknown")
		want := []string{
			"payment.authorized", "payment.authorized refused LIMIT_PER_TRANSACTION", "payment.approved refused SELF_APPROVAL",
			"payment.approved", "payment.confirmed", "payment.voided refused CONFIRMED", "payment.voided",
		}
		if got := w.history(); !slices.Equal(got, want) {
			t.Errorf("history:\n got %v\nwant %v", got, want)
		}
		if now := w.revision(); now != revision {
			t.Errorf("payments raised the revision from %d to %d", revision, now)
		}
	})
}

func (w *world) revision() (revision int64) {
	w.t.Helper()
	w.must(w.db.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		revision, err = activity.Revision(tx, first, acme)
		return err
	}))
	return revision
}

func TestNonsenseIsAnsweredAndKept(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		asked := authorization.Asked{Member: "da\x00na", Operation: "wires\x00", Account: "\xff", Amount: entitlement.ReadAmount("\x00"),
			Context: map[string]any{"\x00": "\x00"}}
		w.says("nonsense", w.authorize("1", asked), entitlement.UnknownOperation)
		asked.Operation = "wires.transmit"
		w.says("a member that is no text", w.authorize("2", asked), entitlement.UnknownMember)
		w.says("the same nonsense", w.authorize("2", asked), entitlement.UnknownMember)
		asked.Member = "dana"
		got := w.authorize("3", asked)
		if !got.Has(entitlement.UnknownAccount) || !got.Has(entitlement.InvalidAmount) {
			t.Errorf("an account that is no text: %v", got.Reasons)
		}
		w.says("approver that is no text", w.approve("3", "\x00"), entitlement.NotPending)
		for _, ref := range []string{"", "a\x00", "\xff", "a\nb", strings.Repeat("r", authorization.MaxRef+1)} {
			_, err := w.service.Authorize(t.Context(), client, acme, ref, wire("dana", "1.00"))
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("Authorize under %q = %v, want Invalid", ref, err)
			}
			answer, err := w.service.Confirm(t.Context(), client, ref)
			w.must(err)
			w.says("confirm of an impossible reference", answer, entitlement.UnknownRef)
		}
		long := wire("dana", "1.00")
		long.Context = map[string]any{"memo": strings.Repeat("m", authorization.MaxContent)}
		if _, err := w.service.Authorize(t.Context(), client, acme, "4", long); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Authorize of too much = %v, want Invalid", err)
		}
	})
}

// TestOurOwnRoomsUseTheirOwnTransaction: what the room does not commit has
// never counted.
func TestOurOwnRoomsUseTheirOwnTransaction(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		dana := bank.Caller{Kind: bank.ActorMember, ID: "dana", Institution: first, Organization: acme, Channel: bank.ChannelOnline}
		action := guard.Action{Event: "wire.initiated", Organization: acme, Target: activity.Target{Kind: activity.TargetPayment, ID: "wir_1"},
			Others: []bank.ActorKind{bank.ActorMember}}
		ref := authorization.Ref{Name: "wir_1"}
		fails := fault.New(fault.Conflict, "The room changed its mind.")
		for _, end := range []error{fails, nil} {
			err := w.door.Do(t.Context(), dana, action, func(c *guard.Change) error {
				answer, err := w.service.AuthorizeIn(c, ref, wire("dana", "100000.00"))
				w.must(err)
				w.says("inside", answer)
				c.Record()
				return end
			})
			if err != end {
				t.Errorf("Do = %v, want %v", err, end)
			}
		}
		w.must(w.door.Do(t.Context(), dana, action, func(c *guard.Change) error {
			for what, verb := range map[string]func(*guard.Change, authorization.Ref) (authorization.Answer, error){"confirm": w.service.ConfirmIn} {
				answer, err := verb(c, ref)
				w.must(err)
				w.says(what, answer)
			}
			return nil
		}))
		if used := w.used(monday); used != 100_000_00 {
			t.Errorf("used = %s", used)
		}
		if got := w.history(); !slices.Equal(got, []string{"wire.initiated"}) {
			t.Errorf("history = %v", got)
		}
		w.says("a client cannot see our own references", w.confirm("wir_1"), entitlement.UnknownRef)
	})
}
