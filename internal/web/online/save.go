package online

import (
	"net/http"

	"mandate/internal/activity"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/history"
	"mandate/internal/web/ui"
)

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
	ask := func() (proof, error) { return a.saveProof(r, edit) }
	done, err := a.proven(w, r, ask, func() error {
		_, err := a.users.SavePermissions(r.Context(), web.CallerOf(r.Context()), edit)
		return err
	})
	if kind := fault.KindOf(err); err != nil && (kind == fault.Conflict || kind == fault.Invalid) {
		return a.renderReview(w, r, http.StatusConflict, edit)
	}
	if err != nil || !done {
		return err
	}
	b := baseOf(r)
	web.Flash(w, r, ui.Good, "Permissions saved")
	http.Redirect(w, r, b.user(edit.Person.User), http.StatusSeeOther)
	return nil
}

// saveProof says what a high-risk authorization is for: the old and new values.
func (a *app) saveProof(r *http.Request, edit usermgmt.Edit) (proof, error) {
	me, err := a.me(r)
	if err != nil {
		return proof{}, err
	}
	profile, err := a.users.Profile(r.Context(), web.CallerOf(r.Context()), edit.Person)
	if err != nil {
		return proof{}, err
	}
	b := baseOf(r)
	return proof{
		Text:   "These changes let more money move. Nothing is saved yet, and nothing that you set is lost.",
		Cancel: b.user(edit.Person.User),
		Crumbs: []ui.Link{{Label: "User management", Href: b.users()}, {Label: profile.Member.Name(), Href: b.user(edit.Person.User)}},
		About:  askedView(askedLines(newDescriber(me, profile.Accounts), &profile, edit)),
	}, nil
}

// askedLines is what an edit asks for, as old and new values.
func askedLines(words history.Describer, profile *usermgmt.Profile, edit usermgmt.Edit) []ui.Change {
	var lines []ui.Change
	for _, change := range edit.Changes {
		for _, p := range permissionsAt(profile, change.Account) {
			value, asked := change.Set[p.ID()]
			if !asked {
				continue
			}
			c := activity.Change{Field: p.ID(), Old: usermgmt.WriteValue(p, settingsAt(profile, change.Account)), New: usermgmt.ValueText(value)}
			if change.Account != "" {
				c.Accounts = []string{string(change.Account)}
			}
			lines = append(lines, ui.Change{Sentence: words.Field(c), Before: words.Value(c.Field, c.Old), After: words.Value(c.Field, c.New)})
		}
	}
	return lines
}
