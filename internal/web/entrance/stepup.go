package entrance

import (
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/a-h/templ"

	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// A Proof is what the page of a high-risk authorization says besides asking for
// it: what is about to be done, and where "Cancel" leads.
type Proof struct {
	Text   string
	Cancel string
	Crumbs []ui.Link
	About  templ.Component // what it is for in detail; may be nil
}

// The fields of an answer. A form may have a field "password" of its own, so
// theirs have names that no other form uses.
const (
	provePassword = "prove_password"
	proveCode     = "prove_code"
	proveRecovery = "prove_recovery"
	provePasskey  = "prove_passkey"
)

var proveFields = []string{provePassword, proveCode, proveRecovery, provePasskey}

type provePage struct {
	Shell    ui.Shell
	Action   string
	Text     string
	Left     string // how many wrong attempts there may be
	About    templ.Component
	Cancel   string
	Sentence string
	Carried  [][2]string
	Password *ui.Field // nil where a second factor is asked for instead
	Code     *ui.Field
	Recovery *ui.Field
	Passkey  string // what the browser is asked, as JSON; empty where there is no passkey
}

// Proven does something that may need a high-risk authorization. Where it does,
// the page that asks for one carries everything that was typed, and its form
// comes back to the same address. done is false where the request has been
// answered by that page.
//
//	ask := func() (entrance.Proof, error) { return entrance.Proof{Text: "Before you delete Dana Diaz.", Cancel: back}, nil }
//	done, err := a.door.Proven(w, r, ask, func() error { return a.users.Delete(...) })
//	if err != nil || !done {
//		return err
//	}
func (d *Door) Proven(w http.ResponseWriter, r *http.Request, ask func() (Proof, error), do func() error) (done bool, err error) {
	err = do()
	asked, ok := stepUp(err)
	if !ok {
		return err == nil, err
	}
	challenge := identity.Challenge{Action: asked.Action, Target: asked.Target, Content: asked.Content}
	if proven, err := d.Prove(w, r, ask, challenge); err != nil || !proven {
		return false, err
	}
	err = do()
	return err == nil, err
}

// stepUp is what a high-risk authorization is asked for, where one is.
func stepUp(err error) (*guard.StepUp, bool) {
	if fault.KindOf(err) != fault.StepUp {
		return nil, false
	}
	return errors.AsType[*guard.StepUp](err)
}

// Prove takes the answer to a challenge from the form of this request. Without
// a right one it answers the request: with the page that asks, or by signing
// out whoever was wrong three times.
func (d *Door) Prove(w http.ResponseWriter, r *http.Request, ask func() (Proof, error), challenge identity.Challenge) (proven bool, err error) {
	answer, given := proofAnswer(web.ReadForm(r))
	if given {
		err = d.Identity.Prove(r.Context(), web.CallerOf(r.Context()), challenge, answer)
		if err == nil {
			return true, nil
		}
	}
	switch {
	case errors.Is(err, identity.ErrLockedOut):
		d.Site.ClearSession(w)
		http.Redirect(w, r, BaseOf(r).SignIn()+"?because="+becauseLocked, http.StatusSeeOther)
		return false, nil
	case err != nil && fault.KindOf(err) != fault.StepUp && fault.KindOf(err) != fault.Invalid:
		return false, err
	}
	return false, d.renderProve(w, r, ask, challenge, err)
}

// proofAnswer is what somebody showed to prove that it is them: the strongest
// of what they filled in.
func proofAnswer(f *web.Form) (answer identity.Answer, given bool) {
	switch {
	case f.Raw(provePasskey) != "":
		answer.Passkey = []byte(f.Raw(provePasskey))
	case f.Raw(proveCode) != "":
		answer.Code = identity.Secret(f.Raw(proveCode))
	case f.Raw(proveRecovery) != "":
		answer.Recovery = identity.Secret(f.Raw(proveRecovery))
	case f.Raw(provePassword) != "":
		answer.Password = identity.Secret(f.Raw(provePassword))
	default:
		return answer, false
	}
	return answer, true
}

// renderProve asks for whichever factor is enrolled, and for the password where
// none is.
func (d *Door) renderProve(w http.ResponseWriter, r *http.Request, ask func() (Proof, error), challenge identity.Challenge, wrong error) error {
	caller := web.CallerOf(r.Context())
	p, err := ask()
	if err != nil {
		return err
	}
	methods, err := d.Identity.AskProof(r.Context(), caller, challenge)
	if err != nil {
		return err
	}
	shell, err := d.Shell(r, "Confirm that it is you", p.Crumbs...)
	if err != nil {
		return err
	}
	page := provePage{
		Shell: shell, Left: d.words.proofsLeft, Action: r.URL.RequestURI(),
		Text: p.Text, About: p.About, Cancel: p.Cancel, Sentence: web.SentenceOf(wrong), Carried: CarriedFields(r),
	}
	page.Shell.Narrow = true
	if page.Sentence == "" && askedBefore(r) {
		page.Sentence = "Fill in what you are asked for, or cancel."
	}
	page.offer(methods)
	if slices.Contains(methods, identity.MethodPasskey) {
		options, err := d.Identity.AskPasskey(r.Context(), caller, challenge)
		if err != nil {
			return err
		}
		page.Passkey = string(options)
	}
	return web.Render(w, r, http.StatusForbidden, proveView(page))
}

func (p *provePage) offer(methods []identity.Method) {
	for _, method := range methods {
		switch method {
		case identity.MethodPassword:
			p.Password = &ui.Field{Name: provePassword, Label: "Password", Autocomplete: "current-password"}
		case identity.MethodTOTP:
			p.Code = &ui.Field{Name: proveCode, Label: "Code from your authenticator app", Width: "medium", Max: maxCode}
		case identity.MethodRecovery:
			p.Recovery = &ui.Field{Name: proveRecovery, Label: "Recovery code", Help: "One of the codes that you kept. Each works once.", Width: "medium", Max: maxCode, Attrs: asTyped}
		}
	}
}

// askedBefore reports whether the form of this request was that of the page.
func askedBefore(r *http.Request) bool {
	return slices.ContainsFunc(proveFields, func(name string) bool { return r.PostForm.Has(name) })
}

// CarriedFields are everything that was typed, for the form that comes back.
func CarriedFields(r *http.Request) [][2]string {
	var carried [][2]string
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		if name == web.TokenField || slices.Contains(proveFields, name) {
			continue
		}
		for _, value := range r.PostForm[name] {
			carried = append(carried, [2]string{name, value})
		}
	}
	return carried
}
