package online

import (
	"net/http"
	"net/url"
	"strconv"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type permissionsPage struct {
	Shell    ui.Shell
	Member   usermgmt.Member
	Account  *usermgmt.MemberAccount // nil: the user level
	Title    string
	Subtitle string
	Tabs     []ui.Tab
	Reader   bool
	Message  ui.Message
	Conflict *conflictNote
	Form     permissionForm
	Why      string

	me      usermgmt.Standing
	profile *usermgmt.Profile
}

// A permissionForm is the part of the page that is drawn anew while somebody
// edits.
type permissionForm struct {
	Action, Review, Discard string
	Level                   string
	Version, Since          string
	Base, Derived           string
	Sentence                string
	Problems                []fault.Problem
	Sections                []permissionSection
	Jump                    []ui.Link
	Count                   string
	Changed                 bool
	Reader                  bool
}

// A conflictNote is what somebody else changed meanwhile.
type conflictNote struct {
	Sentence string
	Events   []ui.Event
}

var errNoAccount = fault.New(fault.NotFound, "The organization has no such account.")

// permissions is the form of a member's permissions: at user level, or of the
// account that the path names. A POST draws it anew with what was typed and
// changes nothing.
//
// GET and POST /{institution}/settings/users/{user}/permissions
// GET and POST /{institution}/settings/users/{user}/accounts/{account}
func (a *app) permissions(w http.ResponseWriter, r *http.Request) error {
	profile, err := a.users.Profile(r.Context(), web.CallerOf(r.Context()), person(r))
	if err != nil {
		return err
	}
	me, err := a.me(r)
	if err != nil {
		return err
	}
	level := bank.AccountID(r.PathValue("account"))
	if _, known := profile.Policy.Accounts[level]; level != "" && !known {
		return errNoAccount
	}
	if !me.May(readPower(level)) {
		return errNotYours // one's own profile is open to everybody; the form is not
	}
	d := newDraft(&profile, level, r.URL.Query())
	if r.Method == http.MethodPost {
		f := web.ReadForm(r)
		d = readDraft(r, f, level)
		if given := f.All("set"); len(given) > 0 {
			d = draftOf(&profile, level, given)
		}
		if d.rebase(&profile) {
			return a.renderStale(w, r, me, &profile, d)
		}
	}
	return a.renderPermissions(w, r, http.StatusOK, a.permissionsPage(r, me, &profile, d), d)
}

var errNotYours error = fault.New(fault.Forbidden, "Your role does not include this.")

func readPower(level bank.AccountID) catalog.Operation {
	if level == "" {
		return catalog.ViewPermissions
	}
	return catalog.ViewAccountPermissions
}

func editPower(level bank.AccountID) catalog.Operation {
	if level == "" {
		return catalog.EditPermissions
	}
	return catalog.EditAccountPermissions
}

// renderStale keeps what was typed, on top of what somebody else has saved.
func (a *app) renderStale(w http.ResponseWriter, r *http.Request, me usermgmt.Standing, profile *usermgmt.Profile, d draft) error {
	status := http.StatusConflict
	if web.Partial(r) {
		status = http.StatusOK
	}
	return a.renderPermissions(w, r, status, a.permissionsPage(r, me, profile, d), d)
}

// conflictNote tells what was changed on a member since a version.
func (a *app) conflictNote(r *http.Request, me usermgmt.Standing, profile *usermgmt.Profile, since int64) (*conflictNote, error) {
	who := usermgmt.Person{Organization: profile.Organization.ID, User: profile.Member.ID}
	events, err := a.users.History(r.Context(), web.CallerOf(r.Context()), who, activity.Filter{AfterRevision: max(since, 0), Limit: perHistory})
	if err != nil {
		return nil, err
	}
	note := &conflictNote{Sentence: "Somebody else changed the permissions of " + profile.Member.Name() + " while you were editing. Nothing of yours was saved, and nothing that you typed is lost: it stands below, on top of what is saved now."}
	words := newDescriber(me, profile.Accounts)
	for _, e := range events {
		if len(e.Changes) > 0 {
			note.Events = append(note.Events, words.Event(e))
		}
	}
	return note, nil
}

func (a *app) renderPermissions(w http.ResponseWriter, r *http.Request, status int, page permissionsPage, d draft) (err error) {
	if d.since >= 0 {
		if page.Conflict, err = a.conflictNote(r, page.me, page.profile, d.since); err != nil {
			return err
		}
	}
	if web.Partial(r) {
		return web.Render(w, r, status, permissionPart(page))
	}
	return web.Render(w, r, status, permissionsView(page))
}

func (a *app) permissionsPage(r *http.Request, me usermgmt.Standing, profile *usermgmt.Profile, d draft) permissionsPage {
	m := profile.Member
	b := baseFor(me.Institution.ID)
	page := permissionsPage{
		Shell:  a.shell(r, me, "Permissions of "+m.Name(), ui.Link{Label: "User management", Href: b.users()}),
		Member: m,
		Title:  m.Name(),
		Tabs:   memberTabs(b, m.ID, "permissions"),
		Reader: !me.May(editPower(d.level)),
		Why:    b.why(m.ID),
		me:     me, profile: profile,
	}
	names := profile.Names(me.Institution.Name)
	maker := rowMaker{me: me, profile: profile, names: names, draft: &d, base: b, reader: page.Reader, problems: map[string]string{}}
	if d.level != "" {
		account := accountOf(profile, d.level)
		page.Account = account
		page.Shell.Title = accountName(account.Account) + ", " + m.Name()
		page.Shell.Crumbs = append(page.Shell.Crumbs, ui.Link{Label: m.Name(), Href: b.user(m.ID)})
		maker.on = accountName(account.Account)
	}
	maker.result = d.evaluate(profile.Policy, me.Member.ID, m.ID, entitlement.Request{Now: a.site.Clock.Now()})
	maker.settings = maker.result.outcome.Settings
	page.Form = maker.form()
	page.Message = ownPermissions(me, profile)
	return page
}

// form is the form with everything that it carries.
func (m *rowMaker) form() permissionForm {
	id := m.profile.Member.ID
	f := permissionForm{
		Action: m.base.level(id, m.draft.level), Review: m.base.review(id), Discard: m.base.level(id, m.draft.level),
		Level: string(m.draft.level), Version: strconv.FormatInt(m.draft.version, 10), Since: strconv.FormatInt(m.draft.since, 10),
		Base: m.draft.base.String(), Derived: m.result.derivedNow().String(), Reader: m.reader,
	}
	m.takeProblems(&f)
	f.Sections = m.sections()
	changes := 0
	for p, value := range m.result.shown {
		if !same(p, m.draft.level, value, m.draft.base[p]) {
			changes++
		}
	}
	f.Changed = changes > 0
	f.Count = "No changes yet"
	if changes > 0 {
		f.Count = ui.Count(changes, "change", "changes")
	}
	for _, s := range f.Sections {
		f.Jump = append(f.Jump, ui.Link{Label: s.Short, Href: "#" + s.ID})
	}
	return f
}

// takeProblems puts what the rules say against the draft beside its fields.
func (m *rowMaker) takeProblems(f *permissionForm) {
	for _, problem := range m.result.outcome.Problems {
		field := problem.Permission
		if problem.Code == entitlement.Prerequisite && problem.Needs.IsLimit() {
			field = problem.Needs.ID() // the amount is what is missing
		}
		if m.problems[field] == "" {
			m.problems[field] = problem.Sentence()
			f.Problems = append(f.Problems, fault.Problem{Field: field, Sentence: problem.Sentence()})
		}
	}
}

// ownPermissions warns somebody who edits themself.
func ownPermissions(me usermgmt.Standing, profile *usermgmt.Profile) ui.Message {
	if me.Member.ID != profile.Member.ID || !me.May(catalog.EditPermissions) {
		return ui.Message{}
	}
	return ui.Message{Tone: ui.Note, Title: "These are your own permissions",
		Text: "You may lower them. While another admin can do it, nobody raises their own."}
}

func accountOf(profile *usermgmt.Profile, id bank.AccountID) *usermgmt.MemberAccount {
	for i := range profile.Accounts {
		if profile.Accounts[i].ID == id {
			return &profile.Accounts[i]
		}
	}
	return &usermgmt.MemberAccount{Account: usermgmt.Account{ID: id, Name: string(id)}}
}

// draftOf is the form with changes that were already reviewed.
func draftOf(profile *usermgmt.Profile, level bank.AccountID, given []string) draft {
	asked := url.Values{}
	for _, one := range given {
		if account, id, written, ok := cutSet(one); ok && account == level {
			asked.Set(id, written)
		}
	}
	return newDraft(profile, level, asked)
}
