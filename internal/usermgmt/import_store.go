package usermgmt

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/identity"
	"mandate/internal/outbox"
)

// batches are how many rows one insert takes, largest first: few texts, so that
// all stay prepared, and few statements for any number of rows. SQLite looks
// through all parameters for each one, so that larger batches are slower there.
var batches = [...]int{64, 16, 4, 1}

// An insertion is an insert of many rows: what stands before "values", how many
// columns there are, and what stands after.
type insertion struct {
	before, after string
	columns       int
	texts         sync.Map // number of rows to text
}

func (n *insertion) text(rows int) string {
	if known, ok := n.texts.Load(rows); ok {
		return known.(string)
	}
	var b strings.Builder
	b.WriteString(n.before)
	b.WriteString(" values ")
	for row := range rows {
		if row > 0 {
			b.WriteByte(',')
		}
		for column := range n.columns {
			b.WriteByte("(,"[min(column, 1)])
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(row*n.columns + column + 1))
		}
		b.WriteByte(')')
	}
	b.WriteString(n.after)
	n.texts.Store(rows, b.String())
	return b.String()
}

// insert stores rows whose values stand one after the other in args.
func (n *insertion) insert(tx *db.Tx, args []any) error {
	for _, rows := range batches {
		for size := rows * n.columns; len(args) >= size; args = args[size:] {
			if _, err := tx.Exec(n.text(rows), args[:size]...); err != nil {
				return err
			}
		}
	}
	return nil
}

var accountInsertion = insertion{columns: 10, before: `
	insert into account (organization_num, ordinal, id, external_id, name, name_key, number, kind, off, created_micros)`}

var memberInsertion = insertion{columns: 25, before: `
	insert into member (organization_num, ordinal, institution_id, id, external_id, first_name, last_name, name_key, email, email_key,
		username, username_key, role, status, held, switches, edit_level,
		ach_daily, ach_batch, transfer, wire, wires_day, wires_dual, version, created_micros)`}

var memberAccountInsertion = insertion{columns: 7, before: `
	insert into member_account (organization_num, member_ordinal, account_ordinal, switches, wire, wires_day, wires_dual)`, after: `
	on conflict (organization_num, member_ordinal, account_ordinal) do update
	   set switches = excluded.switches, wire = excluded.wire, wires_day = excluded.wires_day, wires_dual = excluded.wires_dual`}

func (p *ImportPlan) storeOrganization(tx *db.Tx) error {
	o := &p.after
	switch p.outcome {
	case ImportCreated:
		o.ID = p.ID
		return InsertOrganization(tx, o)
	case ImportChanged:
		_, err := tx.Exec(`
			update organization set name = $1, name_key = $2, address = $3, phone = $4, email = $5
			 where institution_id = $6 and id = $7`,
			o.Name, Fold(o.Name), o.Address, o.Phone, o.Email, o.Institution, o.ID)
		if err != nil {
			return fmt.Errorf("store the organization %s: %w", o.ExternalID, err)
		}
		return SetOrganizationPolicy(tx, o.Institution, o.ID, o.Entitlements, o.Ceilings)
	}
	return nil
}

func (p *ImportPlan) storeAccounts(tx *db.Tx) error {
	last, err := p.reserve(tx, reserveAccounts, p.Counts[ImportsAccount][ImportCreated])
	if err != nil {
		return err
	}
	var args []any
	for i := range p.accounts {
		a := &p.accounts[i].after
		switch p.accounts[i].outcome {
		case ImportCreated:
			last++
			a.Ordinal = last
			args = append(args, p.after.Num, a.Ordinal, a.ID, externalID(a.ExternalID, string(a.ID)), a.Name, Fold(a.Name), a.Number, a.Kind, a.Off, tx.Now.UnixMicro())
		case ImportChanged:
			_, err := tx.Exec(`
				update account set name = $1, name_key = $2, number = $3, kind = $4, off = $5 where organization_num = $6 and ordinal = $7`,
				a.Name, Fold(a.Name), a.Number, a.Kind, a.Off, p.after.Num, a.Ordinal)
			if err != nil {
				return fmt.Errorf("store the account %s: %w", a.ExternalID, err)
			}
		}
	}
	if err := accountInsertion.insert(tx, args); err != nil {
		return fmt.Errorf("store the accounts of %s: %w", p.after.ExternalID, err)
	}
	return nil
}

const (
	reserveAccounts = `update organization set last_account = last_account + $1 where num = $2 returning last_account - $1`
	reserveMembers  = `update organization set last_member = last_member + $1 where num = $2 returning last_member - $1`
)

// reserve takes n of the organization's numbers and returns the last one taken
// before.
func (p *ImportPlan) reserve(tx *db.Tx, query string, n int64) (before int64, err error) {
	if n == 0 {
		return 0, nil
	}
	if before, err = db.One(tx, db.Value[int64], query, n, p.after.Num); err != nil {
		return 0, fmt.Errorf("number what is new in %s: %w", p.after.ExternalID, err)
	}
	return before, nil
}

// storeMembers updates before it inserts, because a new member may be given
// what another one gives up.
func (p *ImportPlan) storeMembers(tx *db.Tx, version int64) error {
	if err := p.giveUpEmails(tx); err != nil {
		return err
	}
	for i := range p.members {
		if step := &p.members[i]; step.outcome == ImportChanged || step.outcome == ImportUnchanged && len(step.access) > 0 {
			step.after.Version = version
			if err := p.updateMember(tx, &step.after); err != nil {
				return err
			}
			if err := tellIdentity(tx, p.after.Institution, step); err != nil {
				return err
			}
		}
	}
	last, err := p.reserve(tx, reserveMembers, p.Counts[ImportsMember][ImportCreated])
	if err != nil {
		return err
	}
	var args []any
	for i := range p.members {
		m := &p.members[i].after
		if p.members[i].outcome != ImportCreated {
			continue
		}
		last++
		m.Ordinal, m.Version = last, version
		args = append(args, p.after.Num, m.Ordinal, p.after.Institution, m.ID, externalID(m.ExternalID, string(m.ID)), m.FirstName, m.LastName, Fold(m.Name()),
			m.Email, Fold(m.Email), m.Username, Fold(m.Username), m.Role, m.Status, m.Held, m.Settings.On, m.Settings.EditLevel)
		args = append(append(args, limitArgs(m.Settings.Limits)...), m.Version, tx.Now.UnixMicro())
	}
	if err := memberInsertion.insert(tx, args); err != nil {
		return fmt.Errorf("store the members of %s: %w", p.after.ExternalID, err)
	}
	return touchCustomers(tx, p.after.Num)
}

// giveUpEmails blanks emails that change, so that two members can exchange
// theirs.
func (p *ImportPlan) giveUpEmails(tx *db.Tx) error {
	for i := range p.members {
		was, is := &p.members[i].before, &p.members[i].after
		if p.members[i].outcome != ImportChanged || was.Email == is.Email {
			continue
		}
		_, err := tx.Exec(`update member set email = '', email_key = '' where organization_num = $1 and ordinal = $2`, p.after.Num, was.Ordinal)
		if err != nil {
			return fmt.Errorf("store the member %s: %w", was.ExternalID, err)
		}
	}
	return nil
}

// tellIdentity does to a stored member's credentials what the same change does
// on every other channel: who may not sign in any more is signed out, who is
// unlocked starts with no wrong attempts, and links that went to an address
// that is not theirs any more are useless.
func tellIdentity(tx *db.Tx, institution bank.InstitutionID, s *memberStep) error {
	who := identity.Member(institution, s.after.ID)
	could := s.before.Status == bank.StatusActive && !s.before.Held
	can := s.after.Status == bank.StatusActive && !s.after.Held
	if could && !can {
		if err := identity.EndSignIns(tx, who); err != nil {
			return err
		}
	}
	if s.before.Status == bank.StatusLocked && s.after.Status == bank.StatusActive {
		if err := identity.ClearStrikes(tx, who); err != nil {
			return err
		}
	}
	if s.before.Email == s.after.Email {
		return nil
	}
	_, err := identity.CancelLinks(tx, who, cancelMail)
	return err
}

// cancelMail takes back a letter that has not gone out.
func cancelMail(tx *db.Tx, institution bank.InstitutionID, key string) error {
	return outbox.Cancel(tx, institution, outbox.Mail, key)
}

func (p *ImportPlan) updateMember(tx *db.Tx, m *Member) error {
	args := []any{m.FirstName, m.LastName, Fold(m.Name()), m.Email, Fold(m.Email), m.Username, Fold(m.Username),
		m.Role, m.Status, m.Held, m.Settings.On, m.Settings.EditLevel}
	args = append(append(args, limitArgs(m.Settings.Limits)...), m.Version, p.after.Num, m.Ordinal)
	_, err := tx.Exec(`
		update member set first_name = $1, last_name = $2, name_key = $3, email = $4, email_key = $5, username = $6, username_key = $7,
		       role = $8, status = $9, held = $10, switches = $11, edit_level = $12,
		       ach_daily = $13, ach_batch = $14, transfer = $15, wire = $16, wires_day = $17, wires_dual = $18, version = $19
		 where organization_num = $20 and ordinal = $21`, args...)
	if err != nil {
		return fmt.Errorf("store the member %s: %w", m.ExternalID, err)
	}
	return nil
}

func (p *ImportPlan) storeAccess(tx *db.Tx) error {
	const rows = 4096 // at a time
	args := make([]any, 0, min(rows, p.Counts[ImportsMemberAccount][ImportCreated]+p.Counts[ImportsMemberAccount][ImportChanged])*int64(memberAccountInsertion.columns))
	flush := func() error {
		if err := memberAccountInsertion.insert(tx, args); err != nil {
			return fmt.Errorf("store the member accounts of %s: %w", p.after.ExternalID, err)
		}
		args = args[:0]
		return nil
	}
	for i := range p.members {
		for _, step := range p.members[i].access {
			args = append(args, p.after.Num, p.members[i].after.Ordinal, p.accounts[step.account].after.Ordinal, step.after.On)
			for limit := catalog.LimitPerWire; limit < catalog.LimitCount; limit++ {
				args = append(args, amountArg(step.after.Limits, limit))
			}
			if len(args) == cap(args) {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

// amountArg is a limit as its column holds it.
func amountArg(l entitlement.Limits, limit catalog.Limit) any {
	if amount, set := l.Get(limit); set {
		return int64(amount)
	}
	return nil
}
