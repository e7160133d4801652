package usermgmt_test

import (
	"fmt"
	"slices"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
)

// finds are the names that staff find.
func (w *world) finds(q usermgmt.CustomerQuery) []string {
	w.t.Helper()
	page, err := w.users.Customers(w.t.Context(), people, q)
	if err != nil {
		w.t.Fatal(err)
	}
	names := []string{}
	for _, c := range page.Customers {
		names = append(names, c.Name())
	}
	return names
}

// The search keeps what it looks through in memory and must see every change at
// once, whoever made it.
func TestTheSearchSeesEveryChange(t *testing.T) {
	each(t, func(w *world) {
		t, ctx := w.t, w.t.Context()
		find := func(search string, want ...string) {
			t.Helper()
			if got := w.finds(usermgmt.CustomerQuery{Search: search}); !slices.Equal(got, append([]string{}, want...)) {
				t.Errorf("%q finds %v, want %v", search, got, want)
			}
		}
		locked, active := bank.StatusLocked, bank.StatusActive
		stands := func(q usermgmt.CustomerQuery, want int) {
			t.Helper()
			q.Search = "dana"
			if got := w.finds(q); len(got) != want {
				t.Errorf("%+v finds %v, want %d", q, got, want)
			}
		}
		find("", "Acme Tools")
		w.add("ana", bank.RoleAdmin, bank.StatusActive, manages, "operating")
		w.add("dana", bank.RoleUser, bank.StatusActive, sendsWires(), "operating")
		find("", "Acme Tools", "Ana Test", "Dana Test")
		find("AN te", "Ana Test", "Dana Test")
		find("ana@", "Ana Test", "Dana Test")
		find("dana@acme", "Dana Test")
		find("nobody")
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(describeError(err))
			}
		}
		must(w.profileEdit(onlineAs("ana"), "dana", func(d *usermgmt.Details) { d.LastName, d.Email = "Okonkwo", "dok@acme.example" }))
		find("okon", "Dana Okonkwo")
		find("dok@", "Dana Okonkwo")
		find("dana@acme")
		stands(usermgmt.CustomerQuery{Held: true}, 0)
		must(w.users.Hold(ctx, onlineAs("ana"), who("dana"), ""))
		stands(usermgmt.CustomerQuery{Held: true}, 1)
		must(w.users.Release(ctx, onlineAs("ana"), who("dana")))
		stands(usermgmt.CustomerQuery{Held: true}, 0)
		stands(usermgmt.CustomerQuery{Status: &locked}, 0)
		w.write(func(tx *db.Tx) error {
			return usermgmt.People{}.SetStatus(tx, identity.Member(harbor, id("dana")), bank.StatusLocked)
		})
		stands(usermgmt.CustomerQuery{Status: &locked}, 1)
		must(w.users.Unlock(ctx, onlineAs("ana"), who("dana")))
		stands(usermgmt.CustomerQuery{Status: &active}, 1)
		w.write(func(tx *db.Tx) error {
			return usermgmt.People{}.SetUsername(tx, identity.Member(harbor, id("dana")), "Treasurer1", "treasurer1")
		})
		find("surer1", "Dana Okonkwo")
		must(w.users.Delete(ctx, onlineAs("ana"), who("dana")))
		find("dana")
		created, err := w.users.Create(ctx, onlineAs("ana"), acme, usermgmt.Details{FirstName: "Noor", LastName: "Hale", Email: "noor@acme.example"})
		must(err)
		find("hale", "Noor Hale")
		if created.User == "" {
			t.Error("nobody was created")
		}
	})
}

// A search counts and pages as far as it says, in order, whatever was found first.
func TestASearchEndsSomewhere(t *testing.T) {
	each(t, func(w *world) {
		var want []string
		w.write(func(tx *db.Tx) error {
			for n := range 90 {
				o := usermgmt.Organization{Institution: harbor, ID: bank.OrganizationID(fmt.Sprintf("org_%03d", n)), ExternalID: fmt.Sprint(5000 - n), Name: fmt.Sprintf("Firm %03d", 90-n)}
				if err := usermgmt.InsertOrganization(tx, &o); err != nil {
					return err
				}
				for k := range 12 {
					m := usermgmt.Member{ID: bank.UserID(fmt.Sprintf("usr_%03d_%02d", n, k)), FirstName: fmt.Sprintf("P%04d", (n*7919+k*104729)%10000), LastName: "Person"}
					want = append(want, m.Name())
					if err := usermgmt.InsertMember(tx, harbor, o.Num, &m); err != nil {
						return err
					}
				}
			}
			return nil
		})
		page, err := w.users.Customers(w.t.Context(), people, usermgmt.CustomerQuery{Search: "person", Page: 99, Size: 100})
		if err != nil || page.Matching != usermgmt.MaxCustomers || !page.More || page.Page != 10 || len(page.Customers) != 100 {
			w.t.Fatalf("the last page: %d of %d, more: %v, page %d, %v", len(page.Customers), page.Matching, page.More, page.Page, err)
		}
		names := w.finds(usermgmt.CustomerQuery{Search: "person", Size: 200})
		slices.Sort(want)
		if !slices.Equal(names, want[:200]) {
			w.t.Errorf("the first page is not what comes first: %v, want %v", names[:5], want[:5])
		}
		if got := w.finds(usermgmt.CustomerQuery{Search: "4999 person"}); len(got) != 12 {
			w.t.Errorf("the members of a customer number: %d", len(got))
		}
		if got := w.finds(usermgmt.CustomerQuery{Search: "4999"}); len(got) != 13 {
			w.t.Errorf("a customer number: %d", len(got))
		}
	})
}
