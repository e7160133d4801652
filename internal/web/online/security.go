package online

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
}

func (b base) security() string    { return b.at("/security") }
func (b base) ownPassword() string { return b.at("/security/password") }
func (b base) app() string         { return b.at("/security/app") }
func (b base) passkey() string     { return b.at("/security/passkey") }
func (b base) codes() string       { return b.at("/security/codes") }
func (b base) signIns() string     { return b.at("/security/sign-ins") }

func (b base) factor(id string) string { return b.at("/security/factors/") + url.PathEscape(id) }
func (b base) openSignIn(id string) string {
	return b.signIns() + "/" + url.PathEscape(id) + "/end"
}

// securityRoutes are the addresses of one's own security.
func (a *app) securityRoutes() []web.Route {
	own := web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromPath}
	proven := func(event string) web.Needs {
		needs := own
		needs.Proof, needs.Event = true, event
		return needs
	}
	return []web.Route{
		{Method: "GET", Pattern: "/{institution}/security", Handler: a.security, Needs: own},
		{Method: "POST", Pattern: "/{institution}/security/password", Handler: a.beginOwnPassword, Needs: own},
		{Method: "POST", Pattern: "/{institution}/security/password/rules", Handler: a.ownPasswordRules, Needs: own},
		{Method: "POST", Pattern: "/{institution}/security/password/new", Handler: a.changeOwnPassword, Needs: proven("auth.password_changed")},
		{Method: "POST", Pattern: "/{institution}/security/app", Handler: a.beginApp, Needs: proven("auth.second_factor_added")},
		{Method: "POST", Pattern: "/{institution}/security/app/confirm", Handler: a.confirmApp, Needs: own},
		{Method: "POST", Pattern: "/{institution}/security/passkey", Handler: a.beginPasskey, Needs: proven("auth.second_factor_added")},
		{Method: "POST", Pattern: "/{institution}/security/passkey/finish", Handler: a.finishPasskey, Needs: own},
		{Method: "GET", Pattern: "/{institution}/security/factors/{factor}/remove", Handler: a.askRemoveFactor, Needs: own},
		{Method: "POST", Pattern: "/{institution}/security/factors/{factor}/remove", Handler: a.removeFactor, Needs: proven("auth.second_factor_removed")},
		{Method: "GET", Pattern: "/{institution}/security/codes", Handler: a.askRenewCodes, Needs: own},
		{Method: "POST", Pattern: "/{institution}/security/codes", Handler: a.renewCodes, Needs: proven("auth.recovery_codes_renewed")},
		{Method: "POST", Pattern: "/{institution}/security/sign-ins/{sign}/end", Handler: a.endSignIn, Needs: own},
		{Method: "POST", Pattern: "/{institution}/security/sign-ins/end-others", Handler: a.endOtherSignIns, Needs: own},
	}
}

type securityPage struct {
	Shell     ui.Shell
	Place     *time.Location
	Username  string
	Changed   time.Time
	Password  string
	Factors   []factorRow
	CodesLeft int
	NewCodes  string
	App, Key  string
	SignIns   []signInRow
	EndOthers string
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
func (a *app) security(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	caller := web.CallerOf(r.Context())
	b := baseFor(me.Institution.ID)
	own, err := a.identity.OwnPassword(r.Context(), caller)
	if err != nil {
		return err
	}
	page := securityPage{
		Shell: a.shell(r, me, "Sign-in and security"), Place: placeOf(me.Institution),
		Username: own.Username, Changed: own.Changed, Password: b.ownPassword(),
		NewCodes: b.codes(), App: b.app(), Key: b.passkey(), EndOthers: b.signIns() + "/end-others",
	}
	page.Shell.Narrow = true
	factors, left, err := a.identity.Factors(r.Context(), caller)
	if err != nil {
		return err
	}
	page.CodesLeft = left
	for _, f := range factors {
		page.Factors = append(page.Factors, listedFactor(b, f))
	}
	open, err := a.identity.ListSignIns(r.Context(), caller)
	if err != nil {
		return err
	}
	for _, s := range open {
		page.SignIns = append(page.SignIns, signInRow{s, s.ID == caller.SignIn, b.openSignIn(s.ID)})
	}
	return web.Render(w, r, http.StatusOK, securityView(page))
}

func listedFactor(b base, f identity.Factor) factorRow {
	row := factorRow{Factor: f, Icon: "smartphone", Kind: "Authenticator app", Remove: b.factor(f.ID) + "/remove"}
	if f.Method == identity.MethodPasskey {
		row.Icon, row.Kind = "fingerprint-pattern", "Passkey"
	}
	return row
}

// safetyProof is the page that asks before something of one's own security.
func safetyProof(r *http.Request, text string) func() (proof, error) {
	back := baseOf(r).security()
	return func() (proof, error) {
		return proof{Text: text, Cancel: back, Crumbs: []ui.Link{{Label: "Sign-in and security", Href: back}}}, nil
	}
}

// renderSafety shows one step of something on the page of one's security.
func (a *app) renderSafety(w http.ResponseWriter, r *http.Request, status int, title string, step templ.Component) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	shell := a.shell(r, me, title, ui.Link{Label: "Sign-in and security", Href: baseFor(me.Institution.ID).security()})
	shell.Narrow = true
	return web.Render(w, r, status, safetyView(shell, step))
}

// done goes back to the page of one's security and says what was done there.
func done(w http.ResponseWriter, r *http.Request, tone ui.Tone, text string) error {
	web.Flash(w, r, tone, text)
	http.Redirect(w, r, baseOf(r).security(), http.StatusSeeOther)
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
func (a *app) beginOwnPassword(w http.ResponseWriter, r *http.Request) error {
	proven, err := a.prove(w, r, safetyProof(r, "Before you choose a new password."), identity.PasswordChange(web.CallerOf(r.Context())))
	if err != nil || !proven {
		return err
	}
	return a.renderOwnPassword(w, r, web.NewForm(nil))
}

func (a *app) renderOwnPassword(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	own, err := a.identity.OwnPassword(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	b := baseOf(r)
	return a.renderSafety(w, r, f.Status(), "Choose a new password", ownPasswordView(ownPasswordPage{
		Action: b.ownPassword() + "/new", Username: own.Username, Cancel: b.security(), Sentence: f.Sentence, Problems: f.Problems,
		Password: newPasswordField(f, b.ownPassword()), Rules: own.Rules.Judge(identity.Secret(f.Raw("password"))),
	}))
}

// POST /{institution}/security/password/rules
func (a *app) ownPasswordRules(w http.ResponseWriter, r *http.Request) error {
	own, err := a.identity.OwnPassword(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, ruleList(own.Rules.Judge(identity.Secret(web.ReadForm(r).Raw("password")))))
}

// POST /{institution}/security/password/new
func (a *app) changeOwnPassword(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	err := a.identity.ChangePassword(r.Context(), web.CallerOf(r.Context()), identity.Secret(f.Raw("password")))
	if fault.KindOf(err) == fault.StepUp { // five minutes have passed
		return done(w, r, ui.Warn, "That took longer than five minutes, so your password is what it was. Start again.")
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderOwnPassword(w, r, f)
	}
	return done(w, r, ui.Good, "Your password was changed, and you are signed out everywhere else")
}

// POST /{institution}/security/app
func (a *app) beginApp(w http.ResponseWriter, r *http.Request) error {
	var e identity.AppEnrolment
	proven, err := a.proven(w, r, safetyProof(r, "Before you add an authenticator app."), func() (err error) {
		e, err = a.identity.BeginApp(r.Context(), web.CallerOf(r.Context()), "")
		return err
	})
	if err != nil || !proven {
		return err
	}
	return a.renderSafety(w, r, http.StatusOK, addAppTitle, appStepView(newAppStep(e, baseOf(r).app()+"/confirm")))
}

// POST /{institution}/security/app/confirm
func (a *app) confirmApp(w http.ResponseWriter, r *http.Request) error {
	f, b := web.ReadForm(r), baseOf(r)
	codes, err := a.identity.ConfirmApp(r.Context(), web.CallerOf(r.Context()), f.Raw("id"), identity.Secret(f.Raw("code")))
	if fault.KindOf(err) == fault.NotFound {
		return done(w, r, ui.Warn, "That took too long, so no app was added. Start again.")
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderSafety(w, r, f.Status(), addAppTitle, appStepView(againAppStep(f, b.app()+"/confirm", b.security())))
	}
	return a.factorAdded(w, r, "The authenticator app was added", codes)
}

// factorAdded shows the recovery codes that come with the first second factor.
func (a *app) factorAdded(w http.ResponseWriter, r *http.Request, text string, codes []identity.Secret) error {
	if len(codes) == 0 {
		return done(w, r, ui.Good, text)
	}
	return a.renderSafety(w, r, http.StatusOK, codesTitle, codesStepView(newCodesStep(codes, text+". From now on, your password alone does not sign you in.", baseOf(r).security())))
}

// POST /{institution}/security/passkey
func (a *app) beginPasskey(w http.ResponseWriter, r *http.Request) error {
	var options []byte
	proven, err := a.proven(w, r, safetyProof(r, "Before you add a passkey."), func() (err error) {
		options, err = a.identity.BeginPasskey(r.Context(), web.CallerOf(r.Context()))
		return err
	})
	if err != nil || !proven {
		return err
	}
	b := baseOf(r)
	return a.renderSafety(w, r, http.StatusOK, addPasskeyTitle, passkeyStepView(newPasskeyStep(r, options, b.passkey()+"/finish", b.security())))
}

// POST /{institution}/security/passkey/finish
func (a *app) finishPasskey(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	codes, err := a.identity.FinishPasskey(r.Context(), web.CallerOf(r.Context()), f.Raw("name"), []byte(f.Raw("passkey")))
	if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.Conflict {
		return startAgain(w, r, err, baseOf(r).security())
	}
	if err != nil {
		return err
	}
	return a.factorAdded(w, r, "The passkey was added", codes)
}

// askRemoveFactor asks before a second factor is removed.
//
// GET /{institution}/security/factors/{factor}/remove
func (a *app) askRemoveFactor(w http.ResponseWriter, r *http.Request) error {
	factors, _, err := a.identity.Factors(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	b := baseOf(r)
	for _, f := range factors {
		if f.ID != r.PathValue("factor") {
			continue
		}
		text := "It can no longer be used to confirm that it is you."
		if len(factors) == 1 {
			text += " It is your only one: your password alone will sign you in, and your recovery codes become void."
		}
		return a.confirmSafety(w, r, ui.Confirmation{
			Title: "Remove “" + f.Name + "”?", Text: text, Action: b.factor(f.ID) + "/remove",
			Confirm: ui.Action{Label: "Remove", Variant: ui.Danger}, Cancel: b.security(),
		})
	}
	return errNoFactor
}

var errNoFactor = fault.New(fault.NotFound, "There is no such second factor any more.")

func (a *app) confirmSafety(w http.ResponseWriter, r *http.Request, c ui.Confirmation) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	return web.RenderConfirm(w, r, http.StatusOK, c, nil, func(content templ.Component) templ.Component {
		shell := a.shell(r, me, c.Title, ui.Link{Label: "Sign-in and security", Href: c.Cancel})
		shell.Narrow = true
		return ui.Within(ui.Page(shell), content)
	})
}

// POST /{institution}/security/factors/{factor}/remove
func (a *app) removeFactor(w http.ResponseWriter, r *http.Request) error {
	proven, err := a.proven(w, r, safetyProof(r, "Before you remove a second factor."), func() error {
		return a.identity.RemoveFactor(r.Context(), web.CallerOf(r.Context()), r.PathValue("factor"))
	})
	if kind := fault.KindOf(err); err != nil && (kind == fault.Conflict || kind == fault.NotFound) {
		return done(w, r, ui.Bad, sentenceOf(err))
	}
	if err != nil || !proven {
		return err
	}
	return done(w, r, ui.Good, "The second factor was removed")
}

// askRenewCodes asks before the recovery codes become void.
//
// GET /{institution}/security/codes
func (a *app) askRenewCodes(w http.ResponseWriter, r *http.Request) error {
	b := baseOf(r)
	return a.confirmSafety(w, r, ui.Confirmation{
		Title: "Make new recovery codes?", Text: "You get ten new codes. Those that you have become void.", Action: b.codes(),
		Confirm: ui.Action{Label: "Make new codes", Variant: ui.Primary}, Cancel: b.security(),
	})
}

// POST /{institution}/security/codes
func (a *app) renewCodes(w http.ResponseWriter, r *http.Request) error {
	var codes []identity.Secret
	proven, err := a.proven(w, r, safetyProof(r, "Before you make new recovery codes."), func() (err error) {
		codes, err = a.identity.RenewRecoveryCodes(r.Context(), web.CallerOf(r.Context()))
		return err
	})
	if fault.KindOf(err) == fault.Conflict {
		return done(w, r, ui.Bad, sentenceOf(err))
	}
	if err != nil || !proven {
		return err
	}
	return a.renderSafety(w, r, http.StatusOK, codesTitle, codesStepView(newCodesStep(codes, "The codes that you had are void.", baseOf(r).security())))
}

// POST /{institution}/security/sign-ins/{sign}/end
func (a *app) endSignIn(w http.ResponseWriter, r *http.Request) error {
	caller := web.CallerOf(r.Context())
	id := r.PathValue("sign")
	if err := a.identity.EndSignIn(r.Context(), caller, id); err != nil {
		return err
	}
	if id == caller.SignIn {
		a.site.ClearSession(w)
		http.Redirect(w, r, baseOf(r).signIn()+"?because="+becauseLeft, http.StatusSeeOther)
		return nil
	}
	return done(w, r, ui.Good, "The sign-in was ended")
}

// POST /{institution}/security/sign-ins/end-others
func (a *app) endOtherSignIns(w http.ResponseWriter, r *http.Request) error {
	if err := a.identity.EndOtherSignIns(r.Context(), web.CallerOf(r.Context())); err != nil {
		return err
	}
	return done(w, r, ui.Good, "You are signed out everywhere else")
}
