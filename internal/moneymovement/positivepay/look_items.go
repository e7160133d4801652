package positivepay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/gif"  // read, never written
	_ "image/jpeg" // read, never written
	"image/png"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"

	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
)

// An ItemSort is what a list of exceptions is ordered by.
type ItemSort string

const (
	ItemsByDay    ItemSort = "day"
	ItemsByAmount ItemSort = "amount"
	ItemsByNumber ItemSort = "number"
)

var itemOrders = map[ItemSort]string{ItemsByDay: "day", ItemsByAmount: "cents", ItemsByNumber: "number"}

// Whether a list of exceptions has those that wait, or the others.
const (
	WhenWaiting = "waiting"
	WhenSettled = "settled"
)

// An ItemQuery is what a list of exceptions is asked for; what is empty asks
// for everything.
type ItemQuery struct {
	Search     string           // a check's number, an amount, a part of the payee or the company
	Matching   []bank.AccountID // accounts whose name fits the search
	When       string
	Kind       host.ItemKind
	Mismatch   host.Mismatch
	Account    bank.AccountID
	Sort       ItemSort
	Descending bool
	Page, Size int // the first page is 1
}

// A Tally is how many exceptions of an account wait.
type Tally struct {
	Account bank.AccountID
	Count   int
	Cents   bank.Cents
}

// An ItemPage is a part of a list of exceptions.
type ItemPage struct {
	Items    []Item
	Windows  map[ItemID]Window
	Matching int
	Cents    bank.Cents // of all that match
	Total    int
	Page     int
	Waiting  []Tally // accounts on which something waits for the caller
}

// decides are the accounts on which somebody decides about a kind of item.
func decides(p *entitlement.Policy, kind host.ItemKind, member bank.UserID, v *guard.View) []bank.AccountID {
	return allowed(p, operation(kind), member, v.Tx.Now)
}

// Items lists the exceptions that the caller may decide about, or might have.
func (s *Service) Items(ctx context.Context, caller bank.Caller, q ItemQuery) (page ItemPage, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		page = ItemPage{Page: 1}
		checks, ach := decides(v.Policy, host.CheckItem, caller.Member(), v), decides(v.Policy, host.ACHItem, caller.Member(), v)
		if len(checks)+len(ach) == 0 {
			return nil
		}
		if page, err = listItems(v.Tx, placeOf(caller), checks, ach, q); err != nil {
			return err
		}
		days, err := s.calendar.In(v.Tx, caller.Institution)
		if err != nil {
			return err
		}
		set, err := settingsOf(v.Tx, caller.Institution)
		if err != nil {
			return err
		}
		page.Windows = make(map[ItemID]Window, len(page.Items))
		for _, i := range page.Items {
			page.Windows[i.ID] = set.windowOf(days, i.Day, i.Created)
		}
		return nil
	})
	return page, err
}

const itemSeen = `
	 where institution_id = $1 and organization_id = $2 and mismatch <> ''
	   and (kind = 'check' and replace($3, ',' || account_id || ',', '') <> cast($3 as text) or kind = 'ach' and replace($4, ',' || account_id || ',', '') <> cast($4 as text))`

const itemWhere = itemSeen + `
	   and (cast($5 as text) = '' or case when state in ('open', 'refused') then 'waiting' else 'settled' end = $5)
	   and (cast($6 as text) = '' or kind = $6) and (cast($7 as text) = '' or mismatch = $7) and (cast($8 as text) = '' or account_id = $8)
	   and (cast($9 as text) = '' or payee_key like $9 escape '\' or number = $10 or cents = $11 or replace($12, ',' || account_id || ',', '') <> cast($12 as text))`

func listItems(tx *db.Tx, of place, checks, ach []bank.AccountID, q ItemQuery) (page ItemPage, err error) {
	q.Size = sizeOf(q.Size)
	text, number, cents := searched(q.Search)
	who := []any{of.institution, of.organization, joined(checks), joined(ach)}
	args := append(who[:4:4], q.When, q.Kind, q.Mismatch, q.Account, text, number, cents, joined(q.Matching))
	const count = `select count(*), cast(coalesce(sum(cents), 0) as bigint) from arp_item`
	if err := tx.QueryRow(count+itemWhere, args...).Scan(&page.Matching, &page.Cents); err != nil {
		return ItemPage{}, fmt.Errorf("count the exceptions: %w", err)
	}
	var rest bank.Cents
	if err := tx.QueryRow(count+itemSeen, who...).Scan(&page.Total, &rest); err != nil {
		return ItemPage{}, fmt.Errorf("count the exceptions: %w", err)
	}
	page.Page = at(q.Page, q.Size, page.Matching)
	column, known := itemOrders[q.Sort]
	if !known {
		column = itemOrders[ItemsByDay]
	}
	way := direction(q.Descending)
	page.Items, err = db.All(tx, scanItem, `select `+itemColumns+` from arp_item`+itemWhere+` order by `+column+way+`, id`+way+` limit $13 offset $14`,
		append(args, q.Size, (page.Page-1)*q.Size)...)
	if err != nil {
		return ItemPage{}, fmt.Errorf("list the exceptions: %w", err)
	}
	page.Waiting, err = db.All(tx, func(s db.Scanner) (t Tally, err error) {
		err = s.Scan(&t.Account, &t.Count, &t.Cents)
		return t, err
	}, `select account_id, count(*), cast(sum(cents) as bigint) from arp_item`+itemSeen+` and state in ('open', 'refused') group by account_id order by account_id`, who...)
	if err != nil {
		return ItemPage{}, fmt.Errorf("count what waits: %w", err)
	}
	return page, nil
}

// An ItemDetail is an exception with all that is known of it.
type ItemDetail struct {
	Item
	Issued   *Issue // the check that was issued under the same number
	Window   Window
	Now      time.Time
	Default  Verdict // what becomes of it where nobody decides
	Previous ItemID  // the exceptions that wait before and after it
	Next     ItemID
	Events   []activity.Event
}

// GetItem reads one exception.
func (s *Service) GetItem(ctx context.Context, caller bank.Caller, id ItemID) (d ItemDetail, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		i, err := seenItem(v, caller, id)
		if err != nil {
			return err
		}
		days, err := s.calendar.In(v.Tx, caller.Institution)
		if err != nil {
			return err
		}
		set, err := settingsOf(v.Tx, caller.Institution)
		if err != nil {
			return err
		}
		d = ItemDetail{Item: i, Window: set.windowOf(days, i.Day, i.Created), Now: v.Tx.Now, Default: set.of(i.Kind)}
		if i.Kind == host.CheckItem {
			issued, found, err := issueOf(v.Tx, placeOf(caller), i.Account, i.Number)
			if err != nil {
				return err
			}
			if found {
				d.Issued = &issued
			}
		}
		if err := d.neighbours(v, caller); err != nil {
			return err
		}
		d.Events, err = timeline(v, caller, string(id))
		return err
	})
	return d, err
}

// neighbours finds what waits before and after an exception, in the order of
// the list.
func (d *ItemDetail) neighbours(v *guard.View, caller bank.Caller) error {
	checks, ach := decides(v.Policy, host.CheckItem, caller.Member(), v), decides(v.Policy, host.ACHItem, caller.Member(), v)
	page, err := listItems(v.Tx, placeOf(caller), checks, ach, ItemQuery{When: WhenWaiting})
	if err != nil {
		return err
	}
	for _, other := range page.Items {
		switch {
		case other.Day < d.Day || other.Day == d.Day && other.ID < d.ID:
			d.Previous = other.ID
		case d.Next == "" && other.ID != d.ID:
			d.Next = other.ID
		}
	}
	return nil
}

// seenItem is an exception that the caller may see, which is whoever may decide
// about it. Others are told why they may not.
func seenItem(v *guard.View, caller bank.Caller, id ItemID) (Item, error) {
	i, found, err := findItem(v.Tx, placeOf(caller), id)
	if err != nil {
		return Item{}, err
	}
	if !found || i.Mismatch == "" {
		return Item{}, ErrNoItem
	}
	if err := mayOn(v.Policy, i.Operation(), caller.Member(), i.Account, v.Tx.Now); err != nil {
		return Item{}, err
	}
	return i, nil
}

// Bounds of a picture that the host sends.
const (
	maxPicture = 4 << 20    // bytes
	maxPixels  = 12_000_000 // what is taken apart in memory
)

// errNoHost says that the host does not answer.
var errNoHost = fault.New(fault.Unavailable, "The institution does not show pictures at the moment. Try again in a few minutes.")

var errNoPicture = fault.New(fault.NotFound, "There is no picture of this side.")

// Image is the picture of one side of a check as a PNG file. It is drawn anew
// from the points that the host's picture has, so that nothing else of what the
// host sent gets to a browser.
func (s *Service) Image(ctx context.Context, caller bank.Caller, id ItemID, side host.Side) ([]byte, error) {
	var i Item
	err := s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) (err error) {
		i, err = seenItem(v, caller, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	raw, err := s.desk.Host().Image(ctx, caller.Institution, i.hostID, side)
	if errors.Is(err, host.ErrNoImage) {
		return nil, errNoPicture
	}
	if err != nil {
		return nil, errNoHost.Because(err)
	}
	leave, err := s.alone(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return redraw(raw)
}

// errUnreadable says that the host's picture cannot be shown.
var errUnreadable = fault.New(fault.NotFound, "The picture of this side cannot be shown.")

func redraw(raw []byte) ([]byte, error) {
	if len(raw) > maxPicture {
		return nil, errUnreadable
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil || config.Width < 1 || config.Height < 1 || config.Width > maxPixels/config.Height {
		return nil, errUnreadable
	}
	picture, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, errUnreadable
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("draw the picture: %w", err)
	}
	return out.Bytes(), nil
}

// TimeLeft is what is left of a window in words: "2 h 15 min".
func TimeLeft(w Window, now time.Time) string {
	left := w.Closes.Sub(now)
	if left <= 0 {
		return ""
	}
	minutes := int(left.Minutes())
	switch {
	case minutes >= 48*60:
		return fmt.Sprintf("%d days", minutes/60/24)
	case minutes >= 60:
		return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
	}
	return fmt.Sprintf("%d min", max(1, minutes))
}
