package usermgmt_test

import (
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
)

func details(first, last, email string, role bank.Role) usermgmt.Details {
	return usermgmt.Details{FirstName: first, LastName: last, Email: email, Role: role}
}

// What an admin typed is kept for them alone, however wrong it is, and is gone
// once the user is there; whom to copy goes on into the set-up.
func TestDraftIsKeptAndUsed(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		ctx, ana := t.Context(), onlineAs("ana")
		d := usermgmt.Draft{Details: details("Nina", strings.Repeat("x", 60), "not yet", bank.RoleViewer), CopyFrom: id("dana")}
		w.must(w.users.KeepDraft(ctx, ana, acme, d))
		got, found, err := w.users.Draft(ctx, ana, acme)
		if w.must(err); !found || got.Details != d.Details || got.CopyFrom != id("dana") {
			t.Errorf("kept %+v", got)
		}
		if _, found, _ := w.users.Draft(ctx, onlineAs("ben"), acme); found {
			t.Error("somebody else's draft")
		}
		w.wants(w.users.KeepDraft(ctx, onlineAs("dana"), acme, d), fault.Forbidden, "")
		d.LastName = strings.Repeat("x", 300)
		w.wants(w.users.KeepDraft(ctx, ana, acme, d), fault.Invalid, "")

		before := w.sequence()
		made, err := w.users.Create(ctx, ana, acme, details("Nina", "Park", "nina@acme.example", bank.RoleUser))
		w.must(err)
		if _, found, _ := w.users.Draft(ctx, ana, acme); found {
			t.Error("the draft is still there")
		}
		if n := len(w.events(before)); n != 1 {
			t.Errorf("creating left %d events", n)
		}
		nina := usermgmt.Person{Organization: acme, User: made.User}
		setup, err := w.users.Setup(ctx, ana, nina)
		w.must(err)
		if setup.Source == nil || setup.Source.Member.ID != id("dana") || len(setup.Choice.Accounts) != 1 || len(setup.Dropped) != 0 {
			t.Errorf("the set-up is %+v", setup.Choice)
		}
		unfinished, err := w.users.Unfinished(ctx, onlineAs("ben"), usermgmt.Person{Organization: acme})
		if w.must(err); len(unfinished) != 1 || unfinished[0].ID != made.User {
			t.Errorf("unfinished is %+v", unfinished)
		}
		w.must(w.users.EnableAccounts(ctx, ana, setup.Edit))
		p, err := w.users.Profile(ctx, ana, nina)
		w.must(err)
		if p.Enabled() != 1 || p.Member.Settings != w.member("dana").Settings || p.Member.Status != bank.StatusPending {
			t.Errorf("nina has %d accounts and %+v", p.Enabled(), p.Member.Settings)
		}
		if unfinished, _ := w.users.Unfinished(ctx, ana, usermgmt.Person{Organization: acme}); len(unfinished) != 0 {
			t.Errorf("still unfinished: %+v", unfinished)
		}
		w.must(w.users.Invite(ctx, ana, nina))
		if n := len(w.mail.to("nina@acme.example")); n != 1 {
			t.Errorf("%d letters", n)
		}
	})
}

// A set-up by hand begins with the host's defaults and no account; choosing
// enables nothing; without an account it cannot be finished.
func TestSetupBeginsWithTheDefaultsAndNoAccount(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		ctx, ana := t.Context(), onlineAs("ana")
		defaults := entitlement.Settings{On: catalog.SetOf(catalog.TransfersEnabled)}
		w.write(func(tx *db.Tx) error { return usermgmt.SetDefaults(tx, harbor, bank.RoleUser, defaults) })
		made, err := w.users.Create(ctx, ana, acme, details("Omar", "Haddad", "omar@acme.example", bank.RoleUser))
		w.must(err)
		omar := usermgmt.Person{Organization: acme, User: made.User}
		setup, err := w.users.Setup(ctx, ana, omar)
		w.must(err)
		if setup.Profile.Member.Settings != defaults || setup.Profile.Enabled() != 0 || len(setup.Edit.Changes) != 0 {
			t.Errorf("begins with %+v", setup.Profile.Member.Settings)
		}
		w.wants(w.users.EnableAccounts(ctx, ana, setup.Edit), fault.Invalid, "NO_ACCOUNTS")
		w.wants(w.users.Invite(ctx, ana, omar), fault.Conflict, "NO_ACCOUNTS")
		before := w.sequence()
		w.must(w.users.ChooseAccounts(ctx, ana, omar, []bank.AccountID{"acc_tax", "acc_payroll", "acc_tax", "acc_of_others"}))
		if p, _ := w.users.Profile(ctx, ana, omar); p.Enabled() != 0 || len(w.events(before)) != 0 {
			t.Error("choosing enabled something")
		}
		w.must(w.users.ChooseColleague(ctx, ana, omar, id("dana")))
		w.must(w.users.ChooseColleague(ctx, ana, omar, ""))
		setup, err = w.users.Setup(ctx, ana, omar)
		if w.must(err); len(setup.Choice.Accounts) != 1 || setup.Source != nil {
			t.Errorf("chosen is %+v", setup.Choice)
		}
		w.wants(w.users.ChooseColleague(ctx, ana, omar, made.User), fault.Invalid, "")
		w.wants(w.users.ChooseColleague(ctx, ana, omar, "usr_nobody"), fault.NotFound, "")
		w.wants(w.users.ChooseAccounts(ctx, onlineAs("dana"), omar, nil), fault.Forbidden, "")
		w.wants(w.users.ChooseAccounts(ctx, ana, who("dana"), nil), fault.Conflict, "NOT_PENDING")
	})
}

// A colleague who is deleted meanwhile leaves the set-up standing.
func TestSetupOutlivesTheColleague(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		ctx, ana := t.Context(), onlineAs("ana")
		made, err := w.users.Create(ctx, ana, acme, details("Pia", "Ende", "pia@acme.example", bank.RoleUser))
		w.must(err)
		pia := usermgmt.Person{Organization: acme, User: made.User}
		w.must(w.users.ChooseColleague(ctx, ana, pia, id("dana")))
		w.must(w.users.Delete(ctx, ana, who("dana")))
		setup, err := w.users.Setup(ctx, ana, pia)
		if w.must(err); setup.Source != nil || len(setup.Choice.Accounts) != 1 || len(setup.Dropped) != 0 {
			t.Errorf("the set-up is %+v", setup)
		}
		w.must(w.users.EnableAccounts(ctx, ana, setup.Edit))
	})
}

// What a deletion would end is said before.
func TestImpactOfADeletion(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		w.users.WithWork(openWork{}, openWork{})
		w.must(w.signIn("dana"))
		impact, err := w.users.Impact(t.Context(), onlineAs("ana"), who("dana"))
		w.must(err)
		if impact.SignIns != 1 || impact.LastAdmin || impact.Self || len(impact.Open) != 2 || len(impact.Reach) == 0 {
			t.Errorf("dana: %+v", impact)
		}
		w.must(w.users.Hold(t.Context(), onlineAs("ana"), who("ben"), ""))
		impact, err = w.users.Impact(t.Context(), host, who("ana"))
		w.wants(err, fault.Forbidden, "")
		impact, err = w.users.Impact(t.Context(), onlineAs("ana"), who("ana"))
		if w.must(err); !impact.LastAdmin || !impact.Self {
			t.Errorf("ana: %+v", impact)
		}
	})
}

type openWork struct{}

func (openWork) OpenOf(*db.Tx, bank.InstitutionID, bank.OrganizationID, bank.UserID) ([]usermgmt.OpenItem, error) {
	return []usermgmt.OpenItem{{Title: "Wire of $5.00", Ref: "w-1", Account: "acc_operating", Ends: usermgmt.WaitsForSecond}}, nil
}
