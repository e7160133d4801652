package staff

import (
	"context"
	"fmt"
	"net/url"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// Named limits of kept filters.
const (
	maxFilters    = 30 // of a staff user on a page
	maxFilterName = 40
	maxFilterText = 1000
)

// A FilterPage is a page that keeps filters.
type FilterPage string

const (
	OfActivity FilterPage = "activity"
	OfPeople   FilterPage = "people"
)

// key is what a name is known by among all filters of somebody. A name has no
// line end, so that those of two pages never meet.
func (p FilterPage) key(name string) string {
	if p == OfActivity {
		return db.Fold(name)
	}
	return string(p) + "\n" + db.Fold(name)
}

// A Filter is what a staff user looks for on a page again and again, under a
// name of their own. It is nobody else's, and gives no right.
type Filter struct {
	Page  FilterPage
	Name  string
	Query string // of the address
	First bool   // the page begins with it; at most one of a page
}

// Filters are the calling staff user's own of a page, by name.
func (s *Service) Filters(ctx context.Context, caller bank.Caller, page FilterPage) (filters []Filter, err error) {
	err = s.guard.Look(ctx, caller, ownFilters(caller), func(v *guard.View) error {
		filters, err = db.All(v.Tx, func(row db.Scanner) (f Filter, err error) {
			f.Page = page
			err = row.Scan(&f.Name, &f.Query, &f.First)
			return f, err
		}, `select name, query, first from staff_filter where institution_id = $1 and staff_id = $2 and page = $3 order by name_key`, caller.Institution, caller.ID, page)
		return err
	})
	return filters, err
}

// ownFilters is the action of keeping one's own filters. Nothing of it is a
// right, so the history says nothing.
func ownFilters(caller bank.Caller) guard.Action {
	return guard.Action{Event: "staff.filters_kept", Target: userTarget(bank.StaffID(caller.ID), ""), Self: true}
}

// KeepFilter keeps a filter under its name, instead of one that has it. Where it
// is the one that its page begins with, no other is.
func (s *Service) KeepFilter(ctx context.Context, caller bank.Caller, f Filter) error {
	if err := f.check(); err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, ownFilters(caller), func(c *guard.Change) error {
		if f.First {
			if _, err := c.Tx.Exec(`update staff_filter set first = false where institution_id = $1 and staff_id = $2 and page = $3 and first`, caller.Institution, caller.ID, f.Page); err != nil {
				return fmt.Errorf("begin with no other filter: %w", err)
			}
		}
		_, err := c.Tx.Exec(`
			insert into staff_filter (institution_id, staff_id, page, name, name_key, query, first, kept_micros) values ($1, $2, $3, $4, $5, $6, $7, $8)
			on conflict (institution_id, staff_id, name_key) do update set name = excluded.name, query = excluded.query, first = excluded.first, kept_micros = excluded.kept_micros`,
			caller.Institution, caller.ID, f.Page, f.Name, f.Page.key(f.Name), f.Query, f.First, c.Tx.Now.UnixMicro())
		if err != nil {
			return fmt.Errorf("keep the filter: %w", err)
		}
		var n int
		if err := c.Tx.QueryRow(`select count(*) from staff_filter where institution_id = $1 and staff_id = $2 and page = $3`, caller.Institution, caller.ID, f.Page).Scan(&n); err != nil {
			return fmt.Errorf("count the filters: %w", err)
		}
		if n > maxFilters {
			var problems fault.Problems
			problems.Addf("name", "You keep %d filters already. Remove one first.", maxFilters)
			return problems.Err("The filter was not kept.")
		}
		return nil
	})
}

func (f Filter) check() error {
	var problems fault.Problems
	switch {
	case f.Name == "":
		problems.Add("name", "Give the filter a name.")
	case utf8.RuneCountInString(f.Name) > maxFilterName || !bank.Printable(f.Name):
		problems.Addf("name", "Use a name of at most %d characters.", maxFilterName)
	}
	if _, err := url.ParseQuery(f.Query); err != nil || len(f.Query) > maxFilterText || f.Query == "" {
		problems.Add("name", "There is nothing to keep: choose a filter first.")
	}
	return problems.Err("The filter was not kept.")
}

// DropFilter forgets a filter. It is no failure where there is none.
func (s *Service) DropFilter(ctx context.Context, caller bank.Caller, page FilterPage, name string) error {
	return s.guard.Do(ctx, caller, ownFilters(caller), func(c *guard.Change) error {
		_, err := c.Tx.Exec(`delete from staff_filter where institution_id = $1 and staff_id = $2 and name_key = $3`, caller.Institution, caller.ID, page.key(name))
		if err != nil {
			return fmt.Errorf("forget the filter: %w", err)
		}
		return nil
	})
}
