package entrance

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/a-h/templ"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Safety is what the screens of one's own security need of the room of proving
// who somebody is.
type Safety interface {
	AskPasskey(context.Context, bank.Caller, identity.Challenge) ([]byte, error)
	Factors(context.Context, bank.Caller) ([]identity.Factor, int, error)
	BeginApp(ctx context.Context, caller bank.Caller, name string) (identity.AppEnrolment, error)
	ConfirmApp(ctx context.Context, caller bank.Caller, id string, code identity.Secret) ([]identity.Secret, error)
	BeginPasskey(context.Context, bank.Caller) ([]byte, error)
	FinishPasskey(ctx context.Context, caller bank.Caller, name string, answer []byte) ([]identity.Secret, error)
	RemoveFactor(ctx context.Context, caller bank.Caller, id string) error
	RenewRecoveryCodes(context.Context, bank.Caller) ([]identity.Secret, error)
	ListSignIns(context.Context, bank.Caller) ([]identity.Session, error)
	EndSignIn(ctx context.Context, caller bank.Caller, id string) error
	EndOtherSignIns(context.Context, bank.Caller) error
	OwnPassword(context.Context, bank.Caller) (identity.OwnPassword, error)
	ChangePassword(context.Context, bank.Caller, identity.Secret) error
	OwnLink(context.Context, bank.Caller) (identity.Outside, error)
	UnlinkOwn(context.Context, bank.Caller) error
}

func (b Base) security() string    { return b.At("/security") }
func (b Base) ownPassword() string { return b.At("/security/password") }
func (b Base) app() string         { return b.At("/security/app") }
func (b Base) passkey() string     { return b.At("/security/passkey") }
func (b Base) codes() string       { return b.At("/security/codes") }
func (b Base) signIns() string     { return b.At("/security/sign-ins") }

func (b Base) factor(id string) string { return b.At("/security/factors/") + url.PathEscape(id) }
func (b Base) openSignIn(id string) string {
	return b.signIns() + "/" + url.PathEscape(id) + "/end"
}

// securityRoutes are the addresses of one's own security.
func (d *Door) securityRoutes() []web.Route {
	own := web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromPath}
	proven := func(event string) web.Needs {
		needs := own
		needs.Proof, needs.Event = true, event
		return needs
	}
	return []web.Route{
		{Method: "GET", Pattern: "/{institution}/security", Handler: d.security, Needs: own},
		{Method: "POST", Pattern: "/{institution}/security/password", Handler: d.beginOwnPassword, Needs: own},
		{Method: "POST", Pattern: "/{institution}/security/password/rules", Handler: d.ownPasswordRules, Needs: own},
		{Method: "POST", Pattern: "/{institution}/security/password/new", Handler: d.changeOwnPassword, Needs: proven("auth.password_changed")},
		{Method: "POST", Pattern: "/{institution}/security/app", Handler: d.beginApp, Needs: proven("auth.second_factor_added")},
		{Method: "POST", Pattern: "/{institution}/security/app/confirm", Handler: d.confirmApp, Needs: own},
		{Method: "POST", Pattern: "/{institution}/security/passkey", Handler: d.beginPasskey, Needs: proven("auth.second_factor_added")},
		{Method: "POST", Pattern: "/{institution}/security/passkey/finish", Handler: d.finishPasskey, Needs: own},
		{Method: "GET", Pattern: "/{institution}/security/factors/{factor}/remove", Handler: d.askRemoveFactor, Needs: own},
		{Method: "POST", Pattern: "/{institution}/security/factors/{factor}/remove", Handler: d.removeFactor, Needs: proven("auth.second_factor_removed")},
		{Method: "GET", Pattern: "/{institution}/security/codes", Handler: d.askRenewCodes, Needs: own},
		{Method: "POST", Pattern: "/{institution}/security/codes", Handler: d.renewCodes, Needs: proven("auth.recovery_codes_renewed")},
		{Method: "POST", Pattern: "/{institution}/security/sign-ins/{sign}/end", Handler: d.endSignIn, Needs: own},
		{Method: "POST", Pattern: "/{institution}/security/sign-ins/end-others", Handler: d.endOtherSignIns, Needs: own},
	}
}

type securityPage struct {
	Shell      ui.Shell
	Place      *time.Location
	Username   string
	Changed    time.Time
	UsernameIs string
	Password   string
	Factors    []factorRow
	CodesLeft  int
	NewCodes   string
	App, Key   string
	SignIns    []signInRow
	EndOthers  string
	Outside    identity.Outside // how they are linked with the institution's own provider
	Provider   string           // what it is called; empty: there is none
	Unlink     string
}

// A factorRow is a second factor as it is listed.
type factorRow struct {
	identity.Factor
	Icon, Kind string
	Remove     string
}

// A signInRow is an open sign-in as it is listed.
type signInRow struct {
	identity.Session
	Here bool // it is the one that asks
	End  string
}

// security shows how somebody signs in and where they are signed in.
//
// GET /{institution}/security
func (d *Door) security(w http.ResponseWriter, r *http.Request) error {
	i, err := d.house(r)
	if err != nil {
		return err
	}
	shell, err := d.Shell(r, "Sign-in and security")
	if err != nil {
		return err
	}
	caller := web.CallerOf(r.Context())
	b := BaseFor(i.ID)
	own, err := d.Identity.OwnPassword(r.Context(), caller)
	if err != nil {
		return err
	}
	page := securityPage{
		Shell: shell, Place: i.Place, Username: own.Username, UsernameIs: d.words.username,
		Changed: own.Changed, Password: b.ownPassword(),
		NewCodes: b.codes(), App: b.app(), Key: b.passkey(), EndOthers: b.signIns() + "/end-others",
	}
	page.Shell.Narrow = true
	factors, left, err := d.Identity.Factors(r.Context(), caller)
	if err != nil {
		return err
	}
	page.CodesLeft = left
	for _, f := range factors {
		page.Factors = append(page.Factors, listedFactor(b, f))
	}
	if err := d.showOutside(r, &page, i); err != nil {
		return err
	}
	open, err := d.Identity.ListSignIns(r.Context(), caller)
	if err != nil {
		return err
	}
	for _, s := range open {
		page.SignIns = append(page.SignIns, signInRow{s, s.ID == caller.SignIn, b.openSignIn(s.ID)})
	}
	return web.Render(w, r, http.StatusOK, securityView(page))
}

func listedFactor(b Base, f identity.Factor) factorRow {
	row := factorRow{Factor: f, Icon: "smartphone", Kind: "Authenticator app", Remove: b.factor(f.ID) + "/remove"}
	if f.Method == identity.MethodPasskey {
		row.Icon, row.Kind = "fingerprint-pattern", "Passkey"
	}
	return row
}

// safetyProof is the page that asks before something of one's own security.
func safetyProof(r *http.Request, text string) func() (Proof, error) {
	back := BaseOf(r).Security()
	return func() (Proof, error) {
		return Proof{Text: text, Cancel: back, Crumbs: []ui.Link{{Label: "Sign-in and security", Href: back}}}, nil
	}
}

// renderSafety shows one step of something on the page of one's security.
func (d *Door) renderSafety(w http.ResponseWriter, r *http.Request, status int, title string, step templ.Component) error {
	shell, err := d.Shell(r, title, ui.Link{Label: "Sign-in and security", Href: BaseOf(r).Security()})
	if err != nil {
		return err
	}
	shell.Narrow = true
	return web.Render(w, r, status, safetyView(shell, step))
}

// done goes back to the page of one's security and says what was done there.
func done(w http.ResponseWriter, r *http.Request, tone ui.Tone, text string) error {
	web.Flash(w, r, tone, text)
	http.Redirect(w, r, BaseOf(r).Security(), http.StatusSeeOther)
	return nil
}

type ownPasswordPage struct {
	Action   string
	Username string
	Cancel   string
	Sentence string
	Problems []fault.Problem
	Password ui.Field
	Rules    []identity.Rule
}

// beginOwnPassword asks for a high-risk authorization first, so that no
// password is carried from page to page.
//
// POST /{institution}/security/password
func (d *Door) beginOwnPassword(w http.ResponseWriter, r *http.Request) error {
	proven, err := d.Prove(w, r, safetyProof(r, "Before you choose a new password."), identity.PasswordChange(web.CallerOf(r.Context())))
	if err != nil || !proven {
		return err
	}
	return d.renderOwnPassword(w, r, web.NewForm(nil))
}

func (d *Door) renderOwnPassword(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	own, err := d.Identity.OwnPassword(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	b := BaseOf(r)
	return d.renderSafety(w, r, f.Status(), "Choose a new password", ownPasswordView(ownPasswordPage{
		Action: b.ownPassword() + "/new", Username: own.Username, Cancel: b.Security(), Sentence: f.Sentence, Problems: f.Problems,
		Password: newPasswordField(f, b.ownPassword()), Rules: own.Rules.Judge(identity.Secret(f.Raw("password"))),
	}))
}

// POST /{institution}/security/password/rules
func (d *Door) ownPasswordRules(w http.ResponseWriter, r *http.Request) error {
	own, err := d.Identity.OwnPassword(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, ruleList(own.Rules.Judge(identity.Secret(web.ReadForm(r).Raw("password")))))
}

// POST /{institution}/security/password/new
func (d *Door) changeOwnPassword(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	err := d.Identity.ChangePassword(r.Context(), web.CallerOf(r.Context()), identity.Secret(f.Raw("password")))
	if fault.KindOf(err) == fault.StepUp { // five minutes have passed
		return done(w, r, ui.Warn, "That took longer than five minutes, so your password is what it was. Start again.")
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return d.renderOwnPassword(w, r, f)
	}
	return done(w, r, ui.Good, "Your password was changed, and you are signed out everywhere else")
}

// POST /{institution}/security/app
func (d *Door) beginApp(w http.ResponseWriter, r *http.Request) error {
	var e identity.AppEnrolment
	proven, err := d.Proven(w, r, safetyProof(r, "Before you add an authenticator app."), func() (err error) {
		e, err = d.Identity.BeginApp(r.Context(), web.CallerOf(r.Context()), "")
		return err
	})
	if err != nil || !proven {
		return err
	}
	return d.renderSafety(w, r, http.StatusOK, addAppTitle, appStepView(newAppStep(e, BaseOf(r).app()+"/confirm")))
}

// POST /{institution}/security/app/confirm
func (d *Door) confirmApp(w http.ResponseWriter, r *http.Request) error {
	f, b := web.ReadForm(r), BaseOf(r)
	codes, err := d.Identity.ConfirmApp(r.Context(), web.CallerOf(r.Context()), f.Raw("id"), identity.Secret(f.Raw("code")))
	if fault.KindOf(err) == fault.NotFound {
		return done(w, r, ui.Warn, "That took too long, so no app was added. Start again.")
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return d.renderSafety(w, r, f.Status(), addAppTitle, appStepView(againAppStep(f, b.app()+"/confirm", b.Security())))
	}
	return d.factorAdded(w, r, "The authenticator app was added", codes)
}

// factorAdded shows the recovery codes that come with the first second factor.
func (d *Door) factorAdded(w http.ResponseWriter, r *http.Request, text string, codes []identity.Secret) error {
	if len(codes) == 0 {
		return done(w, r, ui.Good, text)
	}
	return d.renderSafety(w, r, http.StatusOK, codesTitle, codesStepView(newCodesStep(codes, text+". From now on, your password alone does not sign you in.", BaseOf(r).Security())))
}

// POST /{institution}/security/passkey
func (d *Door) beginPasskey(w http.ResponseWriter, r *http.Request) error {
	var options []byte
	proven, err := d.Proven(w, r, safetyProof(r, "Before you add a passkey."), func() (err error) {
		options, err = d.Identity.BeginPasskey(r.Context(), web.CallerOf(r.Context()))
		return err
	})
	if err != nil || !proven {
		return err
	}
	b := BaseOf(r)
	return d.renderSafety(w, r, http.StatusOK, addPasskeyTitle, passkeyStepView(newPasskeyStep(r, options, b.passkey()+"/finish", b.Security())))
}

// POST /{institution}/security/passkey/finish
func (d *Door) finishPasskey(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	codes, err := d.Identity.FinishPasskey(r.Context(), web.CallerOf(r.Context()), f.Raw("name"), []byte(f.Raw("passkey")))
	if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.Conflict {
		return startAgain(w, r, err, BaseOf(r).Security())
	}
	if err != nil {
		return err
	}
	return d.factorAdded(w, r, "The passkey was added", codes)
}

// askRemoveFactor asks before a second factor is removed.
//
// GET /{institution}/security/factors/{factor}/remove
func (d *Door) askRemoveFactor(w http.ResponseWriter, r *http.Request) error {
	factors, _, err := d.Identity.Factors(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	b := BaseOf(r)
	for _, f := range factors {
		if f.ID != r.PathValue("factor") {
			continue
		}
		text := "It can no longer be used to confirm that it is you."
		if len(factors) == 1 {
			text += " It is your only one: your password alone will sign you in, and your recovery codes become void."
		}
		return d.confirmSafety(w, r, ui.Confirmation{
			Title: "Remove “" + f.Name + "”?", Text: text, Action: b.factor(f.ID) + "/remove",
			Confirm: ui.Action{Label: "Remove", Variant: ui.Danger}, Cancel: b.Security(),
		})
	}
	return errNoFactor
}

var errNoFactor = fault.New(fault.NotFound, "There is no such second factor any more.")

func (d *Door) confirmSafety(w http.ResponseWriter, r *http.Request, c ui.Confirmation) error {
	shell, err := d.Shell(r, c.Title, ui.Link{Label: "Sign-in and security", Href: c.Cancel})
	if err != nil {
		return err
	}
	return web.RenderConfirm(w, r, http.StatusOK, c, nil, func(content templ.Component) templ.Component {
		shell.Narrow = true
		return ui.Within(ui.Page(shell), content)
	})
}

// POST /{institution}/security/factors/{factor}/remove
func (d *Door) removeFactor(w http.ResponseWriter, r *http.Request) error {
	proven, err := d.Proven(w, r, safetyProof(r, "Before you remove a second factor."), func() error {
		return d.Identity.RemoveFactor(r.Context(), web.CallerOf(r.Context()), r.PathValue("factor"))
	})
	if kind := fault.KindOf(err); err != nil && (kind == fault.Conflict || kind == fault.NotFound) {
		return done(w, r, ui.Bad, web.SentenceOf(err))
	}
	if err != nil || !proven {
		return err
	}
	return done(w, r, ui.Good, "The second factor was removed")
}

// askRenewCodes asks before the recovery codes become void.
//
// GET /{institution}/security/codes
func (d *Door) askRenewCodes(w http.ResponseWriter, r *http.Request) error {
	b := BaseOf(r)
	return d.confirmSafety(w, r, ui.Confirmation{
		Title: "Make new recovery codes?", Text: "You get ten new codes. Those that you have become void.", Action: b.codes(),
		Confirm: ui.Action{Label: "Make new codes", Variant: ui.Primary}, Cancel: b.Security(),
	})
}

// POST /{institution}/security/codes
func (d *Door) renewCodes(w http.ResponseWriter, r *http.Request) error {
	var codes []identity.Secret
	proven, err := d.Proven(w, r, safetyProof(r, "Before you make new recovery codes."), func() (err error) {
		codes, err = d.Identity.RenewRecoveryCodes(r.Context(), web.CallerOf(r.Context()))
		return err
	})
	if fault.KindOf(err) == fault.Conflict {
		return done(w, r, ui.Bad, web.SentenceOf(err))
	}
	if err != nil || !proven {
		return err
	}
	return d.renderSafety(w, r, http.StatusOK, codesTitle, codesStepView(newCodesStep(codes, "The codes that you had are void.", BaseOf(r).Security())))
}

// POST /{institution}/security/sign-ins/{sign}/end
func (d *Door) endSignIn(w http.ResponseWriter, r *http.Request) error {
	caller := web.CallerOf(r.Context())
	id := r.PathValue("sign")
	if err := d.Identity.EndSignIn(r.Context(), caller, id); err != nil {
		return err
	}
	if id == caller.SignIn {
		d.Site.ClearSession(w)
		http.Redirect(w, r, BaseOf(r).SignIn()+"?because="+becauseLeft, http.StatusSeeOther)
		return nil
	}
	return done(w, r, ui.Good, "The sign-in was ended")
}

// POST /{institution}/security/sign-ins/end-others
func (d *Door) endOtherSignIns(w http.ResponseWriter, r *http.Request) error {
	if err := d.Identity.EndOtherSignIns(r.Context(), web.CallerOf(r.Context())); err != nil {
		return err
	}
	return done(w, r, ui.Good, "You are signed out everywhere else")
}
