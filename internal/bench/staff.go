package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/identity"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
)

// How large the institution's own side is, and how it is made.
const (
	benchStaff     = 10_000
	benchGroups    = 1_000
	benchAtOnce    = 200
	benchEachIn    = 3 // groups of everybody, beside the one that all are in
	benchAdmin     = "admin@bench.example"
	benchPassword  = "correct horse battery staple"
	benchEverybody = "Everybody"
)

// staffScreens measures Users & Groups of an institution with 10,000 staff users
// in 1,000 groups, as an administrator sees it.
func (b *screens) staffScreens(ctx context.Context, table io.Writer, rounds int) error {
	const id = bank.InstitutionID("bench-staff")
	everybody, somebody, err := b.hire(ctx, id)
	if err != nil {
		return fmt.Errorf("make the staff: %w", err)
	}
	if b.handler, err = b.app.ConsoleHandler(); err != nil {
		return err
	}
	browser, err := b.signInStaff(ctx, id)
	if err != nil {
		return err
	}
	base := "/" + string(id)
	review := url.Values{"version": {"1"}, "name": {benchEverybody}, "permission.people.view_all": {"on"}, "permission.cms.pages.edit": {"on"}}
	if err := browser.token(base+"/groups/new", review); err != nil {
		return err
	}
	for _, page := range []struct {
		name, path string
		form       url.Values
	}{
		{"staff users", base + "/users", nil},
		{"staff users, searched", base + "/users?q=person77", nil},
		{"staff users, of one group", base + "/users?group=" + string(everybody), nil},
		{"staff users, last page", base + "/users?page=200", nil},
		{"staff user's permissions", base + "/users/" + string(somebody), nil},
		{"staff user's groups", base + "/users/" + string(somebody) + "/groups", nil},
		{"invite staff users", base + "/users/invite", nil},
		{"groups", base + "/groups", nil},
		{"groups, searched", base + "/groups?q=77", nil},
		{"group of everybody", base + "/groups/" + string(everybody), nil},
		{"review of a group of everybody", base + "/groups/" + string(everybody) + "/review", review},
	} {
		times, err := browser.measureForm(page.path, page.form, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", page.name, err)
		}
		fmt.Fprintf(table, "%s\t%d staff, %d groups\t%s\t%s\t%s\t%d%%\t\n", page.name, benchStaff, benchGroups,
			round(percentile(times, 50)), round(percentile(times, 95)), round(percentile(times, 99)), percentile(times, 95)*100/goal)
	}
	return nil
}

// hire makes the institution, its groups and its staff.
func (b *screens) hire(ctx context.Context, id bank.InstitutionID) (everybody bank.GroupID, somebody bank.StaffID, err error) {
	err = b.app.DB.Write(ctx, func(tx *db.Tx) error {
		return usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: id, Name: "Bench Bank", TimeZone: "America/Chicago"})
	})
	if err != nil {
		return "", "", err
	}
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: id, Channel: bank.ChannelCommand}
	if _, err := b.app.Staff.InviteAdministrator(ctx, operator, benchAdmin); err != nil {
		return "", "", err
	}
	var groups []bank.GroupID
	for i := range benchGroups - 1 {
		d := staff.Draft{Name: fmt.Sprintf("Group %03d", i), Permissions: catalog.StaffSetOf(catalog.CMSPagesEdit + catalog.StaffPermission(i%6))}
		if i == 0 {
			d = staff.Draft{Name: benchEverybody, Permissions: catalog.StaffSetOf(catalog.PeopleViewAll)}
		}
		group, err := b.app.Staff.CreateGroup(ctx, operator, d)
		if err != nil {
			return "", "", err
		}
		groups = append(groups, group)
	}
	for i := 0; i < benchStaff-1; i += benchAtOnce {
		in := staff.Invitation{Groups: []bank.GroupID{groups[0]}}
		for k := range benchEachIn {
			in.Groups = append(in.Groups, groups[1+(i/benchAtOnce*benchEachIn+k)%(len(groups)-1)])
		}
		for n := i; n < min(i+benchAtOnce, benchStaff-1); n++ {
			in.Emails = append(in.Emails, fmt.Sprintf("person%05d@bench.example", n))
		}
		outcomes, err := b.app.Staff.Invite(ctx, operator, in)
		if err != nil {
			return "", "", err
		}
		if err := b.activate(ctx, id, outcomes); err != nil {
			return "", "", err
		}
		somebody = outcomes[0].User
	}
	return groups[0], somebody, nil
}

func (b *screens) activate(ctx context.Context, id bank.InstitutionID, outcomes []staff.Outcome) error {
	return b.app.DB.Write(ctx, func(tx *db.Tx) error {
		for _, o := range outcomes {
			if err := (staff.People{}).SetStatus(tx, identity.Staff(id, o.User), bank.StatusActive); err != nil {
				return err
			}
		}
		return nil
	})
}

// signInStaff gives the administrator a password and signs them in.
func (b *screens) signInStaff(ctx context.Context, id bank.InstitutionID) (*browser, error) {
	hash, err := b.app.Identity.Hash(ctx, benchPassword)
	if err != nil {
		return nil, err
	}
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: id, Channel: bank.ChannelCommand}
	page, err := b.app.Staff.Users(ctx, operator, staff.Query{Search: benchAdmin})
	if err != nil || len(page.Users) != 1 {
		return nil, fmt.Errorf("find the administrator: %d found, %w", len(page.Users), err)
	}
	admin := page.Users[0].User
	err = b.app.DB.Write(ctx, func(tx *db.Tx) error {
		return b.app.Identity.PutCredential(tx, identity.Staff(id, admin.ID), benchAdmin, hash)
	})
	if err != nil {
		return nil, err
	}
	w := &browser{handler: b.handler, origin: b.app.Config.ConsoleOrigin}
	if w.jar, err = cookiejar.New(nil); err != nil {
		return nil, err
	}
	if err := w.signIn("/"+string(id)+"/sign-in", benchAdmin, benchPassword); err != nil {
		return nil, err
	}
	named := url.Values{"first_name": {"Ada"}, "last_name": {"Bench"}}
	if err := w.token("/"+string(id)+"/account", named); err != nil {
		return nil, err
	}
	if out := w.do("POST", "/"+string(id)+"/account", named); out.Code != http.StatusSeeOther {
		return nil, fmt.Errorf("introduce the administrator: status %d", out.Code)
	}
	return w, nil
}

// token fills in what a page's form carries against forged posts.
func (b *browser) token(path string, form url.Values) error {
	for _, hidden := range tokenField.FindAllStringSubmatch(b.do("GET", path, nil).Body.String(), -1) {
		if hidden[1] == "csrf" {
			form.Set("csrf", hidden[2])
			return nil
		}
	}
	return fmt.Errorf("%s has no form", path)
}
