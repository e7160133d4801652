package usage

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
)

// A Mismatch is a counter that is not the sum of what is reserved.
type Mismatch struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	Day          bank.Day
	Limit        catalog.Limit
	Member       bank.UserID    // empty: everybody
	Account      bank.AccountID // empty: every account
	Counted, Sum bank.Cents
}

// Check adds up every reservation again and compares the counters: a proof
// that nothing was counted twice, lost or forgotten. It reads everything. Of the
// daily limits only that of wires exists per account.
func Check(tx *db.Tx) ([]Mismatch, error) {
	all, err := db.All(tx, scanMismatch, `
		with live as (
			select institution_id, organization_id, day, limit_no, member_id, account_id, cents
			  from usage_reservation where not released
		), one_each as (
			select institution_id, organization_id, day, limit_no, '' as member_id, '' as account_id, cents from live
			union all
			select institution_id, organization_id, day, limit_no, member_id, '', cents from live
			union all
			select institution_id, organization_id, day, limit_no, member_id, account_id, cents from live
			 where account_id <> '' and limit_no = $1
		), sums as (
			select institution_id, organization_id, day, limit_no, member_id, account_id, cast(sum(cents) as bigint) as cents
			  from one_each group by institution_id, organization_id, day, limit_no, member_id, account_id
			union all
			select institution_id, organization_id, day, limit_no, member_id, account_id, 0 from usage_counter
		), expected as (
			select institution_id, organization_id, day, limit_no, member_id, account_id, cast(sum(cents) as bigint) as cents
			  from sums group by institution_id, organization_id, day, limit_no, member_id, account_id
		)
		select e.institution_id, e.organization_id, e.day, e.limit_no, e.member_id, e.account_id, coalesce(c.cents, 0), e.cents
		  from expected e
		  left join usage_counter c
		    on c.institution_id = e.institution_id and c.organization_id = e.organization_id and c.day = e.day
		   and c.limit_no = e.limit_no and c.member_id = e.member_id and c.account_id = e.account_id
		 where coalesce(c.cents, 0) <> e.cents
		 order by e.institution_id, e.organization_id, e.day, e.limit_no, e.member_id, e.account_id`, catalog.LimitWiresDaily)
	if err != nil {
		return nil, fmt.Errorf("add up what is reserved: %w", err)
	}
	return all, nil
}

func scanMismatch(s db.Scanner) (m Mismatch, err error) {
	err = s.Scan(&m.Institution, &m.Organization, &m.Day, &m.Limit, &m.Member, &m.Account, &m.Counted, &m.Sum)
	return m, err
}
