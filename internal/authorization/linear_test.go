package authorization_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/usermgmt"
)

// A history is what several payment systems did at the same time and what each
// was told when. It is right if there is an order of single steps, none before
// it was asked and none after it was told, that explains every answer.

// payments are how many references a history is about. The first of them were
// authorized so long ago that they are void.
const (
	payments = 10
	lapsed   = 3
)

// A step is what somebody asks of one reference.
type step struct {
	verb string // reserve, confirm, void or expire
	ref  int
}

// amountOf is the amount of a reference: four or five of them fit the limit.
func amountOf(ref int) bank.Cents { return bank.Cents(15_000_00 + ref%3*5_000_00) }

const dailyLimit = bank.Cents(100_000_00)

// standing is the state of the obvious bank: where each reference stands. What
// is neither refused nor voided counts.
type standing [payments]string

func (s standing) used() (sum bank.Cents) {
	for ref, state := range s {
		if state == "pending" || state == "confirmed" {
			sum += amountOf(ref)
		}
	}
	return sum
}

// next is what the obvious bank answers, and where it stands afterwards.
func (s standing) next(do step) (string, standing) {
	state := &s[do.ref]
	over := *state == "pending" && do.ref < lapsed // its time is over
	switch {
	case do.verb == "reserve" && *state == "":
		if s.used()+amountOf(do.ref) > dailyLimit {
			*state = "refused"
			return "LIMIT_DAILY", s
		}
		*state = "pending"
		return "yes", s
	case do.verb == "reserve" && *state == "refused":
		return "LIMIT_DAILY", s
	case do.verb == "reserve" && (*state == "voided" || over):
		return "REF_VOIDED", s
	case do.verb == "reserve":
		return "yes", s
	case do.verb == "expire" && over:
		*state = "voided"
		return "voided", s
	case do.verb == "expire":
		return "settled before", s
	case *state == "":
		return "UNKNOWN_REF", s
	case do.verb == "void" && *state == "confirmed":
		return "CONFIRMED", s
	case do.verb == "void":
		*state = "voided"
		return "yes", s
	case *state == "confirmed":
		return "yes", s
	case *state != "pending" || over:
		return "NOT_PENDING", s
	}
	*state = "confirmed"
	return "yes", s
}

// began is where every history begins.
func began() (s standing) {
	for ref := range lapsed {
		s[ref] = "pending"
	}
	return s
}

var obvious = porcupine.Model{
	Init: func() any { return began() },
	Step: func(state, input, output any) (bool, any) {
		answer, next := state.(standing).next(input.(step))
		return answer == output.(string), next
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprint(input, " -> ", output) },
}

// TestConcurrentHistoriesAreLinearizable: on PostgreSQL over the connections of
// two processes, on SQLite over those of the one that can be.
func TestConcurrentHistoriesAreLinearizable(t *testing.T) {
	histories := dbtest.Rounds(8, 500)
	t.Run("SQLite", func(t *testing.T) {
		checkHistories(t, histories, dbtest.SQLite(t))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		url, clock := dbtest.PostgreSQLURL(t, nil), dbtest.NewClock(dbtest.Start)
		checkHistories(t, histories, dbtest.Open(t, url, dbtest.Options{Clock: clock}), dbtest.Open(t, url, dbtest.Options{Clock: clock}))
	})
}

func checkHistories(t *testing.T, histories int, processes ...*db.DB) {
	t.Helper()
	w := &world{t: t, db: processes[0], clock: dbtest.ClockOf(t, processes[0])}
	w.must(w.db.Write(t.Context(), seed))
	w.must(w.db.Write(t.Context(), func(tx *db.Tx) error { return seedSenders(tx, histories) }))
	var services []*authorization.Service
	for _, d := range processes {
		services = append(services, authorization.New(d, guard.New(d, usermgmt.LoadPolicy, nil, nil), time.Hour))
	}
	for n := range histories {
		for ref := range lapsed {
			if got := ask(t, services[0], n, step{"reserve", ref}); got != "yes" {
				t.Fatalf("reserve: %s", got)
			}
		}
	}
	w.clock.Advance(time.Hour)
	for n := range histories {
		seed := rand.Uint64()
		told := record(t, services, n, rand.New(rand.NewPCG(seed, 0)))
		if !porcupine.CheckOperations(obvious, told) {
			t.Errorf("seed %d: no order explains what everybody was told:", seed)
			for _, o := range told {
				t.Logf("client %d, %d to %d: %s", o.ClientId, o.Call, o.Return, obvious.DescribeOperation(o.Input, o.Output))
			}
		}
	}
	w.service = services[0]
	w.addsUp()
}

// seedSenders gives acme a member for each history.
func seedSenders(tx *db.Tx, n int) error {
	o, err := usermgmt.FindOrganization(tx, first, acme)
	if err != nil {
		return err
	}
	for i := range n {
		m := usermgmt.Member{ID: sender(i), FirstName: "Dana", Status: bank.StatusActive, Settings: wireSettings}
		if err := usermgmt.InsertMember(tx, first, o.Num, &m); err != nil {
			return err
		}
		here := entitlement.Settings{On: wireSettings.On.With(catalog.AccountAccess)}
		if err := usermgmt.SetMemberAccount(tx, o.Num, m.Ordinal, 1, here); err != nil {
			return err
		}
	}
	return nil
}

func sender(history int) bank.UserID { return bank.UserID(fmt.Sprint("sender ", history)) }

// record lets clients ask at random, all at the same time.
func record(t *testing.T, services []*authorization.Service, history int, random *rand.Rand) []porcupine.Operation {
	const clients, each = 6, 7
	steps := make([]step, clients*each)
	for i := range steps {
		steps[i] = step{[]string{"reserve", "reserve", "confirm", "void"}[random.IntN(4)], random.IntN(payments)}
		if random.IntN(6) == 0 {
			steps[i] = step{"expire", random.IntN(lapsed)}
		}
	}
	told := make([]porcupine.Operation, len(steps))
	start := time.Now()
	parallel(clients, func(client int) {
		for i := client * each; i < (client+1)*each; i++ {
			call := time.Since(start)
			got := ask(t, services[client%len(services)], history, steps[i])
			told[i] = porcupine.Operation{ClientId: client, Input: steps[i], Call: int64(call), Output: got, Return: int64(time.Since(start))}
		}
	})
	return told
}

// ask asks the service for a step and puts its answer as the obvious bank puts
// it.
func ask(t *testing.T, s *authorization.Service, history int, do step) string {
	name := fmt.Sprintf("%d/%d", history, do.ref)
	var answer authorization.Answer
	var err error
	switch do.verb {
	case "reserve":
		answer, err = s.Authorize(t.Context(), client, acme, name, wire(sender(history), amountOf(do.ref).String()))
	case "confirm":
		answer, err = s.Confirm(t.Context(), client, name)
	case "void":
		answer, err = s.Void(t.Context(), client, name)
	case "expire":
		done, err := s.Lapse(t.Context(), first, authorization.Ref{Client: bank.ClientID(client.ID), Name: name})
		if err != nil {
			return err.Error()
		}
		if done {
			return "voided"
		}
		return "settled before"
	}
	switch {
	case err != nil:
		return err.Error()
	case answer.Allowed:
		return "yes"
	}
	codes := make([]string, len(answer.Reasons))
	for i, r := range answer.Reasons {
		codes[i] = string(r.Code)
	}
	return strings.Join(codes, " ")
}
