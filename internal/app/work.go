package app

import (
	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/usermgmt"
)

// work tells User management which payments are under way in somebody's name.
type work struct{ authorizations *authorization.Service }

func (w work) OpenOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, user bank.UserID) ([]usermgmt.OpenItem, error) {
	open, err := w.authorizations.OpenOf(tx, institution, organization, user)
	items := make([]usermgmt.OpenItem, 0, len(open))
	for _, a := range open {
		amount, _ := a.Asked.Amount.Cents()
		items = append(items, usermgmt.OpenItem{
			Operation: catalog.ParseOperation(a.Asked.Operation), Ref: a.Ref.Name, Account: a.Asked.Account, Amount: amount,
			Approval: a.ApprovalRequired && a.ApprovedBy == "",
		})
	}
	return items, err
}
