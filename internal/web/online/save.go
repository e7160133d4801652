package online

import (
	"errors"
	"net/http"

	"mandate/internal/activity"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type proofPage struct {
	Shell    ui.Shell
	Action   string
	Cancel   string
	Sentence string
	Password *ui.Field // nil where a second factor is asked for instead
	Code     *ui.Field
	Recovery *ui.Field
	Lines    []ui.Change // what it is for
	Carry    carried
}

// save stores reviewed changes, all or nothing. Where it lets more money move
// it asks for a high-risk authorization first and carries everything along.
//
// POST /{institution}/settings/users/{user}/save
func (a *app) save(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	edit, err := carriedEdit(f, person(r))
	if err != nil {
		return err
	}
	caller := web.CallerOf(r.Context())
	_, err = a.users.SavePermissions(r.Context(), caller, edit)
	if asked, ok := stepUp(err); ok {
		if answer, given := answerOf(f); given {
			err = a.identity.Prove(r.Context(), caller, identity.Challenge{Action: asked.Action, Target: asked.Target, Content: asked.Content}, answer)
		}
		if err == nil {
			_, err = a.users.SavePermissions(r.Context(), caller, edit)
		}
	}
	switch fault.KindOf(err) {
	case fault.StepUp:
		return a.renderProof(w, r, f, edit, err)
	case fault.Conflict, fault.Invalid:
		return a.renderReview(w, r, http.StatusConflict, edit)
	}
	if err != nil {
		return err
	}
	b := baseOf(r)
	web.Flash(w, r, ui.Good, "Permissions saved")
	http.Redirect(w, r, b.user(edit.Person.User), http.StatusSeeOther)
	return nil
}

// stepUp is what a high-risk authorization is asked for, where one is.
func stepUp(err error) (*guard.StepUp, bool) {
	if fault.KindOf(err) != fault.StepUp {
		return nil, false
	}
	return errors.AsType[*guard.StepUp](err)
}

// answerOf is what somebody showed to prove that it is them.
func answerOf(f *web.Form) (identity.Answer, bool) {
	answer := identity.Answer{Password: identity.Secret(f.Raw("password")), Code: identity.Secret(f.Raw("code")), Recovery: identity.Secret(f.Raw("recovery"))}
	if answer.Code != "" {
		answer.Password, answer.Recovery = "", ""
	} else if answer.Recovery != "" {
		answer.Password = ""
	}
	return answer, answer.Password != "" || answer.Code != "" || answer.Recovery != ""
}

// renderProof asks for the password, or for the second factor of somebody who
// has one, and keeps everything that was typed.
func (a *app) renderProof(w http.ResponseWriter, r *http.Request, f *web.Form, edit usermgmt.Edit, asked error) error {
	methods, err := a.identity.ProofMethods(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	me, err := a.me(r)
	if err != nil {
		return err
	}
	profile, err := a.users.Profile(r.Context(), web.CallerOf(r.Context()), edit.Person)
	if err != nil {
		return err
	}
	b := baseOf(r)
	page := proofPage{
		Shell:  a.shell(r, me, "Confirm that it is you", ui.Link{Label: "User management", Href: b.users()}, ui.Link{Label: profile.Member.Name(), Href: b.user(edit.Person.User)}),
		Lines:  askedLines(newDescriber(me, profile.Accounts), &profile, edit),
		Action: b.save(edit.Person.User),
		Cancel: b.user(edit.Person.User),
		Carry:  carry(edit),
	}
	page.Shell.Narrow = true
	if _, tried := answerOf(f); tried {
		page.Sentence = sentenceOf(asked)
	}
	for _, method := range methods {
		switch method {
		case identity.MethodPassword:
			page.Password = &ui.Field{Name: "password", Label: "Password", Autocomplete: "current-password", Width: "medium"}
		case identity.MethodTOTP:
			page.Code = &ui.Field{Name: "code", Label: "Code from your authenticator app", Max: 6, Width: "short", Optional: true}
		case identity.MethodRecovery:
			page.Recovery = &ui.Field{Name: "recovery", Label: "Recovery code", Help: "One of the codes that you kept. Each works once.", Width: "medium", Optional: true}
		}
	}
	return web.Render(w, r, http.StatusForbidden, proofView(page))
}

// askedLines is what an edit asks for, as old and new values.
func askedLines(words describer, profile *usermgmt.Profile, edit usermgmt.Edit) []ui.Change {
	var lines []ui.Change
	for _, change := range edit.Changes {
		for _, p := range permissionsAt(profile, change.Account) {
			value, asked := change.Set[p.ID()]
			if !asked {
				continue
			}
			c := activity.Change{Field: p.ID(), Old: usermgmt.WriteValue(p, settingsAt(profile, change.Account)), New: writeValue(value)}
			if change.Account != "" {
				c.Accounts = []string{string(change.Account)}
			}
			lines = append(lines, ui.Change{Sentence: words.field(c), Before: words.value(c.Field, c.Old), After: words.value(c.Field, c.New)})
		}
	}
	return lines
}

func sentenceOf(err error) string {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e.Sentence
	}
	return ""
}
