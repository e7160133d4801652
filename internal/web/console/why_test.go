package console_test

import (
	"strings"
	"testing"
)

// Staff ask why a member may not do something, get every reason, and are led to
// what they can change themselves.
func TestStaffAskWhyTheyCannot(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.customer().support()
		sam := w.as("sam")
		sam.get(atDana+"/why").says(t, "Nothing asked yet", "Send a wire")
		asked := sam.get(atLee + "/why?operation=wires.transmit&account=acc_operating&amount=30000")
		asked.says(t, "May Lee Tran send a wire of $30,000.00 from Operating ••0440?", "No.", "Per wire limit is $25,000.00", "Every level", "Unlock in the banner of the profile")
		if !strings.Contains(asked.body, `href="`+atLee+`"`) {
			t.Error("the step leads nowhere")
		}
		sam.get(atDana+"/why?operation=stops.add&account=acc_operating").says(t, "Northwind Paper does not have Stop payments.", "Open the organization")
		bo := w.as("bo").get(atLee + "/why?operation=wires.transmit&account=acc_operating&amount=10")
		bo.says(t, "Unlock Lee Tran", "staff, in People")
		bo.saysNot(t, "Unlock in the banner")
		if got := w.as("web").get(atLee + "/why"); got.status != 403 {
			t.Errorf("whoever may not see profiles gets %d", got.status)
		}
	})
}
