package online_test

import (
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

// Whoever creates somebody sees what they get, and a profile says what was
// changed from that.
func TestDefaultsAreShown(t *testing.T) {
	each(t, func(w *world) {
		w.write(func(tx *db.Tx) error {
			s := entitlement.Settings{On: catalog.SetOf(catalog.TransfersEnabled)}
			s.Limits = s.Limits.With(catalog.LimitPerWire, 500_00)
			return usermgmt.SetDefaults(tx, "cedar", bank.RoleUser, s)
		})
		ana := w.as("ana")
		ana.get("/cedar/settings/users/new").says(t, "What a new user gets to begin with", "Transfers: Enabled", "Wires: Per wire limit $500.00")
		ana.get("/cedar/settings/users/usr_dana").says(t, "Differs from defaults", "Wires: Per wire limit: $25,000.00 (default: $500.00)")
		w.write(func(tx *db.Tx) error {
			return usermgmt.SetDefaults(tx, "cedar", bank.RoleUser, entitlement.Settings{On: catalog.SetOf(catalog.TransfersEnabled)})
		})
		w.add("gil", "Gil", "Ott", bank.RoleUser, bank.StatusActive, entitlement.Settings{On: catalog.SetOf(catalog.TransfersEnabled)})
		ana.get("/cedar/settings/users/usr_gil").says(t, "Exactly the default permissions.")
	})
}
