package app

import (
	"maps"
	"slices"
	"strings"

	"mandate/internal/approval"
	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/usermgmt"
)

// What is under way in somebody's name, as User management tells it before they
// are deleted: from each room that knows of some.
type (
	authorized  struct{ authorizations *authorization.Service }
	waiting     struct{ approvals *approval.Service }
	transferred struct{ transfers *transfer.Service }
	batched     struct{ ach *ach.Service }
	wired       struct{ wires *wire.Service }
)

func (w authorized) OpenOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, user bank.UserID) ([]usermgmt.OpenItem, error) {
	open, err := w.authorizations.OpenOf(tx, institution, organization, user)
	items := make([]usermgmt.OpenItem, 0, len(open))
	for _, a := range open {
		if a.Ref.Client == "" { // a room of our own tells of it
			continue
		}
		item := usermgmt.OpenItem{Title: catalog.ParseOperation(a.Asked.Operation).Info().Label, Ref: a.Ref.Name, Account: a.Asked.Account, Ends: usermgmt.WaitsForRelease}
		if amount, ok := a.Asked.Amount.Cents(); ok && amount > 0 {
			item.Title += ", " + amount.Dollars()
		}
		if a.ApprovalRequired && a.ApprovedBy == "" {
			item.Ends = usermgmt.WaitsForSecond
		}
		items = append(items, item)
	}
	return items, err
}

func (w waiting) OpenOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, user bank.UserID) ([]usermgmt.OpenItem, error) {
	made, alone, err := w.approvals.OpenOf(tx, usermgmt.LoadPolicy, institution, organization, user)
	var items []usermgmt.OpenItem
	for _, item := range made {
		ends := usermgmt.WaitsForSecond
		if item.State == approval.Approved {
			ends = usermgmt.WaitsForRelease
		}
		items = append(items, usermgmt.OpenItem{Title: item.Title, Account: item.Account, Ends: ends})
	}
	for _, item := range alone {
		items = append(items, usermgmt.OpenItem{Title: item.Title + " of " + item.Initiator.Name, Account: item.Account, Ends: usermgmt.NobodyElse})
	}
	return items, err
}

func (w batched) OpenOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, user bank.UserID) ([]usermgmt.OpenItem, error) {
	runs, schedules, err := w.ach.OpenOf(tx, institution, organization, user)
	var items []usermgmt.OpenItem
	for i := range runs {
		items = append(items, usermgmt.OpenItem{Title: runs[i].Title, Account: runs[i].Offset, Ends: usermgmt.WaitsForRelease})
	}
	for _, name := range slices.Sorted(maps.Keys(schedules)) {
		items = append(items, usermgmt.OpenItem{Title: name + ", " + strings.ToLower(schedules[name].Frequency.Label()), Account: schedules[name].Offset, Ends: usermgmt.Repeats})
	}
	return items, err
}

func (w transferred) OpenOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, user bank.UserID) ([]usermgmt.OpenItem, error) {
	transfers, series, err := w.transfers.OpenOf(tx, institution, organization, user)
	var items []usermgmt.OpenItem
	for _, t := range transfers {
		items = append(items, usermgmt.OpenItem{Title: t.Title(), Account: t.From, Ends: usermgmt.Scheduled, Day: t.Day})
	}
	for _, s := range series {
		title := "Transfer of " + s.Cents.Dollars() + " " + strings.ToLower(s.Frequency.Label())
		items = append(items, usermgmt.OpenItem{Title: title, Account: s.From, Ends: usermgmt.Repeats})
	}
	return items, err
}

func (w wired) OpenOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, user bank.UserID) ([]usermgmt.OpenItem, error) {
	wires, series, err := w.wires.OpenOf(tx, institution, organization, user)
	var items []usermgmt.OpenItem
	for i := range wires {
		items = append(items, usermgmt.OpenItem{Title: wires[i].Title(), Account: wires[i].Account, Ends: usermgmt.Scheduled, Day: wires[i].Day})
	}
	for i := range series {
		title := "Wire of " + series[i].Cents.Dollars() + " to " + series[i].Payee.Name + ", " + strings.ToLower(series[i].Frequency.Label())
		items = append(items, usermgmt.OpenItem{Title: title, Account: series[i].Account, Ends: usermgmt.Repeats})
	}
	return items, err
}
