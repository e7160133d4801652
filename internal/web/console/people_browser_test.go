package console_test

import (
	"fmt"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

// From the search to a member, who is unlocked and helped, and whose entitlements
// are switched; every screen is looked at.
func TestPeopleInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, w *world, p colleague) {
		w.customer().support()
		p.signIn("sam")
		p.open("/cedar/people?kind=member")
		p.Fill("Keep this filter as", "Only people")
		p.Set("Begin with it", true)
		p.Click("Keep filter")
		p.See("The filter “Only people” was kept")
		p.open("/cedar/people")
		p.See("Begins with it")
		p.look("people")
		p.open("/cedar/people?q=lee")
		p.Click("Lee Tran")
		p.See("Lee Tran's account access is locked due to multiple incorrect login attempts.")
		p.look("people-member-locked")
		p.Click("Unlock")
		p.See("User successfully unlocked")
		p.look("people-unlocked")
		if got := w.member("lee").Status; got != bank.StatusActive {
			t.Errorf("after Unlock: %v", got)
		}
		p.open(atIngrid)
		p.See("Only an admin at their organization can remove the hold on their account.")
		p.look("people-member-held")
		p.open(atDana + "/permissions")
		p.look("people-permissions")
		p.Within("Wires").Set("Enabled", false)
		p.Click("Review changes")
		p.See("Dana Reyes may no longer send a wire")
		p.look("people-permissions-review")
		p.Click("Save changes")
		p.See("Permissions saved")
		p.open(atDana + "/name")
		p.Fill("Preferred name", "Danny")
		p.look("people-name")
		p.Click("Save")
		p.See("Preferred name saved")
		p.open(atDana + "/cases")
		p.Fill("What is it about?", "Cannot send wires")
		p.Click("Open case")
		p.See("Case #1 was opened")
		p.look("people-cases")
		p.open(atDana + "/security")
		p.look("people-security")
		p.open(atNorthwind)
		p.look("people-organization")
		p.open(atNorthwind + "/permissions")
		p.look("people-organization-permissions")
		p.asksWhoMay()
	})
}

// asksWhoMay goes from an organization to who may do something there, page by page,
// to what one of them may do, and to what that was yesterday.
func (p colleague) asksWhoMay() {
	w := p.w
	w.many(60)
	w.t.Cleanup(usermgmt.KeepPast(w.d))
	w.must(usermgmt.KeepPastFromNow(w.t.Context(), w.d, nil))
	place, err := time.LoadLocation("America/New_York")
	w.must(err)
	yesterday := w.clock.Now().Add(time.Minute).In(place)
	w.clock.Advance(24 * time.Hour)
	p.signIn("sam")
	p.open(atNorthwind)
	p.Click("Who may do what")
	p.Choose("What", "Send a wire")
	p.Choose("Account", "Operating ••0440")
	if !p.scripts {
		p.Click("Search")
	}
	p.See("61 of 65 people may send a wire")
	p.Click("Next")
	p.See("51–61 of 61")
	p.look("who-may")
	p.Click("Pat Page60")
	p.See("What they may do")
	p.See("Send a wire")
	p.Fill("As of", yesterday.Format("01022006\t0304PM"))
	p.Click("Show")
	p.See("This is the past")
	p.See("Send a wire")
	p.look("may-past")
	p.Click("Show now")
	p.NotSee("This is the past")
	p.open(atNorthwind + "/who-may")
	p.Click("Alone today")
	p.See("All together")
}

// many are so many more people at Northwind, who send wires.
func (w *world) many(more int) {
	w.t.Helper()
	w.must(w.d.Write(w.t.Context(), func(tx *db.Tx) error {
		o, err := usermgmt.FindOrganization(tx, cedar, northwind)
		if err != nil {
			return err
		}
		for i := range more {
			m := usermgmt.Member{ID: bank.UserID(fmt.Sprintf("usr_page%02d", i+1)), FirstName: "Pat", LastName: fmt.Sprintf("Page%02d", i+1), Email: fmt.Sprintf("page%d@northwind.example", i+1), Status: bank.StatusActive, Settings: sendsWires}
			if err := usermgmt.InsertMember(tx, cedar, o.Num, &m); err != nil {
				return err
			}
			here := entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess, catalog.WiresWork, catalog.WiresTransmit)}
			if err := usermgmt.SetMemberAccount(tx, o.Num, m.Ordinal, 1, here); err != nil {
				return err
			}
		}
		return nil
	}))
}
