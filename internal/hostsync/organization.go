package hostsync

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/usermgmt"
)

// statedOf is the version of an organization or of defaults that was taken over
// last, with its digest.
func statedOf(tx *db.Tx, institution bank.InstitutionID, kind Kind, ref host.Ref) (version int64, content []byte, err error) {
	err = tx.QueryRow(`select version, content from host_stated where institution_id = $1 and kind = $2 and ref = $3`, institution, kind, ref).
		Scan(&version, &content)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil, nil
	}
	return version, content, err
}

func setStated(tx *db.Tx, institution bank.InstitutionID, a *arrival, content []byte) error {
	_, err := tx.Exec(`
		insert into host_stated (institution_id, kind, ref, version, content) values ($1, $2, $3, $4, $5)
		on conflict (institution_id, kind, ref) do update set version = excluded.version, content = excluded.content`,
		institution, a.Kind, a.Subject, a.Version, content)
	return err
}

// judge says what is to become of a version: taken over (no state), or what it
// is instead.
func judge(tx *db.Tx, institution bank.InstitutionID, a *arrival, content []byte) (arrivalState, error) {
	version, known, err := statedOf(tx, institution, a.Kind, a.Subject)
	switch {
	case err != nil:
		return "", err
	case a.Version < version:
		return old, nil
	case a.Version == version && !bytes.Equal(known, content):
		return parked, nil
	case a.Version == version:
		return done, nil
	}
	return "", nil
}

const twoContents = "The host told this version before, with another content. What was told first stays."

// takeOrganization takes an organization's name and accounts over. One that is
// not here yet begins without anything: staff say what it has.
func (s *Service) takeOrganization(ctx context.Context, institution bank.InstitutionID, a *arrival, o host.Organization) (healed bool, err error) {
	in, left, problem := imported(institution, o)
	if problem != "" {
		return false, s.park(ctx, institution, a, codeMalformed, problem)
	}
	body, err := json.Marshal(o)
	if err != nil {
		return false, err
	}
	sum := digest(body)
	var id bank.OrganizationID
	creates := false
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		stored, err := usermgmt.OrganizationOf(tx, institution, string(o.Ref))
		if creates = errors.Is(err, usermgmt.ErrNoOrganization); creates {
			id = bank.OrganizationID(bank.NewID(bank.PrefixOrganization, tx.Now))
			return nil
		}
		id = stored.ID
		return err
	})
	if err != nil {
		return false, err
	}
	action := guard.Action{
		Event: "org.profile_changed", Organization: id, Others: []bank.ActorKind{bank.ActorHost}, Creates: creates,
		Target: activity.Target{Kind: activity.TargetOrganization, ID: string(id), Name: o.Name},
	}
	if creates {
		action.Event = "org.created"
	}
	err = s.guard.Do(ctx, a.by(institution), action, func(c *guard.Change) error {
		state, err := judge(c.Tx, institution, a, sum)
		if err != nil {
			return err
		}
		if state != "" {
			return a.settle(c.Tx, institution, state, codeOf(state), noteOf(state))
		}
		if _, err := usermgmt.AdoptOrganization(c, in, id, creates); err != nil {
			return err
		}
		if err := setStated(c.Tx, institution, a, sum); err != nil {
			return err
		}
		healed = true
		if err := heal(c.Tx, institution, o.Ref); err != nil {
			return err
		}
		if len(left) > 0 {
			return a.settle(c.Tx, institution, parked, codeClosedAccount, strings.Join(left, "\n"))
		}
		return a.settle(c.Tx, institution, done, "", "")
	})
	return healed, err
}

func codeOf(state arrivalState) string {
	if state == parked {
		return codeContradictory
	}
	return ""
}

func noteOf(state arrivalState) string {
	if state == parked {
		return twoContents
	}
	return ""
}

// imported is an organization of the host's as an import would bring it.
func imported(institution bank.InstitutionID, o host.Organization) (in *usermgmt.ImportedOrganization, left []string, problem string) {
	if o.Name != strings.TrimSpace(o.Name) || o.Name == "" || !bank.Printable(o.Name) {
		return nil, nil, "The organization has no name, or one that cannot be shown."
	}
	in = &usermgmt.ImportedOrganization{Organization: usermgmt.Organization{Institution: institution, ExternalID: string(o.Ref), Name: o.Name}}
	seen := map[host.Ref]bool{}
	for _, a := range o.Accounts {
		switch {
		case a.Ref == "" || a.Name == "" || !bank.Printable(a.Name) || seen[a.Ref]:
			return nil, nil, "An account has no number or no name, or stands there twice."
		case a.Closed:
			left = append(left, fmt.Sprintf("The account %s (%s) is closed at the host. Accounts are not closed here: take away the access that people have to it.", a.Name, a.Ref))
			continue
		}
		seen[a.Ref] = true
		in.Accounts = append(in.Accounts, usermgmt.ImportedAccount{
			Account: usermgmt.Account{ExternalID: string(a.Ref), Name: a.Name, Number: a.LastFour, Kind: a.Kind},
			Fields:  usermgmt.GivesNumber | usermgmt.GivesKind,
		})
	}
	return in, left, ""
}

// takeDefaults takes over what a new user of a role gets. What the institution
// does not offer is left off.
func (s *Service) takeDefaults(ctx context.Context, institution bank.InstitutionID, a *arrival, d host.Defaults) error {
	if d.Role > bank.RoleAdmin {
		return s.park(ctx, institution, a, codeMalformed, "There is no such role here.")
	}
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	sum := digest(body)
	var state arrivalState
	var i usermgmt.Institution
	err = s.db.Read(ctx, func(tx *db.Tx) (err error) {
		if i, _, err = usermgmt.FindInstitution(tx, institution); err != nil {
			return err
		}
		state, err = judge(tx, institution, a, sum)
		return err
	})
	if err != nil {
		return err
	}
	code, notes := codeOf(state), []string{noteOf(state)}
	if state == "" {
		settings, unread := usermgmt.ReadSettings(catalog.AtUser, d.Permissions)
		settings, off := usermgmt.Offered(i, settings)
		if err := s.users.ChangeDefaults(ctx, a.by(institution), d.Role, settings); err != nil {
			return err
		}
		state, notes = done, nil
		if len(off) > 0 {
			state, code, notes = parked, usermgmt.LeftInstitution, append(notes, "The institution does not offer: "+strings.Join(off, ", ")+".")
		}
		if len(unread) > 0 {
			state, code, notes = parked, codeUnknownPermission, append(notes, "This cannot be read: "+strings.Join(unread, ", ")+".")
		}
		if err := s.db.Write(ctx, func(tx *db.Tx) error { return setStated(tx, institution, a, sum) }); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		return a.settle(tx, institution, state, code, strings.Join(slices.Compact(notes), "\n"))
	})
}

// takeAnnounced keeps that a user is being made at the host, until the host
// tells of them.
func (s *Service) takeAnnounced(ctx context.Context, institution bank.InstitutionID, a *arrival, n host.Announced) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if !bank.Printable(n.FirstName + n.LastName) {
			return a.settle(tx, institution, parked, codeMalformed, "The name has signs that cannot be shown.")
		}
		_, known, err := linkTo(tx, institution, n.Ref)
		if err != nil {
			return err
		}
		if known {
			return a.settle(tx, institution, old, "", "")
		}
		o, err := usermgmt.OrganizationOf(tx, institution, string(n.Organization))
		if errors.Is(err, usermgmt.ErrNoOrganization) {
			return a.settle(tx, institution, parked, codeUnknownOrganization, fmt.Sprintf("There is no organization %s here.", n.Organization))
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(`
			insert into host_announced (institution_id, ref, organization_id, first_name, last_name, at_micros) values ($1, $2, $3, $4, $5, $6)
			on conflict (institution_id, ref) do nothing`, institution, n.Ref, o.ID, n.FirstName, n.LastName, tx.Now.UnixMicro())
		if err != nil {
			return fmt.Errorf("keep who is announced: %w", err)
		}
		return a.settle(tx, institution, done, "", "")
	})
}

func forgetAnnounced(tx *db.Tx, institution bank.InstitutionID, ref host.Ref) error {
	_, err := tx.Exec(`delete from host_announced where institution_id = $1 and ref = $2`, institution, ref)
	return err
}
