package card

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/host"
)

// MaxPage is the most cards of one page.
const MaxPage = 500

// A Sort is what a list is ordered by.
type Sort string

const (
	ByAccount Sort = "account"
	ByHolder  Sort = "holder"
	ByState   Sort = "state"
)

// A Query is what a list is asked for; what is empty asks for everything.
type Query struct {
	Search     string           // a part of the holder's name, or of the last four digits
	Matching   []bank.AccountID // accounts whose name fits the search
	State      host.CardState
	Account    bank.AccountID
	Sort       Sort
	Reverse    bool
	Page, Size int // the first page is 1
}

// A Row is a card in a list.
type Row struct {
	host.Card
	Waits bool // the host has yet to answer about it
}

// A Page is a part of a list.
type Page struct {
	Cards    []Row
	Matching int
	Total    int
	Page     int
	See      entitlement.Explanation // why there is no account whose cards may be managed, or that there is one
}

// looking is the action of looking at an organization's cards. Those of an
// account that the caller may not manage cards of are not there for them.
func looking(caller bank.Caller) guard.Action {
	return guard.Action{
		Event: "card.viewed", Organization: caller.Organization, Others: []bank.ActorKind{bank.ActorMember},
		Target: activity.Target{Kind: activity.TargetOrganization, ID: string(caller.Organization)},
		Scope:  entitlement.Scope{AllAccounts: true},
	}
}

func manages(p *entitlement.Policy, member bank.UserID, account bank.AccountID, now time.Time) bool {
	return entitlement.Decide(p, question(member, account, now)).Allowed
}

// gone reports whether a card ended so long ago that it is no longer listed.
func gone(c *host.Card, now time.Time) bool {
	over := c.State == host.CardLost || c.State == host.CardStolen || c.State == host.CardReplaced
	return over && now.Sub(c.Changed) > shownAfterEnd
}

// List lists the cards of accounts that the caller sees.
func (s *Service) List(ctx context.Context, caller bank.Caller, q Query) (page Page, err error) {
	cards, err := s.fromHost(ctx, caller)
	if err != nil {
		return Page{}, err
	}
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		waiting, err := open(v.Tx, place{caller.Institution, caller.Organization})
		if err != nil {
			return err
		}
		may := map[bank.AccountID]bool{}
		for id := range v.Policy.Accounts {
			may[id] = manages(v.Policy, caller.Member(), id, v.Tx.Now)
		}
		for i := range cards {
			c := &cards[i]
			if !may[c.Account] || gone(c, v.Tx.Now) {
				continue
			}
			page.Total++
			if q.fits(c) {
				page.Cards = append(page.Cards, Row{*c, waiting[c.ID]})
			}
		}
		page.See = entitlement.Explain(v.Policy, question(caller.Member(), likeliest(v.Policy, caller.Member(), may, v.Tx.Now), v.Tx.Now))
		page.cut(q)
		return nil
	})
	return page, err
}

// likeliest is an account to explain with: one that is allowed, or else one
// that the member sees, or else any.
func likeliest(p *entitlement.Policy, member bank.UserID, may map[bank.AccountID]bool, now time.Time) (id bank.AccountID) {
	ids := slices.Sorted(maps.Keys(p.Accounts))
	rank := func(id bank.AccountID) int {
		if may[id] {
			return 0
		}
		if entitlement.Decide(p, entitlement.Request{Member: member, Operation: catalog.AccountView, Account: id, Now: now}).Allowed {
			return 1
		}
		return 2
	}
	slices.SortStableFunc(ids, func(a, b bank.AccountID) int { return cmp.Compare(rank(a), rank(b)) })
	if len(ids) > 0 {
		id = ids[0]
	}
	return id
}

func (q *Query) fits(c *host.Card) bool {
	if q.State != "" && c.State != q.State || q.Account != "" && c.Account != q.Account {
		return false
	}
	search := strings.ToLower(strings.TrimSpace(q.Search))
	return search == "" || strings.Contains(strings.ToLower(c.Holder), search) || strings.Contains(c.LastFour, search) || slices.Contains(q.Matching, c.Account)
}

// cut orders what fits and leaves the page that was asked for.
func (p *Page) cut(q Query) {
	order := func(a, b Row) int { return cmp.Compare(a.Account, b.Account) }
	switch q.Sort {
	case ByHolder:
		order = func(a, b Row) int { return cmp.Compare(strings.ToLower(a.Holder), strings.ToLower(b.Holder)) }
	case ByState:
		order = func(a, b Row) int {
			return cmp.Compare(slices.Index(States(), a.State), slices.Index(States(), b.State))
		}
	}
	slices.SortFunc(p.Cards, func(a, b Row) int {
		by := cmp.Or(order(a, b), cmp.Compare(strings.ToLower(a.Holder), strings.ToLower(b.Holder)), cmp.Compare(a.ID, b.ID))
		if q.Reverse {
			return -by
		}
		return by
	})
	if q.Size <= 0 || q.Size > MaxPage {
		q.Size = MaxPage
	}
	p.Matching = len(p.Cards)
	p.Page = max(1, min(q.Page, (p.Matching+q.Size-1)/q.Size))
	first := min((p.Page-1)*q.Size, p.Matching)
	p.Cards = p.Cards[first:min(first+q.Size, p.Matching)]
}

// A Detail is a card with all that is known of it, and what the caller may ask.
type Detail struct {
	host.Card
	Waits    bool
	Can      []host.CardStep
	Requests []Request // the latest first
	Events   []activity.Event
	Instead  *host.Card // the card that was ordered instead
	Before   *host.Card // the card that this one replaces
}

// Get reads one card.
func (s *Service) Get(ctx context.Context, caller bank.Caller, id host.CardID) (d Detail, err error) {
	cards, err := s.fromHost(ctx, caller)
	if err != nil {
		return Detail{}, err
	}
	at := slices.IndexFunc(cards, func(c host.Card) bool { return c.ID == id })
	if at < 0 {
		return Detail{}, ErrNone
	}
	d.Card = cards[at]
	for i := range cards {
		switch cards[i].ID {
		case d.Replacement:
			d.Instead = &cards[i]
		case d.Replaces:
			d.Before = &cards[i]
		}
	}
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		if !manages(v.Policy, caller.Member(), d.Account, v.Tx.Now) || gone(&d.Card, v.Tx.Now) {
			return ErrNone
		}
		of := place{caller.Institution, caller.Organization}
		if d.Waits, err = waits(v.Tx, of, id); err != nil {
			return err
		}
		if d.Requests, err = requests(v.Tx, of, id); err != nil {
			return err
		}
		for _, step := range Steps() {
			if !d.Waits && d.Card.Can(step) {
				d.Can = append(d.Can, step)
			}
		}
		d.Events, err = activity.Feed(v.Tx, activity.Filter{Institution: caller.Institution, Organization: caller.Organization, Target: string(id), WithRefused: true})
		return err
	})
	return d, err
}
