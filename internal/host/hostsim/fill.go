package hostsim

import (
	"context"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

// A Filling is what a core has to begin with. Nobody is told of it.
type Filling struct {
	Organizations []host.Organization // their accounts come by Open
	Users         []host.User
	Defaults      []host.Defaults
}

// Fill puts all of it into the core. What is there already stays as it is.
func (b *Bank) Fill(ctx context.Context, institution bank.InstitutionID, f Filling) error {
	return b.write(ctx, institution, func(tx *db.Tx, _ int64) error {
		for _, o := range f.Organizations {
			if err := addOrganization(tx, institution, o.Ref, o.Name); err != nil {
				return err
			}
		}
		for _, d := range f.Defaults {
			there, err := findDefaults(tx, institution, d.Role)
			if err != nil {
				return err
			}
			if d.Version = 1; there.Version > 0 {
				continue
			}
			if err := putDefaults(tx, institution, &d); err != nil {
				return err
			}
		}
		for _, u := range f.Users {
			u.Version = 1
			if err := insertUser(tx, institution, &u); err != nil {
				return err
			}
		}
		return nil
	})
}
