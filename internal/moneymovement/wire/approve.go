package wire

import (
	"cmp"
	"fmt"
	"strings"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// The room is a kind of the queue of approvals, and its wires go out at once.
var (
	_ approval.Kind    = (*Service)(nil)
	_ approval.Carrier = (*Service)(nil)
)

// Events are what happens to what waits, as history names it.
func (s *Service) Events() approval.Events {
	return approval.Events{Approved: EventApproved, Rejected: EventRejected, Expired: EventExpired}
}

// Matter is a wire that waits, as it stands.
func (s *Service) Matter(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, ref string) (approval.Matter, error) {
	w, found, err := find(tx, place{institution, organization}, ID(ref))
	if err != nil {
		return approval.Matter{}, err
	}
	if !found {
		return approval.Matter{}, ErrNone
	}
	m := w.matter(tx)
	if w.State.counts() {
		m.Reservation = w.reservation()
	}
	return m, nil
}

// Sights are what is asked of whoever wants to see a wire.
func (s *Service) Sights(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) (map[string]entitlement.Request, error) {
	sights := map[string]entitlement.Request{}
	_, err := db.All(tx, func(s db.Scanner) (id string, err error) {
		var account bank.AccountID
		if err = s.Scan(&id, &account); err == nil {
			sights[id] = entitlement.Request{Operation: catalog.WiresView, Account: account}
		}
		return id, err
	}, `select id, account_id from wire where institution_id = $1 and organization_id = $2 and item_id <> ''`, institution, organization)
	if err != nil {
		return nil, fmt.Errorf("read which wires there are: %w", err)
	}
	return sights, nil
}

func (w *Wire) matter(tx *db.Tx) approval.Matter {
	now := tx.Now
	return approval.Matter{
		Title: "Wire of " + w.Cents.Dollars() + " to " + w.Payee.Name, Account: w.Account, Cents: w.Cents, Content: w.content(), Lines: w.lines(),
		Approve: func(member bank.UserID) entitlement.Request {
			return w.sending(catalog.WiresApprove, member, now)
		},
		See:      func(member bank.UserID) entitlement.Request { return on(catalog.WiresView, member, w.Account, now) },
		Initiate: w.sending(catalog.WiresTransmitOperation, w.By.ID, now),
	}
}

// lines are what somebody reads before they agree.
func (w *Wire) lines() []approval.Line {
	lines := []approval.Line{
		{Term: "Payee", Value: w.Payee.Name}, {Term: "Payee's account", Value: w.Payee.Account}, {Term: "Payee's address", Value: w.Address()},
		{Term: "Payee's bank", Value: w.Bank.Name + ", " + w.Bank.Routing},
	}
	if w.Via.Routing != "" {
		lines = append(lines, approval.Line{Term: "By way of", Value: w.Via.Name + ", " + w.Via.Routing})
	}
	return append(lines, approval.Line{Term: "Remarks", Value: w.Remarks}, approval.Line{Term: "Date", Value: calendar.Long(w.Day)})
}

// Address is the payee's address on one line.
func (i *Instruction) Address() string {
	region := strings.TrimSpace(i.Payee.State + " " + i.Payee.PostCode)
	var parts []string
	for _, part := range []string{i.Payee.Street, i.Payee.Town, region} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// waiting reads the wire of an item that is decided.
func waiting(tx *db.Tx, item approval.Item) (Wire, error) {
	w, found, err := find(tx, place{item.Institution, item.Organization}, ID(item.Ref))
	if err != nil {
		return Wire{}, err
	}
	if !found || w.State != Pending || w.Item != item.ID {
		return Wire{}, approval.ErrDecided
	}
	return w, nil
}

// Approved takes the second person's yes: the wire goes out, now where its day
// has come.
func (s *Service) Approved(c *guard.Change, item approval.Item) error {
	w, err := waiting(c.Tx, item)
	if err != nil {
		return err
	}
	days, err := s.calendar.In(c.Tx, item.Institution)
	if err != nil {
		return err
	}
	if _, closes := days.Window(calendar.Wires, w.Day); !c.Tx.Now.Before(closes) {
		return fault.New(fault.Conflict, "It is past the cut-off of this wire's day. It must be sent off again.").With("PAST_CUTOFF")
	}
	w.Approver = item.By.Name
	if err := w.to(c.Tx, approve); err != nil {
		return err
	}
	if w.Due.After(c.Tx.Now) {
		return nil
	}
	return s.release(c, days, &w)
}

// Ended takes back what was rejected or not decided in time.
func (s *Service) Ended(c *guard.Change, item approval.Item) error {
	w, err := waiting(c.Tx, item)
	if err != nil {
		return err
	}
	code, problem := "EXPIRED", "Nobody approved it before the cut-off of its day."
	if item.State == approval.Rejected {
		code, problem = "REJECTED", item.By.Name+" rejected it"+cmp.Or(quoted(item.Comment), ".")
	}
	return s.back(c, &w, code, problem)
}

func quoted(comment string) string {
	if comment == "" {
		return ""
	}
	return ": “" + comment + "”"
}
