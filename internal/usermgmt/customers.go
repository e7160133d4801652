package usermgmt

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
)

// MaxCustomers is how far a search of all customers counts and pages. Whoever
// finds more narrows the search: nobody reads on beyond that.
const MaxCustomers = 1000

// A CustomerKind is a kind of customer that staff look for.
type CustomerKind string

const (
	EveryCustomer CustomerKind = ""
	Organizations CustomerKind = "organization"
	Members       CustomerKind = "member"
)

// A CustomerQuery asks for one page of an institution's customers, by name. The
// zero value asks for the first page of all.
type CustomerQuery struct {
	Search string // words; any part of each in a name, username, email or customer number
	Kind   CustomerKind
	Status *bank.Status // of members
	Held   bool         // only members on hold
	Page   int          // from 1
	Size   int          // at most MaxPageSize
}

// membersOnly reports whether the query asks for what only members have.
func (q CustomerQuery) membersOnly() bool { return q.Kind == Members || q.Status != nil || q.Held }

// A Customer is an organization, or one of its members.
type Customer struct {
	Organization Organization // of a member: with its name and number alone
	Member       *Member      // nil: the organization itself
}

// Name is what the customer is called.
func (c *Customer) Name() string {
	if c.Member == nil {
		return c.Organization.Name
	}
	return c.Member.Name()
}

// A CustomerPage is one page of customers.
type CustomerPage struct {
	Customers []Customer
	Matching  int  // at most MaxCustomers
	More      bool // there are more than are counted
	Page      int  // the page that this is: a page beyond the end becomes the last
	Pages     int
}

// across is the action of looking at all customers of an institution.
func across(institution bank.InstitutionID) guard.Action {
	return guard.Action{
		Event: "institution.customers_viewed", Target: activity.Target{Kind: activity.TargetInstitution, ID: string(institution)},
		Staff: staffView, Others: []bank.ActorKind{bank.ActorOperator},
	}
}

// Customers searches all organizations and members of the caller's institution.
func (s *Service) Customers(ctx context.Context, caller bank.Caller, q CustomerQuery) (page CustomerPage, err error) {
	err = s.guard.Look(ctx, caller, across(caller.Institution), func(v *guard.View) error {
		page, err = s.searchCustomers(v.Tx, caller.Institution, q)
		return err
	})
	return page, err
}

// A found customer is known by its numbers; ordinal 0 is the organization.
type found struct {
	key          string
	num, ordinal int64
}

func inOrder(a, b found) int {
	return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.num, b.num), cmp.Compare(a.ordinal, b.ordinal))
}

func (s *Service) searchCustomers(tx *db.Tx, institution bank.InstitutionID, q CustomerQuery) (CustomerPage, error) {
	all, err := s.index.search(tx, institution, q)
	if err != nil {
		return CustomerPage{}, err
	}
	page := CustomerPage{More: len(all) > MaxCustomers}
	all = all[:min(len(all), MaxCustomers)]
	if q.Size <= 0 || q.Size > MaxPageSize {
		q.Size = 50
	}
	page.Matching = len(all)
	page.Pages = max(1, (page.Matching+q.Size-1)/q.Size)
	page.Page = min(max(q.Page, 1), page.Pages)
	from := (page.Page - 1) * q.Size
	page.Customers, err = readCustomers(tx, all[from:min(from+q.Size, len(all))])
	return page, err
}

func failed(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// readCustomers reads what a page shows of what was found, in the same order.
func readCustomers(tx *db.Tx, page []found) ([]Customer, error) {
	customers := make([]Customer, 0, len(page))
	for _, f := range page {
		c, err := readCustomer(tx, f)
		if err != nil {
			return nil, err
		}
		customers = append(customers, c)
	}
	return customers, nil
}

func readCustomer(tx *db.Tx, f found) (c Customer, err error) {
	if f.ordinal == 0 {
		c.Organization, err = db.One(tx, scanOrganization, selectOrganization+` where num = $1`, f.num)
		return c, failed("read an organization that was found", err)
	}
	m := &Member{Ordinal: f.ordinal}
	c.Member, c.Organization.Num = m, f.num
	err = tx.QueryRow(`
		select o.id, o.name, o.external_id, m.id, m.first_name, m.last_name, m.email, m.username, m.role, m.status, m.held
		  from member m join organization o on o.num = m.organization_num
		 where m.organization_num = $1 and m.ordinal = $2`, f.num, f.ordinal).
		Scan(&c.Organization.ID, &c.Organization.Name, &c.Organization.ExternalID, &m.ID, &m.FirstName, &m.LastName, &m.Email, &m.Username,
			&m.Role, &m.Status, &m.Held)
	return c, failed("read a member who was found", err)
}

// An OrganizationProfile is an organization as the institution's staff see it.
type OrganizationProfile struct {
	Organization
	House    Institution
	Accounts []Account // by name
	People   Headcount
	Waits    []approval.Item // changes of it that wait for the agreement of other staff
}

// A Headcount says how the people of an organization stand.
type Headcount struct {
	Total, Active, Pending, Locked, Disabled, Held int
	Admins                                         int // who could administer now
}

// OrganizationProfile reads an organization for staff.
func (s *Service) OrganizationProfile(ctx context.Context, caller bank.Caller, id bank.OrganizationID) (p OrganizationProfile, err error) {
	action := looking(Person{Organization: id}, catalog.UnknownOperation, entitlement.Scope{})
	action.Event, action.Target = "org.viewed", activity.Target{Kind: activity.TargetOrganization, ID: string(id)}
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		if p.House, err = institution(v, caller.Institution); err != nil {
			return err
		}
		if p.Organization, err = FindOrganization(v.Tx, caller.Institution, id); err != nil {
			return err
		}
		if p.Accounts, err = accountsByName(v.Tx, p.Num); err != nil {
			return err
		}
		if p.Waits, err = approval.StaffWaiting(v.Tx, caller.Institution, id); err != nil {
			return err
		}
		p.People, err = headcount(v.Tx, p.Num)
		p.People.Admins = len(v.Policy.UsableAdmins)
		return err
	})
	return p, err
}

func accountsByName(tx *db.Tx, num int64) ([]Account, error) {
	all, err := db.All(tx, scanAccount, `
		select ordinal, id, external_id, name, number, kind, off from account where organization_num = $1 order by name_key, ordinal`, num)
	return all, failed("read the accounts", err)
}

func headcount(tx *db.Tx, num int64) (h Headcount, err error) {
	type group struct {
		status bank.Status
		held   bool
		n      int
	}
	groups, err := db.All(tx, func(s db.Scanner) (g group, err error) {
		err = s.Scan(&g.status, &g.held, &g.n)
		return g, err
	}, `select status, held, count(*) from member where organization_num = $1 group by status, held`, num)
	for _, g := range groups {
		h.Total += g.n
		switch g.status {
		case bank.StatusActive:
			h.Active += g.n
		case bank.StatusPending:
			h.Pending += g.n
		case bank.StatusLocked:
			h.Locked += g.n
		case bank.StatusDisabled:
			h.Disabled += g.n
		}
		if g.held {
			h.Held += g.n
		}
	}
	return h, failed("count the members by status", err)
}
