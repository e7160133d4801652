package office

import (
	"context"
	"net/http"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/web"
)

// Product is what Classic asks of the product, which keeps the one set of
// credentials. Everything is about one institution: the one whose key it has.
type Product interface {
	// SignIn tries a username and a password. A refusal is fault.Unauthorized, and
	// says nothing of why.
	SignIn(ctx context.Context, username, password string, from Visitor) (Entered, error)

	// Code completes a sign-in that waits for a second factor.
	Code(ctx context.Context, token, code string, from Visitor) (Entered, error)

	// Session is the sign-in of a token as it stands now, or fault.Unauthorized.
	Session(ctx context.Context, token string, from Visitor) (Entered, error)

	SignOut(ctx context.Context, token string) error

	// Enrol makes the credentials of a user who is pending.
	Enrol(ctx context.Context, user host.Ref, username, password string, from Visitor) error

	// Ticket is the address in Online at which a complete sign-in goes on there. It
	// works once, for a minute.
	Ticket(ctx context.Context, token string, from Visitor) (path string, err error)
}

// A Visitor is where somebody comes from.
type Visitor struct{ IP, Device string }

// An Entered is a sign-in at the product.
type Entered struct {
	Token string
	Stage string // StageComplete, or what must follow
	Codes bool   // a one-time code can follow
	User  host.Ref
}

// StageComplete is a sign-in that needs nothing more.
const StageComplete = "complete"

// keptClassic is the cookie of Classic's sign-in: BackOffice has the session's
// own, so that both can be used in one browser.
const keptClassic = "classic"

// classicSeconds is how long the browser keeps it; the product ends sign-ins
// before.
const classicSeconds = 12 * 3600

// maxPassword bounds what is sent on, in bytes.
const maxPassword = 4096

func (a *app) classicRoutes() []web.Route {
	anybody := web.Needs{Who: web.Anybody, Institution: web.FromPath}
	return append(a.peopleRoutes(classic, administer, administer),
		web.Route{Method: "GET", Pattern: "/{institution}/classic/sign-in", Handler: a.classicEntrance, Needs: anybody},
		web.Route{Method: "POST", Pattern: "/{institution}/classic/sign-in", Handler: a.signInToClassic, Needs: anybody},
		web.Route{Method: "GET", Pattern: "/{institution}/classic/code", Handler: a.classicCode, Needs: anybody},
		web.Route{Method: "POST", Pattern: "/{institution}/classic/code", Handler: a.codeToClassic, Needs: anybody},
		web.Route{Method: "GET", Pattern: "/{institution}/classic/enroll/{token}", Handler: a.enrolPage, Needs: anybody},
		web.Route{Method: "POST", Pattern: "/{institution}/classic/enroll/{token}", Handler: a.enrol, Needs: anybody},
		web.Route{Method: "GET", Pattern: "/{institution}/classic/enrolled", Handler: a.enrolled, Needs: anybody},
		a.at(classic, "GET", "", web.Own, a.classicHome),
		a.at(classic, "POST", "/online", web.Own, a.toOnline),
		a.at(classic, "POST", "/sign-out", web.Own, a.leaveClassic),
	)
}

// visitor is where a request comes from.
func (a *app) visitor(r *http.Request) Visitor {
	v := Visitor{Device: "Classic"}
	if at := a.site.Source(r); at.IsValid() {
		v.IP = at.String()
	}
	return v
}

// customer is who asks in Classic: signed in at the product, and a user of the
// core.
func (a *app) customer(r *http.Request, h House) (*seat, error) {
	token := a.site.Kept(r, keptClassic)
	if token == "" {
		return nil, errSignedOut
	}
	e, err := h.Product.Session(r.Context(), token, a.visitor(r))
	if err != nil {
		return nil, err
	}
	u, err := a.Bank.User(r.Context(), h.ID, e.User)
	if err == host.ErrNoUser || err == nil && !seatable(&u) {
		return nil, errSignedOut
	}
	if err != nil {
		return nil, err
	}
	o, err := a.Bank.Organization(r.Context(), h.ID, u.Organization)
	if err != nil {
		return nil, err
	}
	s := &seat{house: h, desk: classic, by: hostsim.By{Channel: host.Classic, Name: nameOf(&u), User: u.Ref}, name: nameOf(&u), detail: u.Role.Label(), own: u, organization: o, token: token}
	if u.Role == bank.RoleAdmin && u.Status == bank.StatusActive {
		s.may = []string{administer}
	}
	return s, nil
}

// seatable reports whether the core lets a user into Classic. Who has just made
// their credentials is still pending there for a moment.
func seatable(u *host.User) bool {
	return !u.Deleted && !u.Held && (u.Status == bank.StatusActive || u.Status == bank.StatusPending)
}

func (a *app) classicEntrance(w http.ResponseWriter, r *http.Request) error {
	return a.renderEntrance(w, r, web.NewForm(nil))
}

func (a *app) renderEntrance(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	h, err := a.house(r)
	if err != nil {
		return err
	}
	page := classicEntrance{Entry: a.entry(r, h, "Sign in"), Form: f, Action: baseOf(h.ID, classic).at("/sign-in"), Online: onlineSignIn(h)}
	page.Username, page.Password = f.Field("username", "Username"), f.Field("password", "Password")
	page.Username.Autocomplete, page.Password.Autocomplete = "username", "current-password"
	return web.Render(w, r, f.Status(), classicEntranceView(page))
}

func onlineSignIn(h House) string { return h.Online + "/" + string(h.ID) + "/sign-in" }

func (a *app) signInToClassic(w http.ResponseWriter, r *http.Request) error {
	h, err := a.house(r)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	if len(f.Raw("password")) > maxPassword || len(f.Raw("username")) > maxPassword {
		return fault.New(fault.Invalid, "This is too long to be a username and a password.")
	}
	e, err := h.Product.SignIn(r.Context(), f.Raw("username"), f.Raw("password"), a.visitor(r))
	if fault.KindOf(err) == fault.Unauthorized {
		f.Sentence = web.SentenceOf(err)
		return a.renderEntrance(w, r, f)
	}
	if err != nil {
		return err
	}
	return a.entered(w, r, h, e)
}

// entered goes on with a sign-in: in, or to the second factor.
func (a *app) entered(w http.ResponseWriter, r *http.Request, h House, e Entered) error {
	a.site.Keep(w, keptClassic, e.Token, classicSeconds)
	to := baseOf(h.ID, classic).at("")
	if e.Stage != StageComplete {
		to = baseOf(h.ID, classic).at("/code")
		if !e.Codes {
			to += "?none=1"
		}
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (a *app) classicCode(w http.ResponseWriter, r *http.Request) error {
	return a.renderCode(w, r, web.NewForm(nil))
}

func (a *app) renderCode(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	h, err := a.house(r)
	if err != nil {
		return err
	}
	page := classicCode{Entry: a.entry(r, h, "Second factor"), Form: f, Action: baseOf(h.ID, classic).at("/code"), Online: onlineSignIn(h), Codes: r.URL.Query().Get("none") == ""}
	page.Code = f.Field("code", "Code from your authenticator app")
	page.Code.Value = ""
	return web.Render(w, r, f.Status(), classicCodeView(page))
}

func (a *app) codeToClassic(w http.ResponseWriter, r *http.Request) error {
	h, err := a.house(r)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	e, err := h.Product.Code(r.Context(), a.site.Kept(r, keptClassic), f.Text("code", 20), a.visitor(r))
	if fault.KindOf(err) == fault.Unauthorized {
		f.Sentence = web.SentenceOf(err)
		return a.renderCode(w, r, f)
	}
	if err != nil {
		return err
	}
	return a.entered(w, r, h, e)
}

// GET /{institution}/classic
func (a *app) classicHome(w http.ResponseWriter, r *http.Request, s *seat) error {
	b := s.base()
	page := classicHome{Shell: a.shell(r, s, "Home"), Name: s.own.FirstName, Organization: s.organization.Name, Admin: s.allowed(administer), Users: b.users(), Go: b.at("/online")}
	if s.own.Status == bank.StatusPending {
		page.Note = "The core is just learning that you have signed in. What you may do here follows in a moment."
	}
	return web.Render(w, r, http.StatusOK, classicHomeView(page))
}

// toOnline gets a ticket for Online and shows it as a link: a form of this app is
// sent nowhere else.
//
// POST /{institution}/classic/online
func (a *app) toOnline(w http.ResponseWriter, r *http.Request, s *seat) error {
	path, err := s.house.Product.Ticket(r.Context(), s.token, a.visitor(r))
	if err != nil {
		return err
	}
	shell := a.shell(r, s, "Go to Online")
	return web.Render(w, r, http.StatusOK, toOnlineView(shell, s.house.Online+path))
}

// POST /{institution}/classic/sign-out
func (a *app) leaveClassic(w http.ResponseWriter, r *http.Request, s *seat) error {
	if err := s.house.Product.SignOut(r.Context(), s.token); err != nil {
		return err
	}
	a.site.Keep(w, keptClassic, "", 0)
	http.Redirect(w, r, s.base().at("/sign-in"), http.StatusSeeOther)
	return nil
}

// enrolPage shows what a link leads to, however often it is opened.
//
// GET /{institution}/classic/enroll/{token}
func (a *app) enrolPage(w http.ResponseWriter, r *http.Request) error {
	return a.renderEnrol(w, r, web.NewForm(nil))
}

func (a *app) renderEnrol(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	h, err := a.house(r)
	if err != nil {
		return err
	}
	i, err := a.Bank.InvitationOf(r.Context(), h.ID, r.PathValue("token"))
	if fault.KindOf(err) == fault.Conflict {
		return a.enrolFailed(w, r, h, err)
	}
	if err != nil {
		return err
	}
	page := enrolPage{Entry: a.entry(r, h, "Enroll in Classic"), Form: f, Action: baseOf(h.ID, classic).enrol(r.PathValue("token")), Invitation: i}
	page.Username, page.Password = f.Field("username", "Username"), f.Field("password", "Password")
	page.Username.Autocomplete, page.Password.Autocomplete = "username", "new-password"
	return web.Render(w, r, f.Status(), enrolView(page))
}

func (a *app) enrolFailed(w http.ResponseWriter, r *http.Request, h House, err error) error {
	next, title := "", "Enrollment link expired"
	if err == hostsim.ErrInvitationUsed {
		title, next = "Enrollment link used", baseOf(h.ID, classic).at("/sign-in")
	}
	return web.Render(w, r, http.StatusGone, enrolFailedView(a.entry(r, h, title), title, web.SentenceOf(err), next))
}

// enrol makes the credentials at the product, which keeps them. The link is used
// up afterwards: whoever is interrupted in between finds their credentials made.
//
// POST /{institution}/classic/enroll/{token}
func (a *app) enrol(w http.ResponseWriter, r *http.Request) error {
	h, err := a.house(r)
	if err != nil {
		return err
	}
	i, err := a.Bank.InvitationOf(r.Context(), h.ID, r.PathValue("token"))
	if fault.KindOf(err) == fault.Conflict {
		return a.enrolFailed(w, r, h, err)
	}
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	if len(f.Raw("password")) > maxPassword {
		return fault.New(fault.Invalid, "This is too long to be a password.")
	}
	err = h.Product.Enrol(r.Context(), i.User.Ref, strings.TrimSpace(f.Raw("username")), f.Raw("password"), a.visitor(r))
	if err = f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderEnrol(w, r, f)
	}
	if err := a.Bank.CompleteInvitation(r.Context(), h.ID, r.PathValue("token")); err != nil {
		return err
	}
	http.Redirect(w, r, baseOf(h.ID, classic).at("/enrolled"), http.StatusSeeOther)
	return nil
}

// GET /{institution}/classic/enrolled
func (a *app) enrolled(w http.ResponseWriter, r *http.Request) error {
	h, err := a.house(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, enrolledView(a.entry(r, h, "Successfully created account"), baseOf(h.ID, classic).at("/sign-in"), onlineSignIn(h)))
}
