package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/identity"
	"mandate/internal/staff"
)

// An employee of an institution, and how far they have come.
type employee struct {
	first, last, phone string
	groups             []string
	does               string
	invited            bool // and has not joined
	locked             bool
	app                bool // has an authenticator app
	opens              bool // opens the support cases
}

// ago is when they were invited: long ago, or so that the link still works.
func (e employee) ago() time.Duration {
	if e.invited {
		return 2 * day
	}
	return 29 * day
}

// A staffGroup is a group of the demo: the ready-made starting points.
type staffGroup struct {
	name, description string
	permissions       []catalog.StaffPermission
	secondFactorIn    int    // days from now; 0: never
	overseen          string // by which group: one of it must agree to changes of organizations; empty: by none
}

var staffGroups = []staffGroup{
	{"Users & Groups Admin", "Invites people and gives them groups.", []catalog.StaffPermission{catalog.StaffUsersInvite, catalog.StaffUsersAssignGroups, catalog.StaffUsersEdit,
		catalog.StaffUsersUnlock, catalog.StaffUsersResetPassword, catalog.StaffUsersDelete, catalog.StaffGroupsCreate, catalog.StaffGroupsEdit, catalog.StaffGroupsDelete}, 21, ""},
	{"External applications", "Looks after the products that sign in with Mandate.", []catalog.StaffPermission{catalog.StaffExternalAppsManage}, 0, ""},
	{customerSecurity, "Changes how customers sign in, besides helping them.", []catalog.StaffPermission{catalog.PeopleManageAll}, 21, ""},
	{"Business banking support", "Helps customers: sees and changes everything in People.", []catalog.StaffPermission{catalog.PeopleManageAll}, 0, customerSecurity},
	{"Help desk", "Sees who works here and unlocks them.", []catalog.StaffPermission{catalog.StaffUsersUnlock, catalog.PeopleViewAll}, 0, ""},
	{"Website", "Writes and publishes pages.", []catalog.StaffPermission{catalog.CMSPagesEdit, catalog.CMSPagesCreate, catalog.CMSPagesDelete, catalog.CMSPagesPublish, catalog.CMSRatesEdit}, 0, ""},
	{"No Permissions", "For people who sign in to products that keep permissions of their own.", nil, 0, ""},
}

// customerSecurity oversees what the support changes about organizations.
const customerSecurity = "Customer security"

var employees = []employee{
	{first: "Grace", last: "Holloway", phone: "+1 312 555 0100", does: "administrator of everything"},
	{first: "Amara", last: "Diallo", phone: "+1 312 555 0117", groups: []string{"Users & Groups Admin"}, does: "manages users and groups, nothing else"},
	{first: "Malik", last: "Osei", phone: "+1 312 555 0123", groups: []string{"Business banking support", "Help desk", productGroup, backOfficeGroup}, does: "works in BackOffice, helps customers, with somebody’s agreement where it is about an organization, and approves loans in a product", opens: true},
	{first: "Dele", last: "Adeyemi", groups: []string{customerSecurity}, does: "helps customers, may change how they sign in, and agrees to what the support changes about organizations", app: true},
	{first: "Ines", last: "Varga", groups: []string{"Help desk"}, does: "may unlock colleagues, and look"},
	{first: "Tobias", last: "Lind", groups: []string{"No Permissions"}, does: "may sign in, and sees no app"},
	{first: "Rosa", last: "Keller", groups: []string{"Website", "External applications"}, does: "locked by wrong passwords", locked: true},
	{first: "Noor", last: "Haddad", groups: []string{"Business banking support"}, invited: true},
}

// staffOf gives an institution its staff: the operator lets the first one in,
// and everybody joins by the link in their mail.
func (b *builder) staffOf(ctx context.Context, institution bank.InstitutionID) error {
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: institution, Channel: bank.ChannelCommand}
	groups := map[string]bank.GroupID{}
	b.clock.setBack(29 * day)
	for _, g := range staffGroups {
		d := staff.Draft{Name: g.name, Description: g.description, Permissions: catalog.StaffSetOf(g.permissions...)}
		if g.secondFactorIn > 0 {
			d.SecondFactorFrom = bank.DayOf(time.Now().AddDate(0, 0, g.secondFactorIn), time.UTC)
		}
		if g.overseen != "" {
			d.ReportsTo, d.ApprovalFrom = groups[g.overseen], staff.ApprovalOne
		}
		id, err := b.app.Staff.CreateGroup(ctx, operator, d)
		if err != nil {
			return fmt.Errorf("the group %s: %w", g.name, err)
		}
		groups[g.name] = id
	}
	product, err := b.productOf(ctx, operator)
	if err != nil {
		return err
	}
	groups[productGroup] = product
	if groups[backOfficeGroup], err = b.officeOf(ctx, operator); err != nil {
		return err
	}
	for _, e := range employees {
		b.clock.setBack(e.ago())
		if err := b.hire(ctx, operator, e, groups); err != nil {
			return fmt.Errorf("%s %s: %w", e.first, e.last, err)
		}
	}
	return nil
}

func (b *builder) hire(ctx context.Context, operator bank.Caller, e employee, groups map[string]bank.GroupID) error {
	email := strings.ToLower(e.first + "." + e.last + "@" + string(operator.Institution) + ".example.com")
	if len(e.groups) == 0 {
		if _, err := b.app.Staff.InviteAdministrator(ctx, operator, email); err != nil {
			return err
		}
	} else {
		i := staff.Invitation{Emails: []string{email}}
		for _, name := range e.groups {
			i.Groups = append(i.Groups, groups[name])
		}
		if _, err := b.app.Staff.Invite(ctx, operator, i); err != nil {
			return err
		}
	}
	if err := b.app.DeliverMail(ctx); err != nil || e.invited {
		return err
	}
	return b.joinStaff(ctx, operator.Institution, e, email)
}

// joinStaff finishes an invitation by the link in the mail.
func (b *builder) joinStaff(ctx context.Context, institution bank.InstitutionID, e employee, email string) error {
	letters := b.app.Mailbox.Messages(email)
	if len(letters) == 0 || len(letters[0].Links) == 0 {
		return errors.New("no invitation has come")
	}
	link := letters[0].Links[0]
	from := identity.Source{Channel: bank.ChannelPeople, IP: "203.0.113.5", Device: "Edge on Windows"}
	browser, _, err := b.app.Identity.Redeem(ctx, institution, identity.PurposeInvitation, identity.Secret(link[strings.LastIndex(link, "/")+1:]), from)
	if err != nil {
		return err
	}
	password := newPassword()
	if err := b.app.Identity.Enrol(ctx, institution, browser, email, identity.Secret(password), from); err != nil {
		return err
	}
	attempt := identity.Attempt{Institution: institution, Kind: identity.KindStaff, Username: email, Password: identity.Secret(password), From: from}
	granted, err := b.app.Identity.SignIn(ctx, attempt)
	if err != nil {
		return err
	}
	if err := b.app.Staff.EditOwn(ctx, granted.Session.Caller, staff.Details{FirstName: e.first, LastName: e.last, Phone: e.phone}); err != nil {
		return err
	}
	b.world.SignIns = append(b.world.SignIns, SignIn{
		Kind: "staff", Institution: string(institution), Organization: "Staff", Member: granted.Session.Caller.ID, Name: e.first + " " + e.last,
		Role: strings.Join(e.groups, ", "), Does: e.does, Username: email, Password: password,
		URL: b.app.Config.ConsoleOrigin + "/" + string(institution) + "/sign-in",
	})
	if e.app {
		if b.world.SignIns[len(b.world.SignIns)-1].TOTPSecret, err = b.authenticatorApp(ctx, granted.Session.Caller, attempt.Password); err != nil {
			return fmt.Errorf("add an authenticator app: %w", err)
		}
	}
	if e.opens {
		b.support = granted.Session.Caller
		b.support.Name = e.first + " " + e.last // which they have only now
		if err := b.openCases(ctx, b.support); err != nil {
			return fmt.Errorf("open support cases: %w", err)
		}
	}
	if !e.locked {
		return nil
	}
	for range 5 {
		attempt.Password = "not the password"
		if _, err := b.app.Identity.SignIn(ctx, attempt); !errors.Is(err, identity.ErrSignIn) {
			return fmt.Errorf("a wrong password: %w", err)
		}
	}
	return nil
}
