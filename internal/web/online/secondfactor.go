package online

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

const (
	maxCode       = 40 // characters of a code with the blanks that people set
	maxFactorName = 40

	addAppTitle     = "Add an authenticator app"
	addPasskeyTitle = "Add a passkey"
	codesTitle      = "Keep your recovery codes"
)

// asTyped keeps browsers from changing a code.
var asTyped = templ.Attributes{"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}

type secondPage struct {
	Entry    ui.Entry
	Action   string
	Ask      string
	Return   string
	With     identity.Method
	Sentence string
	Code     ui.Field
	Recovery ui.Field
	Others   []ui.Link
	Restart  string
}

// admitted goes on with somebody whose password was right: in, or to what is
// still missing.
func (a *app) admitted(w http.ResponseWriter, r *http.Request, b base, g identity.Granted, back string) error {
	next := b.firstFactor()
	switch g.Session.Stage {
	case identity.StageComplete:
		a.welcome(w, g)
		http.Redirect(w, r, web.LocalPath(inside(b, back), b.home()), http.StatusSeeOther)
		return nil
	case identity.StageSecondFactor:
		next = b.second()
	}
	a.site.Keep(w, keptWaiting, string(g.Token), waitingSeconds)
	http.Redirect(w, r, next+"?"+url.Values{"return": {back}}.Encode(), http.StatusSeeOther)
	return nil
}

// welcome gives the browser its sign-in, and what it is known again by.
func (a *app) welcome(w http.ResponseWriter, g identity.Granted) {
	a.site.SetSession(w, string(g.Token))
	a.site.Keep(w, keptDevice, string(g.DeviceToken), deviceSeconds)
	a.site.Keep(w, keptWaiting, "", 0)
}

// waiting is the sign-in of this browser that is not complete.
func (a *app) waiting(r *http.Request, stage identity.Stage) (i usermgmt.Institution, session identity.Session, methods []identity.Method, err error) {
	if i, err = a.house(r); err != nil {
		return i, session, nil, err
	}
	session, methods, err = a.identity.Waiting(r.Context(), i.ID, a.kept(r, keptWaiting), a.source(r))
	if err == nil && session.Stage != stage {
		err = identity.ErrSignedOut
	}
	return i, session, methods, err
}

// startOver leads back to the sign-in, which says that it could not be
// completed.
func (a *app) startOver(w http.ResponseWriter, r *http.Request, b base) error {
	a.site.Keep(w, keptWaiting, "", 0)
	return leaveFor(w, r, b.signIn()+"?because="+becauseUnproven)
}

// secondPage asks for a second factor.
//
// GET /{institution}/sign-in/second
func (a *app) secondPage(w http.ResponseWriter, r *http.Request) error {
	i, _, methods, err := a.waiting(r, identity.StageSecondFactor)
	if errors.Is(err, identity.ErrSignedOut) {
		return a.startOver(w, r, baseFor(i.ID))
	}
	if err != nil {
		return err
	}
	q := r.URL.Query()
	return a.renderSecond(w, r, i, methods, web.NewForm(map[string]string{"with": q.Get("with"), "return": q.Get("return")}))
}

var methodLinks = map[identity.Method]ui.Link{
	identity.MethodPasskey:  {Label: "Use a passkey", Icon: "fingerprint-pattern"},
	identity.MethodTOTP:     {Label: "Use your authenticator app", Icon: "smartphone"},
	identity.MethodRecovery: {Label: "Use a recovery code", Icon: "key-round"},
}

func (a *app) renderSecond(w http.ResponseWriter, r *http.Request, i usermgmt.Institution, methods []identity.Method, f *web.Form) error {
	b := baseFor(i.ID)
	page := secondPage{
		Entry: a.entry(i, "Confirm that it is you"), Action: b.second(), Ask: b.second() + "/ask", Return: f.Raw("return"),
		With: chosenMethod(methods, f.Raw("with")), Sentence: f.Sentence, Restart: b.signIn(),
		Code: f.Field("code", "Code"), Recovery: f.Field("recovery", "Recovery code"),
	}
	page.Code.Value, page.Code.Max = "", maxCode
	page.Code.Help = "The six digits that your authenticator app shows now."
	page.Recovery.Value, page.Recovery.Max, page.Recovery.Attrs = "", maxCode, asTyped
	page.Recovery.Help = "One of the codes that you kept. Each works once."
	for _, method := range methods {
		if method != page.With {
			link := methodLinks[method]
			link.Href = b.second() + "?" + url.Values{"with": {string(method)}, "return": {page.Return}}.Encode()
			page.Others = append(page.Others, link)
		}
	}
	return web.Render(w, r, f.Status(), secondView(page))
}

// chosenMethod is the one asked for, or else the one that is least trouble.
func chosenMethod(methods []identity.Method, asked string) identity.Method {
	if slices.Contains(methods, identity.Method(asked)) {
		return identity.Method(asked)
	}
	if slices.Contains(methods, identity.MethodPasskey) {
		return identity.MethodPasskey
	}
	return methods[0]
}

// askSecond is what a browser is asked to complete a sign-in with a passkey.
//
// POST /{institution}/sign-in/second/ask
func (a *app) askSecond(w http.ResponseWriter, r *http.Request) error {
	options, err := a.identity.AskPasskeyToSignIn(r.Context(), baseOf(r).institution(), a.kept(r, keptWaiting))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, err = w.Write(options)
	return err
}

// POST /{institution}/sign-in/second
func (a *app) second(w http.ResponseWriter, r *http.Request) error {
	i, _, methods, err := a.waiting(r, identity.StageSecondFactor)
	if errors.Is(err, identity.ErrSignedOut) {
		return a.startOver(w, r, baseFor(i.ID))
	}
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	answer, given := secondAnswer(f)
	if !given {
		f.Sentence = "Fill in what you are asked for."
		return a.renderSecond(w, r, i, methods, f)
	}
	g, err := a.identity.SecondFactor(r.Context(), i.ID, a.kept(r, keptWaiting), answer, a.source(r))
	switch {
	case errors.Is(err, identity.ErrSignIn):
		return a.secondRefused(w, r, f)
	case errors.Is(err, identity.ErrSignedOut):
		return a.startOver(w, r, baseFor(i.ID))
	case err != nil:
		if err := f.Take(err); err != nil {
			return err
		}
		return a.renderSecond(w, r, i, methods, f)
	}
	return a.admitted(w, r, baseFor(i.ID), g, f.Raw("return"))
}

// secondRefused asks once more, unless that was the last attempt.
func (a *app) secondRefused(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	i, _, methods, err := a.waiting(r, identity.StageSecondFactor)
	if errors.Is(err, identity.ErrSignedOut) {
		return a.startOver(w, r, baseFor(i.ID))
	}
	if err != nil {
		return err
	}
	f.Sentence = "This was not right. Try again, or ask your administrator."
	return a.renderSecond(w, r, i, methods, f)
}

func secondAnswer(f *web.Form) (answer identity.Answer, given bool) {
	switch {
	case f.Raw("passkey") != "":
		answer.Passkey = []byte(f.Raw("passkey"))
	case f.Raw("code") != "":
		answer.Code = identity.Secret(f.Raw("code"))
	case f.Raw("recovery") != "":
		answer.Recovery = identity.Secret(f.Raw("recovery"))
	default:
		return answer, false
	}
	return answer, true
}

// appStep is the step of adding an authenticator app: the code to scan, and the
// field that shows that it was.
type appStep struct {
	Action   string
	ID       string
	QR       string // an address that holds the picture; empty where it was shown before
	Seed     string
	Open     string
	Code     ui.Field
	Sentence string
	Restart  ui.Link
}

func newAppStep(e identity.AppEnrolment, action string) appStep {
	return appStep{
		Action: action, ID: e.ID, Seed: grouped(string(e.Seed)), Open: string(e.URL),
		QR:   "data:image/png;base64," + base64.StdEncoding.EncodeToString(e.QR),
		Code: appCode(web.NewForm(nil)),
	}
}

// againAppStep asks for the code once more. The picture is not shown again: it
// is in the app by then, or one starts over.
func againAppStep(f *web.Form, action, restart string) appStep {
	return appStep{Action: action, ID: f.Raw("id"), Code: appCode(f), Sentence: f.Sentence, Restart: ui.Link{Label: "Start over with a new picture", Href: restart}}
}

func appCode(f *web.Form) ui.Field {
	code := f.Field("code", "Code from the app")
	code.Value, code.Width, code.Max = "", "short", maxCode
	return code
}

// grouped sets four characters beside four, for typing.
func grouped(s string) string {
	var out []byte
	for i := range len(s) {
		if i > 0 && i%4 == 0 {
			out = append(out, ' ')
		}
		out = append(out, s[i])
	}
	return string(out)
}

// passkeyStep is the step of making a passkey.
type passkeyStep struct {
	Action  string
	Options string // what the browser is asked, as JSON
	Name    ui.Field
	Back    string
}

func newPasskeyStep(r *http.Request, options []byte, action, back string) passkeyStep {
	name := ui.Field{Name: "name", Label: "Name", Value: deviceName(r.UserAgent()), Help: "By which you will know it again.", Max: maxFactorName}
	return passkeyStep{Action: action, Options: string(options), Name: name, Back: back}
}

// codesStep shows recovery codes, for the only time.
type codesStep struct {
	Lead  string
	Codes []string
	Next  string
}

func newCodesStep(codes []identity.Secret, lead, next string) codesStep {
	step := codesStep{Lead: lead, Next: next}
	for _, code := range codes {
		step.Codes = append(step.Codes, string(code))
	}
	return step
}

type firstFactorPage struct {
	Entry ui.Entry
	Lead  string
	App   string
	Key   string
}

// newcomer is somebody who must enrol a second factor before anything else. For
// anybody else ok is false, and the request has been answered or failed.
func (a *app) newcomer(w http.ResponseWriter, r *http.Request) (i usermgmt.Institution, caller bank.Caller, ok bool, err error) {
	i, session, _, err := a.waiting(r, identity.StageEnrol)
	if errors.Is(err, identity.ErrSignedOut) {
		return i, caller, false, a.startOver(w, r, baseFor(i.ID))
	}
	return i, session.Caller, err == nil, err
}

// firstFactorPage offers the second factors to somebody of whom one is
// required and who has none.
//
// GET /{institution}/sign-in/factor
func (a *app) firstFactorPage(w http.ResponseWriter, r *http.Request) error {
	i, _, ok, err := a.newcomer(w, r)
	if !ok {
		return err
	}
	b := baseFor(i.ID)
	return web.Render(w, r, http.StatusOK, firstFactorView(firstFactorPage{
		Entry: a.entry(i, "Add a second factor"), Lead: i.Name + " asks you to confirm your sign-in with something that you have, beside your password.",
		App: b.firstFactor() + "/app", Key: b.firstFactor() + "/passkey",
	}))
}

// renderFirst shows one step of enrolling before a first sign-in.
func (a *app) renderFirst(w http.ResponseWriter, r *http.Request, i usermgmt.Institution, status int, title string, step templ.Component) error {
	return web.Render(w, r, status, entryStep(a.entry(i, title), step))
}

// POST /{institution}/sign-in/factor/app
func (a *app) firstApp(w http.ResponseWriter, r *http.Request) error {
	i, caller, ok, err := a.newcomer(w, r)
	if !ok {
		return err
	}
	e, err := a.identity.BeginApp(r.Context(), caller, "")
	if err != nil {
		return err
	}
	return a.renderFirst(w, r, i, http.StatusOK, addAppTitle, appStepView(newAppStep(e, baseFor(i.ID).firstFactor()+"/app/confirm")))
}

// POST /{institution}/sign-in/factor/app/confirm
func (a *app) confirmFirstApp(w http.ResponseWriter, r *http.Request) error {
	i, caller, ok, err := a.newcomer(w, r)
	if !ok {
		return err
	}
	f, b := web.ReadForm(r), baseFor(i.ID)
	codes, err := a.identity.ConfirmApp(r.Context(), caller, f.Raw("id"), identity.Secret(f.Raw("code")))
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderFirst(w, r, i, f.Status(), addAppTitle, appStepView(againAppStep(f, b.firstFactor()+"/app/confirm", b.firstFactor())))
	}
	return a.firstFactorAdded(w, r, i, codes)
}

// POST /{institution}/sign-in/factor/passkey
func (a *app) firstPasskey(w http.ResponseWriter, r *http.Request) error {
	i, caller, ok, err := a.newcomer(w, r)
	if !ok {
		return err
	}
	options, err := a.identity.BeginPasskey(r.Context(), caller)
	if err != nil {
		return err
	}
	b := baseFor(i.ID)
	return a.renderFirst(w, r, i, http.StatusOK, addPasskeyTitle, passkeyStepView(newPasskeyStep(r, options, b.firstFactor()+"/passkey/finish", b.firstFactor())))
}

// POST /{institution}/sign-in/factor/passkey/finish
func (a *app) finishFirstPasskey(w http.ResponseWriter, r *http.Request) error {
	i, caller, ok, err := a.newcomer(w, r)
	if !ok {
		return err
	}
	f := web.ReadForm(r)
	codes, err := a.identity.FinishPasskey(r.Context(), caller, f.Raw("name"), []byte(f.Raw("passkey")))
	if fault.KindOf(err) == fault.Invalid {
		return startAgain(w, r, err, baseFor(i.ID).firstFactor())
	}
	if err != nil {
		return err
	}
	return a.firstFactorAdded(w, r, i, codes)
}

// startAgain says what was wrong on the page where a step began: its question
// can be answered once.
func startAgain(w http.ResponseWriter, r *http.Request, wrong error, at string) error {
	web.Flash(w, r, ui.Bad, sentenceOf(wrong))
	http.Redirect(w, r, at, http.StatusSeeOther)
	return nil
}

// firstFactorAdded completes the sign-in and shows the recovery codes.
func (a *app) firstFactorAdded(w http.ResponseWriter, r *http.Request, i usermgmt.Institution, codes []identity.Secret) error {
	g, err := a.identity.FinishEnrolment(r.Context(), i.ID, a.kept(r, keptWaiting), a.source(r))
	if err != nil {
		return err
	}
	a.welcome(w, g)
	step := newCodesStep(codes, "Your second factor is in place, and you are signed in.", baseFor(i.ID).home())
	return a.renderFirst(w, r, i, http.StatusOK, codesTitle, codesStepView(step))
}
