package online

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type whyPage struct {
	Shell    ui.Shell
	Title    string
	Subtitle string
	Form     whyForm
	Asked    bool
	Verdict  ui.Verdict
	Rungs    []ui.Rung
	Fix      []fixLine
	Who      string // who may make every step, where it is the same for all
	NoFix    string
	Review   string // where the fixes go that this person may make
	Carry    carried
	Mine     int // how many of the fixes these are
}

// A whyForm is the question.
type whyForm struct {
	Action    string
	Operation ui.Field
	Groups    []operationGroup
	Account   *ui.Field // nil where the operation names none
	ToAccount *ui.Field
	Accounts  []ui.Option
	Amount    *ui.Field
	Date      *ui.Field
	Checks    []ui.Field
	Fields    *ui.Field
}

// An operationGroup is an entitlement with what can be asked about.
type operationGroup struct {
	Label   string
	Options []ui.Option
}

// A fixLine is one step of the smallest set of changes.
type fixLine struct {
	Sentence string
	Who      string
	Link     ui.Link // to the form with the step filled in, where this person may make it
}

// whyMe answers for whoever asks.
//
// GET /{institution}/why
func (a *app) whyMe(w http.ResponseWriter, r *http.Request) error {
	caller := web.CallerOf(r.Context())
	return a.explain(w, r, usermgmt.Person{Organization: caller.Organization, User: caller.Member()}, baseOf(r).whyMe())
}

// GET /{institution}/settings/users/{user}/why
func (a *app) why(w http.ResponseWriter, r *http.Request) error {
	if me, err := a.me(r); err != nil || !me.May(catalog.ViewPermissions) {
		return cmp.Or(err, errNotYours)
	}
	return a.explain(w, r, person(r), baseOf(r).why(person(r).User))
}

func (a *app) explain(w http.ResponseWriter, r *http.Request, who usermgmt.Person, action string) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	op := catalog.ParseOperation(q.Get("operation"))
	req := requestOf(op, me.Institution.Edition, q)
	e, profile, err := a.users.Explain(r.Context(), web.CallerOf(r.Context()), who, req)
	if err != nil {
		return err
	}
	page := whyPage{Shell: a.shell(r, me, "Why can't I …?")}
	names := profile.Names(me.Institution.Name)
	self := who.User == me.Member.ID
	if self {
		names.Member = ""
		page.Title, page.Subtitle = "Why can't I …?", "Ask about anything that you expect to do here, and see what stands in the way."
	} else {
		b := baseFor(me.Institution.ID)
		page.Title = "Why can't " + profile.Member.FirstName + " …?"
		page.Subtitle = "Ask about anything " + profile.Member.Name() + " expects to do, and see every level that has a say."
		page.Shell.Title = page.Title
		page.Shell.Crumbs = []ui.Link{{Label: "User management", Href: b.users()}, {Label: profile.Member.Name(), Href: b.user(who.User)}}
	}
	page.Form = questionForm(action, op, &profile, self, q)
	if page.Asked = op != catalog.UnknownOperation && answerable(op, q); page.Asked {
		x := explaining{me: me, profile: &profile, names: names, request: req, answer: e, base: baseFor(me.Institution.ID)}
		x.fill(&page)
	}
	return web.Render(w, r, http.StatusOK, whyView(page))
}

// answerable reports whether a question has what its operation asks for; the
// form asks for the rest before anything is answered.
func answerable(op catalog.Operation, q url.Values) bool {
	info := op.Info()
	switch info.Accounts {
	case catalog.AccountPair:
		if q.Get("account") == "" || q.Get("to_account") == "" {
			return false
		}
	case catalog.AccountRequired:
		if q.Get("account") == "" {
			return false
		}
	}
	return len(info.Limits) == 0 || strings.TrimSpace(q.Get("amount")) != ""
}

// requestOf reads a question from an address.
func requestOf(op catalog.Operation, edition bank.Edition, q url.Values) entitlement.Request {
	req := entitlement.Request{Operation: op, Account: bank.AccountID(q.Get("account")), ToAccount: bank.AccountID(q.Get("to_account"))}
	if amount, err := bank.ParseMoney(q.Get("amount")); err == nil {
		req.Amount = entitlement.AmountOf(amount)
	} else if q.Get("amount") != "" {
		req.Amount = entitlement.ReadAmount(q.Get("amount"))
	}
	said := map[string]any{}
	for _, key := range contextKeys(op, edition) {
		said[key.String()] = q.Get(key.String()) == "on"
	}
	if day := q.Get(catalog.EffectiveDate.String()); day != "" {
		said[catalog.EffectiveDate.String()] = day
	}
	if fields := q.Get(catalog.Fields.String()); fields != "" {
		said[catalog.Fields.String()] = fields
	}
	req.Context = entitlement.ReadContext(op, edition, said)
	return req
}

// contextKeys are what can be said about a payment with yes or no.
func contextKeys(op catalog.Operation, edition bank.Edition) []catalog.ContextKey {
	var keys []catalog.ContextKey
	for _, need := range op.Info().Context {
		if need.Permission.In(edition) {
			keys = append(keys, need.Key)
		}
	}
	if op.Info().LastEditor {
		keys = append(keys, catalog.LastEditor)
	}
	return keys
}

var contextLabels = map[catalog.ContextKey]string{
	catalog.Restricted: "The batch is restricted, such as payroll",
	catalog.Recurring:  "It is part of a recurring series",
	catalog.SameDay:    "It must settle today",
	catalog.Debits:     "It collects money",
	catalog.LastEditor: "The same person was the last to edit the batch",
}

func questionForm(action string, op catalog.Operation, profile *usermgmt.Profile, self bool, q url.Values) whyForm {
	edition := profile.Policy.Institution.Edition
	f := whyForm{Action: action, Operation: ui.Field{Name: "operation", Label: "What should be possible?", Value: op.ID()}, Groups: operationGroups(edition)}
	if op == catalog.UnknownOperation {
		return f
	}
	info := op.Info()
	f.Accounts = accountOptions(profile, info.Accounts == catalog.AccountOptional)
	first := &ui.Field{Name: "account", Label: "Account", Value: q.Get("account"), Optional: info.Accounts == catalog.AccountOptional}
	switch info.Accounts {
	case catalog.AccountPair:
		first.Label = "From account"
		f.Account, f.ToAccount = first, &ui.Field{Name: "to_account", Label: "To account", Value: q.Get("to_account")}
	case catalog.AccountRequired, catalog.AccountOptional:
		f.Account = first
	}
	if len(info.Limits) > 0 {
		f.Amount = &ui.Field{Name: "amount", Label: "Amount", Value: q.Get("amount"), Width: "short"}
	}
	if info.Dated {
		f.Date = &ui.Field{Name: catalog.EffectiveDate.String(), Label: "Effective date", Value: q.Get(catalog.EffectiveDate.String()), Optional: true, Width: "short", Help: "Empty for today."}
	}
	for _, key := range contextKeys(op, edition) {
		f.Checks = append(f.Checks, ui.Field{Name: key.String(), Label: contextLabels[key], Value: q.Get(key.String())})
	}
	if info.EntryFields {
		f.Fields = &ui.Field{Name: catalog.Fields.String(), Label: "What is edited", Value: q.Get(catalog.Fields.String())}
	}
	return f
}

func operationGroups(edition bank.Edition) []operationGroup {
	groups := []operationGroup{{Label: "Accounts"}}
	byEntitlement := map[catalog.Entitlement]int{catalog.NoEntitlement: 0}
	for _, e := range catalog.Entitlements() {
		if e.In(edition) {
			byEntitlement[e] = len(groups)
			groups = append(groups, operationGroup{Label: e.Label()})
		}
	}
	for _, op := range catalog.Operations() {
		info := op.Info()
		exists := !slices.ContainsFunc(info.Named(edition), func(p catalog.Permission) bool { return !p.In(edition) })
		if i, shown := byEntitlement[info.Entitlement]; shown && exists {
			groups[i].Options = append(groups[i].Options, ui.Option{Value: op.ID(), Label: capital(info.Label)})
		}
	}
	return groups
}

func accountOptions(profile *usermgmt.Profile, optional bool) []ui.Option {
	first := ui.Option{Label: "Choose an account"}
	if optional {
		first.Label = "Any account"
	}
	options := []ui.Option{first}
	for _, account := range profile.Accounts {
		options = append(options, ui.Option{Value: string(account.ID), Label: accountName(account.Account)})
	}
	return options
}

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
