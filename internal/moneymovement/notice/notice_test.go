package notice_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/identity"
	"mandate/internal/moneymovement/notice"
)

// people are Dana and Lee, who are active, and Pia, who is not yet.
type people struct{ identity.People }

func (people) Find(_ *db.Tx, who identity.Subject) (identity.Person, error) {
	p := identity.Person{
		Subject: who, OrganizationName: "Northwind", InstitutionName: "Cedar Bank", FirstName: strings.ToUpper(who.ID[:1]) + who.ID[1:],
		Email: who.ID + "@northwind.example", Status: bank.StatusActive,
	}
	switch who.ID {
	case "pia":
		p.Status = bank.StatusPending
	case "gone":
		return p, identity.ErrNoPerson
	}
	return p, nil
}

// bag keeps the mail.
type bag struct{ mails []identity.Mail }

func (b *bag) Queue(_ *db.Tx, m identity.Mail) error {
	b.mails = append(b.mails, m)
	return nil
}
func (b *bag) Cancel(*db.Tx, bank.InstitutionID, string) error { return nil }

func (b *bag) sent() (all []string) {
	for _, m := range b.mails {
		all = append(all, fmt.Sprintf("%s: %s", m.To, m.Subject))
	}
	return all
}

func TestNoticesGoToThoseWhoCanRead(t *testing.T) {
	d := dbtest.SQLite(t)
	box := &bag{}
	s := notice.New(box, people{})
	item := approval.Item{ID: "apr_1", Institution: "cedar", Title: "Wire of $500.00", Initiator: approval.Somebody{ID: "dana", Name: "Dana"}, By: approval.Somebody{ID: "lee", Name: "Lee"}}
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		if err := s.Asked(tx, item, []bank.UserID{"lee", "lee", "pia", "gone", ""}); err != nil {
			return err
		}
		for _, state := range []approval.State{approval.Approved, approval.Rejected, approval.Expired} {
			item.State = state
			if err := s.Decided(tx, item, []bank.UserID{"dana", "lee"}); err != nil {
				return err
			}
		}
		return s.Tell(tx, "cedar", []bank.UserID{"dana"}, "k", "p", "Subject", "Line.")
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"lee@northwind.example: Waiting for your approval at Northwind", "dana@northwind.example: Approved at Northwind",
		"dana@northwind.example: Rejected at Northwind", "dana@northwind.example: Nobody approved in time at Northwind", "dana@northwind.example: Subject at Northwind",
	}
	if got := box.sent(); !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
	keys := map[string]bool{}
	for _, m := range box.mails {
		if keys[m.Key] || strings.Contains(strings.Join(m.Lines, " ")+m.Subject, "$") {
			t.Errorf("the mail %q repeats a key or names an amount: %q", m.Key, m.Lines)
		}
		keys[m.Key] = true
	}
	if asked := box.mails[0]; asked.Page != "/cedar/approvals/apr_1" || asked.Button == "" {
		t.Errorf("the mail to an approver leads to %q", asked.Page)
	}
}
