package bench

import (
	"fmt"
	"math/rand/v2"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// A crowd is a made-up institution that is the same wherever it is made: every
// organization follows from its number. It is made in the server's process and
// in that of its callers, so that these know every right answer.
type crowd struct {
	institution   entitlement.Institution
	organizations int
}

// What each organization of a crowd has.
const (
	crowdMembers  = 10
	crowdAccounts = 20

	unasked = crowdMembers - 1 // the member of whom nobody asks: changes are made to them
)

const crowdInstitution bank.InstitutionID = "bench-crowd"

func newCrowd(organizations int) (*crowd, error) {
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		return nil, err
	}
	offers := catalog.EntitlementSet(0)
	for _, e := range catalog.Entitlements() {
		offers = offers.With(e)
	}
	return &crowd{
		institution:   entitlement.Institution{ID: crowdInstitution, Edition: bank.EditionBank, Location: zone, Offers: offers.Without(catalog.Cards)},
		organizations: organizations,
	}, nil
}

// crowdID is an id as the product makes them, out of two numbers.
func crowdID(prefix string, organization, number int) string {
	return fmt.Sprintf("%s_%08x-0000-7000-8000-%012x", prefix, organization, number)
}

func crowdMember(organization, number int) bank.UserID {
	return bank.UserID(crowdID(bank.PrefixUser, organization, number))
}

func crowdAccount(organization, number int) bank.AccountID {
	return bank.AccountID(crowdID(bank.PrefixAccount, organization, number))
}

// policy is the whole policy of an organization.
func (c *crowd) policy(organization int) *entitlement.Policy {
	r := rand.New(rand.NewPCG(7, uint64(organization)))
	p := &entitlement.Policy{
		Institution:  c.institution,
		Organization: entitlement.Organization{ID: bank.OrganizationID(crowdID(bank.PrefixOrganization, organization, 0)), Entitlements: c.institution.Offers},
		Accounts:     make(map[bank.AccountID]entitlement.Account, crowdAccounts),
		Members:      make(map[bank.UserID]*entitlement.Member, crowdMembers),
	}
	for _, e := range catalog.Entitlements() {
		if r.IntN(10) == 0 {
			p.Organization.Entitlements = p.Organization.Entitlements.Without(e)
		}
	}
	for a := range crowdAccounts {
		id := crowdAccount(organization, a)
		p.Accounts[id] = entitlement.Account{ID: id}
	}
	for m := range crowdMembers {
		member := c.member(r, organization, m)
		p.Members[member.ID] = member
		if member.UsableAdmin() {
			p.UsableAdmins = append(p.UsableAdmins, member.ID)
		}
	}
	return p
}

// member is somebody after one of three templates, with a few edits: 94 of 100
// are active, and 70 of 100 of their accounts are open to them.
func (c *crowd) member(r *rand.Rand, organization, number int) *entitlement.Member {
	m := &entitlement.Member{
		ID: crowdMember(organization, number), Role: bank.RoleUser, Status: bank.StatusActive,
		Settings: crowdSettings(r, catalog.AtUser, number%3), Accounts: make(map[bank.AccountID]entitlement.Settings, crowdAccounts),
	}
	switch {
	case number == 0:
		m.Role = bank.RoleAdmin
	case r.IntN(100) >= 94:
		m.Status = bank.StatusLocked
	}
	for l := range catalog.LimitCount {
		m.Settings.Limits = m.Settings.Limits.With(l, bank.Cents(1+r.IntN(50))*1_000_00)
	}
	for a := range crowdAccounts {
		if r.IntN(100) >= 70 {
			continue
		}
		s := crowdSettings(r, catalog.AtAccount, number%3)
		s.On = s.On.With(catalog.AccountAccess)
		if r.IntN(20) == 0 {
			s.Limits = s.Limits.With(catalog.LimitPerWire, bank.Cents(1+r.IntN(25))*1_000_00)
		}
		m.Accounts[crowdAccount(organization, a)] = s
	}
	return m
}

// crowdSettings are the switches of a level: nearly all of them, most, or half.
func crowdSettings(r *rand.Rand, level catalog.Levels, template int) entitlement.Settings {
	s := entitlement.Settings{EditLevel: catalog.EditFull}
	off := [...]int{3, 8, 50}[template] // of 100
	for p := range catalog.PermissionCount {
		if p.At(level) && p.Info().Type == catalog.Switch && !p.Info().Restricts && r.IntN(100) >= off {
			s.On = s.On.With(p)
		}
	}
	return s
}

// A crowdQuestion is a question with its right answer.
type crowdQuestion struct {
	member    bank.UserID
	account   bank.AccountID
	operation catalog.Operation
	amount    bank.Cents // zero: none
	allowed   bool       // without a second person
}

// crowdOperations are what is asked about: moving money more often than the rest.
var crowdOperations = []catalog.Operation{
	catalog.WiresTransmitOperation, catalog.WiresTransmitOperation, catalog.WiresTransmitOperation, catalog.WiresApprove,
	catalog.ACHBatchInitiate, catalog.ACHBatchInitiate, catalog.ACHBatchApprove,
	catalog.AccountView, catalog.WiresView, catalog.StopsAddOperation, catalog.ARPCheckExceptionDecide,
}

// questions are as many as wanted, half of them with a yes for an answer, some
// organizations asked about much more often than others, and two of a hundred
// about an account of somebody else or nobody.
func (c *crowd) questions(seed uint64, n int, now time.Time) []crowdQuestion {
	r := rand.New(rand.NewPCG(seed, 11))
	often := rand.NewZipf(r, 1.1, 1, uint64(c.organizations-1))
	questions := make([]crowdQuestion, 0, n)
	for len(questions) < n {
		organization := int(often.Uint64())
		policy := c.policy(organization)
		for range 32 {
			q := c.question(r, organization)
			d := entitlement.Decide(policy, q.request(now))
			if q.allowed = d.Allowed && !d.ApprovalRequired; q.allowed == (len(questions)%2 == 0) {
				questions = append(questions, q)
				break
			}
		}
	}
	r.Shuffle(n, func(i, j int) { questions[i], questions[j] = questions[j], questions[i] })
	return questions
}

func (c *crowd) question(r *rand.Rand, organization int) crowdQuestion {
	q := crowdQuestion{
		member: crowdMember(organization, r.IntN(unasked)), account: crowdAccount(organization, r.IntN(crowdAccounts)),
		operation: crowdOperations[r.IntN(len(crowdOperations))],
	}
	switch r.IntN(100) {
	case 0:
		q.account = crowdAccount(organization, crowdAccounts) // nobody's
	case 1:
		q.account = crowdAccount((organization+1)%c.organizations, r.IntN(crowdAccounts))
	}
	if len(q.operation.Info().Limits) > 0 {
		q.amount = bank.Cents(1+r.IntN(40)) * 500_00
	}
	return q
}

func (q crowdQuestion) request(now time.Time) entitlement.Request {
	req := entitlement.Request{Member: q.member, Operation: q.operation, Account: q.account, Now: now}
	if q.amount > 0 {
		req.Amount = entitlement.AmountOf(q.amount)
	}
	return req
}

// body is the question as AuthZEN carries it.
func (q crowdQuestion) body() string {
	properties := ""
	if q.amount > 0 {
		properties = fmt.Sprintf(`,"properties":{"amount":"%s"}`, q.amount)
	}
	return fmt.Sprintf(`{"subject":{"type":"user","id":"%s"},"action":{"name":"%s"%s},"resource":{"type":"account","id":"%s"}}`,
		q.member, q.operation, properties, q.account)
}
