package bank

import "testing"

// Databases store these numbers; what one means never changes.
func TestNumbersThatAreStored(t *testing.T) {
	for name, ok := range map[string]bool{
		"roles":    RoleUser == 0 && RoleViewer == 1 && RoleAdmin == 2,
		"statuses": StatusPending == 0 && StatusActive == 1 && StatusLocked == 2 && StatusDisabled == 3,
		"editions": EditionBank == 0 && EditionCreditUnion == 1,
	} {
		if !ok {
			t.Errorf("%s have moved, and stored data means something else", name)
		}
	}
}
