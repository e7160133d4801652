package authorization

import (
	"context"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// Lapse voids one authorization that waited too long, as the sweep does.
func (s *Service) Lapse(ctx context.Context, institution bank.InstitutionID, ref Ref) (done bool, err error) {
	var a Authorization
	err = s.db.Read(ctx, func(tx *db.Tx) (err error) {
		a, _, err = Find(tx, institution, ref)
		return err
	})
	if err != nil {
		return false, err
	}
	return s.lapse(ctx, &a)
}
