package hostsim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/host/protocol"
)

// A FillFile is what a core has to begin with, as an operator writes it down in
// JSON: the protocol's own types, and money in the accounts.
type FillFile struct {
	Institution   bank.InstitutionID `json:"institution"`
	Organizations []struct {
		Ref      host.Ref `json:"ref"`
		Name     string   `json:"name"`
		Accounts []struct {
			protocol.Account
			Number  string     `json:"number"`
			Balance bank.Cents `json:"balance_cents"`
			Floor   bank.Cents `json:"floor_cents"`
		} `json:"accounts"`
		Cards []protocol.Card `json:"cards"`
	} `json:"organizations"`
	Users    []protocol.User     `json:"users"`
	Defaults []protocol.Defaults `json:"defaults"`
}

// FillFrom puts what a file says into the core. What is there already stays as
// it is.
func (b *Bank) FillFrom(ctx context.Context, r io.Reader) error {
	var file FillFile
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return fault.New(fault.Invalid, "The file cannot be read.").Because(err)
	}
	f, openings, cards, err := file.read()
	if err != nil {
		return err
	}
	if err := b.Fill(ctx, file.Institution, f); err != nil {
		return err
	}
	if err := b.Open(ctx, openings...); err != nil {
		return err
	}
	return b.Issue(ctx, file.Institution, cards...)
}

// read says everything that is wrong with a file at once.
func (file *FillFile) read() (f Filling, openings []Opening, cards []host.Card, err error) {
	var problems fault.Problems
	if file.Institution == "" {
		problems.Add("institution", "Name the institution.")
	}
	for i, o := range file.Organizations {
		if o.Ref == "" || o.Name == "" {
			problems.Add(fmt.Sprintf("organizations[%d]", i), "An organization needs a ref and a name.")
		}
		f.Organizations = append(f.Organizations, host.Organization{Ref: o.Ref, Name: o.Name})
		for _, a := range o.Accounts {
			if a.Ref == "" || a.Name == "" {
				problems.Add(fmt.Sprintf("organizations[%d].accounts", i), "An account needs a ref and a name.")
			}
			openings = append(openings, Opening{
				Institution: file.Institution, Organization: bank.OrganizationID(o.Ref), Account: bank.AccountID(a.Ref), Name: a.Name, Kind: a.Kind,
				LastFour: a.LastFour, Number: a.Number, Balance: a.Balance, Floor: a.Floor,
			})
		}
		for _, c := range o.Cards {
			if len(c.LastFour) != 4 || c.ID == "" {
				problems.Add(fmt.Sprintf("organizations[%d].cards", i), "A card needs an id and its last four digits.")
			}
			cards = append(cards, host.Card{
				ID: c.ID, Organization: bank.OrganizationID(o.Ref), Account: bank.AccountID(c.Account), Holder: c.Holder, Kind: c.Kind, LastFour: c.LastFour, Expires: c.Expires, State: c.State,
			})
		}
	}
	for i := range file.Users {
		file.Users[i].Version = 1
		u, wrong := file.Users[i].Host()
		if wrong != nil {
			problems.Addf(fmt.Sprintf("users[%d]", i), "%v", wrong)
			continue
		}
		f.Users = append(f.Users, *u)
	}
	for i := range file.Defaults {
		d, wrong := file.Defaults[i].Host()
		if wrong != nil {
			problems.Addf(fmt.Sprintf("defaults[%d]", i), "%v", wrong)
			continue
		}
		f.Defaults = append(f.Defaults, *d)
	}
	return f, openings, cards, problems.Err("The core cannot be filled like this.")
}
