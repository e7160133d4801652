package why

import (
	"fmt"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
	"mandate/internal/web/ui"
)

// An Asked is a question about a member and what the engine says to it.
type Asked struct {
	Institution string
	Profile     *usermgmt.Profile
	Self        bool // they ask about themself
	Request     entitlement.Request
	Answer      entitlement.Explanation

	// Mine is where whoever reads this makes a step; the zero Link where they may
	// not.
	Mine func(entitlement.Step) ui.Link

	names entitlement.Names
}

// An Answer is what the page shows.
type Answer struct {
	Verdict ui.Verdict
	Rungs   []ui.Rung
	Fix     []Line
	Who     string // who may make every step, where it is the same for all
	NoFix   string
	Mine    int // how many of the steps whoever reads this may make
}

// A Line is one step of the smallest set of changes.
type Line struct {
	Sentence string
	Who      string
	Link     ui.Link // to where the step is made, for whoever may make it
}

// Explain turns the engine's answer into what the page shows.
func Explain(x Asked) Answer {
	x.names = x.Profile.Names(x.Institution)
	if x.Self {
		x.names.Member = ""
	}
	page := Answer{Verdict: ui.Verdict{Allowed: x.Answer.Allowed, Approval: x.Answer.ApprovalRequired, Question: x.question(), Answer: x.verdict()}, Rungs: x.rungs()}
	if x.Answer.Allowed {
		return page
	}
	if !x.Answer.Fixable {
		page.NoFix = "Nothing that anybody may change would allow this."
		return page
	}
	for _, step := range x.Answer.Fix {
		line := Line{Sentence: step.Sentence(x.names), Who: Who(step.By), Link: x.Mine(step)}
		if line.Link.Href != "" {
			page.Mine++
		}
		page.Fix = append(page.Fix, line)
	}
	page.shareWho()
	return page
}

// shareWho says who may do it once where it is the same for every step.
func (p *Answer) shareWho() {
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

// Who is who may make a step.
func Who(by []entitlement.Place) string {
	var places []string
	for _, place := range by {
		places = append(places, place.Sentence())
	}
	return strings.Join(places, "; or ")
}

func (x *Asked) question() string {
	info := x.Request.Operation.Info()
	who := x.names.Member
	if who == "" {
		who = "you"
	}
	q := "May " + who + " " + info.Label
	if amount, ok := x.Request.Amount.Cents(); ok && len(info.Limits) > 0 {
		q += " of " + amount.Dollars()
	}
	if x.Request.Account != "" && info.Accounts != catalog.AccountNone {
		word := " on "
		if info.Counts || info.Accounts == catalog.AccountPair {
			word = " from "
		}
		q += word + x.accountName(x.Request.Account)
	}
	if x.Request.ToAccount != "" && info.Accounts == catalog.AccountPair {
		q += " to " + x.accountName(x.Request.ToAccount)
	}
	if day, given := x.Request.Context.EffectiveDate(); given {
		q += " on " + day
	}
	return q + "?"
}

func (x *Asked) accountName(id bank.AccountID) string {
	for i := range x.Profile.Accounts {
		if a := &x.Profile.Accounts[i]; a.ID == id {
			return a.Label()
		}
	}
	return string(id)
}

func (x *Asked) verdict() string {
	switch n := len(x.Answer.Reasons); {
	case x.Answer.ApprovalRequired:
		return "Yes, and a second person must approve it before it goes out."
	case x.Answer.Allowed:
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
func (x *Asked) rungs() []ui.Rung {
	var rungs []ui.Rung
	var limits []entitlement.Check
	for _, rung := range x.Answer.Rungs {
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

func (x *Asked) levelName(level entitlement.Level) string {
	switch level {
	case entitlement.LevelInstitution:
		return x.names.Institution
	case entitlement.LevelOrganization:
		return x.names.Organization
	case entitlement.LevelUser:
		return x.Profile.Member.Name()
	case entitlement.LevelOrganizationAccount, entitlement.LevelUserAccount:
		if x.Request.ToAccount == "" && x.Request.Account != "" {
			return x.accountName(x.Request.Account)
		}
	}
	return ""
}

func (x *Asked) rung(title, name string, checks []entitlement.Check) ui.Rung {
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
func (x *Asked) passed(c entitlement.Check) []string {
	if c.Code == entitlement.LimitPerTransaction || c.Code == entitlement.LimitDaily {
		return []string{c.Reason.Sentence(x.names)}
	}
	return nil
}

// whoFor is who may take a reason away, by the step of the fix that does.
func (x *Asked) whoFor(r entitlement.Reason) string {
	for _, step := range x.Answer.Fix {
		if step.Permission == r.Permission && step.Account == r.Account || r.Permission == entitlement.NoPermission && step.Permission == entitlement.NoPermission {
			return Who(step.By)
		}
	}
	return ""
}
