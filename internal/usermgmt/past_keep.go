package usermgmt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/usage"
)

// KeepPast takes part in every transaction of a database: what a save touched is
// kept as it is after it, for questions about the past. What a save touched not is
// not even read. It returns what ends it.
func KeepPast(d *db.DB) (stop func()) {
	return d.Attend(func(tx *db.Tx, what any) error {
		saved, ok := what.(activity.Saved)
		if !ok {
			return nil
		}
		if err := keep(tx, saved); err != nil {
			return fmt.Errorf("keep what %s/%s was: %w", saved.Institution, saved.Organization, err)
		}
		return nil
	})
}

// KeepPastFromNow begins to keep what is not kept yet: everything, after an
// upgrade from a version that kept nothing. progress is told how many
// organizations are done of how many; it may be nil.
func KeepPastFromNow(ctx context.Context, d *db.DB, progress func(done, all int)) error {
	var institutions []bank.InstitutionID
	var organizations []organizationKey
	err := d.Read(ctx, func(tx *db.Tx) (err error) {
		if institutions, err = db.All(tx, db.Value[bank.InstitutionID], `
			select i.id from institution i where not exists (
				select 1 from past_known k where k.institution_id = i.id and k.organization_id = '') order by i.id`); err != nil {
			return err
		}
		organizations, err = db.All(tx, func(s db.Scanner) (o organizationKey, err error) {
			err = s.Scan(&o.institution, &o.organization)
			return o, err
		}, `
			select o.institution_id, o.id from organization o where not exists (
				select 1 from past_known k where k.institution_id = o.institution_id and k.organization_id = o.id) order by o.num`)
		return err
	})
	if err != nil {
		return fmt.Errorf("find what is not kept yet: %w", err)
	}
	for _, id := range institutions {
		organizations = append([]organizationKey{{institution: id}}, organizations...)
	}
	done := 0
	for some := range slices.Chunk(organizations, beginsAtOnce) {
		if err := d.Write(ctx, func(tx *db.Tx) error { return beginAll(tx, some) }); err != nil {
			return fmt.Errorf("begin to keep the past: %w", err)
		}
		if done += len(some); progress != nil {
			progress(done, len(organizations))
		}
	}
	return nil
}

// beginsAtOnce is how many organizations are begun in one transaction.
const beginsAtOnce = 20

type organizationKey struct {
	institution  bank.InstitutionID
	organization bank.OrganizationID // empty: the institution itself
}

func beginAll(tx *db.Tx, some []organizationKey) error {
	for _, o := range some {
		if _, err := activity.Lock(tx, o.institution, o.organization); err != nil {
			return err
		}
		head, err := activity.HeadOf(tx, o.institution, o.organization)
		if err != nil {
			return err
		}
		if o.organization == "" {
			if err := keepInstitution(tx, o.institution, head.Sequence); err != nil {
				return err
			}
			continue
		}
		k, err := keeperOf(tx, o.institution, o.organization, head.Sequence)
		if err != nil || k.known { // another process was faster
			if err != nil {
				return err
			}
			continue
		}
		if err := k.begin(); err != nil {
			return err
		}
	}
	return nil
}

// wanted is what of an organization is to be kept after a save.
type wanted struct {
	members  map[bank.UserID]bool
	everyone bool
	accounts bool // and the organization's own level
}

func wantedOf(events []activity.Event) (w wanted) {
	for _, e := range events {
		touch := activity.Touched(e)
		switch {
		case touch.Has(activity.TouchMember | activity.TouchWhole):
			w.everyone, w.accounts = true, true
		case touch.Has(activity.TouchMember):
			if w.members == nil {
				w.members = map[bank.UserID]bool{}
			}
			w.members[bank.UserID(e.Target.ID)] = true
		}
		// An event of the whole organization that is not about a member is of its
		// accounts: who gets anything there has an event of their own.
		w.accounts = w.accounts || touch&(activity.TouchOrganization|activity.TouchWhole) != 0
	}
	return w
}

func (w wanted) nothing() bool { return len(w.members) == 0 && !w.everyone && !w.accounts }

func keep(tx *db.Tx, saved activity.Saved) error {
	if saved.Organization == "" {
		if len(saved.Events) > 0 && !slices.ContainsFunc(saved.Events, func(e activity.Event) bool { return activity.Touched(e).Has(activity.TouchInstitution) }) {
			return nil
		}
		return keepInstitution(tx, saved.Institution, saved.Sequence)
	}
	w := wantedOf(saved.Events)
	if w.nothing() {
		return nil
	}
	k, err := keeperOf(tx, saved.Institution, saved.Organization, saved.Sequence)
	if err != nil || k.num == 0 {
		return err
	}
	if !k.known {
		return k.begin()
	}
	if w.accounts {
		if err := k.keepLevels(); err != nil {
			return err
		}
	}
	if w.everyone {
		return k.keepMembers(nil, true)
	}
	return k.keepMembers(w.members, false)
}

func keepInstitution(tx *db.Tx, institution bank.InstitutionID, sequence int64) error {
	i, known, err := FindInstitution(tx, institution)
	if err != nil || !known {
		return err
	}
	state := pastInstitution{i.Edition, i.TimeZone, i.Offers}
	if _, err := tx.Exec(`insert into past_institution (institution_id, sequence, state) values ($1, $2, $3)`, institution, sequence,
		pastPlace{kind: ofInstitution, institution: institution, sequence: sequence}.seal(state.pack())); err != nil {
		return err
	}
	return know(tx, institution, "", sequence)
}

// know notes from where on the past of a chain is known, where it is not yet.
func know(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, sequence int64) error {
	since := int64(0)
	if sequence == 0 {
		since = tx.Now.UnixMicro()
	}
	_, err := tx.Exec(`
		insert into past_known (institution_id, organization_id, sequence, since_micros)
		select i.id, cast($2 as text), cast($3 as bigint), cast($4 as bigint) from institution i
		 where i.id = $1 and not exists (select 1 from past_known k where k.institution_id = $1 and k.organization_id = $2)`,
		institution, organization, sequence, since)
	return err
}

// A keeper keeps what an organization is after one save.
type keeper struct {
	tx           *db.Tx
	institution  bank.InstitutionID
	organization bank.OrganizationID
	num          int64 // 0: there is no such organization
	known        bool  // something was kept of it before
	sequence     int64
}

func keeperOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, sequence int64) (*keeper, error) {
	k := &keeper{tx: tx, institution: institution, organization: organization, sequence: sequence}
	err := tx.QueryRow(`
		select o.num, exists (select 1 from past_known k where k.institution_id = $1 and k.organization_id = $2)
		  from organization o where o.institution_id = $1 and o.id = $2`, institution, organization).Scan(&k.num, &k.known)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return k, err
}

// begin keeps everything there is: from here on the organization's past is known.
func (k *keeper) begin() error {
	if err := k.keepLevels(); err != nil {
		return err
	}
	if err := k.keepMembers(nil, true); err != nil {
		return err
	}
	if err := usage.KeepDays(k.tx, k.institution, k.organization, k.sequence); err != nil {
		return err
	}
	return know(k.tx, k.institution, k.organization, k.sequence)
}

var pastAccountInsertion = insertion{columns: 4, before: `insert into past_account (organization_num, ordinal, sequence, state)`}

var pastMemberInsertion = insertion{columns: 4, before: `insert into past_member (organization_num, ordinal, sequence, state)`}

// keepLevels keeps the organization's own level, and of its accounts those that
// are not as they were.
func (k *keeper) keepLevels() error {
	o, err := FindOrganization(k.tx, k.institution, k.organization)
	if err != nil {
		return err
	}
	state := pastOrganization{o.Entitlements, o.Ceilings}
	if _, err := k.tx.Exec(`insert into past_organization (organization_num, sequence, state) values ($1, $2, $3)`, k.num, k.sequence,
		k.place(ofOrganization, 0).seal(state.pack())); err != nil {
		return err
	}
	before, err := newest(k.tx, ofAccount, k.num, newestAccounts)
	if err != nil && !errors.Is(err, errState) { // what cannot be read is kept anew
		return err
	}
	accounts, err := accountsByName(k.tx, k.num)
	if err != nil {
		return err
	}
	var args []any
	for _, a := range accounts {
		is := pastAccount{a.ID, a.Target().Name, a.Off}
		if state := is.pack(); !bytes.Equal(state, before[a.Ordinal]) {
			args = append(args, k.num, a.Ordinal, k.sequence, k.place(ofAccount, a.Ordinal).seal(state))
		}
	}
	return pastAccountInsertion.insert(k.tx, args)
}

const (
	newestAccounts = `
		select p.ordinal, p.sequence, p.state from past_account p where p.organization_num = $1 and p.sequence = (
			select max(q.sequence) from past_account q where q.organization_num = p.organization_num and q.ordinal = p.ordinal)`
	newestMembers = `
		select p.ordinal, p.sequence, p.state from past_member p where p.organization_num = $1 and p.sequence = (
			select max(q.sequence) from past_member q where q.organization_num = p.organization_num and q.ordinal = p.ordinal)`
)

// place is where a state stands that is kept now.
func (k *keeper) place(kind pastKind, ordinal int64) pastPlace {
	return pastPlace{kind: kind, num: k.num, ordinal: ordinal, sequence: k.sequence}
}

// newest reads the newest states of an organization's parts by their numbers.
func newest(tx *db.Tx, kind pastKind, num int64, query string, more ...any) (map[int64][]byte, error) {
	states := map[int64][]byte{}
	_, err := db.All(tx, func(s db.Scanner) (ordinal int64, err error) {
		at := pastPlace{kind: kind, num: num}
		var state []byte
		if err = s.Scan(&at.ordinal, &at.sequence, &state); err == nil {
			states[at.ordinal], err = at.open(state)
		}
		return at.ordinal, err
	}, query, append([]any{num}, more...)...)
	return states, err
}

// newestOf reads the newest state that there is of one thing; nil where nothing is
// kept.
func newestOf(tx *db.Tx, at pastPlace, query string, args ...any) ([]byte, error) {
	all, err := db.All(tx, func(s db.Scanner) (state []byte, err error) {
		if err = s.Scan(&at.sequence, &state); err == nil {
			state, err = at.open(state)
		}
		return state, err
	}, query, args...)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

// keepMembers keeps the members named, or all, and that those of them who are
// not there are gone.
func (k *keeper) keepMembers(ids map[bank.UserID]bool, all bool) error {
	now, err := membersNow(k.tx, k.num, ids, all)
	if err != nil {
		return err
	}
	var args, persons []any
	for _, m := range now {
		args = append(args, k.num, m.ordinal, k.sequence, k.place(ofMember, m.ordinal).seal(m.state.pack()))
		persons = append(persons, k.institution, m.state.id, k.num, m.ordinal)
		delete(ids, m.state.id)
	}
	for id := range ids {
		ordinal, err := db.One(k.tx, db.Value[int64], `
			select ordinal from past_person where institution_id = $1 and id = $2 and organization_num = $3`, k.institution, id, k.num)
		if errors.Is(err, db.ErrNoRows) {
			continue // somebody who never was: what was begun and undone in one save
		}
		if err != nil {
			return err
		}
		args = append(args, k.num, ordinal, k.sequence, k.place(ofMember, ordinal).seal(gone))
	}
	if err := pastMemberInsertion.insert(k.tx, args); err != nil {
		return err
	}
	return pastPersonInsertion.insert(k.tx, persons)
}

var pastPersonInsertion = insertion{columns: 4, before: `insert into past_person (institution_id, id, organization_num, ordinal)`,
	after: ` on conflict (institution_id, id) do nothing`}

// A memberNow is a member as they stand in the tables.
type memberNow struct {
	ordinal int64
	state   pastMember
}

const selectNow = `
	select ordinal, id, first_name, last_name, role, status, held, switches, edit_level, ach_daily, ach_batch, transfer, wire, wires_day, wires_dual
	  from member`

func scanNow(s db.Scanner) (*memberNow, error) {
	m := &memberNow{}
	var limits limitColumns
	named := Member{}
	dest := []any{&m.ordinal, &m.state.id, &named.FirstName, &named.LastName, &m.state.role, &m.state.status, &m.state.held,
		&m.state.settings.On, &m.state.settings.EditLevel}
	err := s.Scan(append(dest, limits.all()...)...)
	m.state.name, m.state.settings.Limits = named.Name(), limits.limits()
	return m, err
}

const selectAccessNow = `
	select member_ordinal, account_ordinal, switches, wire, wires_day, wires_dual
	  from member_account`

// membersNow reads members with what they have on accounts, accounts by number.
func membersNow(tx *db.Tx, num int64, ids map[bank.UserID]bool, all bool) ([]*memberNow, error) {
	if all || len(ids) > 16*chunk { // one after the other would cost more
		members, err := db.All(tx, scanNow, selectNow+` where organization_num = $1 order by ordinal`, num)
		if err != nil {
			return nil, err
		}
		if !all {
			members = slices.DeleteFunc(members, func(m *memberNow) bool { return !ids[m.state.id] })
		}
		access, err := db.All(tx, scanMemberAccountRow, selectAccessNow+` where organization_num = $1 order by member_ordinal, account_ordinal`, num)
		return withAccess(members, access), err
	}
	var found []*memberNow
	for some := range slices.Chunk(sortedIDs(ids), chunk) {
		members, err := db.All(tx, scanNow, selectNow+`
			 where organization_num = $1 and id in ($2, $3, $4, $5, $6, $7, $8, $9) order by ordinal`, in8([]any{num}, some)...)
		if err != nil {
			return nil, err
		}
		if len(members) == 0 {
			continue
		}
		var ordinals []int64
		for _, m := range members {
			ordinals = append(ordinals, m.ordinal)
		}
		access, err := db.All(tx, scanMemberAccountRow, selectAccessNow+`
			 where organization_num = $1 and member_ordinal in ($2, $3, $4, $5, $6, $7, $8, $9)
			 order by member_ordinal, account_ordinal`, in8([]any{num}, ordinals)...)
		if err != nil {
			return nil, err
		}
		found = append(found, withAccess(members, access)...)
	}
	return found, nil
}

func sortedIDs(ids map[bank.UserID]bool) (sorted []bank.UserID) {
	for id := range ids {
		sorted = append(sorted, id)
	}
	slices.Sort(sorted)
	return sorted
}

func withAccess(members []*memberNow, access []memberAccountRow) []*memberNow {
	byOrdinal := make(map[int64]*memberNow, len(members))
	for _, m := range members {
		byOrdinal[m.ordinal] = m
	}
	for _, a := range access {
		if m := byOrdinal[a.member]; m != nil {
			m.state.accounts = append(m.state.accounts, pastAccess{a.account, a.Settings})
		}
	}
	return members
}
