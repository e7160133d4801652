package usermgmt

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// A Draft is what an admin typed about somebody new and has not created yet. It
// is theirs alone, counts for nothing, and waits until they come back.
type Draft struct {
	Details
	CopyFrom bank.UserID // whose permissions and accounts the new one shall have; empty: the host's defaults
	Kept     time.Time
}

// Empty reports whether there is nothing worth keeping.
func (d Draft) Empty() bool { return d.FirstName == "" && d.LastName == "" && d.Email == "" }

// maxDraftText bounds what is kept of a field that may still be wrong.
const maxDraftText = 200

// KeepDraft keeps what an admin has typed so far, however wrong it is. An empty
// draft takes away what was kept.
func (s *Service) KeepDraft(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, d Draft) error {
	d.Details = d.trimmed()
	for _, text := range []string{d.FirstName, d.LastName, d.Email, string(d.CopyFrom)} {
		if len(text) > maxDraftText || !utf8.ValidString(text) {
			return fault.New(fault.Invalid, "This is too long to be kept.")
		}
	}
	return s.drafting(ctx, caller, Person{Organization: organization}, func(c *guard.Change) error {
		author, err := author(c.Tx, caller, organization)
		if err != nil {
			return err
		}
		if d.Empty() {
			return dropDraft(c.Tx, author)
		}
		_, err = c.Tx.Exec(`
			insert into create_draft (organization_num, author_ordinal, first_name, last_name, email, role, copy_from, kept_micros)
			values ($1, $2, $3, $4, $5, $6, $7, $8)
			on conflict (organization_num, author_ordinal) do update
			   set first_name = excluded.first_name, last_name = excluded.last_name, email = excluded.email, role = excluded.role,
			       copy_from = excluded.copy_from, kept_micros = excluded.kept_micros`,
			author.organization.Num, author.member.Ordinal, d.FirstName, d.LastName, d.Email, d.Role, d.CopyFrom, c.Tx.Now.UnixMicro())
		if err != nil {
			return fmt.Errorf("keep the draft: %w", err)
		}
		return nil
	})
}

// drafting changes what is kept of a flow under way. Nothing of it is a right,
// so the history says nothing.
func (s *Service) drafting(ctx context.Context, caller bank.Caller, p Person, apply func(*guard.Change) error) error {
	action := guard.Action{
		Event: "orguser.created", Organization: p.Organization, Member: catalog.CreateUser,
		Target: activity.Target{Kind: activity.TargetMember, ID: string(p.User)},
	}
	if p.User != "" {
		action.Scope = entitlement.Scope{Members: []bank.UserID{p.User}, AllAccounts: true}
	}
	return s.guard.Do(ctx, caller, action, apply)
}

// author is the calling member, who keeps a draft.
func author(tx *db.Tx, caller bank.Caller, organization bank.OrganizationID) (who subject, err error) {
	if who.organization, err = FindOrganization(tx, caller.Institution, organization); err != nil {
		return who, err
	}
	who.member, err = findMember(tx, who.organization.Num, caller.Member())
	return who, err
}

// Draft is what the calling admin has kept; there may be nothing.
func (s *Service) Draft(ctx context.Context, caller bank.Caller, organization bank.OrganizationID) (d Draft, found bool, err error) {
	err = s.guard.Look(ctx, caller, looking(Person{Organization: organization}, catalog.CreateUser, entitlement.Scope{}), func(v *guard.View) error {
		author, err := author(v.Tx, caller, organization)
		if err != nil {
			return err
		}
		d, found, err = draftOf(v.Tx, author)
		return err
	})
	return d, found, err
}

func draftOf(tx *db.Tx, author subject) (d Draft, found bool, err error) {
	var kept int64
	err = tx.QueryRow(`
		select first_name, last_name, email, role, copy_from, kept_micros from create_draft
		 where organization_num = $1 and author_ordinal = $2`, author.organization.Num, author.member.Ordinal).
		Scan(&d.FirstName, &d.LastName, &d.Email, &d.Role, &d.CopyFrom, &kept)
	if errors.Is(err, db.ErrNoRows) {
		return Draft{}, false, nil
	}
	if err != nil {
		return Draft{}, false, fmt.Errorf("read the draft: %w", err)
	}
	d.Kept = time.UnixMicro(kept).UTC()
	return d, true, nil
}

func dropDraft(tx *db.Tx, author subject) error {
	_, err := tx.Exec(`delete from create_draft where organization_num = $1 and author_ordinal = $2`, author.organization.Num, author.member.Ordinal)
	if err != nil {
		return fmt.Errorf("drop the draft: %w", err)
	}
	return nil
}
