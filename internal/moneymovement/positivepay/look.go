package positivepay

import (
	"context"
	"strconv"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/moneymovement/layout"
)

// MaxPage is the most lines of one page.
const MaxPage = 500

// An AccountChoice is an account on which somebody may do something of this.
type AccountChoice struct {
	ID                            bank.AccountID
	Enrolled                      bool
	Upload, Download, Checks, ACH bool
}

// A Choice is everything that somebody can choose from: a view of the one
// decision.
type Choice struct {
	Accounts []AccountChoice
	May      map[catalog.Operation]entitlement.Explanation // why there is no account for an operation, or that there is one
	Layouts  map[layout.Format]Layout
	Settings Settings
	Now      time.Time
	Today    bank.Day
	Window   Window // of today, or of the next business day
}

// On are the accounts on which an operation is allowed; enrolled ones alone,
// where it is asked for.
func (c *Choice) On(op catalog.Operation, enrolled bool) (ids []bank.AccountID) {
	for _, a := range c.Accounts {
		may := map[catalog.Operation]bool{
			catalog.ARPFileUpload: a.Upload, catalog.ARPFileDownload: a.Download, catalog.ARPCheckExceptionDecide: a.Checks, catalog.ARPACHExceptionDecide: a.ACH,
		}[op]
		if may && (a.Enrolled || !enrolled) {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

var operations = []catalog.Operation{catalog.ARPFileUpload, catalog.ARPFileDownload, catalog.ARPCheckExceptionDecide, catalog.ARPACHExceptionDecide}

// Choices reads what the caller can choose from.
func (s *Service) Choices(ctx context.Context, caller bank.Caller) (ch Choice, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		ch = Choice{May: map[catalog.Operation]entitlement.Explanation{}, Layouts: map[layout.Format]Layout{}, Now: v.Tx.Now}
		on, err := enrolled(v.Tx, placeOf(caller))
		if err != nil {
			return err
		}
		if ch.Settings, err = settingsOf(v.Tx, caller.Institution); err != nil {
			return err
		}
		days, err := s.calendar.In(v.Tx, caller.Institution)
		if err != nil {
			return err
		}
		ch.Today = days.Today(v.Tx.Now)
		ch.Window = ch.Settings.windowOf(days, ch.Today, v.Tx.Now)
		for _, f := range layout.Formats() {
			l, found, err := layoutOf(v.Tx, placeOf(caller), f)
			if err != nil {
				return err
			}
			if found {
				ch.Layouts[f] = l
			}
		}
		ch.accounts(v, caller.Member(), on)
		return nil
	})
	return ch, err
}

func (c *Choice) accounts(v *guard.View, member bank.UserID, on map[bank.AccountID]bool) {
	may := map[catalog.Operation]map[bank.AccountID]bool{}
	for _, op := range operations {
		ids := allowed(v.Policy, op, member, v.Tx.Now)
		may[op] = map[bank.AccountID]bool{}
		for _, id := range ids {
			may[op][id] = true
		}
		c.May[op] = entitlement.Explain(v.Policy, question(op, member, likeliest(v.Policy, member, ids, v.Tx.Now), v.Tx.Now))
	}
	for _, id := range allowed(v.Policy, catalog.AccountView, member, v.Tx.Now) {
		a := AccountChoice{
			ID: id, Enrolled: on[id], Upload: may[catalog.ARPFileUpload][id], Download: may[catalog.ARPFileDownload][id],
			Checks: may[catalog.ARPCheckExceptionDecide][id], ACH: may[catalog.ARPACHExceptionDecide][id],
		}
		if a.Upload || a.Download || a.Checks || a.ACH {
			c.Accounts = append(c.Accounts, a)
		}
	}
}

// reads are the accounts whose issued checks somebody sees: those to which they
// may upload, and those on which they compare what comes in.
func reads(p *entitlement.Policy, member bank.UserID, now time.Time) (ids []bank.AccountID) {
	for _, id := range allowed(p, catalog.AccountView, member, now) {
		for _, op := range []catalog.Operation{catalog.ARPFileUpload, catalog.ARPCheckExceptionDecide} {
			if entitlement.Decide(p, question(op, member, id, now)).Allowed {
				ids = append(ids, id)
				break
			}
		}
	}
	return ids
}

// timeline is the history of one thing.
func timeline(v *guard.View, caller bank.Caller, id string) ([]activity.Event, error) {
	return activity.Feed(v.Tx, activity.Filter{Institution: caller.Institution, Organization: caller.Organization, Target: id, WithRefused: true})
}

// searched is what a search can mean: a part of a text, a check's number, an
// amount. What it does not mean is -1.
func searched(search string) (text string, number int64, cents bank.Cents) {
	number, err := strconv.ParseInt(strings.TrimSpace(search), 10, 64)
	if err != nil {
		number = -1
	}
	cents, err = bank.ParseMoney(search)
	if err != nil || cents == 0 {
		cents = -1
	}
	return db.Containing(search), number, cents
}

// sizeOf keeps a page within bounds, and at is the page that there is.
func sizeOf(size int) int {
	if size <= 0 || size > MaxPage {
		return MaxPage
	}
	return size
}

func at(page, size, matching int) int { return max(1, min(page, (matching+size-1)/size)) }

func direction(down bool) string {
	if down {
		return " desc"
	}
	return ""
}
