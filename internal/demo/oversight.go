package demo

import (
	"context"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/usermgmt"
)

// asksForAgreement has the support change something about the last organization
// of a cast that waits for the group above: an entitlement goes, or at a credit
// union wires from one of its accounts. Nothing of it lets anybody do more.
func (b *builder) asksForAgreement(ctx context.Context, s stage) error {
	b.clock.setBack(day)
	var keys usermgmt.Keys
	err := b.app.DB.Read(ctx, func(tx *db.Tx) (err error) {
		keys, err = usermgmt.KeysOf(tx, b.support.Institution, s.organizations[len(s.organizations)-1].key)
		return err
	})
	if err != nil {
		return err
	}
	if s.edition == bank.EditionCreditUnion {
		p, err := b.app.Users.OrganizationProfile(ctx, b.support, keys.Organization)
		if err != nil {
			return err
		}
		off := catalog.EntitlementSet(0).With(catalog.Wires)
		_, err = b.app.Users.ChangeAccount(ctx, b.support, keys.Organization, p.Accounts[0].ID, 0, off)
		return waiting(err)
	}
	_, err = b.app.Users.SwitchEntitlement(ctx, b.support, keys.Organization, catalog.Stops, false)
	return waiting(err)
}

func waiting(err error) error {
	if err != nil {
		return fmt.Errorf("ask for a change that waits: %w", err)
	}
	return nil
}
