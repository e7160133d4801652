package approval

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
)

// A Sort is what the list of what was decided is ordered by.
type Sort string

const (
	ByDecided Sort = "decided"
	ByAmount  Sort = "amount"
	ByTitle   Sort = "title"
)

// A DecidedQuery is what the list of what was decided is asked for; what is
// empty asks for everything.
type DecidedQuery struct {
	Search      string           // a part of the title, or an amount
	Matching    []bank.AccountID // accounts whose name fits the search
	Kind        string
	State       State
	Person      bank.UserID // who asked or decided
	Account     bank.AccountID
	From, Until time.Time // when it was decided; Until is not in it
	Sort        Sort
	Ascending   bool
	Page, Size  int // the first page is 1
}

// A DecidedPage is a part of that list.
type DecidedPage struct {
	Entries  []Entry
	Matching int
	Cents    bank.Cents // of all that match
	Total    int        // all that the caller may see
	Page     int
	People   []Somebody // who asked or decided any of it, by name
	Kinds    []string   // of which there is any
}

// Decided lists what was settled, as far as the caller may see it: what they had
// a hand in or decided, and what the engine lets them see now.
func (s *Service) Decided(ctx context.Context, caller bank.Caller, q DecidedQuery) (page DecidedPage, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		seen, err := s.seen(v, caller)
		if err != nil {
			return err
		}
		page = DecidedPage{Total: len(seen)}
		page.involve(seen)
		fitting := slices.DeleteFunc(seen, func(i Item) bool { return !q.fits(&i) })
		for i := range fitting {
			page.Cents += fitting[i].Cents
		}
		slices.SortStableFunc(fitting, q.order)
		page.Matching = len(fitting)
		size := q.Size
		if size <= 0 || size > MaxQueue {
			size = MaxQueue
		}
		page.Page = max(1, min(q.Page, (len(fitting)+size-1)/size))
		for _, item := range fitting[min(len(fitting), (page.Page-1)*size):min(len(fitting), page.Page*size)] {
			e, _, err := s.entry(v, caller, item)
			if err != nil {
				return err
			}
			page.Entries = append(page.Entries, e)
		}
		return nil
	})
	return page, err
}

// seen are all settled items that the caller may see, the latest first. Each
// room is read once, however many items there are.
func (s *Service) seen(v *guard.View, caller bank.Caller) ([]Item, error) {
	items, err := listDecided(v.Tx, caller.Institution, caller.Organization)
	if err != nil {
		return nil, err
	}
	hands, err := handsOf(v.Tx, caller.Institution, caller.Organization, caller.Member())
	if err != nil {
		return nil, err
	}
	sights := map[string]map[string]entitlement.Request{}
	for name, kind := range s.kinds {
		if sights[name], err = kind.Sights(v.Tx, caller.Institution, caller.Organization); err != nil {
			return nil, err
		}
	}
	judged := map[entitlement.Request]bool{} // the same question has the same answer
	return slices.DeleteFunc(items, func(i Item) bool {
		see, there := sights[i.Kind][i.Ref]
		if !there {
			return true
		}
		if hands[[2]string{i.Kind, i.Ref}] || i.By.ID == caller.Member() {
			return false
		}
		allowed, known := judged[see]
		if !known {
			req := see
			req.Member, req.Now = caller.Member(), v.Tx.Now
			allowed = entitlement.Decide(v.Policy, req).Allowed
			judged[see] = allowed
		}
		return !allowed
	}), nil
}

// involve notes which people and kinds there are to choose from.
func (p *DecidedPage) involve(items []Item) {
	people, kinds := map[bank.UserID]string{}, map[string]bool{}
	for i := range items {
		for _, somebody := range []Somebody{items[i].Initiator, items[i].By} {
			if somebody.ID != "" {
				people[somebody.ID] = somebody.Name
			}
		}
		kinds[items[i].Kind] = true
	}
	for id, name := range people {
		p.People = append(p.People, Somebody{id, name})
	}
	slices.SortFunc(p.People, func(a, b Somebody) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	for kind := range kinds {
		p.Kinds = append(p.Kinds, kind)
	}
	slices.Sort(p.Kinds)
}

func (q *DecidedQuery) fits(i *Item) bool {
	switch {
	case q.Kind != "" && i.Kind != q.Kind, q.Account != "" && i.Account != q.Account:
		return false
	case q.State != "" && i.State != q.State && (q.State != Approved || i.State != Released):
		return false
	case q.Person != "" && i.Initiator.ID != q.Person && i.By.ID != q.Person:
		return false
	case !q.From.IsZero() && i.Decided.Before(q.From), !q.Until.IsZero() && !i.Decided.Before(q.Until):
		return false
	}
	search := strings.ToLower(strings.TrimSpace(q.Search))
	if search == "" || strings.Contains(strings.ToLower(i.Title), search) || i.Account != "" && slices.Contains(q.Matching, i.Account) {
		return true
	}
	cents, err := bank.ParseMoney(search)
	return err == nil && cents == i.Cents
}

func (q *DecidedQuery) order(a, b Item) int {
	way := -1
	if q.Ascending {
		way = 1
	}
	switch q.Sort {
	case ByAmount:
		return way * cmp.Compare(a.Cents, b.Cents)
	case ByTitle:
		return way * cmp.Compare(a.Title, b.Title)
	}
	return way * cmp.Or(a.Decided.Compare(b.Decided), cmp.Compare(a.ID, b.ID))
}

// listDecided reads what was settled, the latest first.
func listDecided(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) ([]Item, error) {
	items, err := db.All(tx, scanItem, `
		select `+columns+` from approval_item
		 where institution_id = $1 and organization_id = $2 and side = 'member' and state not in ('waiting', 'approved') order by decided_micros desc, id desc`,
		institution, organization)
	if err != nil {
		return nil, fmt.Errorf("list what was decided: %w", err)
	}
	return items, nil
}

// handsOf are the objects that a member made or edited, by kind and ref.
func handsOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, member bank.UserID) (map[[2]string]bool, error) {
	all, err := db.All(tx, func(s db.Scanner) (of [2]string, err error) {
		err = s.Scan(&of[0], &of[1])
		return of, err
	}, `select kind, ref from approval_hand where institution_id = $1 and organization_id = $2 and member_id = $3`, institution, organization, member)
	if err != nil {
		return nil, fmt.Errorf("read what somebody had a hand in: %w", err)
	}
	hands := make(map[[2]string]bool, len(all))
	for _, of := range all {
		hands[of] = true
	}
	return hands, nil
}
