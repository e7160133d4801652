package hostsim

import (
	"context"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

// SearchOrganizations lists organizations by a part of their name or by their
// number, in the order of their refs, after one.
func (b *Bank) SearchOrganizations(ctx context.Context, institution bank.InstitutionID, text string, after host.Ref, most int) (all []host.Organization, err error) {
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		all, err = db.All(tx, scanOrganization, `
			select ref, version, name from core_organization
			 where institution_id = $1 and ref > $2 and ($3 = '' or lower(name) like $3 escape '\' or lower(ref) like $3 escape '\')
			 order by ref limit $4`, institution, after, db.Containing(text), min(most, maxPeople))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for organizations: %w", err)
	}
	return all, nil
}
