package hostsim

import (
	"context"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A Mismatch is a place where the books do not agree with themselves.
type Mismatch struct {
	Institution bank.InstitutionID
	What        string // "posting", "balance" or "held"
	ID          string // a posting's number or an account
	Found, Want bank.Cents
}

// Check adds everything up again: every posting to nothing, every balance from
// its lines, everything set aside from its holds. It reads all of it.
func (b *Bank) Check(ctx context.Context) (all []Mismatch, err error) {
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		all, err = db.All(tx, func(s db.Scanner) (m Mismatch, err error) {
			err = s.Scan(&m.Institution, &m.What, &m.ID, &m.Found, &m.Want)
			return m, err
		}, `
			select institution_id, 'posting', cast(number as text), cast(sum(cents) as bigint), 0
			  from core_line group by institution_id, number having sum(cents) <> 0
			union all
			select a.institution_id, 'balance', a.id, a.balance, cast(coalesce(sum(l.cents), 0) as bigint)
			  from core_account a left join core_line l on l.institution_id = a.institution_id and l.account_id = a.id
			 group by a.institution_id, a.id, a.balance having a.balance <> coalesce(sum(l.cents), 0)
			union all
			select a.institution_id, 'held', a.id, a.held, cast(coalesce(sum(h.cents), 0) as bigint)
			  from core_account a left join core_hold h on h.institution_id = a.institution_id and h.account_id = a.id and h.open
			 group by a.institution_id, a.id, a.held having a.held <> coalesce(sum(h.cents), 0)
			 order by 1, 2, 3`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("add up the books: %w", err)
	}
	return all, nil
}
