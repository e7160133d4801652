package console

import (
	"net/http"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type memberPermissionsPage struct {
	memberFrame
	Level    bank.AccountID // empty: the user level
	Title    string
	Help     string
	All      bool   // feature entitlements are shown, too
	ViewAll  string // where they are shown; empty where they are
	Fewer    string // where they are not; empty where they cannot be left out
	Review   string
	Version  int64
	Edits    bool // there is something to change
	Sections []rightsSection
	Sentence string
	Problems []fault.Problem
}

// A rightsSection is one entitlement with its rows.
type rightsSection struct {
	ID, Title, Help string
	Fix             ui.Link
	Rows            []ui.PermissionRow
}

// level is the account that the path names; empty for the user level.
func level(r *http.Request) bank.AccountID { return bank.AccountID(r.PathValue("account")) }

// GET /{institution}/people/{organization}/members/{member}/permissions
// GET /{institution}/people/{organization}/members/{member}/accounts/{account}
func (a *app) memberPermissions(w http.ResponseWriter, r *http.Request) error {
	return a.renderMemberPermissions(w, r, level(r), nil, web.NewForm(nil))
}

// renderMemberPermissions shows the permissions as they are, or with what was
// typed on top of them.
func (a *app) renderMemberPermissions(w http.ResponseWriter, r *http.Request, level bank.AccountID, typed map[catalog.Permission]string, f *web.Form) error {
	tab := "Permissions"
	if level != "" {
		tab = "Accounts"
	}
	frame, err := a.theMember(r, tab)
	if err != nil {
		return err
	}
	settings, name, err := settingsOf(&frame.Profile, level)
	if err != nil {
		return err
	}
	page := memberPermissionsPage{
		memberFrame: frame, Level: level, Title: "Organization user permissions", Review: frame.at("/permissions/review"), Version: frame.Profile.Member.Version,
		All: level != "" || r.FormValue("all") != "", Sentence: f.Sentence, Problems: f.Problems,
	}
	edition := frame.Profile.Policy.Institution.Edition
	if level != "" {
		page.Title, page.Shell.Title = name, name+", "+frame.Profile.Member.Name()
		page.Shell.Crumbs = a.underMember(r, &frame.Profile)
	} else if page.All {
		page.Fewer = frame.at("/permissions")
	} else {
		page.ViewAll = frame.at("/permissions?all=1")
	}
	page.Help = page.help(edition)
	maker := rightsMaker{page: &page, settings: settings, typed: typed, form: f, names: frame.Profile.Names(frame.Me.House.Name)}
	page.Sections = maker.sections(edition)
	return web.Render(w, r, f.Status(), memberPermissionsView(page))
}

// settingsOf are a member's settings at a level, and what the level is called.
func settingsOf(profile *usermgmt.Profile, level bank.AccountID) (s entitlement.Settings, name string, err error) {
	if level == "" {
		return profile.Member.Settings, "", nil
	}
	i := slices.IndexFunc(profile.Accounts, func(account usermgmt.MemberAccount) bool { return account.ID == level })
	if i < 0 {
		return s, "", fault.New(fault.NotFound, "The organization has no such account.")
	}
	return profile.Accounts[i].Settings, profile.Accounts[i].Target().Name, nil
}

// help says what may be changed here, and who changes the rest.
func (p *memberPermissionsPage) help(edition bank.Edition) string {
	const online = "An admin at their organization manages them in User management of Online."
	switch {
	case !p.may(catalog.PeopleManageAll):
		return "You may look here and change nothing."
	case edition == bank.EditionCreditUnion:
		return "Nothing is saved before you have seen what it means."
	case p.Level != "":
		return "Permissions of an account are view-only here. " + online
	}
	return "You switch whole entitlements here. Feature entitlements are view-only: " + lower(online)
}

func lower(s string) string { return string(s[0]+'a'-'A') + s[1:] }

// editable reports whether whoever looks may change a permission at a level. The
// room decides it again when something is saved.
func (p *memberPermissionsPage) editable(permission catalog.Permission, edition bank.Edition) bool {
	if !p.may(catalog.PeopleManageAll) {
		return false
	}
	return edition == bank.EditionCreditUnion || p.Level == "" && permission.At(catalog.AtOrganization)
}

func levelsOf(level bank.AccountID) catalog.Levels {
	if level == "" {
		return catalog.AtUser
	}
	return catalog.AtAccount
}

// POST /{institution}/people/{organization}/members/{member}/permissions/review
func (a *app) reviewMemberPermissions(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	at := bank.AccountID(f.Raw("level"))
	profile, err := a.Customers.Profile(r.Context(), web.CallerOf(r.Context()), memberID(r))
	if err != nil {
		return err
	}
	settings, _, err := settingsOf(&profile, at)
	if err != nil {
		return err
	}
	typed := typedRights(f, profile.Policy.Institution.Edition, at)
	edit := usermgmt.Edit{Person: memberID(r), Version: version(f), Cascade: true}
	if set := differing(settings, at, typed); len(set) > 0 {
		edit.Changes = []entitlement.Change{{Member: edit.Person.User, Account: at, Set: set}}
	}
	preview, _, err := a.Customers.Preview(r.Context(), web.CallerOf(r.Context()), edit)
	if err != nil {
		return err
	}
	if problems := preview.Problems(); len(problems) > 0 {
		f.Sentence = "These permissions cannot be saved as they stand."
		for _, p := range problems {
			f.Problems = append(f.Problems, fault.Problem{Field: p.Permission, Sentence: p.Sentence()})
		}
		return a.renderMemberPermissions(w, r, at, typed, f)
	}
	return a.renderMemberReview(w, r, f.Status(), edit)
}

// POST /{institution}/people/{organization}/members/{member}/permissions/save
func (a *app) saveMemberPermissions(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	edit := carriedEdit(f, memberID(r))
	back := baseOf(r).member(edit.Person)
	proven, err := a.door.Proven(w, r, a.memberProof(r, "This lets more money move. Before you change the permissions of ", back), func() error {
		_, err := a.Customers.SavePermissions(r.Context(), web.CallerOf(r.Context()), edit)
		return err
	})
	if kind := fault.KindOf(err); err != nil && (kind == fault.Conflict || kind == fault.Invalid) {
		return a.renderMemberReview(w, r, http.StatusConflict, edit)
	}
	if err != nil || !proven {
		return err
	}
	if level := bank.AccountID(f.Raw("level")); level != "" {
		return done(w, r, accountAt(back, level), "Permissions saved")
	}
	return done(w, r, back+"/permissions", "Permissions saved")
}
