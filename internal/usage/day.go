package usage

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
)

// A Day is all that counts on one day against one daily limit of an
// organization: for questions about many of its people at once.
type Day struct {
	limit        catalog.Limit
	organization bank.Cents
	members      map[bank.UserID]bank.Cents
	accounts     map[memberAccount]bank.Cents
}

type memberAccount struct {
	member  bank.UserID
	account bank.AccountID
}

// OfDay reads what counts on a day.
func OfDay(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, limit catalog.Limit, day bank.Day) (Day, error) {
	counters, err := db.All(tx, scanCounter, `
		select member_id, account_id, cents from usage_counter
		 where institution_id = $1 and organization_id = $2 and day = $3 and limit_no = $4`, institution, organization, day, limit)
	if err != nil {
		return Day{}, fmt.Errorf("read what is used on %s: %w", day, err)
	}
	return dayOf(limit, counters), nil
}

func dayOf(limit catalog.Limit, counters []counter) Day {
	d := Day{limit: limit, members: map[bank.UserID]bank.Cents{}, accounts: map[memberAccount]bank.Cents{}}
	for _, c := range counters {
		switch {
		case c.account != "":
			d.accounts[memberAccount{c.member, c.account}] += c.cents
		case c.member != "":
			d.members[c.member] += c.cents
		default:
			d.organization += c.cents
		}
	}
	return d
}

// Used is what counts where a payment of a member on an account would count.
func (d Day) Used(member bank.UserID, account bank.AccountID) entitlement.Used {
	at := Reservation{Limit: d.limit, Account: account}
	used := entitlement.Used{Member: d.members[member], Organization: d.organization}
	if on := at.onAccount(); on != "" {
		used.Account = d.accounts[memberAccount{member, on}]
	}
	return used
}
