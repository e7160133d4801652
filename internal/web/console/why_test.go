package console_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"mandate/internal/catalog"
	"mandate/internal/db"
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
		sam.get(atDana+"/why?operation=stops.add&account=acc_operating").says(t, "Northwind Paper does not have Stop payments.", "Open the organization's permissions")
		bo := w.as("bo").get(atLee + "/why?operation=wires.transmit&account=acc_operating&amount=10")
		bo.says(t, "Unlock Lee Tran", "staff, in People")
		bo.saysNot(t, "Unlock in the banner")
		if got := w.as("web").get(atLee + "/why"); got.status != 403 {
			t.Errorf("whoever may not see profiles gets %d", got.status)
		}
	})
}

var fixLink = regexp.MustCompile(`<a class="link small" href="([^"#]+)(?:#([^"]+))?"`)

// leads follows every link of the way out, and wants the very field on the page
// that it leads to.
func (a answer) leads(t *testing.T, v *visitor, wanted ...string) {
	t.Helper()
	var ids []string
	for _, link := range fixLink.FindAllStringSubmatch(a.body, -1) {
		there := v.get(html.UnescapeString(link[1]))
		if there.status != http.StatusOK || link[2] != "" && !strings.Contains(there.body, `id="`+link[2]+`"`) {
			t.Errorf("%s leads to %s (%d), which has no field %s", a.url, link[1], there.status, link[2])
		}
		ids = append(ids, link[2])
	}
	if got := strings.Join(ids, " "); got != strings.Join(wanted, " ") {
		t.Errorf("%s leads to the fields %q, want %q", a.url, got, wanted)
	}
}

// Each step leads to the field that refuses: the organization's switch, its
// ceiling, and what the institution offers.
func TestWhyLeadsToTheField(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.customer().support()
		w.group("Settings", catalog.InstitutionSettingsManage)
		w.invite("sven", "Settings", "Support")
		w.join("sven")
		sven := w.as("sven")
		sven.get(atDana+"/why?operation=stops.add&account=acc_operating").leads(t, sven, "field-stops.enabled", "field-stops.enabled")
		w.must(w.d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`update organization set ceiling_wire = 1000000 where id = $1`, northwind)
			return err
		}))
		sven.get(atDana+"/why?operation=wires.transmit&account=acc_operating&amount=20000").leads(t, sven, "field-ceiling.wires.per_wire_limit")
		w.keepsSettings()
		terms, _, err := w.people.Settings(t.Context(), operator)
		w.must(err)
		was := terms.Terms()
		will := was
		will.Offers = will.Offers.Without(catalog.Wires)
		w.must(w.people.ChangeTerms(t.Context(), operator, was.Text(), will))
		sven.get(atDana+"/why?operation=wires.transmit&account=acc_operating&amount=10").leads(t, sven, "field-offer_wires")
	})
}
