package hostsim

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

// maxPresented is the most items that one look shows.
const maxPresented = 500

// checks is where the money of checks goes that were paid.
var checks = host.Internal("checks")

// A clearing is an item that comes in from clearing.
type clearing struct {
	host.Presented
	institution bank.InstitutionID
	front, back []byte
}

// Present takes an item from clearing, with pictures of it where there are any.
// One that fits is paid at once, one that does not waits for a ruling. Day says
// by when.
func (b *Bank) Present(ctx context.Context, institution bank.InstitutionID, p host.Presented, front, back []byte) (item string, err error) {
	c := clearing{p, institution, append([]byte{}, front...), append([]byte{}, back...)} // never null
	err = b.write(ctx, institution, func(tx *db.Tx, number int64) error {
		c := c // the transaction may be run again
		a, known, err := findAccount(tx, c.institution, c.Account)
		if err != nil {
			return err
		}
		on, err := enrolled(tx, c.institution, c.Account)
		if err != nil {
			return err
		}
		if !known || !on {
			return fmt.Errorf("hostsim: %s is not under Positive Pay", c.Account)
		}
		c.Organization, c.Outcome, c.Mismatch = a.organization, host.Waiting, host.NotAuthorized
		if c.Kind == host.CheckItem {
			if c.Mismatch, err = compare(tx, &c); err != nil {
				return err
			}
		}
		if c.Mismatch == "" {
			if err := settle(tx, number, &c, &a); err != nil {
				return err
			}
		}
		item = itemName(number)
		return insertItem(tx, number, &c)
	})
	return item, err
}

// compare finds out how a check differs from what the customer issued.
func compare(tx *db.Tx, c *clearing) (host.Mismatch, error) {
	issued, known, err := findIssued(tx, c.institution, c.Account, c.Number)
	switch {
	case err != nil:
		return "", err
	case !known:
		return host.NotIssued, nil
	case issued.Void:
		return host.VoidCheck, nil
	case issued.paid:
		return host.PaidBefore, nil
	case issued.Cents != c.Cents:
		return host.WrongAmount, nil
	case issued.Payee != "" && c.Payee != "" && !strings.EqualFold(issued.Payee, c.Payee):
		return host.WrongPayee, nil
	}
	return "", nil
}

// settle pays a check that fits, or sends it back where it was stopped or there
// is no money.
func settle(tx *db.Tx, number int64, c *clearing, a *account) error {
	stopped, err := isStopped(tx, c)
	if err != nil {
		return err
	}
	if c.Outcome = host.Returned; stopped || a.available() < c.Cents {
		return nil
	}
	c.Outcome = host.Paid
	order := host.Order{
		Institution: c.institution, Organization: a.organization, Day: c.Day, Memo: fmt.Sprintf("Check %d", c.Number), Legs: host.Move(c.Account, checks, c.Cents),
	}
	if err := post(tx, number, &order); err != nil {
		return err
	}
	return markPaid(tx, c.institution, c.Account, c.Number)
}

// fillIn puts the money of an item that is to be paid into the order: the
// amount is the item's own.
func fillIn(tx *db.Tx, o *host.Order) error {
	if o.Ruling == nil || !o.Ruling.Pay {
		return nil
	}
	c, known, err := findItem(tx, o.Institution, o.Ruling.Item)
	if err != nil || !known {
		return err
	}
	o.Legs = host.Move(c.Account, checks, c.Cents)
	return nil
}

func refuseItems(tx *db.Tx, o *host.Order) (host.Code, bank.AccountID, error) {
	if o.Issued != nil {
		on, err := enrolled(tx, o.Institution, o.Issued.Account)
		if err != nil || !on {
			return host.NotEnrolled, o.Issued.Account, err
		}
	}
	if o.Ruling != nil {
		c, known, err := findItem(tx, o.Institution, o.Ruling.Item)
		if err != nil || !known || c.Outcome != host.Waiting || c.Organization != o.Organization {
			return host.UnknownItem, "", err
		}
	}
	return "", "", nil
}

func carryItems(tx *db.Tx, o *host.Order) error {
	if o.Enrol != nil {
		if err := setEnrolled(tx, o.Institution, o.Enrol); err != nil {
			return err
		}
	}
	if o.Issued != nil {
		for _, check := range o.Issued.Checks {
			if err := putIssued(tx, o.Institution, o.Issued.Account, check); err != nil {
				return err
			}
		}
	}
	if o.Ruling == nil {
		return nil
	}
	outcome := host.Returned
	if o.Ruling.Pay {
		outcome = host.Paid
		c, _, err := findItem(tx, o.Institution, o.Ruling.Item)
		if err != nil {
			return err
		}
		if c.Kind == host.CheckItem {
			if err := markPaid(tx, o.Institution, c.Account, c.Number); err != nil {
				return err
			}
		}
	}
	return setOutcome(tx, o.Institution, o.Ruling.Item, outcome)
}

// Presented lists what came in against enrolled accounts, after a mark.
func (b *Bank) Presented(ctx context.Context, institution bank.InstitutionID, after string, most int) (all []host.Presented, err error) {
	mark := int64(0)
	if after != "" {
		if mark, err = strconv.ParseInt(after, 10, 64); err != nil {
			return nil, fmt.Errorf("%q: %w", after, host.ErrNoMark)
		}
	}
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		all, err = presentedAfter(tx, institution, mark, min(most, maxPresented))
		return err
	})
	return all, err
}

// Image is the picture of one side of a check.
func (b *Bank) Image(ctx context.Context, institution bank.InstitutionID, item string, side host.Side) (picture []byte, err error) {
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		picture, err = imageOf(tx, institution, item, side)
		return err
	})
	return picture, err
}

// Issued lists the checks of an account that the customer told of, in the order
// of their numbers, after one.
func (b *Bank) Issued(ctx context.Context, institution bank.InstitutionID, account bank.AccountID, after int64, most int) (all []host.IssuedCheck, err error) {
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		all, err = issuedAfter(tx, institution, account, after, min(most, maxPresented))
		return err
	})
	return all, err
}
