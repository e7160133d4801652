package office

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// A userFrame is what every page of a user has around it.
type userFrame struct {
	Shell   ui.Shell
	User    host.User
	Name    string
	Tabs    []ui.Tab
	Version string
	Manages bool
	Banks   bool // the bank itself is at work: status, hold, name, deletion
	Invite  string
	Hold    string
	Delete  string
	Edit    string
	Status  string
}

// theUser finds the user of an address, who must be one of the seat's to see.
func (a *app) theUser(r *http.Request, s *seat) (host.User, error) {
	u, err := a.Bank.User(r.Context(), s.house.ID, host.Ref(r.PathValue("user")))
	if err == host.ErrNoUser || err == nil && (u.Deleted || s.desk == classic && u.Organization != s.organization.Ref) {
		return u, fault.New(fault.NotFound, "There is no such user. They may have been deleted.")
	}
	return u, err
}

func (a *app) frame(r *http.Request, s *seat, u host.User, tab, title string) userFrame {
	b := s.base()
	users := ui.Link{Label: "Users", Href: b.users()}
	f := userFrame{User: u, Name: nameOf(&u), Version: strconv.FormatInt(u.Version, 10), Banks: s.desk == backOffice}
	f.Manages = s.allowed(mayManage) || s.allowed(administer)
	crumbs := []ui.Link{users}
	if tab != "Profile" {
		crumbs = append(crumbs, ui.Link{Label: f.Name, Href: b.user(u.Ref)})
	}
	f.Shell = a.shell(r, s, title, crumbs...)
	for _, t := range [][2]string{{"Profile", b.user(u.Ref)}, {"Permissions", b.permissions(u.Ref)}, {"Accounts", b.accounts(u.Ref)}} {
		f.Tabs = append(f.Tabs, ui.Tab{Label: t[0], Href: t[1], Current: t[0] == tab})
	}
	if !f.Manages {
		return f
	}
	if u.Status == bank.StatusPending && u.Username == "" && s.house.Edition == bank.EditionBank {
		f.Invite = b.user(u.Ref) + "/invite"
	}
	if f.Banks {
		at := b.user(u.Ref)
		f.Hold, f.Delete, f.Edit, f.Status = at+"/hold", at+"/delete", at+"/edit", at+"/status"
	}
	return f
}

type userPage struct {
	userFrame
	Details    []ui.Fact
	Statuses   []ui.Option
	Current    string
	Differs    []difference
	Defaults   string // where the defaults are
	Invitation ui.State
	Invited    string
	History    []ui.Event
}

// A difference is a permission in which a user differs from what a new user of
// their role gets.
type difference struct{ Label, Now, Default string }

// recent is how much of what happened to a user their page shows.
const recent = 20

// GET /{institution}/{desk}/users/{user}
func (a *app) user(w http.ResponseWriter, r *http.Request, s *seat) error {
	u, err := a.theUser(r, s)
	if err != nil {
		return err
	}
	o, err := a.Bank.Organization(r.Context(), s.house.ID, u.Organization)
	if err != nil {
		return err
	}
	page := userPage{userFrame: a.frame(r, s, u, "Profile", nameOf(&u)), Current: u.Status.String(), Defaults: s.base().defaultsOf(u.Role)}
	page.Details = []ui.Fact{
		{Term: "Organization", Value: o.Name}, {Term: "Email", Value: u.Email}, {Term: "Username", Value: u.Username}, {Term: "Role", Value: u.Role.Label()},
		{Term: "Accounts", Value: accountsText(len(u.Accounts), len(o.Accounts))}, {Term: "Number", Value: string(u.Ref)},
	}
	page.Statuses = statusesAfter(u.Status)
	if page.Differs, err = a.differences(r, s.house, &u); err != nil {
		return err
	}
	if err := a.invitationOf(r, s, &page); err != nil {
		return err
	}
	events, err := a.Bank.About(r.Context(), s.house.ID, u.Ref, recent+1)
	if err != nil {
		return err
	}
	page.History = timeline(s.house, events)
	return web.Render(w, r, http.StatusOK, userView(page))
}

func accountsText(has, of int) string {
	if has == of && of > 0 {
		return "All " + ui.Count(of, "account", "accounts")
	}
	return strconv.Itoa(has) + " of " + ui.Count(of, "account", "accounts")
}

// statusesAfter are the statuses that the bank can give to a user: any but
// Pending, and none to somebody who is disabled.
func statusesAfter(now bank.Status) (options []ui.Option) {
	if now == bank.StatusDisabled {
		return nil
	}
	if now == bank.StatusPending {
		options = []ui.Option{{Value: now.String(), Label: now.Label()}}
	}
	for _, s := range []bank.Status{bank.StatusActive, bank.StatusLocked, bank.StatusDisabled} {
		options = append(options, ui.Option{Value: s.String(), Label: s.Label()})
	}
	return options
}

func (a *app) differences(r *http.Request, h House, u *host.User) (all []difference, err error) {
	defaults, err := a.defaultsFor(r, h, u.Role)
	if err != nil {
		return nil, err
	}
	for _, id := range hostsim.Differs(u, defaults) {
		all = append(all, difference{labelOf(id), valueText(id, u.Permissions[id]), valueText(id, defaults.Permissions[id])})
	}
	return all, nil
}

func (a *app) defaultsFor(r *http.Request, h House, role bank.Role) (host.Defaults, error) {
	all, err := a.Bank.Defaults(r.Context(), h.ID)
	if err != nil {
		return host.Defaults{}, err
	}
	i := slices.IndexFunc(all, func(d host.Defaults) bool { return d.Role == role })
	if i < 0 {
		return host.Defaults{Role: role}, nil
	}
	return all[i], nil
}

func (a *app) invitationOf(r *http.Request, s *seat, page *userPage) error {
	i, invited, err := a.Bank.LastInvitation(r.Context(), s.house.ID, page.User.Ref)
	if err != nil || !invited {
		return err
	}
	switch i.State {
	case hostsim.InvitationOpen:
		page.Invitation = ui.State{Word: "Invited", Icon: "mail", Tone: ui.Note}
		page.Invited = "by " + i.AskedBy + " at " + i.Email + ", until " + ui.DateTime(i.Expires, s.house.Place)
	case hostsim.InvitationCompleted:
		page.Invitation = ui.State{Word: "Credentials created", Icon: "circle-check", Tone: ui.Good}
	default:
		page.Invitation = ui.State{Word: "Invitation expired", Icon: "clock", Tone: ui.Warn}
		page.Invited = "sent " + ui.DateTime(i.Issued, s.house.Place)
	}
	return nil
}

// A changing is a user as a form was about them: the version that was looked at.
func (a *app) changing(r *http.Request, s *seat) (host.User, int64, error) {
	u, err := a.theUser(r, s)
	if err != nil {
		return u, 0, err
	}
	version, err := strconv.ParseInt(r.PostForm.Get("version"), 10, 64)
	if err != nil {
		return u, 0, fault.New(fault.Invalid, "The form could not be read. Reload the page and try again.")
	}
	return u, version, nil
}

// POST /{institution}/backoffice/users/{user}/status
func (a *app) setStatus(w http.ResponseWriter, r *http.Request, s *seat) error {
	u, version, err := a.changing(r, s)
	if err != nil {
		return err
	}
	status, err := bank.ParseStatus(r.PostForm.Get("status"))
	if err != nil {
		return fault.New(fault.Invalid, "Choose one of the statuses.")
	}
	if u, err = a.Bank.SetStatus(r.Context(), s.house.ID, s.by, u.Ref, version, status); err != nil {
		return err
	}
	return done(w, r, s.base().user(u.Ref), "The status of "+nameOf(&u)+" is "+u.Status.Label())
}

// POST /{institution}/backoffice/users/{user}/hold
func (a *app) setHeld(w http.ResponseWriter, r *http.Request, s *seat) error {
	u, version, err := a.changing(r, s)
	if err != nil {
		return err
	}
	if u, err = a.Bank.SetHeld(r.Context(), s.house.ID, s.by, u.Ref, version, r.PostForm.Get("held") == "true"); err != nil {
		return err
	}
	text := "The hold on " + nameOf(&u) + "'s account access has been removed"
	if u.Held {
		text = nameOf(&u) + "'s account access is on hold"
	}
	return done(w, r, s.base().user(u.Ref), text)
}

// POST /{institution}/{desk}/users/{user}/invite
func (a *app) invite(w http.ResponseWriter, r *http.Request, s *seat) error {
	u, err := a.theUser(r, s)
	if err != nil {
		return err
	}
	if s.house.Edition != bank.EditionBank {
		return fault.New(fault.Conflict, "The link leads to Classic, which this institution does not have. Invite from Online.").With("NO_CLASSIC")
	}
	i, err := a.Bank.Invite(r.Context(), s.house.ID, s.by, u.Ref)
	if fault.KindOf(err) == fault.Conflict {
		web.Flash(w, r, ui.Bad, web.SentenceOf(err))
		http.Redirect(w, r, s.base().user(u.Ref), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	letter := Letter{Institution: s.house.ID, From: s.house.Name, To: i.Email, Name: nameOf(&u), AskedBy: i.AskedBy,
		Path: baseOf(s.house.ID, classic).enrol(i.Token), Expires: i.Expires}
	if err := a.Mail.Send(r.Context(), letter); err != nil {
		a.site.Log.ErrorContext(r.Context(), "an invitation was not sent", "error", err)
		return fault.New(fault.Unavailable, "The invitation could not be sent just now. Try again.")
	}
	return done(w, r, s.base().user(u.Ref), "Invitation sent successfully")
}

// GET /{institution}/backoffice/users/{user}/delete
func (a *app) askDelete(w http.ResponseWriter, r *http.Request, s *seat) error {
	u, err := a.theUser(r, s)
	if err != nil {
		return err
	}
	page := a.frame(r, s, u, "Delete", "Delete user")
	c := ui.Confirmation{
		Title: "Delete " + page.Name + "?", Action: page.Delete, Cancel: s.base().user(u.Ref),
		Text:    "They are removed from the core, and from Online. This cannot be undone.",
		Confirm: ui.Action{Label: "Delete user", Icon: "trash-2", Variant: ui.Danger, Busy: "Deleting"},
	}
	return web.RenderConfirm(w, r, http.StatusOK, c, versionField(page.Version), func(content templ.Component) templ.Component {
		return ui.Within(ui.Page(page.Shell), content)
	})
}

// POST /{institution}/backoffice/users/{user}/delete
func (a *app) delete(w http.ResponseWriter, r *http.Request, s *seat) error {
	u, version, err := a.changing(r, s)
	if err != nil {
		return err
	}
	if err := a.Bank.Delete(r.Context(), s.house.ID, s.by, u.Ref, version); err != nil {
		return err
	}
	return done(w, r, s.base().organization(u.Organization), nameOf(&u)+" was successfully deleted")
}

// timeline is what happened to a user, from the states that the core told: the
// latest first, each with what it changed.
func timeline(h House, events []host.Event) (all []ui.Event) {
	states := slices.DeleteFunc(slices.Clone(events), func(e host.Event) bool { return e.User == nil })
	for i, e := range states {
		if i == recent {
			break
		}
		entry := ui.Event{Icon: "pencil", Text: "Changed", Who: e.By, Where: channelText(e.Channel), At: e.At, Place: h.Place}
		switch {
		case e.User.Deleted:
			entry.Icon, entry.Text, entry.Tone = "trash-2", "Deleted", ui.Bad
		case i+1 < len(states):
			entry.Diffs = changes(states[i+1].User, e.User)
		case e.User.Version == 1:
			entry.Icon, entry.Text = "user-plus", "Created"
		}
		all = append(all, entry)
	}
	return all
}

func channelText(c host.Channel) string {
	switch c {
	case host.BackOffice:
		return "BackOffice"
	case host.Classic:
		return "Classic"
	case host.Ordered:
		return "Mandate"
	}
	return "the core"
}
