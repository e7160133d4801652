package entrance

import (
	"errors"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type enrolPage struct {
	Entry    ui.Entry
	Action   string
	Lead     string
	Sentence string
	Problems []fault.Problem
	Fixed    string // the username, where it is not theirs to choose
	Username ui.Field
	Password ui.Field
	Rules    []identity.Rule
}

// A donePage says that something is finished and what comes next.
type donePage struct {
	Entry       ui.Entry
	Title, Text string
	Next        ui.Action
}

// enrolPage is the form of somebody whose invitation this browser redeemed. It
// survives a refresh, and says so when it is finished.
//
// GET /{institution}/enrol
func (d *Door) enrolPage(w http.ResponseWriter, r *http.Request) error {
	i, e, err := d.redeemed(r, invitations)
	switch {
	case linkCode(err) == "LINK_USED": // by this browser
		return web.Render(w, r, http.StatusOK, doneView(donePage{
			Entry: d.entry(i, "Successfully created account"),
			Title: "Successfully created account",
			Text:  d.words.enrolled,
			Next:  ui.Action{Label: "Sign in", Variant: ui.Primary, Full: true, Href: BaseFor(i.ID).SignIn()},
		}))
	case linkCode(err) != "":
		return d.renderLinkFailure(w, r, invitations, i, e, err)
	case err != nil:
		return err
	}
	return d.renderEnrol(w, r, i, e, web.NewForm(nil))
}

// redeemed is what this browser has redeemed and may still finish.
func (d *Door) redeemed(r *http.Request, l letter) (i House, e identity.Enrolment, err error) {
	if i, err = d.house(r); err != nil {
		return i, e, err
	}
	e, err = d.Identity.Resume(r.Context(), i.ID, l.purpose, d.kept(r, l.kept))
	return i, e, err
}

func (d *Door) renderEnrol(w http.ResponseWriter, r *http.Request, i House, e identity.Enrolment, f *web.Form) error {
	b := BaseFor(i.ID)
	page := enrolPage{
		Entry:    d.entry(i, "Create your account"),
		Action:   b.enrol(),
		Lead:     "For " + e.Person.Name() + " at " + e.Person.OrganizationName + ". You sign in with it from now on.",
		Sentence: f.Sentence, Problems: f.Problems,
		Username: f.Field("username", "Username"),
		Password: f.Field("password", "Password"),
		Rules:    enrolmentRules(e, f),
	}
	page.Username.Autocomplete, page.Password.Autocomplete = "username", "new-password"
	page.Username = judged(page.Username, b.enrol(), templ.Attributes{"autocapitalize": "none", "spellcheck": "false"})
	page.Password = judged(page.Password, b.enrol(), nil)
	if d.Kind == identity.KindStaff {
		page.Lead, page.Fixed = "You sign in with "+e.Person.Email+" from now on. Choose a password.", e.Person.Email
	}
	return web.Render(w, r, f.Status(), enrolView(page))
}

// enrolmentRules are the rules for what was typed so far.
func enrolmentRules(e identity.Enrolment, f *web.Form) []identity.Rule {
	if e.Link.Subject.Kind == identity.KindStaff {
		return e.Person.PasswordRules(e.Person.Email).Judge(identity.Secret(f.Raw("password")))
	}
	username := typedUsername(f)
	name := identity.JudgeUsername(username)
	name.Sentence = "Username: " + name.Sentence
	return append([]identity.Rule{name}, e.Person.PasswordRules(username).Judge(identity.Secret(f.Raw("password")))...)
}

func typedUsername(f *web.Form) string { return strings.TrimSpace(f.Raw("username")) }

// judged has the server judge a field while somebody types in it.
func judged(field ui.Field, address string, more templ.Attributes) ui.Field {
	described := "rules"
	if field.Problem != "" {
		described = ui.FieldID(field.Name) + "-problem rules"
	}
	field.Attrs = templ.Attributes{
		"hx-post": address + "/rules", "hx-trigger": "input changed delay:250ms", "hx-include": "closest form",
		"hx-target": "#rules", "hx-swap": "innerMorph", "hx-sync": "closest form:replace",
		"aria-describedby": described,
	}
	for name, value := range more {
		field.Attrs[name] = value
	}
	return field
}

// enrolRules judges what was typed so far and changes nothing. It is a POST so
// that a password never stands in an address.
//
// POST /{institution}/enrol/rules
func (d *Door) enrolRules(w http.ResponseWriter, r *http.Request) error {
	i, e, err := d.redeemed(r, invitations)
	if linkCode(err) != "" {
		return leaveFor(w, r, BaseFor(i.ID).enrol())
	}
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, ruleList(enrolmentRules(e, web.ReadForm(r))))
}

// leaveFor leads to another page, also from a part of one.
func leaveFor(w http.ResponseWriter, r *http.Request, address string) error {
	if web.Partial(r) {
		w.Header().Set("HX-Redirect", address)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// POST /{institution}/enrol
func (d *Door) enrol(w http.ResponseWriter, r *http.Request) error {
	i, e, err := d.redeemed(r, invitations)
	if linkCode(err) != "" {
		return d.renderLinkFailure(w, r, invitations, i, e, err)
	}
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	err = d.Identity.Enrol(r.Context(), i.ID, d.kept(r, keptEnrolment), typedUsername(f), identity.Secret(f.Raw("password")), d.Source(r))
	if errors.Is(err, identity.ErrUsernameTaken) {
		f.Problems, err = append(f.Problems, fault.ProblemsOf(err)...), nil
	}
	if linkCode(err) != "" {
		return d.renderLinkFailure(w, r, invitations, i, e, err)
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return d.renderEnrol(w, r, i, e, f)
	}
	http.Redirect(w, r, BaseFor(i.ID).enrol(), http.StatusSeeOther)
	return nil
}
