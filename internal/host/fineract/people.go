package fineract

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// onlyVersion is of every organization: Fineract has no versions, and tells of no
// change that one would have to be compared for.
const onlyVersion = 1

// Organizations lists active clients with their savings accounts. Fineract lists
// by place and not by number.
func (c *Connector) Organizations(ctx context.Context, institution bank.InstitutionID, after host.Ref, most int) ([]host.Organization, error) {
	last, known := idOf(after)
	if after != "" && !known {
		return nil, fmt.Errorf("fineract: there is no ref %q to go on from", after)
	}
	for range maxPages {
		page, err := c.clientsAfter(ctx, institution, last, min(most, pageSize))
		if err != nil || len(page) == 0 {
			return nil, err
		}
		var all []host.Organization
		for _, each := range page {
			last = each.ID
			if !each.Active {
				continue
			}
			organization, err := c.organization(ctx, institution, each)
			if err != nil {
				return nil, err
			}
			all = append(all, organization)
		}
		if len(all) > 0 {
			return all, nil
		}
	}
	return nil, fmt.Errorf("fineract: no client of %d after %s is active", maxPages*pageSize, after)
}

func (c *Connector) organization(ctx context.Context, institution bank.InstitutionID, of client) (host.Organization, error) {
	accounts, err := c.owned(ctx, institution, of.ID)
	if err != nil {
		return host.Organization{}, err
	}
	organization := host.Organization{Ref: refOf(of.ID), Version: onlyVersion, Name: of.Name}
	for _, a := range accounts {
		organization.Accounts = append(organization.Accounts, host.Account{
			Ref: refOf(a.ID), Name: a.Product, Kind: "savings", LastFour: a.Number[max(0, len(a.Number)-4):], Closed: a.Status.Closed,
		})
	}
	return organization, nil
}

// clientPage is a part of the list of clients.
type clientPage struct {
	Total *int     `json:"totalFilteredRecords"`
	Items []client `json:"pageItems"`
}

func (c *Connector) clients(ctx context.Context, institution bank.InstitutionID, place, most int) (clientPage, error) {
	query := url.Values{"orderBy": {"id"}, "sortOrder": {"ASC"}, "offset": {strconv.Itoa(place)}, "limit": {strconv.Itoa(most)}}
	var page clientPage
	if err := c.get(ctx, institution, "clients", query, &page); err != nil {
		return clientPage{}, err
	}
	if page.Total == nil {
		return clientPage{}, fmt.Errorf("fineract: the list of clients is not whole")
	}
	var last int64
	for _, each := range page.Items {
		if each.ID <= last {
			return clientPage{}, fmt.Errorf("fineract: the list of clients is not in the order of their numbers")
		}
		last = each.ID
	}
	return page, nil
}

// clientsAfter are the clients that follow one. The list is read from the one
// before on: where that is another, the list moved meanwhile, and the place is
// looked for again.
func (c *Connector) clientsAfter(ctx context.Context, institution bank.InstitutionID, last int64, most int) ([]client, error) {
	for range maxMoves {
		place, err := c.placeAfter(ctx, institution, last)
		if err != nil {
			return nil, err
		}
		before := min(place, 1)
		page, err := c.clients(ctx, institution, place-before, most+before)
		if err != nil {
			return nil, err
		}
		if before == 0 {
			return page.Items, nil
		}
		if len(page.Items) > 0 && page.Items[0].ID <= last {
			return page.Items[1:], nil
		}
	}
	return nil, fmt.Errorf("fineract: the list of clients changes too fast to be read")
}

// placeAfter is where the list goes on after a client, which may be gone since.
func (c *Connector) placeAfter(ctx context.Context, institution bank.InstitutionID, last int64) (int, error) {
	if last == 0 {
		return 0, nil
	}
	first, err := c.clients(ctx, institution, 0, 1)
	if err != nil {
		return 0, err
	}
	low, high := 0, *first.Total // the place is between them
	for low < high {
		middle := int(uint(low+high) / 2)
		page, err := c.clients(ctx, institution, middle, 1)
		switch {
		case err != nil:
			return 0, err
		case len(page.Items) > 0 && page.Items[0].ID <= last:
			low = middle + 1
		default:
			high = middle
		}
	}
	return low, nil
}

// Users are not offered: people at a client are nobody in Fineract.
func (c *Connector) Users(context.Context, bank.InstitutionID, host.Ref, int) ([]host.User, error) {
	return nil, host.ErrNotOffered
}

// User is not offered.
func (c *Connector) User(context.Context, bank.InstitutionID, host.Ref) (host.User, error) {
	return host.User{}, host.ErrNotOffered
}

// Defaults are not offered.
func (c *Connector) Defaults(context.Context, bank.InstitutionID) ([]host.Defaults, error) {
	return nil, host.ErrNotOffered
}

// Events are not offered: what Fineract publishes of changes goes to a message
// broker and not through its API.
func (c *Connector) Events(context.Context, bank.InstitutionID, string, int) ([]host.Event, error) {
	return nil, host.ErrNotOffered
}
