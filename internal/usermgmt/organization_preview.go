package usermgmt

import (
	"context"
	"maps"
	"time"

	"mandate/internal/activity"
	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
)

// maxTouched is how many people a preview judges one by one.
const maxTouched = 50

// An OrganizationPreview is what a change of an organization would do.
type OrganizationPreview struct {
	Organization Organization
	Stale        bool // the organization has changed since somebody looked
	Changes      []activity.Change
	Sentences    []approval.Line // what it means for the organization
	Raises       bool            // it needs high-risk authorization
	People       []PersonTouched
	Others       int // how many more have something of it set up, and were not judged
	Problem      error
}

// A PersonTouched is a member who may do something else afterwards.
type PersonTouched struct {
	Member        Member
	Before, After []entitlement.Reach
}

// PreviewOrganization says what a change of an organization would mean, for it
// and for whom. It changes nothing.
func (s *Service) PreviewOrganization(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, was, will OrganizationRights) (OrganizationPreview, func(*Member) entitlement.Names, error) {
	return s.previewOrganization(ctx, caller, organization, asWhole(was, will))
}

func (s *Service) previewOrganization(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, to func(OrganizationRights) (before, after OrganizationRights)) (p OrganizationPreview, names func(*Member) entitlement.Names, err error) {
	action := guard.Action{
		Event: "org.viewed", Organization: organization, Staff: staffView, Others: []bank.ActorKind{bank.ActorOperator},
		Target: activity.Target{Kind: activity.TargetOrganization, ID: string(organization)},
	}
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		if p.Organization, err = FindOrganization(v.Tx, caller.Institution, organization); err != nil {
			return err
		}
		accounts, err := accountsByName(v.Tx, p.Organization.Num)
		if err != nil {
			return err
		}
		now := rightsNow(&p.Organization, accounts)
		was, will := to(now)
		p.Stale, p.Changes, p.Sentences, p.Raises = now != was, now.changes(will), now.sentences(will, accounts), will.raises(now)
		p.Problem = will.check(v.Policy, now)
		i, err := institution(v, caller.Institution)
		if err != nil {
			return err
		}
		names = namesOn(i.Name, p.Organization.Name, accounts)
		return p.touch(v.Tx, caller.Institution, now, will, v.Tx.Now)
	})
	return p, names, err
}

// namesOn is how sentences about members of an organization name the parties.
func namesOn(institution, organization string, accounts []Account) func(*Member) entitlement.Names {
	byID := make(map[bank.AccountID]string, len(accounts))
	for _, a := range accounts {
		byID[a.ID] = a.Name
	}
	return func(m *Member) entitlement.Names {
		return entitlement.Names{Member: m.Name(), Organization: organization, Institution: institution, Account: func(id bank.AccountID) string { return byID[id] }}
	}
}

// switchesOf are the switches of members on which a change bears: those of every
// entitlement that comes, goes, or has another ceiling.
func (r OrganizationRights) switchesOf(will OrganizationRights) (touched catalog.Set) {
	for _, e := range catalog.EntitlementsIn(r.Entitlements&^will.Entitlements | will.Entitlements&^r.Entitlements) {
		touched = touched.With(e.Enabled())
	}
	for limit := range catalog.LimitCount {
		before, had := r.Ceilings.Get(limit)
		after, has := will.Ceilings.Get(limit)
		if had != has || before != after {
			touched = touched.With(limit.Permission().Info().Entitlement.Enabled())
		}
	}
	for _, change := range r.Off.differing(will.Off) {
		touched = touched.With(change.entitlement.Enabled())
	}
	return touched
}

// touch judges everybody who has something of it set up.
func (p *OrganizationPreview) touch(tx *db.Tx, institution bank.InstitutionID, was, will OrganizationRights, now time.Time) error {
	touched := was.switchesOf(will)
	members, err := db.All(tx, scanMember, selectMember+`
		 where m.organization_num = $1 and m.switches & $2 <> 0 order by m.name_key, m.ordinal`, p.Organization.Num, uint64(touched))
	if err != nil {
		return failed("find whom it touches", err)
	}
	p.Others = max(0, len(members)-maxTouched)
	members = members[:len(members)-p.Others]
	var ids []bank.UserID
	for _, m := range members {
		ids = append(ids, m.ID)
	}
	before, err := LoadPolicy(tx, institution, p.Organization.ID, entitlement.Scope{Members: ids, AllAccounts: true})
	if err != nil {
		return err
	}
	after := *before
	after.Organization.Entitlements, after.Organization.Ceilings = will.Entitlements, will.Ceilings
	after.Accounts = maps.Clone(before.Accounts)
	for id := range was.Off.differing(will.Off) {
		account := after.Accounts[id]
		account.Off = will.Off.On(id)
		after.Accounts[id] = account
	}
	for _, m := range members {
		p.People = append(p.People, PersonTouched{m, entitlement.ReachOf(before, m.ID, now), entitlement.ReachOf(&after, m.ID, now)})
	}
	return nil
}
