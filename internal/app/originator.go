package app

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/moneymovement/wire/message"
	"mandate/internal/usermgmt"
)

// originator is how messages to other banks name an organization and one of its
// accounts, in letters that they can carry. The host has the account's number.
func (a *App) originator(ctx context.Context, institution bank.InstitutionID, organization bank.OrganizationID, id bank.AccountID) (p message.Party, err error) {
	var account usermgmt.Account
	err = a.DB.Read(ctx, func(tx *db.Tx) error {
		o, err := usermgmt.FindOrganization(tx, institution, organization)
		if err != nil {
			return fmt.Errorf("name the originator: %w", err)
		}
		p = partyOf(o.Name, o.Address)
		account, _, err = usermgmt.FindAccount(tx, institution, organization, id)
		return err
	})
	if err != nil {
		return message.Party{}, err
	}
	numbers, err := a.Desk.Host().Numbers(ctx, institution, []bank.AccountID{id})
	if err != nil {
		return message.Party{}, fmt.Errorf("ask the host for an account's number: %w", err)
	}
	p.Account = message.Plain(cmp.Or(numbers[id], account.ExternalID, string(id)), message.MaxAccount)
	return p, nil
}

// partyOf takes an address on one line apart: "18 Harbor Street, Portland, ME
// 04101". What does not look like one stays the street.
func partyOf(name, address string) message.Party {
	p := message.Party{Name: message.Plain(name, message.MaxName)}
	parts := strings.Split(address, ",")
	if n := len(parts); n >= 3 {
		region := strings.Fields(parts[n-1])
		if len(region) == 2 && len(region[0]) == message.MaxState {
			p.State, p.PostCode = message.Plain(region[0], message.MaxState), message.Plain(region[1], message.MaxPostCode)
			p.Town = message.Plain(parts[n-2], message.MaxTown)
			parts = parts[:n-2]
		}
	}
	p.Street = message.Plain(strings.Join(parts, ","), message.MaxStreet)
	return p
}
