package hosttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// A Clearing is how the suite makes items come in. A host that is to pass it
// offers this besides what rooms use.
type Clearing interface {
	Present(ctx context.Context, institution bank.InstitutionID, p host.Presented, front, back []byte) (item string, err error)
}

func present(t *testing.T, h host.Connector, p host.Presented, pictures ...[]byte) string {
	t.Helper()
	p.Day = "2026-03-02"
	pictures = append(pictures, nil, nil)
	item, err := h.(Clearing).Present(t.Context(), Institution, p, pictures[0], pictures[1])
	if err != nil {
		t.Fatalf("Present(%+v): %v", p, err)
	}
	return item
}

func check(number int64, cents bank.Cents, payee string) host.Presented {
	return host.Presented{Account: Operating, Kind: host.CheckItem, Number: number, Cents: cents, Payee: payee}
}

// underPositivePay enrols Operating and issues checks 1001 to 1004.
func underPositivePay(t *testing.T, h host.Connector) {
	t.Helper()
	issued := order("issued")
	issued.Issued = &host.Issued{Account: Operating, Checks: []host.IssuedCheck{
		{Number: 1001, Cents: 100_00, Payee: "Harbor Supplies"}, {Number: 1002, Cents: 50_00}, {Number: 1003, Cents: 60_00}, {Number: 1003, Void: true}, {Number: 1004, Cents: 2_000_00},
	}}
	early := issued
	early.Ref = "early"
	if r := carry(t, h, early); r.Refused != host.NotEnrolled || r.Account != Operating {
		t.Fatalf("checks of an account that is not enrolled: %+v", r)
	}
	enrol := order("enrol")
	enrol.Enrol = &host.Enrolment{Account: Operating, On: true}
	for _, o := range []host.Order{enrol, issued} {
		if r := carry(t, h, o); !r.Done() {
			t.Fatalf("%s: %+v", o.Ref, r)
		}
	}
	foreign := order("foreign")
	foreign.Enrol = &host.Enrolment{Account: Foreign, On: true}
	if r := carry(t, h, foreign); r.Refused != host.UnknownAccount {
		t.Errorf("another organization's account was enrolled: %+v", r)
	}
}

func ruling(ref, item string, pay bool) host.Order {
	o := order(ref)
	o.Ruling = &host.Ruling{Item: item, Pay: pay, Reason: "test"}
	return o
}

// What fits is paid, what does not waits, and a ruling ends the waiting once.
func positivePay(t *testing.T, h host.Connector) {
	underPositivePay(t, h)
	front := []byte("the front")
	present(t, h, check(1001, 100_00, "HARBOR SUPPLIES"), front)
	present(t, h, check(1001, 100_00, ""))
	wrong := present(t, h, check(1002, 55_00, ""), front, []byte("the back"))
	present(t, h, check(1003, 60_00, ""))
	present(t, h, check(1004, 2_000_00, ""))
	unknown := present(t, h, check(7, 1_00, ""))
	ach := present(t, h, host.Presented{Account: Operating, Kind: host.ACHItem, Cents: 30_00, Company: "Gym", CompanyID: "1234567890", Class: "PPD"})
	Want(t, h, Operating, 900_00, 900_00)

	all, err := h.Presented(t.Context(), Institution, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range all {
		got = append(got, strings.Join(strings.Fields(fmt.Sprint(p.Number, " ", p.Mismatch, " ", p.Outcome)), " "))
	}
	want := []string{"1001 paid", "1001 PAID_BEFORE waiting", "1002 WRONG_AMOUNT waiting", "1003 VOID waiting", "1004 returned", "7 NOT_ISSUED waiting", "0 NOT_AUTHORIZED waiting"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("presented %q, want %q", got, want)
	}
	if rest, err := h.Presented(t.Context(), Institution, all[4].Mark, 1); err != nil || len(rest) != 1 || rest[0].Item != unknown {
		t.Errorf("after the fifth: %+v, %v", rest, err)
	}
	if !slices.Equal(all[2].Sides, []host.Side{host.Front, host.Back}) || len(all[6].Sides) != 0 || all[6].Company != "Gym" || all[2].Organization != Organization {
		t.Errorf("the items are %+v and %+v", all[2], all[6])
	}
	if picture, err := h.Image(t.Context(), Institution, wrong, host.Back); err != nil || string(picture) != "the back" {
		t.Errorf("the picture is %q, %v", picture, err)
	}
	for _, item := range []string{unknown, "nonsense"} {
		if _, err := h.Image(t.Context(), Institution, item, host.Front); !errors.Is(err, host.ErrNoImage) {
			t.Errorf("a picture of %s: %v", item, err)
		}
	}
	theirs := ruling("theirs", wrong, true)
	theirs.Organization = "org_other"
	if r := carry(t, h, theirs); r.Refused != host.UnknownItem {
		t.Errorf("another organization ruled: %+v", r)
	}
	if r := carry(t, h, ruling("1", wrong, true)); !r.Done() {
		t.Errorf("pay: %+v", r)
	}
	Want(t, h, Operating, 845_00, 845_00)
	for ref, item := range map[string]string{"2": wrong, "3": "nonsense"} {
		if r := carry(t, h, ruling(ref, item, false)); r.Refused != host.UnknownItem {
			t.Errorf("rule on %s again: %+v", item, r)
		}
	}
	carry(t, h, order("drain", host.Move(Operating, Payroll, 844_00)...))
	if r := carry(t, h, ruling("4", ach, true)); r.Refused != host.NotCovered || r.Account != Operating {
		t.Errorf("pay without money: %+v", r)
	}
	if r := carry(t, h, ruling("5", ach, false)); !r.Done() {
		t.Errorf("return it then: %+v", r)
	}
	Want(t, h, Operating, 1_00, 1_00)
}

// Of several rulings on one item, one counts.
func raceRulings(t *testing.T, h host.Connector) {
	underPositivePay(t, h)
	item := present(t, h, check(7, 10_00, ""))
	var mu sync.Mutex
	var wg sync.WaitGroup
	done := 0
	for i := range 6 {
		wg.Go(func() {
			r, err := h.Carry(t.Context(), ruling(fmt.Sprint(i), item, true))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			} else if r.Done() {
				done++
			}
		})
	}
	wg.Wait()
	if done != 1 {
		t.Errorf("%d rulings counted, want 1", done)
	}
	Want(t, h, Operating, 990_00, 990_00)
}
