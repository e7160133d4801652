package staff_test

import (
	"errors"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/scim"
	"mandate/internal/staff"
)

func harborID() identity.Provider {
	return identity.Provider{Issuer: "https://id.harbor.example", ClientID: "mandate", Label: "Harbor ID"}
}

// connect has the operator connect Harbor's own provider.
func (w *world) connect() {
	w.t.Helper()
	w.must(w.s.SetProvider(w.t.Context(), operator, 0, harborID(), "a secret of Harbor ID"))
}

// complains insists that a field is found wrong.
func (w *world) complains(err error, field string) {
	w.t.Helper()
	for _, p := range fault.ProblemsOf(err) {
		if p.Field == field {
			return
		}
	}
	w.t.Errorf("nothing about %s: %v", field, err)
}

// permit makes a group permit exactly this.
func (w *world) permit(group string, permissions ...catalog.StaffPermission) error {
	w.t.Helper()
	g := w.draft(group)
	g.Permissions = catalog.StaffSetOf(permissions...)
	return w.s.EditGroup(w.t.Context(), operator, g.ID, g.Version, g.Draft)
}

// Where there is no provider outside, signing in takes no right. Connecting one
// takes nothing from anybody; after that each group decides.
func TestSigningInTakesARightWhereThereIsAProvider(t *testing.T) {
	each(t, func(w *world) {
		w.group("No Permissions")
		w.group("Tellers", catalog.PeopleViewAll)
		w.add("ada", "No Permissions")
		w.add("ben", "Tellers")
		w.as("ada")
		w.connect()
		w.as("ada")
		ben := w.as("ben")
		if got := w.history(staff.EventProviderChanged, staff.EventGroupChanged); got != "group.changed No Permissions; group.changed Tellers; institution.provider_changed Harbor Bank" {
			t.Errorf("the history says %s", got)
		}

		w.must(w.permit("Tellers", catalog.PeopleViewAll, catalog.StaffSignInOutside))
		if _, err := w.try("ben", password); !errors.Is(err, identity.ErrBarredHere) {
			t.Errorf("only outside: %v", err)
		}
		if _, err := w.try("ben", "not the password of ben"); !errors.Is(err, identity.ErrSignIn) {
			t.Errorf("a wrong password tells of rights: %v", err)
		}
		if _, err := w.s.Standing(t.Context(), ben); err != nil {
			t.Fatal(err)
		}
		w.must(w.permit("Tellers", catalog.PeopleViewAll))
		if _, err := w.try("ben", password); !errors.Is(err, identity.ErrBarred) {
			t.Errorf("no way: %v", err)
		}
		w.must(w.permit("No Permissions", catalog.StaffSignInHere))
		p := w.user("ben")
		w.must(w.s.SetGroups(t.Context(), operator, w.users["ben"], p.User.Version, w.ids("Tellers", "No Permissions")))
		w.as("ben")
		if got := w.history("auth.signin_failed"); got != "auth.signin_failed Ben Harbor (NOT_PERMITTED); auth.signin_failed Ben Harbor (WRONG_PASSWORD); auth.signin_failed Ben Harbor (NOT_PERMITTED)" {
			t.Errorf("the history says %s", got)
		}

		w.must(w.permit("No Permissions"))
		w.must(w.s.RemoveProvider(t.Context(), operator))
		w.as("ben")
		w.as("ada")
	})
}

// A sign-in ends with the right to have come in that way, at the next request.
func TestASignInEndsWithItsRight(t *testing.T) {
	each(t, func(w *world) {
		w.group("Tellers", catalog.PeopleViewAll)
		w.add("ben", "Tellers")
		w.connect()
		g, err := w.try("ben", password)
		w.must(err)
		look := func() error {
			_, err := w.identity.Session(t.Context(), harbor, g.Token, from)
			return err
		}
		w.must(look())
		w.must(w.permit("Tellers", catalog.PeopleViewAll, catalog.StaffSignInOutside))
		if err := look(); !errors.Is(err, identity.ErrSignedOut) {
			t.Errorf("still signed in: %v", err)
		}
	})
}

// Nobody gives a right to sign in that they do not hold, and the last
// administrator who may sign in here stays one: a provider can fail.
func TestRightsToSignInAreGivenLikeOthers(t *testing.T) {
	each(t, func(w *world) {
		w.group("Admins", catalog.StaffUsersInvite, catalog.StaffUsersAssignGroups, catalog.StaffGroupsCreate, catalog.StaffGroupsEdit)
		w.add("ada", "Admins")
		w.group("Makers", catalog.StaffGroupsCreate)
		w.add("ben", "Makers")
		w.connect()
		ben := w.as("ben")
		err := w.proving(ben, func() error {
			_, err := w.s.CreateGroup(t.Context(), ben, staff.Draft{Name: "Outside", Permissions: catalog.StaffSetOf(catalog.StaffSignInOutside)})
			return err
		})
		w.refused(err, "ABOVE_OWN")
		err = w.proving(ben, func() error {
			_, err := w.s.CreateGroup(t.Context(), ben, staff.Draft{Name: "Here", Permissions: catalog.StaffSetOf(catalog.StaffSignInHere)})
			return err
		})
		w.must(err)
		w.must(w.permit("Admins", catalog.StaffUsersInvite, catalog.StaffUsersAssignGroups, catalog.StaffGroupsCreate, catalog.StaffGroupsEdit, catalog.StaffSignInOutside))
		everything := w.draft("everything").Draft.Permissions
		var kept []catalog.StaffPermission
		for p := range everything.All() {
			if p != catalog.StaffSignInHere {
				kept = append(kept, p)
			}
		}
		w.refused(w.permit("everything", kept...), "LAST_ADMINISTRATOR")
	})
}

// A directory brings people into groups that let them sign in, whatever was held
// by whoever connected it before signing in took a right.
func TestADirectoryBringsPeopleWhoSignIn(t *testing.T) {
	each(t, func(w *world) {
		w.group("No Permissions")
		rooms := staff.NewProvisioning(w.s, scim.Keys{})
		d, _, err := rooms.Connect(t.Context(), operator, staff.DirectoryDraft{Name: "Directory", Home: w.groups["No Permissions"]})
		w.must(err)
		w.connect()
		caller := bank.Caller{Kind: bank.ActorClient, ID: string(d.Client), Institution: harbor, Channel: bank.ChannelAPI}
		a, err := rooms.CreateAccount(t.Context(), caller, staff.Wish{Email: address("cleo"), Active: true})
		w.must(err)
		w.users["cleo"] = a.ID
		w.join("cleo")
		_, err = rooms.ChangeAccount(t.Context(), caller, a.ID, func(a staff.Account) (staff.Wish, error) {
			wish := a.Wish()
			wish.Active = false
			return wish, nil
		})
		w.must(err)
	})
}

// What a provider must say of itself, each field by itself and all at once. Its
// secret goes to no other issuer.
func TestAProviderIsChecked(t *testing.T) {
	each(t, func(w *world) {
		err := w.s.SetProvider(t.Context(), operator, 0, identity.Provider{Issuer: "http://id.harbor.example", SubjectClaim: "s u b"}, "")
		for _, field := range []string{"issuer", "client_id", "label", "subject_claim", "secret"} {
			w.complains(err, field)
		}
		w.connect()
		w.refused(w.s.SetProvider(t.Context(), operator, 0, harborID(), "another"), "STALE")
		moved := harborID()
		moved.Issuer = "https://id.elsewhere.example"
		w.complains(w.s.SetProvider(t.Context(), operator, 1, moved, ""), "secret")
		renamed := harborID()
		renamed.Label = "Harbor sign-in"
		w.must(w.s.SetProvider(t.Context(), operator, 1, renamed, ""))
		p, err := w.s.Provider(t.Context(), operator)
		w.must(err)
		if p.Label != "Harbor sign-in" || p.Version != 2 || p.SubjectClaim != "sub" || p.EmailClaim != "email" {
			t.Errorf("it is %+v", p)
		}
		w.group("Tellers", catalog.PeopleViewAll, catalog.StaffSignInHere)
		w.add("ben", "Tellers")
		if err := w.s.SetProvider(t.Context(), w.as("ben"), 2, harborID(), "x"); err == nil {
			t.Error("anybody changes the provider")
		}
	})
}
