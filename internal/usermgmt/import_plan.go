package usermgmt

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
)

// An ImportKind is a kind of thing that is imported.
type ImportKind uint8

const (
	ImportsOrganization ImportKind = iota
	ImportsAccount
	ImportsMember
	ImportsMemberAccount
	ImportKinds // how many there are; not a kind
)

func (k ImportKind) String() string {
	return [...]string{"organizations", "accounts", "members", "member accounts"}[k]
}

// An ImportOutcome is what an import does to a thing.
type ImportOutcome uint8

const (
	ImportUnchanged ImportOutcome = iota
	ImportCreated
	ImportChanged
	ImportNotMentioned // stored, absent from the import, left alone
	ImportOutcomes     // how many there are; not an outcome
)

func (o ImportOutcome) String() string {
	return [...]string{"unchanged", "created", "changed", "not mentioned"}[o]
}

// ImportCounts counts things by kind and outcome.
type ImportCounts [ImportKinds][ImportOutcomes]int64

// Add adds other's counts to c's.
func (c *ImportCounts) Add(other *ImportCounts) {
	for kind := range c {
		for outcome := range c[kind] {
			c[kind][outcome] += other[kind][outcome]
		}
	}
}

// An ImportNote is something to say about one imported thing: a problem, for
// which nothing can be stored, or a warning.
type ImportNote struct {
	Kind    ImportKind
	Account int    // in Accounts, where the kind is an account
	Member  int    // in Members, where the kind is a member or a member's account
	Access  int    // in the member's Access, where the kind is a member's account
	Field   string // as files name it
	Wrong   string // what is wrong
	Right   string // what would be right
}

// An ImportPlan is what importing one organization takes, given what is stored.
type ImportPlan struct {
	ID       bank.OrganizationID // stored, or for a new organization one that it may have
	Creates  bool
	Counts   ImportCounts
	Problems []ImportNote

	in       *ImportedOrganization
	before   Organization // zero where the plan creates
	after    Organization
	accounts []accountStep // one for each imported account
	members  []memberStep  // one for each imported member
	outcome  ImportOutcome // of the organization itself
}

type accountStep struct {
	outcome       ImportOutcome
	before, after Account
}

type memberStep struct {
	outcome       ImportOutcome // of the member's own row
	before, after Member
	access        []accessStep // what differs, in the order of the import
}

type accessStep struct {
	account       int  // in Accounts
	had           bool // there was a row before
	before, after entitlement.Settings
}

// Changes reports whether the import would store anything.
func (p *ImportPlan) Changes() bool {
	for kind := range p.Counts {
		if p.Counts[kind][ImportCreated]+p.Counts[kind][ImportChanged] > 0 {
			return true
		}
	}
	return false
}

// PlanImport compares an organization with what is stored. warn is told what is
// inconsistent and will be stored as it comes; it may be nil.
func PlanImport(tx *db.Tx, i Institution, in *ImportedOrganization, warn func(ImportNote)) (*ImportPlan, error) {
	p, stored, err := planImport(tx, i.ID, in)
	if err != nil {
		return nil, err
	}
	if err := p.usernameConflicts(tx, i.ID); err != nil {
		return nil, err
	}
	if warn != nil {
		p.warn(i, stored, warn)
	}
	return p, nil
}

// planImport is PlanImport without the question who has the new usernames,
// which the database answers again when they are stored.
func planImport(tx *db.Tx, institution bank.InstitutionID, in *ImportedOrganization) (*ImportPlan, *storedOrganization, error) {
	p := &ImportPlan{in: in}
	stored, err := readStored(tx, institution, in.ExternalID)
	if err != nil {
		return nil, nil, err
	}
	if p.Creates = stored == nil; p.Creates {
		stored = &storedOrganization{}
		p.ID = bank.OrganizationID(bank.NewID(bank.PrefixOrganization, tx.Now))
	} else {
		p.ID = stored.ID
	}
	p.planOrganization(institution, stored)
	p.planAccounts(tx, stored)
	p.planMembers(tx, stored)
	p.emailConflicts(stored)
	p.disabledForGood()
	return p, stored, nil
}

func (p *ImportPlan) count(kind ImportKind, outcome ImportOutcome, n int) {
	p.Counts[kind][outcome] += int64(n)
}

func (p *ImportPlan) planOrganization(institution bank.InstitutionID, stored *storedOrganization) {
	in := p.in
	p.before, p.after = stored.Organization, stored.Organization
	o := &p.after
	o.Institution, o.ExternalID, o.Name = institution, in.ExternalID, in.Name
	give(in.Fields, GivesAddress, &o.Address, in.Address)
	give(in.Fields, GivesPhone, &o.Phone, in.Phone)
	give(in.Fields, GivesEmail, &o.Email, in.Email)
	o.Entitlements = mergeEntitlements(o.Entitlements, in.Entitlements, in.Set)
	o.Ceilings = mergeLimits(o.Ceilings, in.Ceilings, in.Set)
	switch {
	case p.Creates:
		p.outcome = ImportCreated
	case p.before != p.after:
		p.outcome = ImportChanged
	}
	p.count(ImportsOrganization, p.outcome, 1)
}

// give puts a detail in place where it is given.
func give[T any](fields, field ImportFields, stored *T, given T) {
	if fields.Has(field) {
		*stored = given
	}
}

func (p *ImportPlan) planAccounts(tx *db.Tx, stored *storedOrganization) {
	p.accounts = make([]accountStep, len(p.in.Accounts))
	mentioned := 0
	for i := range p.in.Accounts {
		in, step := &p.in.Accounts[i], &p.accounts[i]
		before, found := stored.accounts[in.ExternalID]
		step.before, step.after = before, before
		a := &step.after
		a.ExternalID, a.Name = in.ExternalID, in.Name
		give(in.Fields, GivesNumber, &a.Number, in.Number)
		give(in.Fields, GivesKind, &a.Kind, in.Kind)
		a.Off = mergeEntitlements(a.Off, in.Off, in.Set)
		switch {
		case !found:
			step.outcome = ImportCreated
			a.ID = bank.AccountID(bank.NewID(bank.PrefixAccount, tx.Now))
		case step.before != step.after:
			step.outcome = ImportChanged
		}
		if found {
			mentioned++
		}
		p.count(ImportsAccount, step.outcome, 1)
	}
	p.count(ImportsAccount, ImportNotMentioned, len(stored.accounts)-mentioned)
}

func (p *ImportPlan) planMembers(tx *db.Tx, stored *storedOrganization) {
	p.members = make([]memberStep, len(p.in.Members))
	mentioned, access := 0, 0
	for i := range p.in.Members {
		in, step := &p.in.Members[i], &p.members[i]
		before, found := stored.members[in.ExternalID]
		step.before, step.after = before, mergeMember(before, in)
		switch {
		case !found:
			step.outcome = ImportCreated
			step.after.ID = bank.UserID(bank.NewID(bank.PrefixUser, tx.Now))
		case !sameMember(&step.before, &step.after):
			step.outcome = ImportChanged
		default:
			step.after = before
		}
		if found {
			mentioned++
		}
		p.count(ImportsMember, step.outcome, 1)
		access += p.planAccess(in, step, stored)
	}
	p.count(ImportsMember, ImportNotMentioned, len(stored.members)-mentioned)
	p.count(ImportsMemberAccount, ImportNotMentioned, len(stored.access)-access)
}

// planAccess compares a member's accounts and returns how many of them are
// stored already.
func (p *ImportPlan) planAccess(in *ImportedMember, step *memberStep, stored *storedOrganization) (mentioned int) {
	for _, access := range in.Access {
		key := accessKey{step.before.Ordinal, p.accounts[access.Account].before.Ordinal}
		before, had := stored.access[key]
		after := mergeSettings(before, access.Settings, access.Set)
		outcome := ImportUnchanged
		switch {
		case !had:
			outcome = ImportCreated
		case before != after:
			outcome = ImportChanged
		}
		if had {
			mentioned++
		}
		if outcome != ImportUnchanged {
			step.access = append(step.access, accessStep{access.Account, had, before, after})
		}
		p.count(ImportsMemberAccount, outcome, 1)
	}
	return mentioned
}

// mergeMember puts in place what is given of a member. A username is given
// once: from then on it is what they sign in with.
func mergeMember(m Member, in *ImportedMember) Member {
	m.ExternalID, m.FirstName, m.LastName = in.ExternalID, in.FirstName, in.LastName
	give(in.Fields, GivesEmail, &m.Email, in.Email)
	if m.Username == "" {
		give(in.Fields, GivesUsername, &m.Username, in.Username)
	}
	give(in.Fields, GivesRole, &m.Role, in.Role)
	give(in.Fields, GivesStatus, &m.Status, in.Status)
	give(in.Fields, GivesHeld, &m.Held, in.Held)
	m.Settings = mergeSettings(m.Settings, in.Settings, in.Set)
	return m
}

// sameMember compares all that an import can change. At user level a limit that
// is not set is zero.
func sameMember(a, b *Member) bool {
	if a.Settings != b.Settings && !sameUserSettings(a.Settings, b.Settings) {
		return false
	}
	return a.FirstName == b.FirstName && a.LastName == b.LastName && a.Email == b.Email && a.Username == b.Username &&
		a.Role == b.Role && a.Status == b.Status && a.Held == b.Held
}

func sameUserSettings(a, b entitlement.Settings) bool {
	for limit := range catalog.LimitCount {
		was, _ := a.Limits.Get(limit)
		is, _ := b.Limits.Get(limit)
		if was != is {
			return false
		}
	}
	return a.On == b.On && a.EditLevel == b.EditLevel
}

// mergeSettings replaces in s what is given.
func mergeSettings(s, given entitlement.Settings, set catalog.Set) entitlement.Settings {
	s.On = s.On&^set | given.On&set
	if set.Has(catalog.ACHEditLevel) {
		s.EditLevel = given.EditLevel
	}
	s.Limits = mergeLimits(s.Limits, given.Limits, set)
	return s
}

func mergeLimits(l, given entitlement.Limits, set catalog.Set) entitlement.Limits {
	for limit := range catalog.LimitCount {
		if !set.Has(limit.Permission()) {
			continue
		}
		if amount, ok := given.Get(limit); ok {
			l = l.With(limit, amount)
		} else {
			l = l.Without(limit)
		}
	}
	return l
}

func mergeEntitlements(stored, given catalog.EntitlementSet, set catalog.Set) catalog.EntitlementSet {
	for _, e := range catalog.Entitlements() {
		if !set.Has(e.Enabled()) {
			continue
		}
		stored = stored.Without(e)
		if given.Has(e) {
			stored = stored.With(e)
		}
	}
	return stored
}
