package protocol

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// Balances reads accounts as they stand.
func (c *Client) Balances(ctx context.Context, institution bank.InstitutionID, accounts []bank.AccountID) (map[bank.AccountID]host.Balance, error) {
	found := make(map[bank.AccountID]host.Balance, len(accounts))
	err := c.each(ctx, institution, accounts, func(ctx context.Context, refs []host.Ref, ours func(host.Ref) ([]bank.AccountID, error)) error {
		var list BalanceList
		if err := c.ask(ctx, about(institution, "balances", refs), &list); err != nil {
			return err
		}
		for _, b := range list.Balances {
			ids, err := ours(b.Account)
			if err != nil {
				return err
			}
			for _, id := range ids {
				found[id] = host.Balance{Ledger: b.Ledger, Available: b.Available}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Numbers are the full numbers of accounts.
func (c *Client) Numbers(ctx context.Context, institution bank.InstitutionID, accounts []bank.AccountID) (map[bank.AccountID]string, error) {
	found := make(map[bank.AccountID]string, len(accounts))
	err := c.each(ctx, institution, accounts, func(ctx context.Context, refs []host.Ref, ours func(host.Ref) ([]bank.AccountID, error)) error {
		var list NumberList
		if err := c.ask(ctx, about(institution, "numbers", refs), &list); err != nil {
			return err
		}
		for _, n := range list.Numbers {
			ids, err := ours(n.Account)
			if err != nil {
				return err
			}
			for _, id := range ids {
				found[id] = n.Number
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func about(institution bank.InstitutionID, name string, accounts []host.Ref) request {
	return request{institution: institution, method: http.MethodPost, name: name, body: AccountQuery{accounts}, time: lookTime, look: true}
}

// each asks about accounts, page by page, in no more time than one look takes.
// An answer speaks of each account once, and only of those that were asked
// about: ours says which these are here.
func (c *Client) each(ctx context.Context, institution bank.InstitutionID, accounts []bank.AccountID, ask func(context.Context, []host.Ref, func(host.Ref) ([]bank.AccountID, error)) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, lookTime, errSlow)
	defer cancel()
	outside := slices.DeleteFunc(slices.Clone(accounts), host.IsInternal)
	names, err := c.names.Accounts(ctx, institution, outside)
	if err != nil {
		return err
	}
	called := map[host.Ref][]bank.AccountID{}
	for id, ref := range names {
		called[ref] = append(called[ref], id)
	}
	for refs := range slices.Chunk(slices.Sorted(maps.Keys(called)), maxPage) {
		err := ask(ctx, refs, func(ref host.Ref) ([]bank.AccountID, error) {
			ids := called[ref]
			if !slices.Contains(refs, ref) || ids == nil {
				return nil, fmt.Errorf("the host speaks of the account %q, which it was not asked about, or twice", ref)
			}
			delete(called, ref)
			return ids, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Statement lists what was posted to an account.
func (c *Client) Statement(ctx context.Context, institution bank.InstitutionID, account bank.AccountID, most int) ([]host.Line, error) {
	names, err := c.names.Accounts(ctx, institution, []bank.AccountID{account})
	if err != nil {
		return nil, err
	}
	ref, known := names[account]
	if !known {
		return nil, nil
	}
	var list LineList
	query := url.Values{"account": {string(ref)}, "most": {strconv.Itoa(min(max(most, 1), maxPage))}}
	if err := c.ask(ctx, request{institution: institution, method: http.MethodGet, name: "statement", query: query, time: lookTime, look: true}, &list); err != nil {
		return nil, err
	}
	lines := make([]host.Line, 0, len(list.Lines))
	for _, l := range list.Lines[:min(len(list.Lines), max(most, 1))] {
		lines = append(lines, host.Line{Reference: l.Reference, Cents: l.Cents, After: l.After, Day: l.Day, Memo: l.Memo, At: l.At})
	}
	return lines, nil
}

// Cards lists an organization's cards. A card on an account that we do not have
// is left out: nobody could be let to see it.
func (c *Client) Cards(ctx context.Context, institution bank.InstitutionID, organization bank.OrganizationID) ([]host.Card, error) {
	names, err := c.names.Organizations(ctx, institution, []bank.OrganizationID{organization})
	if err != nil {
		return nil, err
	}
	ref, known := names[organization]
	if !known {
		return nil, nil
	}
	var list CardList
	err = c.ask(ctx, request{institution: institution, method: http.MethodGet, name: "cards", query: url.Values{"organization": {string(ref)}}, time: lookTime, look: true}, &list)
	if errors.Is(err, host.ErrNotOffered) {
		return nil, nil // there are none
	}
	if err != nil {
		return nil, err
	}
	var refs []host.Ref
	for _, card := range list.Cards {
		if card.Organization != ref {
			return nil, fmt.Errorf("the host shows %s a card of %s", ref, card.Organization)
		}
		refs = append(refs, card.Account)
	}
	accounts, err := c.names.AccountsOf(ctx, institution, organization, refs)
	if err != nil {
		return nil, err
	}
	var cards []host.Card
	for _, card := range list.Cards {
		if id, known := accounts[card.Account]; known {
			cards = append(cards, host.Card{
				ID: card.ID, Organization: organization, Account: id, Holder: card.Holder, Kind: card.Kind, LastFour: card.LastFour, Expires: card.Expires,
				State: card.State, Changed: card.Changed, Replaces: card.Replaces, Replacement: card.Replacement,
			})
		}
	}
	return cards, nil
}

// Presented lists what came in against enrolled accounts.
func (c *Client) Presented(ctx context.Context, institution bank.InstitutionID, after string, most int) ([]host.Presented, error) {
	var list PresentedList
	err := c.page(ctx, institution, "items", after, most, &list)
	if errors.Is(err, host.ErrNotOffered) {
		return nil, nil // nothing comes in
	}
	if err != nil {
		return nil, err
	}
	if err := moves(list.Items, after, func(p *Presented) string { return p.Mark }); err != nil {
		return nil, err
	}
	return c.ours(ctx, institution, list.Items)
}

// ours are items by our names. Items come in only against accounts that we
// enrolled, so one that we do not have is a mistake of the host.
func (c *Client) ours(ctx context.Context, institution bank.InstitutionID, items []Presented) ([]host.Presented, error) {
	accounts := map[host.Ref][]host.Ref{} // by organization
	for _, p := range items {
		accounts[p.Organization] = append(accounts[p.Organization], p.Account)
	}
	organizations, err := c.names.OrganizationsOf(ctx, institution, slices.Sorted(maps.Keys(accounts)))
	if err != nil {
		return nil, err
	}
	ids := map[host.Ref]map[host.Ref]bank.AccountID{}
	for ref, of := range accounts {
		if ids[ref], err = c.names.AccountsOf(ctx, institution, organizations[ref], of); err != nil {
			return nil, err
		}
	}
	all := make([]host.Presented, 0, len(items))
	for _, p := range items {
		organization, account := organizations[p.Organization], ids[p.Organization][p.Account]
		if organization == "" || account == "" {
			return nil, fmt.Errorf("the host presents %s against the account %q of %q, which is not known here", p.Item, p.Account, p.Organization)
		}
		all = append(all, host.Presented{
			Mark: p.Mark, Item: p.Item, Organization: organization, Account: account, Kind: p.Kind, Day: p.Day, Number: p.Number, Cents: p.Cents, Payee: p.Payee,
			Mismatch: p.Mismatch, Outcome: p.Outcome, Company: p.Company, CompanyID: p.CompanyID, Class: p.Class, Description: p.Description, Trace: p.Trace,
			Sides: p.Sides, At: p.At,
		})
	}
	return all, nil
}

// moves refuses a page that does not lead on: its marks differ from each other
// and from the one that was asked with.
func moves[T any](page []T, after string, mark func(*T) string) error {
	seen := map[string]bool{after: true, "": true}
	for i := range page {
		m := mark(&page[i])
		if seen[m] {
			return fmt.Errorf("the host gives the mark %q twice", m)
		}
		seen[m] = true
	}
	return nil
}

// Image is the picture of one side of a presented check.
func (c *Client) Image(ctx context.Context, institution bank.InstitutionID, item string, side host.Side) ([]byte, error) {
	query := url.Values{"item": {item}, "side": {string(side)}}
	kind, picture, err := c.send(ctx, request{institution: institution, method: http.MethodGet, name: "image", query: query, time: lookTime, look: true}, maxImage)
	switch {
	case errors.Is(err, host.ErrNotOffered):
		return nil, host.ErrNoImage
	case err != nil:
		return nil, fmt.Errorf("ask the host for the picture: %w", err)
	case !strings.HasPrefix(kind, "image/") && kind != "application/octet-stream" || len(picture) == 0:
		return nil, fmt.Errorf("ask the host for the picture: it answers %q", kind)
	}
	return picture, nil
}
