package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/host"
	"mandate/internal/hostsync"
	"mandate/internal/moneymovement/card"
	"mandate/internal/moneymovement/notice"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/moneymovement/statement"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/usermgmt"
	"mandate/internal/web/online"
)

// openMoney builds what moves money: the calendar, the way to the host, the
// queue of approvals and the rooms on them.
func (a *App) openMoney() {
	a.Calendar = calendar.New(a.Guard, timeZone)
	a.Desk = host.NewDesk(a.DB, a.Host, a.Log)
	a.HostSync = hostsync.New(hostsync.Config{DB: a.DB, Guard: a.Guard, Users: a.Users, Desk: a.Desk, Log: a.Log, Process: processName(), Reports: filepath.Join(a.Config.Data, "reports")})
	told := notice.New(a.post, usermgmt.People{})
	a.Approvals = approval.New(a.DB, a.Guard, told, memberNames)
	a.Statements = statement.New(a.Guard, a.Host)
	a.Transfers = transfer.New(transfer.Config{
		DB: a.DB, Guard: a.Guard, Calendar: a.Calendar, Desk: a.Desk, Teller: told, Process: processName(),
	})
	a.openACH()
	a.Wires = wire.New(wire.Config{
		DB: a.DB, Guard: a.Guard, Calendar: a.Calendar, Desk: a.Desk, Queue: a.Approvals, Names: memberNames, Originators: a.originator, Teller: told, Process: processName(),
	})
	a.Stops = stoppayment.New(stoppayment.Config{Guard: a.Guard, Calendar: a.Calendar, Desk: a.Desk, Teller: told})
	a.Cards = card.New(card.Config{Guard: a.Guard, Desk: a.Desk, Teller: told})
	a.PositivePay = positivepay.New(positivepay.Config{
		DB: a.DB, Guard: a.Guard, Calendar: a.Calendar, Desk: a.Desk, Teller: told, Accounts: accountCalled, Process: processName(),
	})
}

// money is what Online shows of the rooms that move money.
func (a *App) money() online.Money {
	return online.Money{
		Statements:  a.Statements,
		Approvals:   a.Approvals,
		Transfers:   a.Transfers,
		Stops:       a.Stops,
		ACH:         a.ACH,
		Wires:       a.Wires,
		PositivePay: a.PositivePay,
		Cards:       a.Cards,
	}
}

// processName tells this process from all others.
func processName() string {
	machine, err := os.Hostname()
	if err != nil {
		machine = "unknown"
	}
	return fmt.Sprintf("%s/%d/%s", machine, os.Getpid(), bank.NewID("proc", time.Now()))
}

// timeZone is where an institution's day begins and ends.
func timeZone(tx *db.Tx, institution bank.InstitutionID) (*time.Location, error) {
	house, err := House(tx, institution)
	return house.Place, err
}

// memberNames are what members are called.
func memberNames(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, members []bank.UserID) (map[bank.UserID]string, error) {
	of, err := usermgmt.NamesOf(tx, institution, organization, entitlement.Scope{Members: members})
	if err != nil {
		return nil, err
	}
	names := make(map[bank.UserID]string, len(members))
	for _, id := range members {
		names[id] = of(id).Member
	}
	return names, nil
}

// accountCalled is what an account is called, and the institution's own id of it.
func accountCalled(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, id bank.AccountID) (name, external string, err error) {
	of, err := usermgmt.NamesOf(tx, institution, organization, entitlement.Scope{Accounts: []bank.AccountID{id}})
	if err != nil {
		return "", "", err
	}
	account, _, err := usermgmt.FindAccount(tx, institution, organization, id)
	return of("").Account(id), account.ExternalID, err
}

// moneyBackground is what moves by itself.
func (a *App) moneyBackground(ctx context.Context, run func(work func())) {
	run(func() { a.Desk.Run(ctx) })
	if a.Bank != nil {
		run(func() {
			a.every(ctx, purgeEvery, "end the simulated core's day", func() error { return a.Bank.EndDays(ctx) })
		})
	}
	run(func() {
		a.every(ctx, hostEvery, "take in what the host tells", func() error { return a.HostSync.Run(ctx) })
	})
	run(func() {
		a.every(ctx, compareEvery, "compare all people with the host's", func() error { return a.HostSync.CompareDue(ctx) })
	})
	run(func() {
		a.every(ctx, sweepEvery, "make the transfers that are due", func() error {
			_, err := a.Transfers.RunDue(ctx)
			return err
		})
	})
	run(func() {
		a.every(ctx, sweepEvery, "take in exceptions, and settle those that nobody decided", func() error { return a.PositivePay.Run(ctx) })
	})
	run(func() {
		a.every(ctx, sweepEvery, "send the ACH batches that are due", func() error { return a.tickACH(ctx) })
	})
	run(func() {
		a.every(ctx, sweepEvery, "send the wires that are due", func() error {
			_, err := a.Wires.RunDue(ctx)
			return err
		})
	})
	run(func() {
		a.every(ctx, sweepEvery, "end what nobody approved in time", func() error {
			_, err := a.Approvals.Expire(ctx)
			return err
		})
	})
}
