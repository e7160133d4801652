package staff

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// An Approval says how many of the group that a group reports to must approve.
type Approval string

// The zero Approval asks nobody.
const (
	ApprovalNobody   Approval = ""
	ApprovalOne      Approval = "one"
	ApprovalEveryone Approval = "everyone"
)

// Label is the approval as screens show it.
func (a Approval) Label() string {
	switch a {
	case ApprovalOne:
		return "One person"
	case ApprovalEveryone:
		return "Everyone"
	}
	return "Nobody"
}

// A Group is what its members have in common. It may permit nothing at all.
type Group struct {
	ID bank.GroupID
	Draft
	Version int64
	Members int
}

// A Draft is a group as somebody wants it to be.
type Draft struct {
	Name             string
	Description      string
	Permissions      catalog.StaffSet
	SecondFactorFrom bank.Day     // from which day on members must have a second factor; empty: they need none
	ReportsTo        bank.GroupID // empty: to nobody
	ApprovalFrom     Approval     // of whom in that group

	// Product is set on a group of a product, which holds rights of that product
	// and none of the console's. It never changes.
	Product bank.ApplicationID
	Held    catalog.ProductSet
}

// whole is the draft as it is stored: ticking a stronger right ticks its View.
func (d Draft) whole() Draft {
	d.Name, d.Description = strings.TrimSpace(d.Name), strings.TrimSpace(d.Description)
	d.Permissions = d.Permissions.WithViews()
	if d.ReportsTo == "" {
		d.ApprovalFrom = ApprovalNobody
	}
	return d
}

func (d Draft) check(tx *db.Tx, institution bank.InstitutionID, self bank.GroupID) error {
	var problems fault.Problems
	switch n := utf8.RuneCountInString(d.Name); {
	case d.Name == "":
		problems.Add("name", "Enter a name for the group.")
	case n > maxGroupName:
		problems.Addf("name", "The name is %d characters long. The most is %d.", n, maxGroupName)
	case !bank.Printable(d.Name):
		problems.Add("name", "The name has signs that cannot be shown. Type it anew.")
	}
	if n := utf8.RuneCountInString(d.Description); n > maxDescription {
		problems.Addf("description", "The description is %d characters long. The most is %d.", n, maxDescription)
	} else if !bank.Printable(d.Description) {
		problems.Add("description", "The description has signs that cannot be shown. Type it anew.")
	}
	if d.SecondFactorFrom != "" {
		if _, err := bank.ParseDay(string(d.SecondFactorFrom)); err != nil {
			problems.Add("second_factor_from", "Enter a date like 2026-03-02, or switch the requirement off.")
		}
	}
	if d.ApprovalFrom != ApprovalNobody && d.ApprovalFrom != ApprovalOne && d.ApprovalFrom != ApprovalEveryone {
		problems.Add("approval_from", "Choose one person or everyone.")
	}
	if err := d.checkOthers(tx, institution, self, &problems); err != nil {
		return err
	}
	return problems.Err("The group cannot be saved like this.")
}

// checkOthers checks what the draft says against the other groups.
func (d Draft) checkOthers(tx *db.Tx, institution bank.InstitutionID, self bank.GroupID, problems *fault.Problems) error {
	named, err := db.All(tx, scanGroup, selectGroup+` where g.institution_id = $1 and g.name_key = $2 and g.id <> $3`, institution, db.Fold(d.Name), self)
	if err != nil {
		return fmt.Errorf("look for a group of that name: %w", err)
	}
	for _, g := range named {
		problems.Addf("name", "There is a group called %s already. Choose another name.", g.Name)
	}
	if err := d.checkOverseer(tx, institution, self, problems); err != nil || self != "" {
		return err
	}
	n, err := db.One(tx, db.Value[int], `select count(*) from staff_group where institution_id = $1`, institution)
	if err != nil {
		return fmt.Errorf("count the groups: %w", err)
	}
	if n >= maxGroups {
		problems.Addf("", "There are %d groups, which is the most.", maxGroups)
	}
	return nil
}

// checkOverseer checks the group that the draft reports to.
func (d Draft) checkOverseer(tx *db.Tx, institution bank.InstitutionID, self bank.GroupID, problems *fault.Problems) error {
	if d.ReportsTo == "" {
		return nil
	}
	over, err := findGroup(tx, institution, d.ReportsTo)
	switch {
	case err == ErrNoGroup || d.ReportsTo == self:
		problems.Add("reports_to", "Choose another group that is there, or none.")
	case err != nil:
		return err
	case d.ApprovalFrom != ApprovalNobody && overseen&d.Permissions&^over.Permissions.Effective() != 0:
		problems.Addf("reports_to", "%s does not permit “%s” itself, so nobody there could agree. Choose a group that does.", over.Name, catalog.PeopleManageAll.Info().Label)
	}
	return nil
}

// changes lists what differs between two groups, one line for each right.
func (d Draft) changes(was Draft) []activity.Change {
	all := diff(nil, "name", was.Name, d.Name)
	all = diff(all, "description", was.Description, d.Description)
	for p := range (was.Permissions ^ d.Permissions).All() {
		all = diff(all, p.ID(), strconv.FormatBool(was.Permissions.Has(p)), strconv.FormatBool(d.Permissions.Has(p)))
	}
	all = productChanges(all, was, d)
	all = diff(all, "second_factor_from", string(was.SecondFactorFrom), string(d.SecondFactorFrom))
	all = diff(all, "reports_to", string(was.ReportsTo), string(d.ReportsTo))
	return diff(all, "approval_from", string(was.ApprovalFrom), string(d.ApprovalFrom))
}

// told is changes as the history keeps them: a group by its name, which stays
// when the group is gone.
func told(tx *db.Tx, institution bank.InstitutionID, changes []activity.Change) ([]activity.Change, error) {
	for i, change := range changes {
		if change.Field != "reports_to" {
			continue
		}
		for _, value := range []*string{&changes[i].Old, &changes[i].New} {
			name, err := groupName(tx, institution, bank.GroupID(*value))
			if err != nil {
				return nil, err
			}
			*value = name
		}
	}
	return changes, nil
}

// groupName is the name of a group, or nothing for no group.
func groupName(tx *db.Tx, institution bank.InstitutionID, id bank.GroupID) (string, error) {
	if id == "" {
		return "", nil
	}
	g, err := findGroup(tx, institution, id)
	return g.Name, err
}

// ErrNoGroup says that the institution has no such group.
var ErrNoGroup = fault.New(fault.NotFound, "There is no such group. It may have been deleted.")

// Groups lists the institution's groups by name.
func (s *Service) Groups(ctx context.Context, caller bank.Caller) (groups []Group, err error) {
	err = s.guard.Look(ctx, caller, looking(catalog.StaffGroupsView, activity.Target{Kind: activity.TargetGroup}), func(v *guard.View) error {
		groups, err = listGroups(v.Tx, caller.Institution)
		return err
	})
	return groups, err
}

// A GroupProfile is a group with whom its members are, and what the caller may
// do about it.
type GroupProfile struct {
	Group
	People []Row // its members by name, at most groupPeople
}

// groupPeople is how many of its members the page of a group shows.
const groupPeople = 50

// Group reads one group.
func (s *Service) Group(ctx context.Context, caller bank.Caller, id bank.GroupID) (g GroupProfile, err error) {
	err = s.guard.Look(ctx, caller, looking(catalog.StaffGroupsView, groupTarget(id, "")), func(v *guard.View) error {
		if g.Group, err = findGroup(v.Tx, caller.Institution, id); err != nil {
			return err
		}
		page, err := listUsers(v.Tx, caller.Institution, Query{Group: id, Size: groupPeople})
		g.People = page.Users
		return err
	})
	return g, err
}

// CreateGroup makes a group without members. A group that permits something
// needs a high-risk authorization.
func (s *Service) CreateGroup(ctx context.Context, caller bank.Caller, d Draft) (id bank.GroupID, err error) {
	d = d.whole()
	action := acting(EventGroupCreated, catalog.StaffGroupsCreate, groupTarget("", d.Name))
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		if err := d.check(c.Tx, caller.Institution, ""); err != nil {
			return err
		}
		if d, err = d.fitted(c.Tx, caller.Institution); err != nil {
			return err
		}
		if err := above(c.Tx, c.Caller, "You can’t give a group", d.holds()); err != nil {
			return err
		}
		if d.Permissions != 0 || d.Held != "" {
			if err := c.RequireProof(content(d)); err != nil {
				return err
			}
		}
		id = bank.GroupID(bank.NewID(bank.PrefixGroup, c.Tx.Now))
		if err := insertGroup(c.Tx, caller.Institution, id, d); err != nil {
			return err
		}
		changes, err := told(c.Tx, caller.Institution, d.changes(Draft{}))
		if err != nil {
			return err
		}
		c.RecordAs(EventGroupCreated, groupTarget(id, d.Name), "", changes...)
		return nil
	})
	return id, err
}

// EditGroup changes a group, all of it or nothing. Version is that of the group
// that the caller has seen.
func (s *Service) EditGroup(ctx context.Context, caller bank.Caller, id bank.GroupID, version int64, d Draft) error {
	d = d.whole()
	action := acting(EventGroupChanged, catalog.StaffGroupsEdit, groupTarget(id, d.Name))
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		was, d, err := s.editable(c.Tx, caller, id, version, d)
		if err != nil {
			return err
		}
		changes := d.changes(was.Draft)
		if len(changes) == 0 {
			return nil
		}
		if d.Permissions&^was.Permissions != 0 || d.Held.Without(was.Held) != "" || d.SecondFactorFrom != was.SecondFactorFrom {
			if err := c.RequireProof(content(d)); err != nil {
				return err
			}
		}
		err = keepingAdministrators(c, func() error { return updateGroup(c.Tx, caller.Institution, id, d) })
		if err != nil {
			return err
		}
		event := EventGroupChanged
		if len(changes) == 1 && was.SecondFactorFrom == "" && d.SecondFactorFrom != "" {
			event = EventSecondFactor
		}
		if changes, err = told(c.Tx, caller.Institution, changes); err != nil {
			return err
		}
		c.RecordAs(event, groupTarget(id, d.Name), "", changes...)
		return nil
	})
}

// editable is the group as it is and as it would be stored, if the caller may
// make it what the draft says.
func (s *Service) editable(tx *db.Tx, caller bank.Caller, id bank.GroupID, version int64, d Draft) (was Group, now Draft, err error) {
	if was, err = findGroup(tx, caller.Institution, id); err != nil {
		return was, d, err
	}
	if was.Version != version {
		return was, d, errStale
	}
	if err := above(tx, caller, "You can’t change a group that has", was.holds()); err != nil {
		return was, d, err
	}
	if err := d.check(tx, caller.Institution, id); err != nil {
		return was, d, err
	}
	d.Product = was.Product
	if d, err = d.fitted(tx, caller.Institution); err != nil {
		return was, d, err
	}
	return was, d, above(tx, caller, "You can’t give a group", d.holds())
}

// DeleteGroup removes a group and keeps its users. Whoever has no other group
// gets the replacement; without one such a group cannot be deleted.
func (s *Service) DeleteGroup(ctx context.Context, caller bank.Caller, id, replacement bank.GroupID) error {
	action := acting(EventGroupDeleted, catalog.StaffGroupsDelete, groupTarget(id, ""))
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		was, err := findGroup(c.Tx, caller.Institution, id)
		if err != nil {
			return err
		}
		if err := above(c.Tx, c.Caller, "You can’t delete a group that has", was.holds()); err != nil {
			return err
		}
		if err := overseesNobody(c.Tx, caller.Institution, was); err != nil {
			return err
		}
		if directory, err := homeOf(c.Tx, caller.Institution, id); err != nil || directory != "" {
			return cmp.Or(err, atHome(was, directory))
		}
		moved, err := s.replaceable(c, was, replacement)
		if err != nil {
			return err
		}
		if err := c.RequireProof(content(replacement)); err != nil {
			return err
		}
		return keepingAdministrators(c, func() error { return s.deleteGroup(c, was, moved, replacement) })
	})
}

// overseesNobody refuses to delete a group whose agreement others need: what
// waits for it would wait for nobody, and without it nothing would wait.
func overseesNobody(tx *db.Tx, institution bank.InstitutionID, was Group) error {
	groups, err := listGroups(tx, institution)
	if err != nil {
		return err
	}
	var names []string
	for _, g := range groups {
		if g.ReportsTo == was.ID && g.ApprovalFrom != ApprovalNobody && g.Permissions.Effective()&overseen != 0 {
			names = append(names, g.Name)
		}
	}
	if len(names) > 0 {
		return fault.Newf(fault.Conflict, "What %s changes needs the agreement of %s. Choose another group for that first.", inWords(names), was.Name).With("OVERSEES")
	}
	return nil
}

// atHome refuses to delete the group in which a directory's people begin.
func atHome(g Group, directory string) error {
	return fault.Newf(fault.Conflict, "%s is where people begin whom the directory %s brings. Disconnect the directory first.", g.Name, directory).With("DIRECTORY_HOME")
}

// replaceable are the users whose only group it is, if there is a replacement
// for them that the caller may give.
func (s *Service) replaceable(c *guard.Change, was Group, replacement bank.GroupID) ([]Row, error) {
	only, err := onlyMembers(c.Tx, c.Caller.Institution, was.ID)
	if err != nil || len(only) == 0 {
		return nil, err
	}
	if replacement == "" || replacement == was.ID {
		var names []string
		for _, u := range only {
			names = append(names, u.Name())
		}
		var problems fault.Problems
		problems.Addf("replacement", "%s is the only group of %s. Choose another one for them.", was.Name, inWords(names))
		return nil, problems.Err("Somebody would be left without a group.")
	}
	other, err := findGroup(c.Tx, c.Caller.Institution, replacement)
	if err != nil {
		return nil, err
	}
	return only, above(c.Tx, c.Caller, "You can’t give somebody a group that has", other.holds())
}

func (s *Service) deleteGroup(c *guard.Change, was Group, moved []Row, replacement bank.GroupID) error {
	institution := c.Caller.Institution
	to, err := groupName(c.Tx, institution, replacement)
	if err != nil {
		return err
	}
	for _, u := range moved {
		if err := insertMembership(c.Tx, institution, u.ID, replacement); err != nil {
			return err
		}
		c.RecordAs(EventGroupsChanged, userTarget(u.ID, u.Name()), "", activity.Change{Field: "groups", Old: was.Name, New: to})
	}
	if err := removeGroup(c.Tx, institution, was.ID); err != nil {
		return err
	}
	orphans, err := clearReports(c.Tx, institution, was.ID)
	if err != nil {
		return err
	}
	for _, o := range orphans {
		c.RecordAs(EventGroupChanged, groupTarget(o.ID, o.Name), "", activity.Change{Field: "reports_to", Old: was.Name})
	}
	changes, err := told(c.Tx, institution, Draft{}.changes(was.Draft))
	if err != nil {
		return err
	}
	c.RecordAs(EventGroupDeleted, groupTarget(was.ID, was.Name), "", changes...)
	return nil
}

func listGroups(tx *db.Tx, institution bank.InstitutionID) ([]Group, error) {
	groups, err := db.All(tx, scanGroup, selectGroup+` where g.institution_id = $1 order by g.name_key`, institution)
	if err != nil {
		return nil, fmt.Errorf("list the groups: %w", err)
	}
	return groups, nil
}
