package usermgmt

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

// maxHostNames is how many names are remembered before all are forgotten.
const maxHostNames = 200_000

// HostNames are what the host calls organizations and accounts: the bank's own
// numbers, which stand here as external ids. They never change, so each is read
// once.
type HostNames struct {
	db   *db.DB
	room int // for so many

	mu            sync.RWMutex
	organizations map[named[bank.OrganizationID]]host.Ref
	accounts      map[named[bank.AccountID]]host.Ref
	backwards     map[named[host.Ref]]bank.OrganizationID
	places        map[placed]bank.AccountID
}

// named is a name within an institution, and placed one within an organization.
type (
	named[Name ~string] struct {
		institution bank.InstitutionID
		name        Name
	}
	placed struct {
		institution  bank.InstitutionID
		organization bank.OrganizationID
		ref          host.Ref
	}
)

var _ host.Names = (*HostNames)(nil)

// NewHostNames returns the names in a database.
func NewHostNames(d *db.DB) *HostNames {
	n := &HostNames{db: d, room: maxHostNames}
	n.forget()
	return n
}

func (n *HostNames) forget() {
	n.organizations, n.accounts = map[named[bank.OrganizationID]]host.Ref{}, map[named[bank.AccountID]]host.Ref{}
	n.backwards, n.places = map[named[host.Ref]]bank.OrganizationID{}, map[placed]bank.AccountID{}
}

// Organizations are the host's names of organizations.
func (n *HostNames) Organizations(ctx context.Context, institution bank.InstitutionID, ids []bank.OrganizationID) (map[bank.OrganizationID]host.Ref, error) {
	return known(n, ids, func(id bank.OrganizationID) (host.Ref, bool) {
		ref, ok := n.organizations[named[bank.OrganizationID]{institution, id}]
		return ref, ok
	}, func(missing []bank.OrganizationID, collect func()) error {
		return n.loadOrganizations(ctx, institution, strs(missing), collect, `
			select id, external_id from organization where institution_id = $1 and id in ($2, $3, $4, $5, $6, $7, $8, $9)`)
	})
}

// OrganizationsOf are our organizations by the host's names.
func (n *HostNames) OrganizationsOf(ctx context.Context, institution bank.InstitutionID, refs []host.Ref) (map[host.Ref]bank.OrganizationID, error) {
	return known(n, refs, func(ref host.Ref) (bank.OrganizationID, bool) {
		id, ok := n.backwards[named[host.Ref]{institution, ref}]
		return id, ok
	}, func(missing []host.Ref, collect func()) error {
		return n.loadOrganizations(ctx, institution, strs(missing), collect, `
			select id, external_id from organization where institution_id = $1 and external_id in ($2, $3, $4, $5, $6, $7, $8, $9)`)
	})
}

// Accounts are the host's names of accounts. One that was not read yet brings
// all of its organization.
func (n *HostNames) Accounts(ctx context.Context, institution bank.InstitutionID, ids []bank.AccountID) (map[bank.AccountID]host.Ref, error) {
	look := func(id bank.AccountID) (host.Ref, bool) {
		ref, ok := n.accounts[named[bank.AccountID]{institution, id}]
		return ref, ok
	}
	return known(n, ids, look, func(missing []bank.AccountID, collect func()) error {
		for _, id := range missing {
			if _, read := peek(n, id, look); read {
				continue
			}
			err := n.loadAccounts(ctx, institution, collect, `
				select o.id, a.id, a.external_id from account a join organization o on o.num = a.organization_num
				 where o.institution_id = $1 and a.organization_num in (select organization_num from account where id = $2)`, string(id))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// AccountsOf are our accounts of an organization by the host's names.
func (n *HostNames) AccountsOf(ctx context.Context, institution bank.InstitutionID, organization bank.OrganizationID, refs []host.Ref) (map[host.Ref]bank.AccountID, error) {
	return known(n, refs, func(ref host.Ref) (bank.AccountID, bool) {
		id, ok := n.places[placed{institution, organization, ref}]
		return id, ok
	}, func(_ []host.Ref, collect func()) error {
		return n.loadAccounts(ctx, institution, collect, `
			select o.id, a.id, a.external_id from account a join organization o on o.num = a.organization_num
			 where o.institution_id = $1 and o.id = $2`, string(organization))
	})
}

// known looks names up, and loads those that are missing. What was loaded is
// collected before anybody can forget it again.
func known[From, To ~string](n *HostNames, names []From, look func(From) (To, bool), load func(missing []From, collect func()) error) (map[From]To, error) {
	found := make(map[From]To, len(names))
	var missing []From
	collect := func() {
		missing = missing[:0]
		for _, name := range names {
			if _, there := found[name]; there {
				continue
			}
			if to, ok := look(name); ok {
				found[name] = to
			} else {
				missing = append(missing, name)
			}
		}
	}
	n.mu.RLock()
	collect()
	n.mu.RUnlock()
	if len(missing) == 0 {
		return found, nil
	}
	return found, load(slices.Clone(missing), collect)
}

func peek[From, To ~string](n *HostNames, name From, look func(From) (To, bool)) (To, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return look(name)
}

func strs[Name ~string](names []Name) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = string(name)
	}
	return all
}

func (n *HostNames) loadOrganizations(ctx context.Context, institution bank.InstitutionID, missing []string, collect func(), query string) error {
	type pair struct {
		id  bank.OrganizationID
		ref host.Ref
	}
	var pairs []pair
	err := n.db.Read(ctx, func(tx *db.Tx) error {
		for some := range slices.Chunk(missing, chunk) {
			more, err := db.All(tx, func(s db.Scanner) (p pair, err error) {
				err = s.Scan(&p.id, &p.ref)
				return p, err
			}, query, in8([]any{institution}, some)...)
			if err != nil {
				return err
			}
			pairs = append(pairs, more...)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the host's names of organizations: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.makeRoom()
	for _, p := range pairs {
		n.organizations[named[bank.OrganizationID]{institution, p.id}] = p.ref
		n.backwards[named[host.Ref]{institution, p.ref}] = p.id
	}
	collect()
	return nil
}

func (n *HostNames) loadAccounts(ctx context.Context, institution bank.InstitutionID, collect func(), query, of string) error {
	type triple struct {
		organization bank.OrganizationID
		id           bank.AccountID
		ref          host.Ref
	}
	var triples []triple
	err := n.db.Read(ctx, func(tx *db.Tx) (err error) {
		triples, err = db.All(tx, func(s db.Scanner) (t triple, err error) {
			err = s.Scan(&t.organization, &t.id, &t.ref)
			return t, err
		}, query, institution, of)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the host's names of accounts: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.makeRoom()
	for _, t := range triples {
		n.accounts[named[bank.AccountID]{institution, t.id}] = t.ref
		n.places[placed{institution, t.organization, t.ref}] = t.id
	}
	collect()
	return nil
}

func (n *HostNames) makeRoom() {
	if len(n.organizations)+len(n.accounts) > n.room {
		n.forget()
	}
}
