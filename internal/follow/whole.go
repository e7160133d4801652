//go:build !weakorder

package follow

import (
	"mandate/internal/activity"
	"mandate/internal/db"
)

// bring brings what moved up to date as a whole.
func (f *Follower) bring(tx *db.Tx, moved []activity.Head) error { return f.Memory.Refresh(tx, moved) }
