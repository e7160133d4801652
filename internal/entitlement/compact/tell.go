package compact

import (
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// Tell puts everybody of the organization into a policy, and its accounts as far
// as a scope names them, so that it decides as the block does. What is above them
// stays as it is.
func (b *Block) Tell(p *entitlement.Policy, scope entitlement.Scope) {
	p.Accounts = map[bank.AccountID]entitlement.Account{}
	p.Members = make(map[bank.UserID]*entitlement.Member, len(b.members.ids))
	var accounts []toldAccount
	place := 0
	for name := range b.Accounts {
		if scope.AllAccounts || slices.Contains(scope.Accounts, name) {
			accounts = append(accounts, toldAccount{place, name})
			account := entitlement.Account{ID: name}
			if b.off != nil {
				account.Off = b.off[place]
			}
			p.Accounts[name] = account
		}
		place++
	}
	var said saying
	for n, name := range b.Members {
		m := b.tell(n, accounts, &said)
		m.ID = name
		p.Members[name] = m
		if m.UsableAdmin() {
			p.UsableAdmins = append(p.UsableAdmins, name)
		}
	}
}

type toldAccount struct {
	place int
	name  bank.AccountID
}

// tell says in full what the nth member may do.
func (b *Block) tell(n int, accounts []toldAccount, said *saying) *entitlement.Member {
	pg, first := b.page(n), n&(1<<b.shift-1)
	line := &pg.members[first]
	m := &entitlement.Member{
		Role: bank.Role(line.word >> roleShift & twoBits), Status: bank.Status(line.word >> statusShift & twoBits), Held: line.word&heldBit != 0,
		Settings: entitlement.Settings{On: catalog.Set(line.word & switchMask), EditLevel: catalog.EditLevel(line.word >> editShift & twoBits)},
		Accounts: make(map[bank.AccountID]entitlement.Settings, len(accounts)),
	}
	for l := range catalog.LimitCount {
		m.Settings.Limits = m.Settings.Limits.With(l, line.amounts[l])
	}
	for i := range accounts {
		place := first*len(b.accounts.ids) + accounts[i].place
		g := pg.grants[place]
		if g == 0 {
			continue
		}
		s := entitlement.Settings{On: said.switches(g)}
		if g&ownLimits != 0 {
			own := pg.limitsOn(place)
			for _, l := range accountLimits {
				if amount, set := own.get(l); set {
					s.Limits = s.Limits.With(l, amount)
				}
			}
		}
		m.Accounts[accounts[i].name] = s
	}
	return m
}

// A saying is what the last grant said: the next one is often the same.
type saying struct {
	grant grant
	set   catalog.Set
}

func (s *saying) switches(g grant) catalog.Set {
	if g &^= ownLimits; g != s.grant {
		s.grant, s.set = g, 0
		for i, p := range switchOf {
			if g&(1<<i) != 0 {
				s.set = s.set.With(p)
			}
		}
	}
	return s.set
}
