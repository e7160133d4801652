package pdp_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/pdp"
	"mandate/internal/pdp/pdptest"
	"mandate/internal/usermgmt"
)

func wire(member bank.UserID, account bank.AccountID, amount string) pdp.Question {
	return pdp.Question{Member: member, Operation: "wires.transmit", Account: account, Amount: entitlement.ReadAmount(amount)}
}

// answer writes an answer as one line.
func answer(a pdp.Answer) string {
	if a.Allowed {
		return string(a.Outcome())
	}
	line := string(a.Outcome())
	for _, r := range a.Reasons {
		line = strings.TrimSpace(line + " " + string(r.Code))
	}
	return line
}

func decide(t *testing.T, s *pdp.Service, institution bank.InstitutionID, q pdp.Question) pdp.Answer {
	t.Helper()
	a, err := s.Decide(context.Background(), institution, q)
	if err != nil {
		t.Fatalf("Decide(%+v): %v", q, err)
	}
	return a
}

func TestDecide(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		pdptest.New(t, d)
		s := pdp.New(pdptest.Memory(d), usermgmt.DecisionSources(), nil)
		inBirch := wire("dana", "operating", "1.00")
		inBirch.Organization = "birch"
		inAcme := wire("dana", "operating", "1.00")
		inAcme.Organization = "acme"
		badContext := wire("dana", "operating", "1.00")
		badContext.Context = map[string]any{"recurring": nil}
		for name, c := range map[string]struct {
			institution bank.InstitutionID
			question    pdp.Question
			want        string
		}{
			"within the limit alone":     {"first", wire("dana", "operating", "10000.00"), "allow"},
			"over the dual limit":        {"first", wire("dana", "operating", "10000.01"), "approval"},
			"at the limit":               {"first", wire("dana", "operating", "25000.00"), "approval"},
			"a cent over":                {"first", wire("dana", "operating", "25000.01"), "refuse LIMIT_PER_TRANSACTION"},
			"another account":            {"first", wire("dana", "payroll", "1.00"), "refuse ACCOUNT_ACCESS_OFF ACCOUNT_OFF ACCOUNT_OFF"},
			"another's account":          {"first", wire("dana", "savings", "1.00"), "refuse UNKNOWN_ACCOUNT"},
			"no amount":                  {"first", pdp.Question{Member: "dana", Operation: "wires.transmit", Account: "operating"}, "refuse INVALID_AMOUNT"},
			"another institution":        {"second", wire("dana", "operating", "1.00"), "refuse UNKNOWN_MEMBER"},
			"no institution":             {"third", wire("dana", "operating", "1.00"), "error"},
			"an unknown member":          {"first", wire("nobody", "operating", "1.00"), "refuse UNKNOWN_MEMBER"},
			"no member":                  {"first", wire("", "operating", "1.00"), "refuse UNKNOWN_MEMBER"},
			"a member that cannot be":    {"first", wire("da\x00na", "operating", "1.00"), "refuse UNKNOWN_MEMBER"},
			"an account that cannot be":  {"first", wire("dana", "op\x00", "1.00"), "refuse UNKNOWN_ACCOUNT"},
			"broken text":                {"first", wire("\xff", "\xff", "\xff"), "refuse UNKNOWN_MEMBER"},
			"an unknown operation":       {"first", pdp.Question{Member: "dana", Operation: "wires.send"}, "refuse UNKNOWN_OPERATION"},
			"nothing is known":           {"first", pdp.Question{Member: "nobody", Operation: "?"}, "refuse UNKNOWN_OPERATION"},
			"the member's organization":  {"first", inAcme, "allow"},
			"another organization":       {"first", inBirch, "refuse UNKNOWN_MEMBER"},
			"a context of another kind":  {"first", badContext, "refuse INVALID_CONTEXT"},
			"an admin administers":       {"first", pdp.Question{Member: "ana", Operation: "user_management.hold_user"}, "allow"},
			"somebody else does not":     {"first", pdp.Question{Member: "dana", Operation: "user_management.hold_user"}, "refuse ROLE USER_OFF"},
			"an admin sends no payments": {"first", wire("ana", "operating", "1.00"), ""},
		} {
			a, err := s.Decide(context.Background(), c.institution, c.question)
			got := answer(a)
			if err != nil {
				got = "error"
			}
			if got != c.want && c.want != "" || c.want == "" && a.Allowed {
				t.Errorf("%s: %q (%v), want %q", name, got, err, c.want)
			}
		}
	})
}

// What is taken away is gone for the very next question, and what is used
// counts in it.
func TestTheNextAnswerKnowsEveryChange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := pdptest.New(t, d)
		s := pdp.New(pdptest.Memory(d), usermgmt.DecisionSources(), nil)
		q := wire("dana", "operating", "10000.00")
		ask := func(want string) {
			t.Helper()
			if got := answer(decide(t, s, "first", q)); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		ask("allow")
		before := decide(t, s, "first", q).Revision

		less := pdptest.SenderAccount
		less.On = less.On.Without(catalog.WiresTransmit)
		w.SetAccount("first", "acme", "dana", "operating", less)
		ask("refuse ACCOUNT_OFF")
		after := decide(t, s, "first", q).Revision
		if after.OfOrganization != before.OfOrganization+1 || after.OfInstitution != before.OfInstitution {
			t.Errorf("revision %+v after %+v", after, before)
		}
		w.SetAccount("first", "acme", "dana", "operating", pdptest.SenderAccount)
		ask("allow")

		w.SetStanding("first", "acme", "dana", bank.StatusActive, true)
		ask("refuse MEMBER_HELD")
		w.SetStanding("first", "acme", "dana", bank.StatusActive, false)

		w.Use("first", "acme", "dana", "operating", 50_000_01)
		ask("refuse LIMIT_DAILY")
	})
}

// A batch is the same as its questions one by one.
func TestABatchIsItsQuestions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := pdptest.New(t, d)
		w.SetMember("first", "acme", "ana", pdptest.Sender)
		w.SetAccount("first", "acme", "ana", "operating", pdptest.SenderAccount)
		w.Use("first", "acme", "dana", "operating", 50_000_00) // of her $60,000 a day; nothing of Ana's
		var questions []pdp.Question
		for _, amount := range []string{"1.00", "10000.01", "25000.01", "x"} {
			for _, member := range []bank.UserID{"dana", "ana", "bea", "cleo", "nobody"} {
				for _, account := range []bank.AccountID{"operating", "payroll", "savings", ""} {
					questions = append(questions, wire(member, account, amount))
				}
			}
		}
		answers, err := pdp.New(pdptest.Memory(d), usermgmt.DecisionSources(), nil).DecideAll(context.Background(), "first", questions)
		if err != nil {
			t.Fatal(err)
		}
		for i, q := range questions {
			if q.Account == "operating" && q.Amount == entitlement.ReadAmount("10000.01") {
				want := map[bank.UserID]string{"dana": "refuse LIMIT_DAILY", "ana": "approval"}[q.Member]
				if got := answer(answers[i]); want != "" && got != want {
					t.Errorf("%s sends: %s, want %s", q.Member, got, want)
				}
			}
		}
		s := pdp.New(pdptest.Memory(d), usermgmt.DecisionSources(), nil)
		for i, q := range questions {
			want := decide(t, s, "first", q)
			if got := answers[i]; answer(got) != answer(want) || got.Revision != want.Revision || got.Organization != want.Organization {
				t.Errorf("%+v: in the batch %s %+v, alone %s %+v", q, answer(got), got.Revision, answer(want), want.Revision)
			}
		}
		if none, err := s.DecideAll(context.Background(), "first", nil); err != nil || len(none) != 0 {
			t.Errorf("no questions: %v, %v", none, err)
		}
	})
}

// A batch that names so many people and accounts that all are read at once says
// the same as its questions.
func TestALargeBatchIsItsQuestions(t *testing.T) {
	d := dbtest.SQLite(t)
	pdptest.New(t, d)
	var questions []pdp.Question
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		acme, err := usermgmt.FindOrganization(tx, "first", "acme")
		if err != nil {
			return err
		}
		for i := range 100 {
			m := usermgmt.Member{ID: bank.UserID(fmt.Sprintf("m%d", i)), Status: bank.StatusActive, Settings: pdptest.Sender}
			if err := usermgmt.InsertMember(tx, "first", acme.Num, &m); err != nil {
				return err
			}
			a := usermgmt.Account{ID: bank.AccountID(fmt.Sprintf("a%d", i))}
			if err := usermgmt.InsertAccount(tx, acme.Num, &a); err != nil {
				return err
			}
			if i%2 == 0 {
				if err := usermgmt.SetMemberAccount(tx, acme.Num, m.Ordinal, a.Ordinal, pdptest.SenderAccount); err != nil {
					return err
				}
			}
			questions = append(questions, wire(m.ID, a.ID, "1.00"), wire(m.ID, "operating", "1.00"), wire("dana", a.ID, "1.00"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	questions = append(questions, wire("dana", "operating", "1.00"), wire("bea", "savings", "1.00"))
	s := pdp.New(pdptest.Memory(d), usermgmt.DecisionSources(), nil)
	answers, err := s.DecideAll(context.Background(), "first", questions)
	if err != nil {
		t.Fatal(err)
	}
	yes := 0
	for i, q := range questions {
		want := decide(t, s, "first", q)
		if answer(answers[i]) != answer(want) {
			t.Errorf("%+v: in the batch %s, alone %s", q, answer(answers[i]), answer(want))
		}
		if want.Allowed {
			yes++
		}
	}
	if yes != 52 {
		t.Errorf("%d answers are yes, want 52", yes)
	}
}

// A caller that demands a revision gets an answer that knows it, or a refusal.
func TestADemandedRevisionIsReachedOrRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		pdptest.New(t, d)
		s := pdp.New(pdptest.Memory(d), usermgmt.DecisionSources(), nil)
		now := decide(t, s, "first", wire("dana", "operating", "1.00")).Revision
		birch := decide(t, s, "first", wire("bea", "savings", "1.00")).Revision
		change := func(f func(*pdp.Revision)) pdp.Revision {
			r := now
			f(&r)
			return r
		}
		for name, c := range map[string]struct {
			demanded []pdp.Revision
			want     string
		}{
			"none":                      {nil, "allow"},
			"the present one":           {[]pdp.Revision{now}, "allow"},
			"an older one":              {[]pdp.Revision{change(func(r *pdp.Revision) { r.OfOrganization-- })}, "allow"},
			"another organization's":    {[]pdp.Revision{birch}, "allow"},
			"a later one":               {[]pdp.Revision{change(func(r *pdp.Revision) { r.OfOrganization++ })}, "refuse REVISION_NOT_REACHED"},
			"a later institution":       {[]pdp.Revision{change(func(r *pdp.Revision) { r.OfInstitution++ })}, "refuse REVISION_NOT_REACHED"},
			"another institution":       {[]pdp.Revision{change(func(r *pdp.Revision) { r.Institution = "second" })}, "refuse REVISION_NOT_REACHED"},
			"an unknown organization":   {[]pdp.Revision{change(func(r *pdp.Revision) { r.Organization = "oak" })}, "refuse REVISION_NOT_REACHED"},
			"the institution's alone":   {[]pdp.Revision{{Epoch: now.Epoch, Institution: "first"}}, "allow"},
			"another epoch's":           {[]pdp.Revision{change(func(r *pdp.Revision) { r.Epoch++; r.OfOrganization = 0 })}, "refuse REVISION_NOT_REACHED"},
			"of no epoch":               {[]pdp.Revision{{Institution: "first"}}, "refuse REVISION_NOT_REACHED"},
			"one of two is not reached": {[]pdp.Revision{now, change(func(r *pdp.Revision) { r.OfOrganization++ })}, "refuse REVISION_NOT_REACHED"},
		} {
			q := wire("dana", "operating", "1.00")
			q.AtLeast = c.demanded
			if got := answer(decide(t, s, "first", q)); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	})
}

func TestAnswersNameThePartiesWhereWanted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		pdptest.New(t, d)
		s := pdp.New(pdptest.Memory(d), usermgmt.DecisionSources(), nil)
		q := wire("dana", "payroll", "1.00")
		if a := decide(t, s, "first", q); a.Names.Member != "" {
			t.Errorf("names that nobody asked for: %+v", a.Names)
		}
		q.InWords = true
		a := decide(t, s, "first", q)
		if got := a.Reasons[0].Sentence(a.Names); got != "Dana Reyes has no access to The payroll account." {
			t.Errorf("sentence = %q", got)
		}
		if a.Names.Organization != "The acme company" || a.Names.Institution != "The first bank" {
			t.Errorf("names = %+v", a.Names)
		}
	})
}

type meter map[string]int

func (m meter) Decided(op catalog.Operation, outcome pdp.Outcome) { m[op.ID()+" "+string(outcome)]++ }

func TestAnswersAreCounted(t *testing.T) {
	d := dbtest.SQLite(t)
	pdptest.New(t, d)
	m := meter{}
	_, err := pdp.New(pdptest.Memory(d), usermgmt.DecisionSources(), m).DecideAll(context.Background(), "first", []pdp.Question{
		wire("dana", "operating", "1.00"), wire("dana", "operating", "10000.01"), wire("dana", "payroll", "1.00"), wire("x", "", ""), {Operation: "?"},
	})
	want := meter{"wires.transmit allow": 1, "wires.transmit approval": 1, "wires.transmit refuse": 2, " refuse": 1}
	if err != nil || fmt.Sprint(m) != fmt.Sprint(want) {
		t.Errorf("counted %v, %v; want %v", m, err, want)
	}
}

func TestRevisionTokens(t *testing.T) {
	for _, r := range []pdp.Revision{
		{Epoch: 1, Institution: "first", Organization: "acme", OfInstitution: 3, OfOrganization: 300},
		{Institution: "first"},
		{Epoch: 1 << 51, Institution: "é", Organization: "a b", OfInstitution: math.MaxInt32, OfOrganization: 1 << 62},
	} {
		if got, err := pdp.ParseRevision(r.String()); err != nil || got != r {
			t.Errorf("ParseRevision(%q) = %+v, %v; want %+v", r.String(), got, err, r)
		}
	}
	if (pdp.Revision{}).String() != "" || strings.Contains(pdp.Revision{Institution: "first"}.String(), "first") {
		t.Error("a token must be opaque, and nothing must be empty")
	}
	if _, err := pdp.ParseRevision("AQVmaXJzdARhY21lA6wC"); !errors.Is(err, pdp.ErrRevision) || !strings.Contains(fmt.Sprint(err), "earlier version") {
		t.Errorf("a token of the first version: %v", err)
	}
	good := pdp.Revision{Epoch: 7, Institution: "first", Organization: "acme", OfInstitution: 3, OfOrganization: 300}.String()
	raw := func(b ...byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	for _, token := range []string{
		"", "x", "0", good + "A", good[1:], good[:len(good)-2], good + "=", " " + good, strings.Repeat("A", 5000),
		raw(3, 1, 1, 'a', 0, 0, 0), raw(2), raw(2, 1), raw(2, 1, 200), raw(2, 1, 0, 0, 0, 0), raw(2, 1, 1, 0, 0, 0, 0), raw(2, 1, 1, 0xff, 0, 0, 0),
		raw(2, 0x80, 0, 1, 'a', 0, 0, 0), raw(2, 1, 1, 'a', 0x80, 0, 0, 0), raw(2, 1, 1, 'a', 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0),
	} {
		if r, err := pdp.ParseRevision(token); err == nil {
			t.Errorf("ParseRevision(%q) = %+v", token, r)
		}
	}
}

func FuzzParseRevision(f *testing.F) {
	f.Add(pdp.Revision{Epoch: 7, Institution: "first", Organization: "acme", OfInstitution: 3, OfOrganization: 300}.String())
	f.Fuzz(func(t *testing.T, token string) {
		if r, err := pdp.ParseRevision(token); err == nil && r.String() != token {
			t.Fatalf("%q is read as %+v, which is written %q", token, r, r.String())
		}
	})
}

// What is answered quickly is what is answered otherwise, without allocating
// anything; the rest is left.
func TestQuickAnswersAreTheAnswers(t *testing.T) {
	d := dbtest.SQLite(t)
	w := pdptest.New(t, d)
	m := meter{}
	s := pdp.New(pdptest.Memory(d), usermgmt.DecisionSources(), m)
	now := decide(t, s, "first", wire("dana", "operating", "1.00")).Revision
	demanding, early := wire("dana", "operating", "1.00"), wire("dana", "operating", "1.00")
	demanding.AtLeast, early.AtLeast = []pdp.Revision{now}, []pdp.Revision{now}
	early.AtLeast[0].OfOrganization++
	clear(m)
	for name, c := range map[string]struct {
		question pdp.Question
		quick    bool
	}{
		"allowed":                  {wire("dana", "operating", "10000.00"), true},
		"with a second person":     {wire("dana", "operating", "10000.01"), true},
		"refused":                  {wire("dana", "payroll", "1.00"), true},
		"of somebody who is not":   {wire("nobody", "operating", "1.00"), true},
		"of one not yet here":      {wire("bea", "savings", "1.00"), false},
		"what is not an operation": {pdp.Question{Member: "dana", Operation: "wires.send"}, false},
		"what is reached":          {demanding, true},
		"what is not reached":      {early, false},
	} {
		allowed := make([]bool, 1)
		known, ok := s.QuickAll(t.Context(), "first", []pdp.Question{c.question}, allowed)
		if ok != c.quick {
			t.Errorf("%s: quick is %t", name, ok)
		}
		want := decide(t, s, "first", c.question)
		if ok && (allowed[0] != (want.Outcome() == pdp.Allowed) || known != want.Revision) {
			t.Errorf("%s: %t %+v, want %s %+v", name, allowed[0], known, want.Outcome(), want.Revision)
		}
	}
	questions := []pdp.Question{wire("dana", "operating", "1.00"), wire("ana", "operating", "1.00"), wire("dana", "operating", "9999.99")}
	allowed := make([]bool, len(questions))
	quiet := pdp.New(pdptest.Memory(d), usermgmt.DecisionSources(), nil)
	decide(t, quiet, "first", questions[0])
	if n := testing.AllocsPerRun(100, func() { quiet.QuickAll(context.Background(), "first", questions, allowed) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if _, ok := quiet.QuickAll(context.Background(), "first", questions, allowed); !ok || !allowed[0] || allowed[1] || !allowed[2] {
		t.Errorf("answers %v", allowed)
	}
	w.SetStanding("first", "acme", "dana", bank.StatusActive, true)
	if known, ok := quiet.QuickAll(context.Background(), "first", questions, allowed); ok && (allowed[0] || known == now) {
		t.Error("answered from before the change")
	}
}
