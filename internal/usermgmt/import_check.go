package usermgmt

import (
	"fmt"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
)

// disabledForGood finds somebody disabled who would come back.
func (p *ImportPlan) disabledForGood() {
	for i := range p.members {
		was, is := &p.members[i].before, &p.members[i].after
		if was.ID != "" && was.Status == bank.StatusDisabled && is.Status != bank.StatusDisabled {
			p.Problems = append(p.Problems, ImportNote{
				Kind: ImportsMember, Member: i, Field: "status",
				Wrong: "the member is stored as disabled, which is final",
				Right: "disabled; for a person who returns, a new member with an id of their own",
			})
		}
	}
}

// emailConflicts finds an email that two members of the organization would have.
func (p *ImportPlan) emailConflicts(stored *storedOrganization) {
	mentioned := make(map[string]bool, len(p.members))
	for i := range p.members {
		mentioned[p.members[i].after.ExternalID] = true
	}
	taken := make(map[string]string, len(p.members)) // external id by key
	for external, m := range stored.members {
		if key := Fold(m.Email); key != "" && !mentioned[external] {
			taken[key] = external
		}
	}
	for i := range p.members {
		m := &p.members[i].after
		key := Fold(m.Email)
		if key == "" {
			continue
		}
		if other, ok := taken[key]; ok {
			p.Problems = append(p.Problems, ImportNote{
				Kind: ImportsMember, Member: i, Field: "email",
				Wrong: fmt.Sprintf("%s is the email of member %s of the same organization as well", m.Email, other),
				Right: "an email of their own, or none",
			})
			continue
		}
		taken[key] = m.ExternalID
	}
}

// usernameConflicts asks who has the usernames that this import gives. Usernames
// within one import are compared by whoever reads it.
func (p *ImportPlan) usernameConflicts(tx *db.Tx, institution bank.InstitutionID) error {
	var keys []string
	members := map[string]int{} // who is given the key
	for i := range p.members {
		if step := &p.members[i]; step.before.Username == "" && step.after.Username != "" {
			key := Fold(step.after.Username)
			keys, members[key] = append(keys, key), i
		}
	}
	for some := range slices.Chunk(keys, chunk) {
		holders, err := db.All(tx, scanHolder, `
			with given (username_key) as (values ($2), ($3), ($4), ($5), ($6), ($7), ($8), ($9))
			select distinct m.username_key, m.external_id
			  from given join member m on m.institution_id = $1 and m.username_key = given.username_key and m.username_key <> ''`,
			in8([]any{institution}, some)...)
		if err != nil {
			return fmt.Errorf("read the usernames: %w", err)
		}
		for _, h := range holders {
			i := members[h.key]
			p.Problems = append(p.Problems, ImportNote{
				Kind: ImportsMember, Member: i, Field: "username",
				Wrong: fmt.Sprintf("%s is the username of member %s, who is stored already", p.members[i].after.Username, h.external),
				Right: "a username that nobody at the institution has",
			})
		}
	}
	return nil
}

type usernameHolder struct{ key, external string }

func scanHolder(s db.Scanner) (h usernameHolder, err error) {
	err = s.Scan(&h.key, &h.external)
	return h, err
}

// A warning is the telling of what would be stored as it comes and is
// inconsistent (spec, section 4, rule 7). Deciding refuses what lacks its
// needs, so nothing is allowed by it, but somebody will wonder.
type warning struct {
	plan        *ImportPlan
	institution Institution
	tell        func(ImportNote)
	unmet       map[unmetKey][]entitlement.UnmetNeed // few settings stand on many accounts
}

type unmetKey struct{ own, at entitlement.Settings }

func (p *ImportPlan) warn(i Institution, stored *storedOrganization, tell func(ImportNote)) {
	w := warning{plan: p, institution: i, tell: tell, unmet: map[unmetKey][]entitlement.UnmetNeed{}}
	w.organization(stored)
	for i := range p.members {
		w.member(i)
	}
}

func (w *warning) organization(stored *storedOrganization) {
	for _, e := range catalog.EntitlementsIn(w.plan.after.Entitlements) {
		if e.In(w.institution.Edition) && !w.institution.Offers.Has(e) {
			w.tell(ImportNote{
				Kind: ImportsOrganization, Field: e.Enabled().ID(),
				Wrong: fmt.Sprintf("the organization has %s, which the institution does not offer", e.Label()),
				Right: "offer it in institution.json; until then it has no effect",
			})
		}
	}
	if !w.plan.hasUsableAdmin(stored) {
		w.tell(ImportNote{
			Kind: ImportsOrganization, Field: "organization",
			Wrong: "the organization has no member who can administer it",
			Right: "at least one member with role admin, status active, not held, user_management.enabled true",
		})
	}
}

func (p *ImportPlan) hasUsableAdmin(stored *storedOrganization) bool {
	mentioned := make(map[string]bool, len(p.members))
	for i := range p.members {
		m := &p.members[i].after
		mentioned[m.ExternalID] = true
		if m.usableAdmin() {
			return true
		}
	}
	for external, m := range stored.members {
		if !mentioned[external] && m.usableAdmin() {
			return true
		}
	}
	return false
}

func (m *Member) usableAdmin() bool {
	judged := entitlement.Member{Role: m.Role, Status: m.Status, Held: m.Held, Settings: m.Settings}
	return judged.UsableAdmin()
}

func (w *warning) member(i int) {
	m := &w.plan.members[i].after
	note := ImportNote{Kind: ImportsMember, Member: i}
	if m.Role == bank.RoleUser && m.Settings.On.Has(catalog.UserManagementEnabled) {
		note.Field = catalog.UserManagementEnabled.ID()
		note.Wrong, note.Right = "User management is on for the role user, for whom it has no effect", "false, or the role viewer or admin"
		w.tell(note)
	}
	if m.Status == bank.StatusActive && m.Username == "" {
		note.Field, note.Wrong, note.Right = "username", "an active member has no username and cannot sign in", "their username, or the status pending"
		w.tell(note)
	}
	if given := w.plan.in.Members[i].Username; given != "" && given != m.Username {
		note.Field = "username"
		note.Wrong, note.Right = fmt.Sprintf("the member signs in with %s, which an import does not change", m.Username), m.Username
		w.tell(note)
	}
	w.settings(note, catalog.AtUser, m.Settings, m.Settings)
	for j := range w.plan.in.Members[i].Access {
		note := ImportNote{Kind: ImportsMemberAccount, Member: i, Access: j}
		w.settings(note, catalog.AtAccount, m.Settings, w.plan.in.Members[i].Access[j].Settings)
	}
}

// settings tells of the needs that are unmet and the limits that are above the
// organization's ceiling.
func (w *warning) settings(note ImportNote, level catalog.Levels, own, at entitlement.Settings) {
	key := unmetKey{own, at}
	unmet, known := w.unmet[key]
	if !known {
		unmet = entitlement.Unmet(w.institution.Edition, level, own, at)
		w.unmet[key] = unmet
	}
	for _, u := range unmet {
		note.Field = u.Permission.ID()
		note.Wrong = fmt.Sprintf("%s is on without %s", u.Permission.Info().Label, u.Needs.ID())
		note.Right = fmt.Sprintf("%s %s, or this off", u.Needs.ID(), met(u.Needs))
		w.tell(note)
	}
	for limit := range catalog.LimitCount {
		amount, _ := at.Limits.Get(limit)
		if ceiling, set := w.plan.after.Ceilings.Get(limit); set && amount > ceiling && limit.Permission().In(w.institution.Edition) {
			note.Field = limit.Permission().ID()
			note.Wrong = fmt.Sprintf("%s is above the organization's ceiling", limit.Permission().Info().Label)
			note.Right = fmt.Sprintf("at most %s; the ceiling binds", ceiling)
			w.tell(note)
		}
	}
}

// met says in what state a need would be met.
func met(p catalog.Permission) string {
	switch {
	case p.IsLimit():
		return "above zero"
	case p == catalog.ACHEditLevel:
		return "partial or full"
	}
	return "true"
}
