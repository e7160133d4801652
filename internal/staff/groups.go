package staff

import (
	"context"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/guard"
)

// A GroupQuery asks for one page of the groups, by name.
type GroupQuery struct {
	Search string // any part of a name
	Page   int    // from 1
	Size   int    // at most maxPageSize
}

// A GroupPage is one page of groups and how many there are.
type GroupPage struct {
	Groups   []Group
	Matching int // that fit the query
	Total    int // at the institution
	Page     int // the page that this is: a page beyond the end becomes the last
	Pages    int
}

const groupFilter = ` where g.institution_id = $1 and (cast($2 as text) = '' or g.name_key like $2 escape '\')`

// GroupPage lists one page of the institution's groups.
func (s *Service) GroupPage(ctx context.Context, caller bank.Caller, q GroupQuery) (page GroupPage, err error) {
	if q.Size <= 0 || q.Size > maxPageSize {
		q.Size = 50
	}
	err = s.guard.Look(ctx, caller, looking(catalog.StaffGroupsView, activity.Target{Kind: activity.TargetGroup}), func(v *guard.View) error {
		page, err = pageOfGroups(v.Tx, caller.Institution, q)
		return err
	})
	return page, err
}

func pageOfGroups(tx *db.Tx, institution bank.InstitutionID, q GroupQuery) (page GroupPage, err error) {
	if err := tx.QueryRow(`select count(*) from staff_group where institution_id = $1`, institution).Scan(&page.Total); err != nil {
		return page, fmt.Errorf("count the groups: %w", err)
	}
	search := db.Containing(q.Search)
	if err := tx.QueryRow(`select count(*) from staff_group g`+groupFilter, institution, search).Scan(&page.Matching); err != nil {
		return page, fmt.Errorf("count the groups that match: %w", err)
	}
	page.Pages = max(1, (page.Matching+q.Size-1)/q.Size)
	page.Page = min(max(q.Page, 1), page.Pages)
	page.Groups, err = db.All(tx, scanGroup, selectGroup+groupFilter+` order by g.name_key limit $3 offset $4`, institution, search, q.Size, (page.Page-1)*q.Size)
	if err != nil {
		return page, fmt.Errorf("list the groups of a page: %w", err)
	}
	return page, nil
}

// GroupsNamed reads some groups by their ids; those that are gone are left out.
func (s *Service) GroupsNamed(ctx context.Context, caller bank.Caller, ids []bank.GroupID) (groups []Group, err error) {
	err = s.guard.Look(ctx, caller, looking(catalog.StaffGroupsView, activity.Target{Kind: activity.TargetGroup}), func(v *guard.View) error {
		groups = nil
		for _, id := range ids {
			g, err := findGroup(v.Tx, caller.Institution, id)
			if err == ErrNoGroup {
				continue
			}
			if err != nil {
				return err
			}
			groups = append(groups, g)
		}
		return nil
	})
	return groups, err
}

// GroupCalled is the group of a name; none has no id.
func (s *Service) GroupCalled(ctx context.Context, caller bank.Caller, name string) (g Group, err error) {
	err = s.guard.Look(ctx, caller, looking(catalog.StaffGroupsView, activity.Target{Kind: activity.TargetGroup}), func(v *guard.View) error {
		found, err := db.All(v.Tx, scanGroup, selectGroup+` where g.institution_id = $1 and g.name_key = $2`, caller.Institution, db.Fold(name))
		if err != nil {
			return fmt.Errorf("find the group by its name: %w", err)
		}
		if len(found) == 1 {
			g = found[0]
		}
		return nil
	})
	return g, err
}
