package online

import (
	"net/http"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

type setupPage struct {
	Shell      ui.Shell
	Member     usermgmt.Member
	Picture    string
	Action     string
	Save       string
	Select     string
	Leave      string
	Count      string
	None       bool
	Sentence   string
	Notice     ui.Message
	Problems   []fault.Problem
	Colleague  ui.Field
	Colleagues []ui.Option
	Find       *ui.Field // searches for colleagues, where there are too many to list
	Reach      []phrase.ReachGroup
	Nothing    string
	Dropped    []string // what a colleague has and cannot be given
	Lines      []ui.Change
	Proof      bool
	Carry      carried
}

// setup is the window between creating somebody and inviting them: which
// accounts, whose permissions, and what that means.
//
// GET /{institution}/settings/users/{user}/setup
func (a *app) setup(w http.ResponseWriter, r *http.Request) error {
	return a.renderSetup(w, r, http.StatusOK, nil)
}

func (a *app) renderSetup(w http.ResponseWriter, r *http.Request, status int, wrong error) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	caller := web.CallerOf(r.Context())
	setup, err := a.users.Setup(r.Context(), caller, person(r))
	if kind := fault.KindOf(err); err != nil && (kind == fault.Internal || kind == fault.Unavailable) {
		return a.accountsFailed(w, r, me, err)
	}
	if err != nil {
		return err
	}
	page := a.setupPage(r, me, &setup)
	if wrong != nil {
		page.Sentence, page.Problems = web.SentenceOf(wrong), fault.ProblemsOf(wrong)
	}
	if err := a.offerColleagues(r, me, &page, setup.Source); err != nil {
		return err
	}
	if web.Partial(r) {
		return web.Render(w, r, status, setupPart(page))
	}
	return web.Render(w, r, status, setupView(page))
}

func (a *app) setupPage(r *http.Request, me usermgmt.Standing, setup *usermgmt.Setup) setupPage {
	m, b := setup.Profile.Member, baseFor(me.Institution.ID)
	names := setup.Profile.Names(me.Institution.Name)
	page := setupPage{
		Shell:  a.shell(r, me, "Enable accounts for "+m.Name(), underUser(b, m)...),
		Member: m, Picture: b.avatar(m), Action: b.setup(m.ID), Save: b.setup(m.ID) + "/save", Select: b.setupAccounts(m.ID), Leave: b.users(),
		Count: countChosen(len(setup.Choice.Accounts), len(setup.Profile.Accounts)), None: len(setup.Choice.Accounts) == 0,
		Reach:   phrase.Reach(phrase.OnceActive(setup.After, m.ID), m.ID, a.site.Clock.Now(), names),
		Nothing: m.FirstName + " would see no account and could move no money.",
		Lines:   reviewLines(newDescriber(me, setup.Profile.Accounts), &setup.Profile, setup.Preview.Changes),
		Proof:   setup.Preview.Risky, Carry: carry(setup.Edit),
	}
	for _, problem := range setup.Dropped {
		page.Dropped = append(page.Dropped, problemOn(&setup.Profile, problem))
	}
	page.Colleague = ui.Field{Name: "colleague", Label: "Permissions", Value: string(setup.Choice.CopyFrom), Optional: true,
		Attrs: map[string]any{"hx-post": page.Action, "hx-trigger": "change", "hx-target": "#setup", "hx-swap": "outerMorph"}}
	return page
}

// offerColleagues lists whom to copy from; one that is chosen is listed in any
// case.
func (a *app) offerColleagues(r *http.Request, me usermgmt.Standing, page *setupPage, source *usermgmt.Profile) error {
	search := r.FormValue("find")
	colleagues, more, err := a.users.Colleagues(r.Context(), web.CallerOf(r.Context()), person(r), search)
	if err != nil {
		return err
	}
	page.Colleagues = colleagueOptions(me, colleagues)
	page.Colleagues[0].Label = me.Institution.Name + "'s defaults for the role " + page.Member.Role.Label()
	listed := source == nil
	for _, o := range page.Colleagues {
		listed = listed || o.Value == page.Colleague.Value
	}
	if !listed {
		page.Colleagues = append(page.Colleagues, ui.Option{Value: page.Colleague.Value, Label: "The same as " + source.Member.Name()})
	}
	if more || search != "" {
		page.Find = &ui.Field{Name: "find", Label: "Find a colleague", Value: search, Optional: true, Width: "medium", Help: "Any part of a name or an email address."}
	}
	return nil
}

type accountsFailedPage struct {
	Shell ui.Shell
	Retry string
	View  string
	Leave string
}

// accountsFailed stands in for the window where accounts cannot be read. The
// new user is there already and everything chosen is kept.
func (a *app) accountsFailed(w http.ResponseWriter, r *http.Request, me usermgmt.Standing, why error) error {
	a.site.Log.ErrorContext(r.Context(), "accounts failed to load", "request", web.RequestID(r.Context()), "error", why)
	b, user := baseFor(me.Institution.ID), person(r).User
	page := accountsFailedPage{Shell: a.shell(r, me, "Accounts failed to load", ui.Link{Label: "User management", Href: b.users()}),
		Retry: b.setup(user), View: b.user(user), Leave: b.users()}
	page.Shell.Narrow = true
	return web.Render(w, r, http.StatusServiceUnavailable, accountsFailedView(page))
}

// chooseColleague keeps whose permissions the new user shall have.
//
// POST /{institution}/settings/users/{user}/setup
func (a *app) chooseColleague(w http.ResponseWriter, r *http.Request) error {
	if err := a.users.ChooseColleague(r.Context(), web.CallerOf(r.Context()), person(r), bank.UserID(web.ReadForm(r).Raw("colleague"))); err != nil {
		return err
	}
	if web.Partial(r) {
		return a.renderSetup(w, r, http.StatusOK, nil)
	}
	http.Redirect(w, r, baseOf(r).setup(person(r).User), http.StatusSeeOther)
	return nil
}

type setupAccountsPage struct {
	Shell  ui.Shell
	Member usermgmt.Member
	Action string
	Cancel string
	Picker picker
}

// GET /{institution}/settings/users/{user}/setup/accounts
func (a *app) setupAccounts(w http.ResponseWriter, r *http.Request) error {
	setup, err := a.users.Setup(r.Context(), web.CallerOf(r.Context()), person(r))
	if err != nil {
		return err
	}
	return a.renderSetupAccounts(w, r, setup.Profile, setup.Choice.Accounts, "")
}

func (a *app) renderSetupAccounts(w http.ResponseWriter, r *http.Request, profile usermgmt.Profile, chosen []bank.AccountID, search string) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	b, m := baseFor(me.Institution.ID), profile.Member
	page := setupAccountsPage{
		Shell: a.shell(r, me, "Account access", append(underUser(b, m), ui.Link{Label: "Enable accounts", Href: b.setup(m.ID)})...), Member: m,
		Action: b.setupAccounts(m.ID), Cancel: b.setup(m.ID), Picker: newAccountPicker(profile.Accounts, chosen, search, b.setupAccounts(m.ID)),
	}
	page.Shell.Narrow = true
	return web.Render(w, r, http.StatusOK, setupAccountsView(page))
}

// chooseAccounts keeps which accounts the new user shall see. Nothing is
// enabled by it.
//
// POST /{institution}/settings/users/{user}/setup/accounts
func (a *app) chooseAccounts(w http.ResponseWriter, r *http.Request) error {
	caller, f := web.CallerOf(r.Context()), web.ReadForm(r)
	profile, err := a.users.Profile(r.Context(), caller, person(r))
	if err != nil {
		return err
	}
	chosen := readPicker(f, profile.Accounts)
	if f.Raw("do") != pickDone {
		return a.renderSetupAccounts(w, r, profile, chosen, f.Raw("q"))
	}
	if err := a.users.ChooseAccounts(r.Context(), caller, person(r), chosen); err != nil {
		return err
	}
	http.Redirect(w, r, baseOf(r).setup(person(r).User), http.StatusSeeOther)
	return nil
}

// enableAccounts saves the set-up as it was shown.
//
// POST /{institution}/settings/users/{user}/setup/save
func (a *app) enableAccounts(w http.ResponseWriter, r *http.Request) error {
	f, caller := web.ReadForm(r), web.CallerOf(r.Context())
	if f.Sent("colleague") { // without a script a choice may not have been looked at yet
		setup, err := a.users.Setup(r.Context(), caller, person(r))
		if err != nil {
			return err
		}
		if asked := bank.UserID(f.Raw("colleague")); asked != setup.Choice.CopyFrom {
			if err := a.users.ChooseColleague(r.Context(), caller, person(r), asked); err != nil {
				return err
			}
			return a.renderSetup(w, r, http.StatusOK, lookFirst)
		}
	}
	edit := usermgmt.Edit{Person: person(r), Cascade: true}
	var err error
	if len(f.All("set")) > 0 {
		edit, err = carriedEdit(f, person(r))
	} else {
		edit.Version = readVersion(f.Raw("version"))
	}
	if err != nil {
		return err
	}
	done, err := a.proven(w, r, func() (proof, error) { return a.saveProof(r, edit) }, func() error {
		return a.users.EnableAccounts(r.Context(), caller, edit)
	})
	if kind := fault.KindOf(err); err != nil && (kind == fault.Invalid || kind == fault.Conflict) {
		return a.renderSetup(w, r, http.StatusUnprocessableEntity, err)
	}
	if err != nil || !done {
		return err
	}
	http.Redirect(w, r, baseOf(r).setupDone(person(r).User), http.StatusSeeOther)
	return nil
}

var lookFirst = fault.New(fault.Invalid, "You chose other permissions. Look at what they mean, then enable the accounts.")

type setupDonePage struct {
	Shell   ui.Shell
	Member  usermgmt.Member
	Count   string
	Invite  string
	Profile string
	List    string
}

// setupDone says that the accounts are enabled, and asks how to go on.
//
// GET /{institution}/settings/users/{user}/setup/done
func (a *app) setupDone(w http.ResponseWriter, r *http.Request) error {
	me, profile, err := a.about(r, catalog.CreateUser)
	if err != nil {
		return err
	}
	b, m := baseFor(me.Institution.ID), profile.Member
	page := setupDonePage{
		Shell:  a.shell(r, me, "Accounts enabled", underUser(b, m)...),
		Member: m, Count: countChosen(profile.Enabled(), len(profile.Accounts)),
		Invite: b.invite(m.ID), Profile: b.user(m.ID), List: b.users(),
	}
	page.Shell.Narrow = true
	return web.Render(w, r, http.StatusOK, setupDoneView(page))
}
