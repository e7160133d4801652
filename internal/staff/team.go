package staff

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// A Team is a group as a directory sees it: a name and who belongs to it. What
// it permits is not the directory's business.
type Team struct {
	ID       bank.GroupID
	Name     string
	External string // the directory's own name for it; empty: none
	Members  []Teammate
}

// A Teammate is a member of a team.
type Teammate struct {
	ID   bank.StaffID
	Name string
}

// A TeamWish is a team as a directory wants it to be.
type TeamWish struct {
	Name     string
	External string
	Members  []bank.StaffID
}

// Wish is the team as it is, for a directory to change.
func (t *Team) Wish() TeamWish {
	w := TeamWish{Name: t.Name, External: t.External}
	for _, m := range t.Members {
		w.Members = append(w.Members, m.ID)
	}
	return w
}

// A TeamQuery asks for teams in the order in which they were made. The first of
// ID, Name and External that is not empty asks for one team.
type TeamQuery struct {
	ID            bank.GroupID
	Name          string
	External      string
	Bare          bool // without the members
	Offset, Limit int
}

// Teams reads teams, and how many there are without the window.
func (p *Provisioning) Teams(ctx context.Context, caller bank.Caller, q TeamQuery) (teams []Team, total int, err error) {
	err = p.look(ctx, caller, groupTarget(q.ID, ""), func(tx *db.Tx, d Directory) error {
		teams, total, err = listTeams(tx, d, caller.Institution, q)
		return err
	})
	return teams, total, err
}

func listTeams(tx *db.Tx, d Directory, institution bank.InstitutionID, q TeamQuery) (teams []Team, total int, err error) {
	if q.ID == "" && q.Name != "" {
		q.ID, err = groupByName(tx, institution, q.Name)
	} else if q.ID == "" && q.External != "" {
		var id string
		id, err = byExternal(tx, d, institution, externalGroup, q.External)
		q.ID = bank.GroupID(id)
	} else if q.ID == "" {
		return allTeams(tx, d, institution, q)
	}
	if err != nil || q.ID == "" {
		return nil, 0, err
	}
	t, err := findTeam(tx, d, institution, q.ID, q.Bare)
	if errors.Is(err, ErrNoGroup) {
		return nil, 0, nil
	}
	return []Team{t}, 1, err
}

// groupByName is the id of the group with a name, empty where there is none.
func groupByName(tx *db.Tx, institution bank.InstitutionID, name string) (bank.GroupID, error) {
	id, err := db.One(tx, func(row db.Scanner) (id bank.GroupID, err error) { return id, row.Scan(&id) },
		`select id from staff_group where institution_id = $1 and name_key = $2`, institution, db.Fold(name))
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return "", fmt.Errorf("look for the group: %w", err)
	}
	return id, nil
}

func findTeam(tx *db.Tx, d Directory, institution bank.InstitutionID, id bank.GroupID, bare bool) (t Team, err error) {
	g, err := findGroup(tx, institution, id)
	if err != nil {
		return t, err
	}
	names, err := externals(tx, d, institution, externalGroup, string(id))
	if err != nil {
		return t, err
	}
	t = Team{ID: g.ID, Name: g.Name, External: names[string(id)]}
	if bare {
		return t, nil
	}
	members, err := everyMember(tx, institution, id)
	for _, m := range members {
		t.Members = append(t.Members, Teammate{m.ID, m.Name()})
	}
	return t, err
}

func allTeams(tx *db.Tx, d Directory, institution bank.InstitutionID, q TeamQuery) (teams []Team, total int, err error) {
	if err := tx.QueryRow(`select count(*) from staff_group where institution_id = $1`, institution).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count the groups: %w", err)
	}
	const window = ` where g.institution_id = $1 order by g.id limit $2 offset $3`
	groups, err := db.All(tx, scanGroup, selectGroup+window, institution, q.Limit, q.Offset)
	if err != nil {
		return nil, 0, fmt.Errorf("list the groups: %w", err)
	}
	names, err := externals(tx, d, institution, externalGroup, "")
	if err != nil {
		return nil, 0, err
	}
	members := map[bank.GroupID][]Teammate{}
	if !q.Bare {
		if members, err = teammates(tx, window, institution, q.Limit, q.Offset); err != nil {
			return nil, 0, err
		}
	}
	for _, g := range groups {
		teams = append(teams, Team{g.ID, g.Name, names[string(g.ID)], members[g.ID]})
	}
	return teams, total, nil
}

// teammates are the members of the groups of a window.
func teammates(tx *db.Tx, window string, arguments ...any) (map[bank.GroupID][]Teammate, error) {
	members := map[bank.GroupID][]Teammate{}
	_, err := db.All(tx, func(row db.Scanner) (u User, err error) {
		var group bank.GroupID
		err = row.Scan(&group, &u.ID, &u.FirstName, &u.LastName, &u.Email)
		members[group] = append(members[group], Teammate{u.ID, u.Name()})
		return u, err
	}, `
		select m.group_id, u.id, u.first_name, u.last_name, u.email from staff_membership m
		  join staff_user u on u.institution_id = m.institution_id and u.id = m.staff_id
		 where m.institution_id = $1 and m.group_id in (select g.id from staff_group g`+window+`)
		 order by u.name_key, u.id`, arguments...)
	if err != nil {
		return nil, fmt.Errorf("read the groups' members: %w", err)
	}
	return members, nil
}

// CreateTeam makes a group that permits nothing yet: somebody who may decides
// what it permits.
func (p *Provisioning) CreateTeam(ctx context.Context, caller bank.Caller, w TeamWish) (t Team, err error) {
	draft := Draft{Name: w.Name}.whole()
	err = p.do(ctx, caller, EventGroupCreated, groupTarget("", draft.Name), func(c *guard.Change, d Directory) error {
		if err := p.checkTeam(c, draft, "", w); err != nil {
			return err
		}
		id := bank.GroupID(bank.NewID(bank.PrefixGroup, c.Tx.Now))
		if err := insertGroup(c.Tx, caller.Institution, id, draft); err != nil {
			return err
		}
		c.RecordAs(EventGroupCreated, groupTarget(id, draft.Name), "", diff(draft.changes(Draft{}), "external_id", "", w.External)...)
		if w.External != "" {
			if err := storeExternal(c.Tx, d, caller.Institution, externalGroup, string(id), w.External); err != nil {
				return err
			}
		}
		if err := p.setMembers(c, d, Group{ID: id, Draft: draft}, nil, w.Members); err != nil {
			return err
		}
		t, err = findTeam(c.Tx, d, caller.Institution, id, false)
		return err
	})
	return t, err
}

// checkTeam is Draft.check in a directory's words.
func (p *Provisioning) checkTeam(c *guard.Change, draft Draft, self bank.GroupID, w TeamWish) error {
	there, err := groupByName(c.Tx, c.Caller.Institution, draft.Name)
	if err != nil {
		return err
	}
	if there != "" && there != self {
		return fault.Newf(fault.Conflict, "There is a group called %s already, with the id %s.", draft.Name, there).With(CodeTaken)
	}
	var problems fault.Problems
	checkExternal(&problems, w.External)
	for _, one := range fault.ProblemsOf(draft.check(c.Tx, c.Caller.Institution, self)) {
		problems.Add("displayName", one.Sentence)
	}
	return problems.Err("The group was not saved.")
}

// ChangeTeam makes of a group what change makes of it, all of it or nothing. An
// error of change is returned as it is.
func (p *Provisioning) ChangeTeam(ctx context.Context, caller bank.Caller, id bank.GroupID, change func(Team) (TeamWish, error)) (t Team, err error) {
	err = p.do(ctx, caller, EventGroupChanged, groupTarget(id, ""), func(c *guard.Change, d Directory) error {
		was, err := findTeam(c.Tx, d, caller.Institution, id, false)
		if err != nil {
			return err
		}
		w, err := change(was)
		if err != nil {
			return err
		}
		if err := p.fulfilTeam(c, d, was, w); err != nil {
			return err
		}
		t, err = findTeam(c.Tx, d, caller.Institution, id, false)
		return err
	})
	return t, err
}

func (p *Provisioning) fulfilTeam(c *guard.Change, d Directory, was Team, w TeamWish) error {
	g, err := findGroup(c.Tx, c.Caller.Institution, was.ID)
	if err != nil {
		return err
	}
	draft := g.Draft
	draft.Name = w.Name
	draft = draft.whole()
	if changes := diff(draft.changes(g.Draft), "external_id", was.External, w.External); len(changes) > 0 {
		if err := p.renameTeam(c, d, g, draft, w, changes); err != nil {
			return err
		}
	}
	before := was.Wish().Members
	return p.setMembers(c, d, g, before, w.Members)
}

func (p *Provisioning) renameTeam(c *guard.Change, d Directory, g Group, draft Draft, w TeamWish, changes []activity.Change) error {
	if err := above(c.Tx, c.Caller, "A directory can’t change a group that gives", g.holds()); err != nil {
		return err
	}
	if err := p.checkTeam(c, draft, g.ID, w); err != nil {
		return err
	}
	if err := updateGroup(c.Tx, c.Caller.Institution, g.ID, draft); err != nil {
		return err
	}
	if err := storeExternal(c.Tx, d, c.Caller.Institution, externalGroup, string(g.ID), w.External); err != nil {
		return err
	}
	c.RecordAs(EventGroupChanged, groupTarget(g.ID, draft.Name), "", changes...)
	return nil
}

// DeleteTeam removes a group, unless check refuses it. Whoever has no other gets
// the directory's home group.
func (p *Provisioning) DeleteTeam(ctx context.Context, caller bank.Caller, id bank.GroupID, check func(Team) error) error {
	return p.do(ctx, caller, EventGroupDeleted, groupTarget(id, ""), func(c *guard.Change, d Directory) error {
		t, err := findTeam(c.Tx, d, caller.Institution, id, false)
		if err != nil {
			return err
		}
		if err := check(t); err != nil {
			return err
		}
		g, err := findGroup(c.Tx, caller.Institution, id)
		if err != nil {
			return err
		}
		if err := above(c.Tx, c.Caller, "A directory can’t delete a group that gives", g.holds()); err != nil {
			return err
		}
		if g.ID == d.Home {
			return atHome(g, d.Name)
		}
		moved, err := p.replaceable(c, g, d.Home)
		if err != nil {
			return err
		}
		return keepingAdministrators(c, func() error { return p.deleteGroup(c, g, moved, d.Home) })
	})
}

// setMembers puts exactly these users into a group, and those who leave it and
// have no other into the directory's home.
func (p *Provisioning) setMembers(c *guard.Change, d Directory, g Group, before, after []bank.StaffID) error {
	before, after = tidy(before), tidy(after)
	if slices.Equal(before, after) {
		return nil
	}
	if err := above(c.Tx, c.Caller, "A directory can’t decide who is in a group that gives", g.holds()); err != nil {
		return err
	}
	for _, id := range after {
		if _, was := slices.BinarySearch(before, id); !was {
			if err := p.move(c, d, id, func(in []Group) []Group { return append(in, g) }); err != nil {
				return err
			}
		}
	}
	for _, id := range before {
		if _, stays := slices.BinarySearch(after, id); !stays {
			without := func(in []Group) []Group { return slices.DeleteFunc(in, func(one Group) bool { return one.ID == g.ID }) }
			if err := p.move(c, d, id, without); err != nil {
				return err
			}
		}
	}
	return nil
}

func tidy(ids []bank.StaffID) []bank.StaffID {
	return slices.Compact(slices.Sorted(slices.Values(ids)))
}

// move gives one user other groups. Who they are is read here: a directory
// mostly changes one of many.
func (p *Provisioning) move(c *guard.Change, d Directory, id bank.StaffID, to func([]Group) []Group) error {
	u, err := findUser(c.Tx, c.Caller.Institution, id)
	if errors.Is(err, ErrNoUser) {
		var problems fault.Problems
		problems.Addf("members", "There is no user with the id %s.", id)
		return problems.Err("The group was not saved.")
	}
	if err != nil {
		return err
	}
	was, err := groupsOf(c.Tx, c.Caller.Institution, id)
	if err != nil {
		return err
	}
	if beyond := rightsIn(was).without(d.reach()); !beyond.none() {
		labels, err := beyond.labels(c.Tx, c.Caller.Institution)
		return cmp.Or(err, protected("A directory can’t change the groups of "+u.Name()+", who has", labels))
	}
	now := to(slices.Clone(was))
	if len(now) == 0 {
		home, err := findGroup(c.Tx, c.Caller.Institution, d.Home)
		if err != nil {
			return err
		}
		if len(was) == 1 && was[0].ID == home.ID {
			return fault.Newf(fault.Conflict, "%s has no other group than %s, which everybody has who has no other. Put them into another group first.", u.Name(), home.Name).With("LAST_GROUP")
		}
		now = []Group{home}
	}
	if err := regroup(c, u, now); err != nil {
		return err
	}
	c.RecordAs(EventGroupsChanged, userTarget(u.ID, u.Name()), "", activity.Change{Field: "groups", Old: joined(was), New: joined(now)})
	return nil
}
