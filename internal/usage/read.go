package usage

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
)

// For reads what already counts on the day that a request counts on, against
// each limit that it is tested on.
func For(tx *db.Tx, p *entitlement.Policy, req entitlement.Request) (entitlement.Used, error) {
	return ForExcept(tx, p, req, "")
}

// ForExcept is For without what the reservation except holds: a payment that is
// judged again does not count against itself. An empty except is none.
func ForExcept(tx *db.Tx, p *entitlement.Policy, req entitlement.Request, except ID) (entitlement.Used, error) {
	limit, day, counts := entitlement.Counting(p.Institution, req)
	if !counts || p.Members[req.Member] == nil {
		return entitlement.Used{}, nil
	}
	at := Reservation{Institution: p.Institution.ID, Organization: p.Organization.ID, Limit: limit, Day: day,
		Member: req.Member, Account: req.Account}
	used, err := Used(tx, at)
	if err != nil || except == "" {
		return used, err
	}
	own, found, err := Find(tx, at.Institution, at.Organization, except)
	if err != nil || !found || own.Released {
		return used, err
	}
	return without(used, at, own), nil
}

// Used sums what counts where a reservation would count: on its day, against
// its limit, for its member, its account and everybody.
func Used(tx *db.Tx, at Reservation) (used entitlement.Used, err error) {
	counters, err := db.All(tx, scanCounter, `
		select member_id, account_id, cents from usage_counter
		 where institution_id = $1 and organization_id = $2 and day = $3 and limit_no = $4
		   and member_id in ('', $5) and account_id in ('', $6)`,
		at.Institution, at.Organization, at.Day, at.Limit, at.Member, at.onAccount())
	if err != nil {
		return entitlement.Used{}, fmt.Errorf("read what is used: %w", err)
	}
	for _, c := range counters {
		switch {
		case c.account != "":
			used.Account = c.cents
		case c.member != "":
			used.Member = c.cents
		default:
			used.Organization = c.cents
		}
	}
	return used, nil
}

// A counter is one sum; empty is everybody's, or every account's.
type counter struct {
	member  bank.UserID
	account bank.AccountID
	cents   bank.Cents
}

func scanCounter(s db.Scanner) (c counter, err error) {
	err = s.Scan(&c.member, &c.account, &c.cents)
	return c, err
}

// without takes a reservation out of the sums that it is part of.
func without(used entitlement.Used, at, own Reservation) entitlement.Used {
	if own.Limit != at.Limit || own.Day != at.Day {
		return used
	}
	used.Organization -= own.Cents
	if own.Member == at.Member {
		used.Member -= own.Cents
		if own.Account == at.Account && at.onAccount() != "" {
			used.Account -= own.Cents
		}
	}
	return used
}

// A Counter is one sum of a day; empty is everybody's, or every account's.
type Counter struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	Day          bank.Day
	Limit        catalog.Limit
	Member       bank.UserID
	Account      bank.AccountID
	Cents        bank.Cents
}

func scanWholeCounter(s db.Scanner) (c Counter, err error) {
	err = s.Scan(&c.Institution, &c.Organization, &c.Day, &c.Limit, &c.Member, &c.Account, &c.Cents)
	return c, err
}

// Since are the counters of an organization from a day on.
func Since(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, from bank.Day) ([]Counter, error) {
	counters, err := db.All(tx, scanWholeCounter, `
		select institution_id, organization_id, day, limit_no, member_id, account_id, cents from usage_counter
		 where institution_id = $1 and organization_id = $2 and day >= $3`, institution, organization, from)
	if err != nil {
		return nil, fmt.Errorf("read what is used of %s/%s: %w", institution, organization, err)
	}
	return counters, nil
}

// AllSince are the counters of everybody from a day on.
func AllSince(tx *db.Tx, from bank.Day) ([]Counter, error) {
	counters, err := db.All(tx, scanWholeCounter, `
		select institution_id, organization_id, day, limit_no, member_id, account_id, cents from usage_counter where day >= $1`, from)
	if err != nil {
		return nil, fmt.Errorf("read what is used: %w", err)
	}
	return counters, nil
}
