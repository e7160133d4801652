//go:build weakorder

package follow

import (
	"math/rand/v2"
	"time"

	"mandate/internal/activity"
	"mandate/internal/db"
)

// bring is what following would be without the care for order: each chain for
// itself, in any order. It is in no program but the test that shows what that
// care is for.
func (f *Follower) bring(tx *db.Tx, moved []activity.Head) error {
	for _, i := range rand.Perm(len(moved)) {
		if err := f.Memory.Refresh(tx, moved[i:i+1]); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}
