package online

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/history"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

type reviewPage struct {
	Shell    ui.Shell
	Lead     string
	Member   usermgmt.Member
	Conflict *conflictNote
	Problems []fault.Problem
	Effects  []phrase.Effect
	Same     string // what to say where the effects are none
	Lines    []ui.Change
	Falls    []string // what goes off because it loses a need
	Proof    bool
	Empty    bool
	Save     string
	Back     string // the form, by POST with the same fields; empty where there are several
	Cancel   string
	Carry    carried
}

// carried is an edit as hidden fields carry it from page to page.
type carried struct {
	Version string
	Sets    []string
}

// carry writes an edit for hidden fields.
func carry(e usermgmt.Edit) carried {
	c := carried{Version: strconv.FormatInt(e.Version, 10)}
	for _, change := range e.Changes {
		for _, id := range slices.Sorted(maps.Keys(change.Set)) {
			c.Sets = append(c.Sets, usermgmt.FieldName(change.Account, id)+"="+usermgmt.ValueText(change.Set[id]))
		}
	}
	return c
}

// cutSet takes "acc_1/wires.work=true" apart.
func cutSet(s string) (account bank.AccountID, id, written string, ok bool) {
	name, written, ok := strings.Cut(s, "=")
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return bank.AccountID(name[:i]), name[i+1:], written, ok
	}
	return "", name, written, ok
}

// maxSets bounds what one save may carry.
const maxSets = 20_000

// carriedEdit reads an edit back.
func carriedEdit(f *web.Form, who usermgmt.Person) (usermgmt.Edit, error) {
	edit := usermgmt.Edit{Person: who, Cascade: true}
	version, err := strconv.ParseInt(f.Raw("version"), 10, 64)
	if err != nil || version < 0 || len(f.All("set")) > maxSets {
		return edit, fault.New(fault.Invalid, "The changes could not be read. Open the permissions again.")
	}
	edit.Version = version
	byLevel := map[bank.AccountID]map[string]entitlement.Value{}
	for _, one := range f.All("set") {
		account, id, written, ok := cutSet(one)
		if !ok {
			return edit, fault.New(fault.Invalid, "The changes could not be read. Open the permissions again.")
		}
		if byLevel[account] == nil {
			byLevel[account] = map[string]entitlement.Value{}
		}
		p, _ := catalog.ParsePermission(id)
		byLevel[account][id] = usermgmt.ReadValue(p, account, written)
	}
	for _, account := range slices.Sorted(maps.Keys(byLevel)) {
		edit.Changes = append(edit.Changes, entitlement.Change{Member: who.User, Account: account, Set: byLevel[account]})
	}
	return edit, nil
}

// review shows what a save would do, before it is done. It comes from a
// permission form, or from a proposal that carries its changes.
//
// POST /{institution}/settings/users/{user}/review
func (a *app) review(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	if len(f.All("set")) > 0 {
		edit, err := carriedEdit(f, person(r))
		if err != nil {
			return err
		}
		return a.renderReview(w, r, http.StatusOK, edit)
	}
	profile, err := a.users.Profile(r.Context(), web.CallerOf(r.Context()), person(r))
	if err != nil {
		return err
	}
	me, err := a.me(r)
	if err != nil {
		return err
	}
	level := bank.AccountID(f.Raw("level"))
	if _, known := profile.Policy.Accounts[level]; level != "" && !known {
		return errNoAccount
	}
	d := readDraft(r, f, level)
	if d.rebase(&profile) {
		return a.renderStale(w, r, me, &profile, d)
	}
	e := d.evaluate(profile.Policy, me.Member.ID, profile.Member.ID, entitlement.Request{Now: a.site.Clock.Now()})
	if !e.outcome.Accepted() {
		return a.renderRefusedDraft(w, r, me, &profile, d)
	}
	return a.renderReview(w, r, http.StatusOK, d.edit(person(r), e))
}

func (a *app) renderRefusedDraft(w http.ResponseWriter, r *http.Request, me usermgmt.Standing, profile *usermgmt.Profile, d draft) error {
	page := a.permissionsPage(r, me, profile, d)
	page.Form.Sentence = "These permissions cannot be saved as they stand."
	return a.renderPermissions(w, r, http.StatusUnprocessableEntity, page, d)
}

// renderReview previews the edit on what is stored now.
func (a *app) renderReview(w http.ResponseWriter, r *http.Request, status int, edit usermgmt.Edit) error {
	return a.renderReviewAs(w, r, status, edit, "Review changes", "")
}

// renderReviewAs is renderReview under another title, with what to say first.
func (a *app) renderReviewAs(w http.ResponseWriter, r *http.Request, status int, edit usermgmt.Edit, title, lead string) error {
	preview, profile, err := a.users.Preview(r.Context(), web.CallerOf(r.Context()), edit)
	if err != nil {
		return err
	}
	me, err := a.me(r)
	if err != nil {
		return err
	}
	b, m := baseFor(me.Institution.ID), profile.Member
	page := reviewPage{
		Shell:  a.shell(r, me, title, ui.Link{Label: "User management", Href: b.users()}, ui.Link{Label: m.Name(), Href: b.user(m.ID)}),
		Lead:   "To the permissions of " + m.Name() + ". Nothing is saved yet.",
		Member: m,
		Save:   b.save(m.ID),
		Cancel: b.user(m.ID),
		Proof:  preview.Risky,
		Empty:  len(preview.Changes) == 0,
	}
	if len(edit.Changes) == 1 {
		page.Back = b.level(m.ID, edit.Changes[0].Account)
	}
	if edit.Version >= 0 && edit.Version != m.Version {
		if page.Conflict, err = a.conflictNote(r, me, &profile, edit.Version); err != nil {
			return err
		}
		edit.Version, status = m.Version, http.StatusConflict
	}
	page.Carry = carry(edit)
	if lead != "" {
		page.Lead = lead + " Nothing is saved yet."
	}
	for _, problem := range preview.Problems() {
		page.Problems = append(page.Problems, fault.Problem{Sentence: problemOn(&profile, problem)})
	}
	words := newDescriber(me, profile.Accounts)
	names := profile.Names(me.Institution.Name)
	page.Effects = phrase.Effects(preview.Before, preview.After, names)
	page.Same = sameEffects(&profile)
	page.Lines = reviewLines(words, &profile, preview.Changes)
	page.Falls = falls(words, preview.Outcomes)
	if len(page.Problems) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return web.Render(w, r, status, reviewView(page))
}

func problemOn(profile *usermgmt.Profile, problem usermgmt.LevelProblem) string {
	if problem.Account == "" {
		return problem.Sentence()
	}
	return accountName(accountOf(profile, problem.Account).Account) + ": " + problem.Sentence()
}

func sameEffects(profile *usermgmt.Profile) string {
	m := profile.Member
	if m.Status != bank.StatusActive || m.Held {
		return "Nothing at present: " + m.Name() + " cannot sign in. The settings below count once they can."
	}
	return "What " + m.Name() + " may do stays the same: something else still stands in the way, or still allows it."
}

// reviewLines are the old and new values, each marked where it lets more happen.
func reviewLines(words history.Describer, profile *usermgmt.Profile, changes []activity.Change) []ui.Change {
	var lines []ui.Change
	for _, c := range changes {
		line := ui.Change{Sentence: words.Field(c), Before: words.Value(c.Field, c.Old), After: words.Value(c.Field, c.New)}
		if riskyLine(profile, c) {
			line.Risk = riskOf(c)
		}
		lines = append(lines, line)
	}
	slices.SortStableFunc(lines, func(a, b ui.Change) int { return phrase.RiskFirst(a.Risk, b.Risk) })
	return lines
}

// riskOf says in what way a line that asks for a second look lets more happen.
func riskOf(c activity.Change) string {
	p, _ := catalog.ParsePermission(c.Field)
	switch {
	case p.IsLimit():
		return "Raises what may be moved."
	case p.Info().Restricts:
		return "Nobody else has to agree any more."
	}
	return "Lets money move."
}

// riskyLine asks the room's own rule about one line by itself.
func riskyLine(profile *usermgmt.Profile, c activity.Change) bool {
	p, ok := catalog.ParsePermission(c.Field)
	if !ok {
		return false
	}
	level := bank.AccountID("")
	if len(c.Accounts) > 0 {
		level = bank.AccountID(c.Accounts[0])
	}
	step := entitlement.Step{Kind: entitlement.SetSetting, Permission: p, Account: level, Value: usermgmt.ReadValue(p, level, c.New)}
	after := *profile
	after.Policy = entitlement.With(profile.Policy, profile.Member.ID, []entitlement.Step{step})
	return usermgmt.Riskier(level, settingsAt(profile, level), settingsAt(&after, level))
}

// falls lists what goes off because it loses a need.
func falls(words history.Describer, outcomes []usermgmt.LevelOutcome) []string {
	var all []string
	for _, o := range outcomes {
		for _, p := range o.TurnedOff {
			c := activity.Change{Field: p.ID()}
			if o.Account != "" {
				c.Accounts = []string{string(o.Account)}
			}
			all = append(all, words.Field(c))
		}
	}
	return all
}

func reviewRefusal(p reviewPage) string {
	if len(p.Problems) == 0 {
		return ""
	}
	return "These permissions cannot be saved as they stand."
}

// joined writes a list as part of a sentence.
func joined(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
