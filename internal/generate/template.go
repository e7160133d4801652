package generate

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// A template is what a kind of person usually may do.
type template struct {
	role    bank.Role
	user    catalog.Set
	account catalog.Set
	edit    catalog.EditLevel
	share   bank.Cents // of the organization's usual payment, in hundredths
	dual    bool
}

var enabled = catalog.SetOf(catalog.ACHEnabled, catalog.ARPEnabled, catalog.CardsEnabled, catalog.StopsEnabled, catalog.TransfersEnabled, catalog.WiresEnabled)

var look = enabled | catalog.SetOf(catalog.ACHView, catalog.StopsView, catalog.WiresWork, catalog.ARPDownload)

// The kinds of people. An organization has an owner and two others.
var owner = template{
	role: bank.RoleAdmin,
	user: everything.Without(catalog.WiresDualControl), account: everything.Without(catalog.WiresDualControl),
	edit: catalog.EditFull, share: 400,
}

var treasurer = template{
	role: bank.RoleAdmin,
	user: everything.Without(catalog.ACHFullControl).Without(catalog.WiresDelete), account: everything,
	edit: catalog.EditFull, share: 200, dual: true,
}

var clerk = template{
	role: bank.RoleUser,
	user: look | catalog.SetOf(catalog.ACHInitiate, catalog.ACHImportRecipients, catalog.TransfersAllow, catalog.StopsAdd, catalog.ARPUpload,
		catalog.ARPWorkChecks, catalog.WiresOneTimeCreate, catalog.WiresOneTimeEdit, catalog.WiresTransmit, catalog.WiresDualControl),
	account: catalog.SetOf(catalog.AccountAccess, catalog.TransfersTo, catalog.TransfersFrom, catalog.StopsView, catalog.StopsAdd, catalog.ARPUpload,
		catalog.ARPWorkChecks, catalog.WiresWork, catalog.WiresOneTimeCreate, catalog.WiresOneTimeEdit, catalog.WiresTransmit),
	edit: catalog.EditFull, share: 50, dual: true,
}

var payroll = template{
	role: bank.RoleUser,
	user: catalog.SetOf(catalog.ACHEnabled, catalog.ACHView, catalog.ACHInitiate, catalog.ACHSameDay, catalog.ACHRestricted, catalog.ACHRecurring,
		catalog.ACHImportRecipients, catalog.ACHUploadFile, catalog.ACHDebits, catalog.TransfersEnabled, catalog.TransfersAllow),
	account: catalog.SetOf(catalog.AccountAccess, catalog.TransfersTo, catalog.TransfersFrom),
	edit:    catalog.EditPartial, share: 100,
}

var auditor = template{
	role: bank.RoleViewer,
	user: look.With(catalog.UserManagementEnabled),
	account: catalog.SetOf(catalog.AccountAccess, catalog.StopsView, catalog.ARPDownload,
		catalog.WiresWork),
}

var everything = func() (all catalog.Set) {
	for p := range catalog.PermissionCount {
		if p.Info().Type == catalog.Switch {
			all = all.With(p)
		}
	}
	return all
}()

// templates are the organization's three: the owner's, and two of the others.
func (m *maker) templates() []template {
	others := []template{treasurer, clerk, payroll, auditor}
	m.r.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	return append([]template{owner}, others[:2]...)
}

// settings are the template's at user level, with what is different about this
// person: some have a right less, some other limits.
func (m *maker) settings(t template, first bool) entitlement.Settings {
	s := entitlement.Settings{On: m.existing(t.user, catalog.AtUser)}
	if s.On.Has(catalog.ACHView) {
		s.EditLevel = t.edit
	}
	if t.share > 0 {
		s.Limits = m.limits(t)
	}
	if !first {
		m.deviate(&s, s, catalog.AtUser, 35)
	}
	return s
}

// existing keeps what exists at a level of the edition and belongs to what the
// organization has. User management is kept: its admins stay its admins.
func (m *maker) existing(set catalog.Set, level catalog.Levels) (kept catalog.Set) {
	for p := range set.All {
		e := p.Info().Entitlement
		had := e == catalog.NoEntitlement || e == catalog.UserManagement || m.org.entitlements.Has(e)
		if p.In(m.o.Edition) && p.At(level) && had {
			kept = kept.With(p)
		}
	}
	return kept
}

func (m *maker) limits(t template) (l entitlement.Limits) {
	usual := m.scale * t.share / 100
	amounts := [catalog.LimitCount]bank.Cents{
		catalog.LimitACHDaily:    usual * 3,
		catalog.LimitACHPerBatch: usual,
		catalog.LimitTransfer:    usual * 2,
		catalog.LimitPerWire:     usual,
		catalog.LimitWiresDaily:  usual * pick(m.r, []bank.Cents{2, 2, 3, 4}),
		catalog.LimitWiresDual:   usual / pick(m.r, []bank.Cents{2, 2, 5}) / 100_00 * 100_00,
	}
	for limit, amount := range amounts {
		if catalog.Limit(limit).Permission().In(m.o.Edition) {
			l = l.With(catalog.Limit(limit), max(amount/100*100, 100_00))
		}
	}
	return l
}

// deviate takes one to three rights away, of those that nothing else needs, in
// percent of all cases. own are the person's settings at user level.
func (m *maker) deviate(s *entitlement.Settings, own entitlement.Settings, level catalog.Levels, percent float64) {
	if !chance(m.r, percent) {
		return
	}
	for range 1 + m.r.IntN(3) {
		var leaves []catalog.Permission
		for p := range s.On.All {
			if p != catalog.AccountAccess && p != catalog.UserManagementEnabled && !m.needed(own, *s, p, level) {
				leaves = append(leaves, p)
			}
		}
		if len(leaves) > 0 {
			s.On = s.On.Without(pick(m.r, leaves))
		}
	}
}

// needed reports whether something that is on needs p.
func (m *maker) needed(own, s entitlement.Settings, p catalog.Permission, level catalog.Levels) bool {
	without := s
	without.On = s.On.Without(p)
	return len(entitlement.Unmet(m.o.Edition, level, own, without)) > len(entitlement.Unmet(m.o.Edition, level, own, s))
}

// access is what the template gives on one account: 70 in a hundred are
// enabled, and most of the others keep their values.
func (m *maker) access(t template, own entitlement.Settings) entitlement.Settings {
	s := entitlement.Settings{On: m.existing(t.account, catalog.AtAccount)}
	if !chance(m.r, 70) {
		if chance(m.r, 40) {
			return entitlement.Settings{}
		}
		s.On = s.On.Without(catalog.AccountAccess)
		return s
	}
	m.deviate(&s, own, catalog.AtAccount, 8)
	if own.On.Has(catalog.WiresEnabled) && t.share > 0 && chance(m.r, 15) {
		for _, limit := range []catalog.Limit{catalog.LimitPerWire, catalog.LimitWiresDaily} {
			if amount, set := own.Limits.Get(limit); set {
				s.Limits = s.Limits.With(limit, max(amount/2/100*100, 100_00))
			}
		}
	}
	return s
}
