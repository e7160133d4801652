package console

import (
	"net/http"
	"strconv"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

type memberReviewPage struct {
	memberFrame
	Lead     string
	Problems []fault.Problem
	Effects  []phrase.Effect
	Same     string
	Lines    []ui.Change
	Falls    string
	Proof    bool
	Save     string
	Back     string
	Level    string
	Version  string
	Sets     []string
}

// renderMemberReview shows what an edit means on what is stored now.
func (a *app) renderMemberReview(w http.ResponseWriter, r *http.Request, status int, edit usermgmt.Edit) error {
	frame, err := a.theMember(r, "Review changes")
	if err != nil {
		return err
	}
	preview, profile, err := a.Customers.Preview(r.Context(), web.CallerOf(r.Context()), edit)
	if err != nil {
		return err
	}
	m := &profile.Member
	level, carried := sets(edit)
	page := memberReviewPage{
		memberFrame: frame, Lead: "To the permissions of " + m.Name() + ". Nothing is saved yet.", Proof: preview.Risky, Save: frame.at("/permissions/save"),
		Back: frame.at("/permissions"), Level: string(level), Version: strconv.FormatInt(m.Version, 10), Sets: carried,
		Effects: phrase.Effects(preview.Before, preview.After, profile.Names(frame.Me.House.Name)), Falls: fallsOf(preview.Outcomes),
	}
	if edit.Version >= 0 && edit.Version != m.Version {
		page.Lead = "Somebody else changed the permissions of " + m.Name() + " meanwhile. This is what your changes mean now; nothing is saved yet."
		status = http.StatusConflict
	}
	if level != "" {
		page.Back = accountAt(frame.at(""), level)
	}
	page.Same = "What " + m.Name() + " may do stays the same: something else still stands in the way, or still allows it."
	if m.Status != bank.StatusActive || m.Held {
		page.Same = "Nothing at present: " + m.Name() + " cannot sign in. The settings below count once they can."
	}
	for _, problem := range preview.Problems() {
		page.Problems = append(page.Problems, fault.Problem{Sentence: problem.Sentence()})
	}
	for _, c := range preview.Changes {
		page.Lines = append(page.Lines, lineOf(c))
	}
	page.Shell.Title = "Review changes"
	page.Shell.Crumbs = a.underMember(r, &profile)
	return web.Render(w, r, status, memberReviewView(page))
}

// lineOf is one value that becomes another.
func lineOf(c activity.Change) ui.Change {
	p, known := catalog.ParsePermission(strings.TrimPrefix(c.Field, ceilingOf))
	if !known {
		return ui.Change{Sentence: c.Field, Before: c.Old, After: c.New}
	}
	line := ui.Change{Sentence: phrase.Permission(p), Before: phrase.Value(p, c.Old), After: phrase.Value(p, c.New)}
	if strings.HasPrefix(c.Field, ceilingOf) {
		line.Sentence = "Ceiling of " + line.Sentence
	}
	return line
}

// ceilingOf is what the fields of an organization's ceilings begin with.
const ceilingOf = "ceiling."

// fallsOf names what goes off because it loses a need; empty where nothing does.
func fallsOf(outcomes []usermgmt.LevelOutcome) string {
	var all []string
	for _, o := range outcomes {
		for _, p := range o.TurnedOff {
			all = append(all, phrase.Permission(p))
		}
	}
	return strings.Join(all, ", ")
}
