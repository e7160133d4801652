package catalog

import (
	"slices"
	"strings"
	"testing"
)

// What databases store are places: of a permission, a bit; of an entitlement, a
// bit; of a limit, a column. What is new comes last, and a place is never given
// to something else.
const (
	storedPermissions = `
user_management.enabled account.access ach.enabled ach.view ach.daily_limit ach.per_batch_limit ach.initiate
ach.full_control ach.same_day ach.debits ach.edit_level ach.recurring ach.import_recipients ach.upload_file ach.delete
ach.restricted arp.enabled arp.upload arp.download arp.work_checks arp.work_ach cards.enabled cards.manage stops.enabled
stops.view stops.add transfers.enabled transfers.limit transfers.allow transfers.to transfers.from wires.enabled
wires.work wires.template_create wires.template_edit wires.one_time_create wires.one_time_edit wires.recurring_edit
wires.delete wires.per_wire_limit wires.daily_limit wires.dual_limit wires.transmit wires.transmit_recurring
wires.dual_control wires.transmit_future`
	storedEntitlements = `- ach arp cards stops transfers wires user_management`
	storedLimits       = `ach.daily_limit ach.per_batch_limit transfers.limit wires.per_wire_limit wires.daily_limit wires.dual_limit`
)

func TestPlacesThatAreStored(t *testing.T) {
	var got []string
	for p := range PermissionCount {
		got = append(got, p.ID())
	}
	same(t, got, storedPermissions)
	got = []string{"-"}
	for e := NoEntitlement + 1; e < entitlementCount; e++ {
		got = append(got, e.ID())
	}
	same(t, got, storedEntitlements)
	got = nil
	for l := range LimitCount {
		got = append(got, l.Permission().ID())
	}
	same(t, got, storedLimits)
}

// same reports where a place has moved. Places at the end may be added.
func same(t *testing.T, got []string, stored string) {
	t.Helper()
	want := strings.Fields(stored)
	if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("places have moved, and stored data means something else:\n got %s\nwant %s", strings.Join(got, " "), strings.Join(want, " "))
	}
	if len(got) > len(want) {
		t.Errorf("new, and to be added here: %s", strings.Join(got[len(want):], " "))
	}
	if len(got) > 63 {
		t.Errorf("%d places do not fit into a number", len(got))
	}
}
