package entrance

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
func (d *Door) admitted(w http.ResponseWriter, r *http.Request, b Base, g identity.Granted, back string) error {
	next := b.firstFactor()
	switch g.Session.Stage {
	case identity.StageComplete:
		d.Welcome(w, g)
		http.Redirect(w, r, web.LocalPath(inside(b, back), b.Home()), http.StatusSeeOther)
		return nil
	case identity.StageSecondFactor:
		next = b.second()
	}
	d.Site.Keep(w, keptWaiting, string(g.Token), waitingSeconds)
	http.Redirect(w, r, next+"?"+url.Values{"return": {back}}.Encode(), http.StatusSeeOther)
	return nil
}

// Welcome gives the browser its sign-in, and what it is known again by.
func (d *Door) Welcome(w http.ResponseWriter, g identity.Granted) {
	d.Site.SetSession(w, string(g.Token))
	d.Site.Keep(w, keptDevice, string(g.DeviceToken), deviceSeconds)
	d.Site.Keep(w, keptWaiting, "", 0)
}

// waiting is the sign-in of this browser that is not complete.
func (d *Door) waiting(r *http.Request, stage identity.Stage) (i House, session identity.Session, methods []identity.Method, err error) {
	if i, err = d.house(r); err != nil {
		return i, session, nil, err
	}
	session, methods, err = d.Identity.Waiting(r.Context(), i.ID, d.kept(r, keptWaiting), d.Source(r))
	if err == nil && session.Stage != stage {
		err = identity.ErrSignedOut
	}
	return i, session, methods, err
}

// startOver leads back to the sign-in, which says that it could not be
// completed.
func (d *Door) startOver(w http.ResponseWriter, r *http.Request, b Base) error {
	d.Site.Keep(w, keptWaiting, "", 0)
	return leaveFor(w, r, b.SignIn()+"?because="+becauseUnproven)
}

// secondPage asks for a second factor.
//
// GET /{institution}/sign-in/second
func (d *Door) secondPage(w http.ResponseWriter, r *http.Request) error {
	i, _, methods, err := d.waiting(r, identity.StageSecondFactor)
	if errors.Is(err, identity.ErrSignedOut) {
		return d.startOver(w, r, BaseFor(i.ID))
	}
	if err != nil {
		return err
	}
	q := r.URL.Query()
	return d.renderSecond(w, r, i, methods, web.NewForm(map[string]string{"with": q.Get("with"), "return": q.Get("return")}))
}

var methodLinks = map[identity.Method]ui.Link{
	identity.MethodPasskey:  {Label: "Use a passkey", Icon: "fingerprint-pattern"},
	identity.MethodTOTP:     {Label: "Use your authenticator app", Icon: "smartphone"},
	identity.MethodRecovery: {Label: "Use a recovery code", Icon: "key-round"},
}

func (d *Door) renderSecond(w http.ResponseWriter, r *http.Request, i House, methods []identity.Method, f *web.Form) error {
	b := BaseFor(i.ID)
	page := secondPage{
		Entry: d.entry(i, "Confirm that it is you"), Action: b.second(), Ask: b.second() + "/ask", Return: f.Raw("return"),
		With: chosenMethod(methods, f.Raw("with")), Sentence: f.Sentence, Restart: b.SignIn(),
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
func (d *Door) askSecond(w http.ResponseWriter, r *http.Request) error {
	options, err := d.Identity.AskPasskeyToSignIn(r.Context(), BaseOf(r).Institution(), d.kept(r, keptWaiting))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, err = w.Write(options)
	return err
}

// POST /{institution}/sign-in/second
func (d *Door) second(w http.ResponseWriter, r *http.Request) error {
	i, _, methods, err := d.waiting(r, identity.StageSecondFactor)
	if errors.Is(err, identity.ErrSignedOut) {
		return d.startOver(w, r, BaseFor(i.ID))
	}
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	answer, given := secondAnswer(f)
	if !given {
		f.Sentence = "Fill in what you are asked for."
		return d.renderSecond(w, r, i, methods, f)
	}
	g, err := d.Identity.SecondFactor(r.Context(), i.ID, d.kept(r, keptWaiting), answer, d.Source(r))
	switch {
	case errors.Is(err, identity.ErrSignIn):
		return d.secondRefused(w, r, f)
	case errors.Is(err, identity.ErrSignedOut):
		return d.startOver(w, r, BaseFor(i.ID))
	case err != nil:
		if err := f.Take(err); err != nil {
			return err
		}
		return d.renderSecond(w, r, i, methods, f)
	}
	return d.admitted(w, r, BaseFor(i.ID), g, f.Raw("return"))
}

// secondRefused asks once more, unless that was the last attempt.
func (d *Door) secondRefused(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	i, _, methods, err := d.waiting(r, identity.StageSecondFactor)
	if errors.Is(err, identity.ErrSignedOut) {
		return d.startOver(w, r, BaseFor(i.ID))
	}
	if err != nil {
		return err
	}
	f.Sentence = "This was not right. Try again, or ask your administrator."
	return d.renderSecond(w, r, i, methods, f)
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
	name := ui.Field{Name: "name", Label: "Name", Value: DeviceName(r.UserAgent()), Help: "By which you will know it again.", Max: maxFactorName}
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
func (d *Door) newcomer(w http.ResponseWriter, r *http.Request) (i House, caller bank.Caller, ok bool, err error) {
	i, session, _, err := d.waiting(r, identity.StageEnrol)
	if errors.Is(err, identity.ErrSignedOut) {
		return i, caller, false, d.startOver(w, r, BaseFor(i.ID))
	}
	return i, session.Caller, err == nil, err
}

// firstFactorPage offers the second factors to somebody of whom one is
// required and who has none.
//
// GET /{institution}/sign-in/factor
func (d *Door) firstFactorPage(w http.ResponseWriter, r *http.Request) error {
	i, _, ok, err := d.newcomer(w, r)
	if !ok {
		return err
	}
	b := BaseFor(i.ID)
	return web.Render(w, r, http.StatusOK, firstFactorView(firstFactorPage{
		Entry: d.entry(i, "Add a second factor"), Lead: i.Name + " asks you to confirm your sign-in with something that you have, beside your password.",
		App: b.firstFactor() + "/app", Key: b.firstFactor() + "/passkey",
	}))
}

// renderFirst shows one step of enrolling before a first sign-in.
func (d *Door) renderFirst(w http.ResponseWriter, r *http.Request, i House, status int, title string, step templ.Component) error {
	return web.Render(w, r, status, entryStep(d.entry(i, title), step))
}

// POST /{institution}/sign-in/factor/app
func (d *Door) firstApp(w http.ResponseWriter, r *http.Request) error {
	i, caller, ok, err := d.newcomer(w, r)
	if !ok {
		return err
	}
	e, err := d.Identity.BeginApp(r.Context(), caller, "")
	if err != nil {
		return err
	}
	return d.renderFirst(w, r, i, http.StatusOK, addAppTitle, appStepView(newAppStep(e, BaseFor(i.ID).firstFactor()+"/app/confirm")))
}

// POST /{institution}/sign-in/factor/app/confirm
func (d *Door) confirmFirstApp(w http.ResponseWriter, r *http.Request) error {
	i, caller, ok, err := d.newcomer(w, r)
	if !ok {
		return err
	}
	f, b := web.ReadForm(r), BaseFor(i.ID)
	codes, err := d.Identity.ConfirmApp(r.Context(), caller, f.Raw("id"), identity.Secret(f.Raw("code")))
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return d.renderFirst(w, r, i, f.Status(), addAppTitle, appStepView(againAppStep(f, b.firstFactor()+"/app/confirm", b.firstFactor())))
	}
	return d.firstFactorAdded(w, r, i, codes)
}

// POST /{institution}/sign-in/factor/passkey
func (d *Door) firstPasskey(w http.ResponseWriter, r *http.Request) error {
	i, caller, ok, err := d.newcomer(w, r)
	if !ok {
		return err
	}
	options, err := d.Identity.BeginPasskey(r.Context(), caller)
	if err != nil {
		return err
	}
	b := BaseFor(i.ID)
	return d.renderFirst(w, r, i, http.StatusOK, addPasskeyTitle, passkeyStepView(newPasskeyStep(r, options, b.firstFactor()+"/passkey/finish", b.firstFactor())))
}

// POST /{institution}/sign-in/factor/passkey/finish
func (d *Door) finishFirstPasskey(w http.ResponseWriter, r *http.Request) error {
	i, caller, ok, err := d.newcomer(w, r)
	if !ok {
		return err
	}
	f := web.ReadForm(r)
	codes, err := d.Identity.FinishPasskey(r.Context(), caller, f.Raw("name"), []byte(f.Raw("passkey")))
	if fault.KindOf(err) == fault.Invalid {
		return startAgain(w, r, err, BaseFor(i.ID).firstFactor())
	}
	if err != nil {
		return err
	}
	return d.firstFactorAdded(w, r, i, codes)
}

// startAgain says what was wrong on the page where a step began: its question
// can be answered once.
func startAgain(w http.ResponseWriter, r *http.Request, wrong error, at string) error {
	web.Flash(w, r, ui.Bad, web.SentenceOf(wrong))
	http.Redirect(w, r, at, http.StatusSeeOther)
	return nil
}

// firstFactorAdded completes the sign-in and shows the recovery codes.
func (d *Door) firstFactorAdded(w http.ResponseWriter, r *http.Request, i House, codes []identity.Secret) error {
	g, err := d.Identity.FinishEnrolment(r.Context(), i.ID, d.kept(r, keptWaiting), d.Source(r))
	if err != nil {
		return err
	}
	d.Welcome(w, g)
	step := newCodesStep(codes, "Your second factor is in place, and you are signed in.", BaseFor(i.ID).Home())
	return d.renderFirst(w, r, i, http.StatusOK, codesTitle, codesStepView(step))
}
