package online

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
	"mandate/internal/web/ui"
)

// explaining turns an explanation into a page.
type explaining struct {
	me      usermgmt.Standing
	profile *usermgmt.Profile
	names   entitlement.Names
	request entitlement.Request
	answer  entitlement.Explanation
	base    base
}

func (x *explaining) fill(page *whyPage) {
	page.Verdict = ui.Verdict{Allowed: x.answer.Allowed, Approval: x.answer.ApprovalRequired, Question: x.question(), Answer: x.verdict()}
	page.Rungs = x.rungs()
	if x.answer.Allowed {
		return
	}
	if !x.answer.Fixable {
		page.NoFix = "Nothing that anybody may change would allow this."
		return
	}
	edit := usermgmt.Edit{Person: usermgmt.Person{Organization: x.profile.Organization.ID, User: x.profile.Member.ID}, Version: x.profile.Member.Version}
	for _, step := range x.answer.Fix {
		line := fixLine{Sentence: step.Sentence(x.names), Who: whoMay(step.By)}
		if x.mine(step) {
			line.Link = ui.Link{Label: "Fill in", Icon: "sliders-horizontal", Href: x.base.level(x.profile.Member.ID, step.Account) + "?" + step.Permission.ID() + "=" + url.QueryEscape(writeValue(step.Value)) + "#" + ui.FieldID(step.Permission.ID())}
			edit.Changes = append(edit.Changes, entitlement.Change{Account: step.Account, Set: map[string]entitlement.Value{step.Permission.ID(): step.Value}})
			page.Mine++
		}
		page.Fix = append(page.Fix, line)
	}
	page.shareWho()
	page.Review, page.Carry = x.base.review(x.profile.Member.ID), carry(edit)
}

// shareWho says who may do it once where it is the same for every step.
func (p *whyPage) shareWho() {
	for _, line := range p.Fix {
		if line.Who != p.Fix[0].Who {
			return
		}
	}
	p.Who = p.Fix[0].Who
	for i := range p.Fix {
		p.Fix[i].Who = ""
	}
}

// mine reports whether whoever reads this may make the step themself, here.
func (x *explaining) mine(step entitlement.Step) bool {
	return step.Kind == entitlement.SetSetting && slices.Contains(step.By, entitlement.AdminOnline) && x.me.May(editPower(step.Account))
}

func whoMay(by []entitlement.Place) string {
	var places []string
	for _, place := range by {
		places = append(places, place.Sentence())
	}
	return strings.Join(places, "; or ")
}

func (x *explaining) question() string {
	info := x.request.Operation.Info()
	who := x.names.Member
	if who == "" {
		who = "you"
	}
	q := "May " + who + " " + info.Label
	if amount, ok := x.request.Amount.Cents(); ok && len(info.Limits) > 0 {
		q += " of " + amount.Dollars()
	}
	if x.request.Account != "" && info.Accounts != catalog.AccountNone {
		word := " on "
		if info.Counts || info.Accounts == catalog.AccountPair {
			word = " from "
		}
		q += word + x.accountName(x.request.Account)
	}
	if x.request.ToAccount != "" && info.Accounts == catalog.AccountPair {
		q += " to " + x.accountName(x.request.ToAccount)
	}
	if day, given := x.request.Context.EffectiveDate(); given {
		q += " on " + day
	}
	return q + "?"
}

func (x *explaining) accountName(id bank.AccountID) string {
	return accountName(accountOf(x.profile, id).Account)
}

func (x *explaining) verdict() string {
	switch n := len(x.answer.Reasons); {
	case x.answer.ApprovalRequired:
		return "Yes, and a second person must approve it before it goes out."
	case x.answer.Allowed:
		return "Yes."
	case n == 1:
		return "No. One thing stands in the way."
	default:
		return fmt.Sprintf("No. %d things stand in the way.", n)
	}
}

var levelTitles = map[entitlement.Level]string{
	entitlement.LevelRequest:             "The question",
	entitlement.LevelInstitution:         "Institution",
	entitlement.LevelOrganization:        "Organization",
	entitlement.LevelOrganizationAccount: "Organization account",
	entitlement.LevelUser:                "Organization user",
	entitlement.LevelUserAccount:         "Organization user account",
}

// rungs are the levels from the institution down, and the limits of all levels
// together below them.
func (x *explaining) rungs() []ui.Rung {
	var rungs []ui.Rung
	var limits []entitlement.Check
	for _, rung := range x.answer.Rungs {
		var checks []entitlement.Check
		for _, c := range rung.Checks {
			if c.Code == entitlement.LimitPerTransaction || c.Code == entitlement.LimitDaily {
				limits = append(limits, c)
				continue
			}
			checks = append(checks, c)
		}
		if len(checks) > 0 {
			rungs = append(rungs, x.rung(levelTitles[rung.Level], x.levelName(rung.Level), checks))
		}
	}
	if len(limits) > 0 {
		rungs = append(rungs, x.rung("Limits", "", limits))
	}
	return rungs
}

func (x *explaining) levelName(level entitlement.Level) string {
	switch level {
	case entitlement.LevelInstitution:
		return x.names.Institution
	case entitlement.LevelOrganization:
		return x.names.Organization
	case entitlement.LevelUser:
		return x.profile.Member.Name()
	case entitlement.LevelOrganizationAccount, entitlement.LevelUserAccount:
		if x.request.ToAccount == "" && x.request.Account != "" {
			return x.accountName(x.request.Account)
		}
	}
	return ""
}

func (x *explaining) rung(title, name string, checks []entitlement.Check) ui.Rung {
	r := ui.Rung{Level: title, Name: name, State: ui.State{Word: "Allows", Icon: "check", Tone: ui.Good}}
	var who, passed []string
	for _, c := range checks {
		if c.OK {
			passed = append(passed, x.passed(c)...)
			continue
		}
		r.State = ui.State{Word: "Blocks", Icon: "x", Tone: ui.Bad}
		r.Lines = append(r.Lines, c.Reason.Sentence(x.names))
		if w := x.whoFor(c.Reason); w != "" && !slices.Contains(who, w) {
			who = append(who, w)
		}
	}
	if r.State.Tone == ui.Good {
		r.Lines = passed
	}
	if len(who) > 0 {
		r.Who = "Who can change it: " + strings.Join(who, "; ") + "."
	}
	return r
}

// passed is what is worth saying of a test that was passed: how far a limit goes.
func (x *explaining) passed(c entitlement.Check) []string {
	if c.Code == entitlement.LimitPerTransaction || c.Code == entitlement.LimitDaily {
		return []string{c.Reason.Sentence(x.names)}
	}
	return nil
}

// whoFor is who may take a reason away, by the step of the fix that does.
func (x *explaining) whoFor(r entitlement.Reason) string {
	for _, step := range x.answer.Fix {
		if step.Permission == r.Permission && step.Account == r.Account || r.Permission == entitlement.NoPermission && step.Permission == entitlement.NoPermission {
			return whoMay(step.By)
		}
	}
	return ""
}
