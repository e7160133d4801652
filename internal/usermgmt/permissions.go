package usermgmt

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// An Edit is one save of a member's permissions: user level and any number of
// accounts, all of it or nothing.
type Edit struct {
	Person  Person
	Version int64                // the member's version that the editor saw; -1: whatever it is
	Changes []entitlement.Change // at most one for the user level and one for each account
	Cascade bool                 // also turn off what loses a need by it
}

// A Preview is what an Edit would do, before it is saved.
type Preview struct {
	Outcomes  []LevelOutcome
	Changes   []activity.Change   // old and new values, as history will show them
	Before    []entitlement.Reach // what the member may do now
	After     []entitlement.Reach // and afterwards
	Risky     bool                // it needs high-risk authorization
	Conflicts []activity.Event    // what others changed since the editor looked
}

// A LevelOutcome is what the rules say about one level of an Edit.
type LevelOutcome struct {
	Account bank.AccountID // empty: the user level
	entitlement.Outcome
}

// Problems are what is wrong with the edit, in all levels.
func (p *Preview) Problems() (problems []LevelProblem) {
	for _, o := range p.Outcomes {
		for _, problem := range o.Problems {
			problems = append(problems, LevelProblem{o.Account, problem})
		}
	}
	return problems
}

// A LevelProblem is a problem at user level or of one account.
type LevelProblem struct {
	Account bank.AccountID
	entitlement.Problem
}

// Preview judges an edit and says what it would change. It changes nothing.
func (s *Service) Preview(ctx context.Context, caller bank.Caller, e Edit) (preview Preview, profile Profile, err error) {
	err = s.guard.Look(ctx, caller, e.action(catalog.ViewPermissions), func(v *guard.View) error {
		if profile, err = loadProfile(v.Tx, caller.Institution, e.Person); err != nil {
			return err
		}
		profile.Policy, profile.Revision = v.Policy, v.Revision
		req := entitlement.Request{Now: v.Tx.Now}
		var after *entitlement.Policy
		preview, after = judge(v.Policy, caller, e, req)
		preview.Before = entitlement.ReachOf(v.Policy, e.Person.User, req.Now)
		preview.After = entitlement.ReachOf(after, e.Person.User, req.Now)
		if e.Version >= 0 && e.Version != profile.Member.Version {
			preview.Conflicts, err = since(v.Tx, caller.Institution, e)
		}
		return err
	})
	return preview, profile, err
}

// action is the edit as the guard sees it.
func (e Edit) action(member catalog.Operation) guard.Action {
	return guard.Action{
		Event:        "orguser.permission_changed",
		Organization: e.Person.Organization,
		Target:       activity.Target{Kind: activity.TargetMember, ID: string(e.Person.User)},
		Member:       member,
		Staff:        staffView, // to look; what staff may save depends on the edition
		Others:       []bank.ActorKind{bank.ActorHost},
		Scope:        entitlement.Scope{Members: []bank.UserID{e.Person.User}, AllAccounts: true},
	}
}

// saving is the edit as the guard sees it where it is to be stored.
func (s *Service) saving(ctx context.Context, caller bank.Caller, e Edit) (guard.Action, error) {
	action := e.action(e.operation())
	var err error
	action.Staff, err = s.staffSaving(ctx, caller, e)
	return action, err
}

// staffSaving is the permission that staff need to save edits; empty: they may
// not. A bank's staff switch whole entitlements of a member on and off in
// People, and see the rest; a credit union's change all of it.
func (s *Service) staffSaving(ctx context.Context, caller bank.Caller, edits ...Edit) (string, error) {
	edition, err := s.edition(ctx, caller)
	if err != nil || edition == bank.EditionCreditUnion {
		return staffManage, err
	}
	for _, e := range edits {
		if !e.onlySwitches() {
			return "", nil
		}
	}
	return staffManage, nil
}

// onlySwitches reports whether an edit names nothing but whole entitlements of
// the member.
func (e Edit) onlySwitches() bool {
	for _, c := range e.Changes {
		for id := range c.Set {
			if p, known := catalog.ParsePermission(id); c.Account != "" || !known || !p.At(catalog.AtOrganization) {
				return false
			}
		}
	}
	return true
}

// operation is what a member must be allowed for the edit.
func (e Edit) operation() catalog.Operation {
	for _, c := range e.Changes {
		if c.Account == "" {
			return catalog.EditPermissions
		}
	}
	return catalog.EditAccountPermissions
}

// judge asks the edit rules about every level, user level first, each on the
// state that the ones before it would leave.
func judge(p *entitlement.Policy, caller bank.Caller, e Edit, req entitlement.Request) (Preview, *entitlement.Policy) {
	var preview Preview
	after := entitlement.With(p, e.Person.User, nil)
	member := after.Members[e.Person.User]
	for _, change := range e.sorted() {
		change.Member, change.Cascade = e.Person.User, e.Cascade
		before := settingsOf(member, change.Account)
		outcome := outcomeOf(after, caller, change, req)
		preview.Outcomes = append(preview.Outcomes, LevelOutcome{change.Account, outcome})
		preview.Changes = append(preview.Changes, diff(change.Account, before, outcome.Settings)...)
		preview.Risky = preview.Risky || Riskier(change.Account, before, outcome.Settings)
		if change.Account == "" {
			member.Settings = outcome.Settings
		} else if outcome.Accepted() {
			member.Accounts[change.Account] = outcome.Settings
		}
	}
	return preview, after
}

// sorted are the changes with the user level first and accounts by id, so that
// the same edit is always judged and recorded the same way.
func (e Edit) sorted() []entitlement.Change {
	return slices.SortedFunc(slices.Values(e.Changes), func(a, b entitlement.Change) int {
		switch {
		case a.Account < b.Account:
			return -1
		case a.Account > b.Account:
			return 1
		}
		return 0
	})
}

func settingsOf(m *entitlement.Member, account bank.AccountID) entitlement.Settings {
	if account == "" {
		return m.Settings
	}
	return m.Accounts[account]
}

func outcomeOf(p *entitlement.Policy, caller bank.Caller, change entitlement.Change, req entitlement.Request) entitlement.Outcome {
	if caller.Kind == bank.ActorMember {
		return entitlement.Edit(p, caller.Member(), change, req)
	}
	return entitlement.EditAs(p, change)
}

// Riskier reports whether a change of one level needs high-risk authorization:
// a limit raised, a right that moves money switched on or set free, dual control
// relaxed. An account without a limit of its own has no less than any: setting one there
// raises nothing, but for the dual limit, below which nobody else is asked.
func Riskier(account bank.AccountID, before, after entitlement.Settings) bool {
	gained := after.On&movesMoney&^before.On | free(account, after)&^free(account, before)
	lost := before.On &^ after.On
	if gained != 0 || lost.Has(catalog.WiresDualControl) {
		return true
	}
	for limit := range catalog.LimitCount {
		was, wasSet := before.Limits.Get(limit)
		is, isSet := after.Limits.Get(limit)
		caps := account != "" && !wasSet && limit != catalog.LimitWiresDual
		if is > was && !caps || wasSet && !isSet {
			return true
		}
	}
	return false
}

// free are the rights that move money and are not idle at their own level: an
// account that is not shown, or an entitlement that is off, lets none of them
// work, and opening it sets them free.
func free(account bank.AccountID, s entitlement.Settings) catalog.Set {
	rights := s.On & movesMoney
	if account != "" {
		if !s.On.Has(catalog.AccountAccess) {
			return 0
		}
		return rights
	}
	for p := range rights.All {
		if !s.On.Has(p.Info().Entitlement.Enabled()) {
			rights = rights.Without(p)
		}
	}
	return rights
}

// movesMoney are the rights by which money leaves, or by which somebody may let
// it leave without a second person.
var movesMoney = catalog.SetOf(catalog.ACHInitiate, catalog.ACHFullControl, catalog.ACHSameDay, catalog.ACHDebits,
	catalog.TransfersAllow, catalog.TransfersFrom, catalog.WiresTransmit, catalog.WiresTransmitRecurring,
	catalog.WiresTransmitFuture, catalog.ARPWorkChecks, catalog.ARPWorkACH)

// SavePermissions saves an edit: every level is judged, and all of it is stored
// with one history event, or nothing is. A conflict says what others changed.
func (s *Service) SavePermissions(ctx context.Context, caller bank.Caller, e Edit) (version int64, err error) {
	action, err := s.saving(ctx, caller, e)
	if err != nil {
		return 0, err
	}
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		o, err := FindOrganization(c.Tx, caller.Institution, e.Person.Organization)
		if err != nil {
			return err
		}
		member, err := findMember(c.Tx, o.Num, e.Person.User)
		if err != nil {
			return err
		}
		if e.Version >= 0 && e.Version != member.Version {
			return conflict(c, e, member)
		}
		if err := aloneMayNotRaise(c, e.Person.User); err != nil {
			return err
		}
		version, err = s.applyEdit(c, o.Num, member, e)
		return err
	})
	return version, err
}

// goneAdmin stands for the admin whom the caller took out of action.
const goneAdmin bank.UserID = "gone"

// aloneMayNotRaise makes an admin who took the last other one out of action be
// judged, for a day, as if that one were still there: they may not raise
// themself.
func aloneMayNotRaise(c *guard.Change, user bank.UserID) error {
	if c.Caller.Member() != user {
		return nil
	}
	until, err := db.One(c.Tx, db.Value[int64], `select no_raise_micros from member where institution_id = $1 and id = $2`, c.Caller.Institution, user)
	if err != nil {
		return fmt.Errorf("read whether an admin is alone by their own doing: %w", err)
	}
	if c.Tx.Now.UnixMicro() < until {
		c.Policy.UsableAdmins = append(c.Policy.UsableAdmins, goneAdmin)
	}
	return nil
}

func (s *Service) applyEdit(c *guard.Change, num int64, member Member, e Edit) (int64, error) {
	w, err := s.weigh(c, member, e)
	if err != nil {
		return member.Version, err
	}
	if problems := w.preview.Problems(); len(problems) > 0 {
		return member.Version, problemsFault(problems)
	}
	if len(w.preview.Changes) == 0 {
		return member.Version, nil
	}
	if w.preview.Risky {
		if err := c.RequireProof(e.Digest()); err != nil {
			return member.Version, err
		}
	}
	return c.Revision() + 1, storeAll(c, num, []weighed{w})
}

// A weighed edit has been judged and not been stored.
type weighed struct {
	edit    Edit
	member  Member
	preview Preview
	after   *entitlement.Policy
}

// weigh judges an edit on the policy of the change, which then is as the edit
// would leave it: a further edit of the same change is judged on that.
func (s *Service) weigh(c *guard.Change, member Member, e Edit) (weighed, error) {
	w := weighed{edit: e, member: member}
	w.preview, w.after = judge(c.Policy, c.Caller, e, entitlement.Request{Now: c.Tx.Now})
	if len(w.preview.Problems()) > 0 {
		return w, nil
	}
	if member.Settings.On.Has(catalog.UserManagementEnabled) && !w.after.Members[member.ID].Settings.On.Has(catalog.UserManagementEnabled) {
		if err := s.losesAdmin(c, member); err != nil {
			return w, err
		}
		w.after.UsableAdmins = slices.DeleteFunc(slices.Clone(c.Policy.UsableAdmins), func(id bank.UserID) bool { return id == member.ID })
	}
	c.Policy = w.after
	return w, nil
}

// storeAll writes weighed edits, each with its one history event.
func storeAll(c *guard.Change, num int64, all []weighed) error {
	var named []bank.AccountID
	for _, w := range all {
		for _, change := range w.edit.Changes {
			if change.Account != "" {
				named = append(named, change.Account)
			}
		}
	}
	slices.Sort(named)
	ordinals, err := accountOrdinals(c.Tx, num, slices.Compact(named))
	if err != nil {
		return err
	}
	for _, w := range all {
		if err := w.store(c, num, ordinals); err != nil {
			return err
		}
	}
	return nil
}

func (w *weighed) store(c *guard.Change, num int64, ordinals map[bank.AccountID]int64) error {
	m := w.after.Members[w.member.ID]
	if err := SetMemberSettings(c.Tx, num, w.member.Ordinal, m.Settings, c.Revision()+1); err != nil {
		return err
	}
	for _, change := range w.edit.Changes {
		if change.Account == "" {
			continue
		}
		ordinal, known := ordinals[change.Account]
		if !known {
			return errNoAccount
		}
		if err := SetMemberAccount(c.Tx, num, w.member.Ordinal, ordinal, m.Accounts[change.Account]); err != nil {
			return err
		}
	}
	c.RecordAs(eventOf(w.preview.Changes), w.member.Target(), "", w.preview.Changes...)
	return nil
}

// eventOf names the event after what changed most: access to accounts, an
// entitlement, or a permission.
func eventOf(changes []activity.Change) string {
	only := func(f func(p catalog.Permission) bool) bool {
		return !slices.ContainsFunc(changes, func(c activity.Change) bool {
			p, ok := catalog.ParsePermission(c.Field)
			return !ok || !f(p)
		})
	}
	switch {
	case only(func(p catalog.Permission) bool { return p == catalog.AccountAccess }):
		return "orguser.account_access_changed"
	case only(func(p catalog.Permission) bool { return p.At(catalog.AtOrganization) }):
		return "orguser.entitlement_changed"
	}
	return "orguser.permission_changed"
}

// problemsFault says all problems of an edit at once. Fields are named as forms
// and APIs name them: a permission's id, after "account/" for an account's.
func problemsFault(problems []LevelProblem) error {
	var all fault.Problems
	for _, p := range problems {
		all = append(all, fault.Problem{Field: FieldName(p.Account, p.Permission), Code: string(p.Code), Sentence: p.Sentence()})
	}
	kind := fault.Invalid
	if problems[0].Code == entitlement.ActorNotAllowed || problems[0].Code == entitlement.SelfRaise {
		kind = fault.Forbidden
	}
	return &fault.Error{Kind: kind, Code: string(problems[0].Code), Sentence: "These permissions cannot be saved as they stand.", Problems: all}
}

// FieldName is how forms and APIs name a permission at user level, or of one
// account.
func FieldName(account bank.AccountID, permission string) string {
	if account == "" {
		return permission
	}
	return string(account) + "/" + permission
}

// Digest is what a high-risk authorization of the edit is bound to.
func (e Edit) Digest() []byte {
	type level struct {
		Account bank.AccountID
		Set     map[string]entitlement.Value
	}
	content := struct {
		Person  Person
		Version int64
		Cascade bool
		Levels  []level
	}{Person: e.Person, Version: e.Version, Cascade: e.Cascade}
	for _, change := range e.sorted() {
		content.Levels = append(content.Levels, level{change.Account, maps.Clone(change.Set)})
	}
	b, err := json.Marshal(content)
	if err != nil {
		panic("usermgmt: an edit is plain data: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// conflict tells an editor what others changed meanwhile.
func conflict(c *guard.Change, e Edit, member Member) error {
	events, err := since(c.Tx, c.Caller.Institution, e)
	if err != nil {
		return err
	}
	var all fault.Problems
	for _, event := range events {
		for _, change := range event.Changes {
			all.Addf(change.Field, "%s changed %s to %s.", event.Actor.Name, describe(change), or(change.New, "not set"))
		}
	}
	return &fault.Error{
		Kind: fault.Conflict, Code: "CHANGED_MEANWHILE", Problems: all,
		Sentence: fmt.Sprintf("Somebody else changed %s while you were editing. Nothing of yours was saved; look at what changed and save again.", member.Name()),
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
