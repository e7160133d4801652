package demo

import (
	"context"
	"hash/fnv"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/hostsync"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/usermgmt"
)

// books opens a page for every account at the host, with a made-up balance, and
// sets what the institution charges.
func (b *builder) books(ctx context.Context, institution bank.InstitutionID, name string) error {
	var accounts []usermgmt.PlacedAccount
	err := b.app.DB.Read(ctx, func(tx *db.Tx) (err error) {
		accounts, err = usermgmt.EveryAccount(tx, institution)
		return err
	})
	if err != nil {
		return err
	}
	if err := b.core(ctx, institution, accounts); err != nil {
		return err
	}
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Demo", Institution: institution, Channel: bank.ChannelCommand}
	if err := b.sender(ctx, operator, name); err != nil {
		return err
	}
	if err := b.wireTerms(ctx, operator, name); err != nil {
		return err
	}
	return b.app.Stops.SetTerms(ctx, operator, stoppayment.Terms{
		Fee: 30_00, NeedsAmount: true, NeedsPayee: true,
		Disclaimer: "A stop payment holds for six months and only for checks that match what you enter exactly. It does not hold for a check that " +
			"has already been paid, or that was turned into an electronic payment. The fee is charged once, when the stop is placed.",
	})
}

// core fills the institution's core with what the product was made with, by the
// bank's own numbers.
func (b *builder) core(ctx context.Context, institution bank.InstitutionID, accounts []usermgmt.PlacedAccount) error {
	var f hostsim.Filling
	openings := make([]hostsim.Opening, 0, len(accounts))
	for _, a := range accounts {
		openings = append(openings, opening(institution, a))
		if last := len(f.Organizations) - 1; last < 0 || f.Organizations[last].Ref != host.Ref(a.OrganizationRef) {
			f.Organizations = append(f.Organizations, host.Organization{Ref: host.Ref(a.OrganizationRef), Name: a.OrganizationName})
		}
	}
	for _, role := range roles {
		f.Defaults = append(f.Defaults, host.Defaults{Role: role, Permissions: switches(looks)})
	}
	if err := b.app.Bank.Fill(ctx, institution, f); err != nil {
		return err
	}
	if err := b.app.Bank.Open(ctx, openings...); err != nil {
		return err
	}
	return b.app.Bank.Issue(ctx, institution, issued(institution, accounts)...)
}

// users puts everybody into the institution's core.
func (b *builder) users(ctx context.Context, institution bank.InstitutionID) error {
	var f hostsim.Filling
	err := b.app.DB.Read(ctx, func(tx *db.Tx) (err error) {
		f.Users, err = hostsync.Everybody(tx, institution)
		return err
	})
	if err != nil {
		return err
	}
	return b.app.Bank.Fill(ctx, institution, f)
}

// switches writes permissions as the core has them.
func switches(set catalog.Set) map[string]string {
	on := map[string]string{}
	for p := range set.All {
		on[p.ID()] = "true"
	}
	return on
}

// opening is a balance that looks like one: the same for the same account
// whenever the demo is made.
func opening(institution bank.InstitutionID, a usermgmt.PlacedAccount) hostsim.Opening {
	sum := fnv.New64a()
	sum.Write([]byte(string(institution) + a.ExternalID + a.Name)) // a hash takes whatever is written
	spread := bank.Cents(sum.Sum64() % 180_000_00)
	o := hostsim.Opening{
		Institution: institution, Organization: bank.OrganizationID(a.OrganizationRef), Account: bank.AccountID(a.ExternalID), Name: a.Name, Kind: a.Kind,
		LastFour: a.Number, Number: "550000" + a.Number, Balance: 25_000_00 + spread,
	}
	switch a.Kind {
	case "savings":
		o.Balance = 60_000_00 + 2*spread
	case "loan":
		o.Balance = -40_000_00 - spread
		o.Floor = o.Balance
	}
	return o
}
