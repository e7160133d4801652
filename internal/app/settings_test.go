package app_test

import (
	"log/slog"
	"testing"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/host/hostsim/hostsimtest"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/moneymovement/wire/message"
	"mandate/internal/usermgmt"
)

// only is somebody who holds one staff permission.
type only catalog.StaffPermission

func (o only) StaffMay(_ *db.Tx, _ bank.InstitutionID, _ bank.StaffID, permission string) (bool, error) {
	return permission == catalog.StaffPermission(o).ID(), nil
}

// How payments are sent is the institution's own setting: whoever helps
// customers, whatever they may do for them, does not change it.
func TestOnlyWhoKeepsTheSettingsSetsHowPaymentsAreSent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		somebody := bank.Caller{Kind: bank.ActorStaff, ID: "stf_1", Name: "Grace", Institution: "cedar", Channel: bank.ChannelPeople}
		none := func(*db.Tx, bank.InstitutionID, bank.OrganizationID, entitlement.Scope) (*entitlement.Policy, error) {
			return &entitlement.Policy{}, nil
		}
		try := func(permission catalog.StaffPermission) map[string]error {
			door := guard.New(d, none, only(permission), nil)
			desk, queue := host.NewDesk(d, hostsimtest.Open(t, d), slog.New(slog.DiscardHandler)), approval.New(d, door, nil, nil)
			return map[string]error{
				"wires":        wire.New(wire.Config{Guard: door, Desk: desk, Queue: queue}).SetTerms(t.Context(), somebody, wire.Terms{Routing: "231380104", Name: "BANK", Source: "MANDATE1", Format: message.Pacs008}),
				"stops":        stoppayment.New(stoppayment.Config{Guard: door, Desk: desk}).SetTerms(t.Context(), somebody, stoppayment.Terms{Disclaimer: "It holds."}),
				"positive pay": positivepay.New(positivepay.Config{Guard: door, Desk: desk}).SetSettings(t.Context(), somebody, positivepay.Settings{Check: positivepay.Pay, ACH: positivepay.Return}),
				"ach":          ach.New(ach.Config{Guard: door, Queue: queue}).SetSender(t.Context(), somebody, ach.Sender{Routing: "231380104", Name: "BANK", Destination: "071000013", DestinationName: "OPERATOR"}),
			}
		}
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			return usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: "cedar", Name: "Cedar Bank", TimeZone: "America/New_York"})
		}); err != nil {
			t.Fatal(err)
		}
		for what, err := range try(catalog.PeopleManageAll) {
			if f, ok := err.(*fault.Error); !ok || f.Code != "STAFF_PERMISSION" {
				t.Errorf("%s, set by somebody who helps customers: %v, want STAFF_PERMISSION", what, err)
			}
		}
		for what, err := range try(catalog.InstitutionSettingsManage) {
			if err != nil {
				t.Errorf("%s, set by somebody who keeps the settings: %v", what, err)
			}
		}
	})
}
