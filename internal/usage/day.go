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

// OfDayAt reads what counted on a day when the organization's chain stood at an
// event.
func OfDayAt(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, limit catalog.Limit, day bank.Day, sequence int64) (Day, error) {
	notes, err := db.All(tx, scanCounter, `
		select member_id, account_id, cents from past_usage
		 where institution_id = $1 and organization_id = $2 and day = $3 and limit_no = $4 and sequence <= $5`,
		institution, organization, day, limit, sequence)
	if err != nil {
		return Day{}, fmt.Errorf("read what was used on %s: %w", day, err)
	}
	counters := make([]counter, 0, 3*len(notes))
	for _, n := range notes { // as add counts
		counters = append(counters, counter{cents: n.cents}, counter{member: n.member, cents: n.cents})
		if n.account != "" {
			counters = append(counters, n)
		}
	}
	return dayOf(limit, counters), nil
}

// KeepDays begins what is kept of an organization's usage: what counts now and
// was not noted yet is noted at an event.
func KeepDays(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, sequence int64) error {
	_, err := tx.Exec(`
		insert into past_usage (institution_id, organization_id, day, limit_no, sequence, member_id, account_id, cents)
		select institution_id, organization_id, day, limit_no, cast($3 as bigint), member_id, account_id, cast(sum(cents) as bigint)
		  from (select institution_id, organization_id, day, limit_no, member_id,
		               case when limit_no = $4 then account_id else '' end as account_id, cents
		          from usage_reservation where institution_id = $1 and organization_id = $2 and not released
		        union all
		        select institution_id, organization_id, day, limit_no, member_id, account_id, -cents
		          from past_usage where institution_id = $1 and organization_id = $2) as missing
		 group by institution_id, organization_id, day, limit_no, member_id, account_id
		having sum(cents) <> 0`, institution, organization, sequence, catalog.LimitWiresDaily)
	if err != nil {
		return fmt.Errorf("keep what is used: %w", err)
	}
	return nil
}

// NotedWrong says on which days what was noted of an organization's usage does not
// add up to what is reserved, and what was noted after its last event.
func NotedWrong(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, last int64) ([]string, error) {
	wrong, err := db.All(tx, db.Value[string], `
		select day from (
			select day, limit_no, member_id, account_id, sum(cents) as cents
			  from (select day, limit_no, member_id, case when limit_no = $4 then account_id else '' end as account_id, cents
			          from usage_reservation where institution_id = $1 and organization_id = $2 and not released
			        union all
			        select day, limit_no, member_id, account_id, -cents from past_usage where institution_id = $1 and organization_id = $2) as both_of
			 group by day, limit_no, member_id, account_id) as sums
		 where cents <> 0
		union select day from past_usage where institution_id = $1 and organization_id = $2 and sequence > $3
		 order by day`, institution, organization, last, catalog.LimitWiresDaily)
	for i := range wrong {
		wrong[i] = "what was noted of the usage of " + wrong[i] + " is not what is reserved"
	}
	return wrong, err
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

// Nothing reports whether nothing counts on the day at all.
func (d Day) Nothing() bool {
	return d.organization == 0 && len(d.members) == 0 && len(d.accounts) == 0
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
