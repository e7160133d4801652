package app

import (
	"context"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/usermgmt"
)

// openACH builds the room of ACH batches on the queue, the calendar and the way
// to the host.
func (a *App) openACH() {
	a.ACH = ach.New(ach.Config{
		DB: a.DB, Guard: a.Guard, Payments: a.Authorizations, Queue: a.Approvals, Calendar: a.Calendar, Accounts: a.offsetAccount, Names: memberNames, Process: processName(),
	})
	a.Desk.Answer(ach.Room, a.ACH.Answer)
	a.Users.WithDiscretion(a.ACH.Visible)
}

// offsetAccount is what an ACH file must know of an account: the host has its
// number.
func (a *App) offsetAccount(ctx context.Context, institution bank.InstitutionID, organization bank.OrganizationID, id bank.AccountID) (o ach.Offset, err error) {
	err = a.DB.Read(ctx, func(tx *db.Tx) error {
		account, _, err := usermgmt.FindAccount(tx, institution, organization, id)
		o.Name, o.Kind = account.Name, account.Kind
		return err
	})
	if err != nil {
		return ach.Offset{}, err
	}
	numbers, err := a.Desk.Host().Numbers(ctx, institution, []bank.AccountID{id})
	o.Number = numbers[id]
	return o, err
}

// tickACH sends what has come to its cut-off, and hands it to the host at once.
func (a *App) tickACH(ctx context.Context) error {
	sent, err := a.ACH.Tick(ctx)
	if sent > 0 {
		a.Desk.Now(ctx)
	}
	return err
}
