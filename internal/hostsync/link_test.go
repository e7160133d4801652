package hostsync

import (
	"fmt"
	"reflect"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/host"
)

// Links that are read together are those that are read one by one, however many.
func TestLinksAreReadTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, many := range []int{1, linksAtOnce, linksAtOnce + 3, 3 * linksAtOnce} {
			err := d.Write(t.Context(), func(tx *db.Tx) error {
				var users []bank.UserID
				for i := range many {
					user := bank.UserID(fmt.Sprintf("usr_%d_%d", many, i))
					users = append(users, user)
					if i%3 == 1 { // nothing is known of this one
						continue
					}
					l := link{user: user, organization: "org_acme", ref: host.Ref(fmt.Sprintf("N%d", i)), version: int64(i), gone: i%2 == 0, orders: []sent{{Key: "people/1"}}}
					if err := l.store(tx, "harbor"); err != nil {
						return err
					}
				}
				together, err := linksOf(tx, "harbor", users)
				if err != nil || len(together) != many {
					return fmt.Errorf("%d links of %d users: %w", len(together), many, err)
				}
				for _, user := range users {
					alone, err := linkOf(tx, "harbor", user)
					if err != nil {
						return err
					}
					if !reflect.DeepEqual(together[user], alone) {
						t.Errorf("of %d, %s: %+v, alone %+v", many, user, together[user], alone)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}
