package staff_test

import (
	"sync"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/staff"
)

// Two administrators take each other out of the way at the same moment, on
// different paths: one of them stays, whichever comes first.
func TestTheLastAdministratorsAreRaced(t *testing.T) {
	each(t, func(w *world) {
		ctx := t.Context()
		w.group("empty")
		w.add("ada", "everything")
		groups := map[string][]bank.GroupID{"everything": w.ids("everything"), "empty": w.ids("empty")}
		versions := func() (root, ada int64) { return w.user("root").Version, w.user("ada").Version }
		for range dbtest.Rounds(10, 200) {
			rootAt, adaAt := versions()
			var done sync.WaitGroup
			results := make([]error, 2)
			done.Go(func() { results[0] = w.s.SetGroups(ctx, operator, w.users["root"], rootAt, groups["empty"]) })
			done.Go(func() { results[1] = w.s.SetGroups(ctx, operator, w.users["ada"], adaAt, groups["empty"]) })
			done.Wait()
			won := 0
			for _, err := range results {
				if err == nil {
					won++
				} else {
					w.refused(err, "LAST_ADMINISTRATOR")
				}
			}
			if won != 1 {
				t.Fatalf("%d of two left the administration: %v", won, results)
			}
			rootAt, adaAt = versions()
			w.must(w.s.SetGroups(ctx, operator, w.users["root"], rootAt, groups["everything"]))
			w.must(w.s.SetGroups(ctx, operator, w.users["ada"], adaAt, groups["everything"]))
		}
		// A group loses its right while the other one is deleted.
		admins := w.group("admins", catalog.StaffUsersInvite, catalog.StaffUsersAssignGroups, catalog.StaffGroupsCreate, catalog.StaffGroupsEdit)
		w.must(w.s.SetGroups(ctx, operator, w.users["ada"], w.user("ada").Version, []bank.GroupID{admins}))
		var done sync.WaitGroup
		results := make([]error, 2)
		done.Go(func() { results[0] = w.s.EditGroup(ctx, operator, admins, 1, staff.Draft{Name: "admins"}) })
		done.Go(func() { results[1] = w.s.Delete(ctx, operator, w.users["root"]) })
		done.Wait()
		if (results[0] == nil) == (results[1] == nil) || fault.KindOf(results[0]) != fault.Conflict && fault.KindOf(results[1]) != fault.Conflict {
			t.Fatalf("an edited group and a deleted user: %v", results)
		}
	})
}
