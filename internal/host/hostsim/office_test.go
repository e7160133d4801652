package hostsim_test

import (
	"errors"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
)

func codeOf(err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return ""
	}
	return f.Code
}

// A link to Classic can be looked at as often as anybody likes, works for seven
// days, and only the newest does.
func TestInvitations(t *testing.T) {
	eachBank(t, func(t *testing.T, b *hostsim.Bank, clock *dbtest.Clock) {
		ctx := t.Context()
		n := dana()
		n.Accounts = nil
		u := must[host.User](t)(b.Create(ctx, cedar, staff, n))
		if _, err := b.Invite(ctx, cedar, staff, u.Ref); codeOf(err) != "NO_ACCOUNT" {
			t.Errorf("invited without an account: %v", err)
		}
		u = must[host.User](t)(b.SetRights(ctx, cedar, staff, u.Ref, u.Version, hostsim.Rights{Accounts: map[host.Ref]map[string]string{"acc_operating": {}}}))
		first := must[hostsim.Invitation](t)(b.Invite(ctx, cedar, staff, u.Ref))
		for range 3 {
			if i, err := b.InvitationOf(ctx, cedar, first.Token); err != nil || i.User.Ref != u.Ref || i.AskedBy != staff.Name {
				t.Fatalf("looked at: %+v, %v", i, err)
			}
		}
		second := must[hostsim.Invitation](t)(b.Invite(ctx, cedar, staff, u.Ref))
		for name, token := range map[string]string{"older": first.Token, "unknown": "nothing", "none": ""} {
			if _, err := b.InvitationOf(ctx, cedar, token); !errors.Is(err, hostsim.ErrInvitationExpired) {
				t.Errorf("%s link: %v", name, err)
			}
		}
		clock.Advance(7*24*time.Hour - time.Second)
		if _, err := b.InvitationOf(ctx, cedar, second.Token); err != nil {
			t.Errorf("a second before its end: %v", err)
		}
		clock.Advance(time.Second)
		if _, err := b.InvitationOf(ctx, cedar, second.Token); !errors.Is(err, hostsim.ErrInvitationExpired) {
			t.Errorf("at its end: %v", err)
		}
		third := must[hostsim.Invitation](t)(b.Invite(ctx, cedar, staff, u.Ref))
		if err := errors.Join(b.CompleteInvitation(ctx, cedar, third.Token), b.CompleteInvitation(ctx, cedar, third.Token)); err != nil {
			t.Fatal(err)
		}
		if _, err := b.InvitationOf(ctx, cedar, third.Token); !errors.Is(err, hostsim.ErrInvitationUsed) {
			t.Errorf("used: %v", err)
		}
		if last, invited, err := b.LastInvitation(ctx, cedar, u.Ref); err != nil || !invited || last.State != hostsim.InvitationCompleted {
			t.Errorf("the last is %+v, %v, %v", last, invited, err)
		}
		must[host.User](t)(b.SetStatus(ctx, cedar, staff, u.Ref, u.Version, bank.StatusActive))
		if _, err := b.Invite(ctx, cedar, staff, u.Ref); codeOf(err) != "NOT_PENDING" {
			t.Errorf("invited when active: %v", err)
		}
	})
}

// Nobody but an admin of the organization invites in Classic.
func TestInvitesInClassic(t *testing.T) {
	eachBank(t, func(t *testing.T, b *hostsim.Bank, _ *dbtest.Clock) {
		ctx := t.Context()
		n := dana()
		u := must[host.User](t)(b.Create(ctx, cedar, staff, n))
		n.Email, n.Role = "ana@northwind.example", bank.RoleAdmin
		ana := must[host.User](t)(b.Create(ctx, cedar, staff, n))
		by := hostsim.By{Channel: host.Classic, Name: "Ana", User: ana.Ref}
		if _, err := b.Invite(ctx, cedar, by, u.Ref); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a pending admin invited: %v", err)
		}
		must[host.User](t)(b.SetStatus(ctx, cedar, staff, ana.Ref, ana.Version, bank.StatusActive))
		must[hostsim.Invitation](t)(b.Invite(ctx, cedar, by, u.Ref))
	})
}

func TestClerks(t *testing.T) {
	eachBank(t, func(t *testing.T, b *hostsim.Bank, clock *dbtest.Clock) {
		ctx := t.Context()
		kim := hostsim.Clerk{Subject: "stf_kim", SignIn: "sin_1", Name: "Kim Park", Email: "kim@bank.example", Permissions: []string{"one", "two"}}
		open := func() string { return must[string](t)(b.OpenClerk(ctx, cedar, kim)) }
		in := func(token string) bool {
			c, err := b.ClerkOf(ctx, cedar, token)
			if err != nil && !errors.Is(err, hostsim.ErrNoClerk) {
				t.Fatal(err)
			}
			return err == nil && c.Name == kim.Name && len(c.Permissions) == 2
		}
		token := open()
		if !in(token) || in("other") || in("") {
			t.Error("a token does not tell who is signed in")
		}
		if _, err := b.ClerkOf(ctx, "another", token); !errors.Is(err, hostsim.ErrNoClerk) {
			t.Errorf("at another institution: %v", err)
		}
		for name, end := range map[string]func(token string) error{
			"signed out":             func(token string) error { return b.EndClerk(ctx, cedar, token) },
			"ended at the provider":  func(string) error { return b.EndClerks(ctx, cedar, "stf_kim", "sin_1") },
			"ended everywhere there": func(string) error { return b.EndClerks(ctx, cedar, "stf_kim", "") },
			"after eight hours":      func(string) error { clock.Advance(8 * time.Hour); return nil },
		} {
			token := open()
			if err := errors.Join(b.EndClerks(ctx, cedar, "stf_other", ""), b.EndClerks(ctx, cedar, "stf_kim", "sin_2")); err != nil || !in(token) {
				t.Errorf("%s: another's end ended this one: %v", name, err)
			}
			if err := end(token); err != nil || in(token) {
				t.Errorf("%s: still in (%v)", name, err)
			}
		}
	})
}

func TestSearchesOrganizations(t *testing.T) {
	eachBank(t, func(t *testing.T, b *hostsim.Bank, _ *dbtest.Clock) {
		ctx := t.Context()
		if err := b.PutOrganization(ctx, cedar, staff, "200", "Juniper & Sons"); err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]int{"JUNIPER": 1, "20": 1, "": 3, "nowhere": 0, "%": 0} {
			if all := must[[]host.Organization](t)(b.SearchOrganizations(ctx, cedar, text, "", 10)); len(all) != want {
				t.Errorf("%q finds %v, want %d", text, all, want)
			}
		}
		if all := must[[]host.Organization](t)(b.SearchOrganizations(ctx, cedar, "", "200", 1)); len(all) != 1 {
			t.Errorf("a page after the first: %v", all)
		}
	})
}
