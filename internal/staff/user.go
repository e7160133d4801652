package staff

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// A User is a staff user. Whoever was invited and has not introduced themself
// has no name yet.
type User struct {
	ID      bank.StaffID
	Email   string // which is also the username, and never changes
	Status  bank.Status
	Created time.Time
	Version int64 // of profile and groups
	Details
}

// Details are what a staff user may be called and how to reach them.
type Details struct {
	FirstName, LastName string
	Phone               string
	TimeZone            string // an IANA name; empty: the institution's
}

// Name is how the user is shown: by their address until they have a name.
func (u *User) Name() string {
	if name := strings.TrimSpace(u.FirstName + " " + u.LastName); name != "" {
		return name
	}
	return u.Email
}

// StatusLabel is the status as screens show it.
func (u *User) StatusLabel() string {
	if u.Status == bank.StatusPending {
		return "Invited"
	}
	return u.Status.Label()
}

func (d Details) trimmed() Details {
	return Details{strings.TrimSpace(d.FirstName), strings.TrimSpace(d.LastName), strings.TrimSpace(d.Phone), strings.TrimSpace(d.TimeZone)}
}

// Check says everything that is wrong with the details, by form field.
func (d Details) Check() fault.Problems {
	var problems fault.Problems
	name := func(field, label, value string) {
		switch {
		case value == "":
			problems.Addf(field, "Enter a %s.", label)
		case !bank.Printable(value):
			problems.Addf(field, "The %s has signs that cannot be shown. Type it anew.", label)
		}
	}
	name("first_name", "first name", d.FirstName)
	name("last_name", "last name", d.LastName)
	if n := utf8.RuneCountInString(d.FirstName + " " + d.LastName); n > bank.MaxName {
		problems.Addf("last_name", "First and last name are %d characters together. The most is %d.", n, bank.MaxName)
	}
	if n := utf8.RuneCountInString(d.Phone); n > maxPhone || !bank.Printable(d.Phone) {
		problems.Addf("phone", "Enter a phone number of at most %d characters.", maxPhone)
	}
	if _, err := time.LoadLocation(d.TimeZone); err != nil || d.TimeZone == "Local" {
		problems.Add("time_zone", "Choose a time zone of the list.")
	}
	return problems
}

func (d Details) changes(was Details) []activity.Change {
	all := diff(nil, "first_name", was.FirstName, d.FirstName)
	all = diff(all, "last_name", was.LastName, d.LastName)
	all = diff(all, "phone", was.Phone, d.Phone)
	return diff(all, "time_zone", was.TimeZone, d.TimeZone)
}

// ErrNoUser says that the institution has no such staff user.
var ErrNoUser = fault.New(fault.NotFound, "There is no such user. They may have been deleted.")

// A Query asks for one page of the staff users, by name.
type Query struct {
	Search string       // any part of a name or an address
	Group  bank.GroupID // only its members
	Status *bank.Status
	Page   int // from 1
	Size   int // at most maxPageSize
}

// A Row is one user of a list.
type Row struct {
	User
	Groups []string // their names
}

// A Page is one page of users and how many there are.
type Page struct {
	Users    []Row
	Matching int // that fit the query
	Total    int // at the institution
	Page     int // the page that this is: a page beyond the end becomes the last
	Pages    int
}

// Users lists one page of the institution's staff users.
func (s *Service) Users(ctx context.Context, caller bank.Caller, q Query) (page Page, err error) {
	err = s.guard.Look(ctx, caller, looking(catalog.StaffUsersView, activity.Target{Kind: activity.TargetStaff}), func(v *guard.View) error {
		page, err = listUsers(v.Tx, caller.Institution, q)
		return err
	})
	return page, err
}

const (
	userFilter = `
	 where u.institution_id = $1
	   and (cast($2 as text) = '' or u.name_key like $2 escape '\' or u.email_key like $2 escape '\')
	   and ($3 < 0 or ` + statusNow + ` = $3)`
	inGroup = ` join staff_membership f on f.institution_id = u.institution_id and f.staff_id = u.id and f.group_id = $4`
	byName  = ` order by u.name_key, u.id`

	countAll     = `select count(*) from staff_user where institution_id = $1`
	countUsers   = `select count(*) from staff_user u` + userFilter
	countGroup   = `select count(*) from staff_membership where institution_id = $1 and group_id = $2`
	pageOfUsers  = selectUser + userFilter + byName + ` limit $4 offset $5`
	countMembers = `select count(*) from staff_user u` + inGroup + userFilter
	pageOfGroup  = selectUser + inGroup + userFilter + byName + ` limit $5 offset $6`
)

func listUsers(tx *db.Tx, institution bank.InstitutionID, q Query) (page Page, err error) {
	if q.Size <= 0 || q.Size > maxPageSize {
		q.Size = 50
	}
	status := int64(-1)
	if q.Status != nil {
		status = int64(*q.Status)
	}
	filter := []any{institution, db.Containing(q.Search), status}
	if err := tx.QueryRow(countAll, institution).Scan(&page.Total); err != nil {
		return Page{}, fmt.Errorf("count the staff users: %w", err)
	}
	everybody := q.Search == "" && q.Status == nil
	switch {
	case q.Group == "" && everybody:
		page.Matching = page.Total
	case q.Group == "":
		err = tx.QueryRow(countUsers, filter...).Scan(&page.Matching)
	case everybody: // members are users: who they are does not matter
		err = tx.QueryRow(countGroup, institution, q.Group).Scan(&page.Matching)
	default:
		err = tx.QueryRow(countMembers, append(filter, q.Group)...).Scan(&page.Matching)
	}
	if q.Group != "" {
		filter = append(filter, q.Group)
	}
	if err != nil {
		return Page{}, fmt.Errorf("count the staff users that match: %w", err)
	}
	page.Pages = max(1, (page.Matching+q.Size-1)/q.Size)
	page.Page = min(max(q.Page, 1), page.Pages)
	window := append(filter, q.Size, (page.Page-1)*q.Size)
	var users []User
	if q.Group == "" {
		users, err = db.All(tx, scanUser, pageOfUsers, window...)
	} else {
		users, err = db.All(tx, scanUser, pageOfGroup, window...)
	}
	if err != nil {
		return Page{}, fmt.Errorf("list the staff users: %w", err)
	}
	names, err := groupNames(tx, institution, users)
	for _, u := range users {
		page.Users = append(page.Users, Row{u, names[u.ID]})
	}
	return page, err
}

// groupNames are the groups of each user, by name.
func groupNames(tx *db.Tx, institution bank.InstitutionID, users []User) (map[bank.StaffID][]string, error) {
	const atOnce = 50
	names := map[bank.StaffID][]string{}
	for some := range slices.Chunk(users, atOnce) {
		ids := make([]any, 1+atOnce)
		ids[0] = institution
		for i := range atOnce {
			ids[1+i] = some[min(i, len(some)-1)].ID
		}
		_, err := db.All(tx, func(row db.Scanner) (id bank.StaffID, err error) {
			var name string
			err = row.Scan(&id, &name)
			names[id] = append(names[id], name)
			return id, err
		}, `
			select m.staff_id, g.name from staff_membership m
			  join staff_group g on g.institution_id = m.institution_id and g.id = m.group_id
			 where m.institution_id = $1 and m.staff_id in ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
			$19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35,
			$36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50, $51)`, ids...)
		if err != nil {
			return nil, fmt.Errorf("read the groups of the staff users: %w", err)
		}
	}
	for _, of := range names {
		slices.SortFunc(of, func(a, b string) int { return strings.Compare(db.Fold(a), db.Fold(b)) }) // sorted there, all groups would be walked
	}
	return names, nil
}

// everyMember are all members of a group by name, without their other groups.
func everyMember(tx *db.Tx, institution bank.InstitutionID, group bank.GroupID) ([]Row, error) {
	rows, err := db.All(tx, scanMember, selectUser+`
		  join staff_membership m on m.institution_id = u.institution_id and m.staff_id = u.id
		 where u.institution_id = $1 and m.group_id = $2 order by u.name_key, u.id`, institution, group)
	if err != nil {
		return nil, fmt.Errorf("read the group's members: %w", err)
	}
	return rows, nil
}

// onlyMembers are those members of a group who have no other.
func onlyMembers(tx *db.Tx, institution bank.InstitutionID, group bank.GroupID) ([]Row, error) {
	rows, err := db.All(tx, scanMember, selectUser+`
		  join staff_membership m on m.institution_id = u.institution_id and m.staff_id = u.id
		 where u.institution_id = $1 and m.group_id = $2
		   and not exists (select 1 from staff_membership o where o.institution_id = u.institution_id and o.staff_id = u.id and o.group_id <> $2)
		 order by u.name_key, u.id`, institution, group)
	if err != nil {
		return nil, fmt.Errorf("find whose only group it is: %w", err)
	}
	return rows, nil
}

func scanMember(row db.Scanner) (r Row, err error) {
	r.User, err = scanUser(row)
	return r, err
}

// A Profile is a staff user with everything that their pages show.
type Profile struct {
	User
	Groups       []Group
	Sources      []Source // what they hold, and by which groups
	Products     []ProductHolding
	SecondFactor bool     // they have one
	SecondFrom   bank.Day // from when on they need one; empty: they do not
	Invitation   *identity.Link
	Reset        *identity.Link // the last one that was sent
	SignIns      []identity.Session
	Outside      identity.Outside // how they are linked with the institution's own provider
	Elsewhere    []string         // the other institutions of the same person, by their own word
}

// User reads one staff user for those who may see them.
func (s *Service) User(ctx context.Context, caller bank.Caller, id bank.StaffID) (p Profile, err error) {
	err = s.guard.Look(ctx, caller, looking(catalog.StaffUsersView, userTarget(id, "")), func(v *guard.View) error {
		if p, err = s.profile(v.Tx, caller.Institution, id); err != nil {
			return err
		}
		p.Elsewhere, err = s.elsewhere(v.Tx, identity.Staff(caller.Institution, id))
		return err
	})
	return p, err
}

// elsewhere names the other institutions of a person.
func (s *Service) elsewhere(tx *db.Tx, who identity.Subject) (names []string, err error) {
	others, err := identity.ElsewhereOf(tx, who)
	for _, o := range others {
		house, err := s.house(tx, o.Institution)
		if err != nil {
			return nil, fmt.Errorf("find the institution: %w", err)
		}
		names = append(names, house.Name)
	}
	return names, err
}

func (s *Service) profile(tx *db.Tx, institution bank.InstitutionID, id bank.StaffID) (p Profile, err error) {
	if p.User, err = findUser(tx, institution, id); err != nil {
		return p, err
	}
	if p.Groups, err = groupsOf(tx, institution, id); err != nil {
		return p, err
	}
	p.Sources = sources(p.Groups)
	if p.Products, err = productHoldings(tx, institution, p.Groups); err != nil {
		return p, err
	}
	house, err := s.house(tx, institution)
	if err != nil {
		return p, fmt.Errorf("find the institution: %w", err)
	}
	p.SecondFrom = house.SecondFactorFrom
	for _, g := range p.Groups {
		p.SecondFrom = earlier(p.SecondFrom, g.SecondFactorFrom)
	}
	who := identity.Staff(institution, id)
	if p.SecondFactor, err = identity.HasSecondFactor(tx, who); err != nil {
		return p, err
	}
	if p.Invitation, err = newest(tx, who, identity.PurposeInvitation); err != nil {
		return p, err
	}
	if p.Reset, err = newest(tx, who, identity.PurposeReset); err != nil {
		return p, err
	}
	if p.Outside, err = identity.LinkOf(tx, who); err != nil {
		return p, err
	}
	p.SignIns, err = identity.SignIns(tx, who)
	return p, err
}

func newest(tx *db.Tx, who identity.Subject, purpose identity.Purpose) (*identity.Link, error) {
	l, there, err := identity.Newest(tx, who, purpose)
	if err != nil || !there {
		return nil, err
	}
	return &l, nil
}
