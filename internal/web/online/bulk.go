package online

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/history"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
	"mandate/internal/web/why"
)

type bulkPage struct {
	Shell    ui.Shell
	Action   string
	Cancel   string
	Sentence string
	Problems []fault.Problem
	People   picker
	What     ui.Field
	Groups   []why.Group
	Switch   *ui.Field // on or off
	Choice   *ui.Field
	Choices  []ui.Option
	Amount   *ui.Field
	Unset    *ui.Field // takes an account's limit away
	Needs    *ui.Field
	Accounts *picker
}

type bulkReviewPage struct {
	Shell    ui.Shell
	Lead     string
	Action   string
	Back     string
	Cancel   string
	Sentence string
	Change   []bulkLine // those it changes
	Same     []string   // those for whom nothing changes
	Left     []bulkLine // those who are left out, and why
	Proof    bool
	Carried  [][2]string
}

// A bulkLine is one person of the preview.
type bulkLine struct {
	Member usermgmt.Member
	Href   string
	Lines  []ui.Change
	Why    []string
}

// A bulkChange is one change for several people, as the form says it.
type bulkChange struct {
	permission catalog.Permission
	account    bool // at account level
	value      entitlement.Value
	accounts   []bank.AccountID
	members    []bank.UserID
	needs      bool
}

const (
	peoplePrefix = "m_"
	bulkID       = "bulk" // of the form, all of which is drawn anew
)

// The names of the fields of a bulk change.
const (
	bulkWhat   = "what"
	bulkFor    = "for" // the permission that the fields below it were shown for
	bulkTo     = "to"
	bulkChoice = "choice"
	bulkAmount = "amount"
	bulkUnset  = "unset"
	bulkNeeds  = "needs"
)

// GET /{institution}/settings/users/bulk
func (a *app) bulk(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := web.NewForm(map[string]string{
		bulkWhat: q.Get(bulkWhat), bulkTo: "on", bulkNeeds: "on", peoplePrefix + "q": q.Get("q"), peoplePrefix + "hidden": strings.Join(q["member"], ","),
		"hidden": strings.Join(q["account"], ","),
	})
	return a.renderBulk(w, r, http.StatusOK, f)
}

// bulkForm draws the form anew with what was typed, or goes on to the preview.
//
// POST /{institution}/settings/users/bulk
func (a *app) bulkForm(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	if f.Raw("do") == "review" {
		return a.reviewBulk(w, r, f, "")
	}
	return a.renderBulk(w, r, http.StatusOK, f)
}

func (a *app) renderBulk(w http.ResponseWriter, r *http.Request, status int, f *web.Form) error {
	me, mine, err := a.ownAccounts(r)
	if err != nil {
		return err
	}
	b := baseFor(me.Institution.ID)
	page := bulkPage{
		Shell:  a.shell(r, me, "Change several", ui.Link{Label: "User management", Href: b.users()}),
		Action: b.bulk(), Cancel: b.users(), Sentence: f.Sentence, Problems: f.Problems,
		What:   f.Field(bulkWhat, "What to change"),
		Groups: bulkGroups(me.Institution.Edition),
	}
	if page.People, err = a.peoplePicker(r, f, b.bulk()); err != nil {
		return err
	}
	if permission, account, ok := readWhat(f.Raw(bulkWhat), me.Institution.Edition); ok {
		page.value(f, permission, account)
		if account {
			accounts := newAccountPicker(mine.Accounts, readPicker(f, mine.Accounts), f.Raw("q"), b.bulk())
			accounts.Part = bulkID
			page.Accounts = &accounts
		}
	}
	return web.Render(w, r, status, bulkView(page))
}

// ownAccounts are the organization's accounts, by way of one's own profile.
func (a *app) ownAccounts(r *http.Request) (me usermgmt.Standing, mine usermgmt.Profile, err error) {
	if me, err = a.me(r); err != nil {
		return me, mine, err
	}
	if err = mayManage(me, catalog.EditPermissions); err != nil {
		return me, mine, err
	}
	mine, err = a.users.Profile(r.Context(), web.CallerOf(r.Context()), usermgmt.Person{Organization: me.Organization.ID, User: me.Member.ID})
	return me, mine, err
}

// value offers what the permission can be set to.
func (p *bulkPage) value(f *web.Form, permission catalog.Permission, account bool) {
	first := f.Raw(bulkFor) != f.Raw(bulkWhat) // somebody has just chosen it: on, with what it needs
	field := func(name, label string) *ui.Field {
		field := f.Field(name, label)
		field.Optional = true
		if first && (name == bulkTo || name == bulkNeeds) {
			field.Value = "on"
		}
		return &field
	}
	switch {
	case permission == catalog.ACHEditLevel:
		p.Choice = field(bulkChoice, "Set it to")
		for _, level := range []catalog.EditLevel{catalog.EditFull, catalog.EditPartial, catalog.EditNone} {
			p.Choices = append(p.Choices, ui.Option{Value: level.String(), Label: level.Label()})
		}
	case permission.IsLimit():
		p.Amount = field(bulkAmount, "Set it to")
		p.Amount.Width = "short"
		if account {
			p.Unset = field(bulkUnset, "Take the accounts' own limit away, so that the user's limit applies")
		}
	default:
		p.Switch = field(bulkTo, "Turn it on")
		p.Switch.Help = permission.Info().Help
		p.Needs = field(bulkNeeds, "Bring along what it needs")
		p.Needs.Help = "Switches that it needs are turned on with it. What loses a need goes off with it in any case."
	}
}

// peoplePicker chooses people by name; what is chosen and not shown is carried.
func (a *app) peoplePicker(r *http.Request, f *web.Form, redraw string) (picker, error) {
	caller := web.CallerOf(r.Context())
	found, err := a.users.List(r.Context(), caller, caller.Organization, usermgmt.MemberQuery{Search: f.Raw(peoplePrefix + "q"), Size: pickerRows})
	if err != nil {
		return picker{}, err
	}
	chosen := map[string]bool{}
	for _, id := range picked(f, peoplePrefix) {
		chosen[id] = id != ""
	}
	pressed := strings.TrimPrefix(f.Raw("do"), peoplePrefix)
	if f.Raw("do") == pressed {
		pressed = "" // it was of the other picker
	}
	p := picker{Prefix: peoplePrefix, Noun: "people", Redraw: redraw, Part: bulkID, Search: f.Raw(peoplePrefix + "q")}
	var shown []string
	for _, m := range found.Members {
		id := string(m.ID)
		if pressed == pickAll || pressed == pickNone {
			chosen[id] = pressed == pickAll
		}
		p.Rows = append(p.Rows, pickerRow{ID: id, Name: m.Name(), Kind: m.Role.Label() + ", " + m.Status.Label(), On: chosen[id]})
		shown = append(shown, id)
	}
	if more := found.Matching - len(found.Members); more > 0 {
		p.More = fmt.Sprintf("%d more fit. Search for a part of a name or address to see them.", more)
	}
	var hidden []string
	n := 0
	for id, on := range chosen {
		if on {
			n++
		}
		if on && !slices.Contains(shown, id) {
			hidden = append(hidden, id)
		}
	}
	slices.Sort(hidden)
	p.Shown, p.Hidden = strings.Join(shown, ","), strings.Join(hidden, ",")
	p.Count = "Nobody"
	if n > 0 {
		p.Count = ui.Count(n, "person", "people")
	}
	return p, nil
}

// bulkGroups are the permissions that can be changed, by level and entitlement.
func bulkGroups(edition bank.Edition) []why.Group {
	var groups []why.Group
	add := func(level bank.AccountID, prefix, suffix string) {
		for _, e := range sectionsAt(edition, level) {
			label := e.Label()
			if e == catalog.NoEntitlement {
				label = "Account access"
			}
			g := why.Group{Label: label + suffix}
			for _, p := range catalog.Of(e, edition, levelOf(level)) {
				g.Options = append(g.Options, ui.Option{Value: prefix + p.ID(), Label: phrase.Permission(p)})
			}
			groups = append(groups, g)
		}
	}
	add("", "user:", "")
	add("any", "account:", ", on accounts")
	return groups
}

// readWhat reads which permission is changed, and at which level.
func readWhat(what string, edition bank.Edition) (p catalog.Permission, account, ok bool) {
	level, id, _ := strings.Cut(what, ":")
	p, ok = catalog.ParsePermission(id)
	account = level == "account"
	at := catalog.AtUser
	if account {
		at = catalog.AtAccount
	}
	return p, account, ok && (account || level == "user") && p.In(edition) && p.At(at)
}

// readBulk reads the change; what is missing becomes a problem of the form.
func (a *app) readBulk(r *http.Request, f *web.Form, me usermgmt.Standing, mine *usermgmt.Profile) bulkChange {
	c := bulkChange{needs: f.Checked(bulkNeeds)}
	var ok bool
	if c.permission, c.account, ok = readWhat(f.Raw(bulkWhat), me.Institution.Edition); !ok {
		f.Wrong(bulkWhat, "Choose what to change.")
	}
	for _, id := range picked(f, peoplePrefix) {
		if id != "" && !slices.Contains(c.members, bank.UserID(id)) {
			c.members = append(c.members, bank.UserID(id))
		}
	}
	if len(c.members) == 0 {
		f.Wrong("", "Choose at least one person.")
	}
	if c.account {
		if c.accounts = readPicker(f, mine.Accounts); len(c.accounts) == 0 {
			f.Wrong("", "Choose at least one account.")
		}
	}
	if !ok {
		return c
	}
	switch {
	case c.permission == catalog.ACHEditLevel:
		level, known := catalog.ParseEditLevel(f.Raw(bulkChoice))
		if !known {
			f.Wrong(bulkChoice, "Choose one.")
		}
		c.value = entitlement.ChooseLevel(level)
	case c.permission.IsLimit() && c.account && f.Checked(bulkUnset):
		c.value = entitlement.Value{Kind: entitlement.Unset}
	case c.permission.IsLimit():
		if f.Raw(bulkAmount) == "" {
			f.Wrong(bulkAmount, "Write an amount like $25,000.00.")
		}
		c.value = entitlement.LimitTo(f.Money(bulkAmount))
	default:
		on, _ := f.Switch(bulkTo)
		c.value = entitlement.SwitchTo(on)
	}
	return c
}

// edits is the change as one edit for each person.
func (c bulkChange) edits(organization bank.OrganizationID) usermgmt.Edits {
	edits := usermgmt.Edits{Organization: organization, Needs: c.needs}
	levels := c.accounts
	if !c.account {
		levels = []bank.AccountID{""}
	}
	for _, user := range c.members {
		e := usermgmt.Edit{Person: usermgmt.Person{Organization: organization, User: user}, Version: -1, Cascade: true}
		for _, level := range levels {
			e.Changes = append(e.Changes, entitlement.Change{Member: user, Account: level, Set: map[string]entitlement.Value{c.permission.ID(): c.value}})
		}
		edits.Edits = append(edits.Edits, e)
	}
	return edits
}

// reviewBulk shows for every person what would change, and who is left out.
func (a *app) reviewBulk(w http.ResponseWriter, r *http.Request, f *web.Form, sentence string) error {
	me, mine, err := a.ownAccounts(r)
	if err != nil {
		return err
	}
	change := a.readBulk(r, f, me, &mine)
	if !f.OK() {
		return a.renderBulk(w, r, http.StatusUnprocessableEntity, f)
	}
	previews, err := a.users.PreviewMany(r.Context(), web.CallerOf(r.Context()), change.edits(me.Organization.ID))
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderBulk(w, r, http.StatusUnprocessableEntity, f)
	}
	b := baseFor(me.Institution.ID)
	page := bulkReviewPage{
		Shell: a.shell(r, me, "Review changes", ui.Link{Label: "User management", Href: b.users()}, ui.Link{Label: "Change several", Href: b.bulk()}),
		Lead:  change.sentence() + " Nothing is saved yet.", Action: b.bulk() + "/save", Back: b.bulk(), Cancel: b.users(), Sentence: sentence,
		Carried: entrance.CarriedFields(r),
	}
	page.Carried = slices.DeleteFunc(page.Carried, func(field [2]string) bool { return field[0] == "do" || field[0] == "version" })
	words := newDescriber(me, mine.Accounts)
	for _, p := range previews {
		page.take(b, words, p)
	}
	status := http.StatusOK
	if sentence != "" {
		status = http.StatusConflict
	}
	return web.Render(w, r, status, bulkReviewView(page))
}

// sentence says the change in words.
func (c bulkChange) sentence() string {
	what, where := phrase.Permission(c.permission), ""
	if c.account {
		where = " on " + countLower(len(c.accounts))
	}
	to := " to " + phrase.Value(c.permission, usermgmt.ValueText(c.value))
	switch c.value.Kind {
	case entitlement.SwitchValue:
		to = " " + map[bool]string{true: "on", false: "off"}[c.value.On]
	case entitlement.Unset:
		to = " to no limit of their own"
	}
	return fmt.Sprintf("%s%s%s, for %s.", what, to, where, ui.Count(len(c.members), "person", "people"))
}

func (p *bulkReviewPage) take(b base, words history.Describer, preview usermgmt.MemberPreview) {
	m := preview.Member
	line := bulkLine{Member: m, Href: b.user(m.ID)}
	problems := preview.Preview.Problems()
	switch {
	case len(problems) > 0:
		for _, problem := range problems {
			if s := problem.Sentence(); !slices.Contains(line.Why, s) {
				line.Why = append(line.Why, s)
			}
		}
		p.Left = append(p.Left, line)
	case len(preview.Preview.Changes) == 0:
		p.Same = append(p.Same, m.Name())
	default:
		line.Lines = bunched(words, preview.Preview.Changes)
		p.Change = append(p.Change, line)
		p.Proof = p.Proof || preview.Preview.Risky
		p.Carried = append(p.Carried, [2]string{"version", string(m.ID) + "=" + strconv.FormatInt(m.Version, 10)})
	}
}

// bunched puts equal changes of several accounts into one line.
func bunched(words history.Describer, changes []activity.Change) []ui.Change {
	type like struct{ field, old, new string }
	var order []like
	accounts := map[like][]string{}
	for _, c := range changes {
		k := like{c.Field, c.Old, c.New}
		if _, known := accounts[k]; !known {
			order = append(order, k)
			accounts[k] = nil
		}
		accounts[k] = append(accounts[k], c.Accounts...)
	}
	var lines []ui.Change
	for _, k := range order {
		c := activity.Change{Field: k.field, Old: k.old, New: k.new, Accounts: accounts[k]}
		line := ui.Change{Before: words.Value(k.field, k.old), After: words.Value(k.field, k.new)}
		if len(c.Accounts) > 3 {
			n := len(c.Accounts)
			c.Accounts = nil
			line.Sentence = words.Field(c) + " on " + countLower(n)
		} else {
			line.Sentence = words.Field(c)
		}
		lines = append(lines, line)
	}
	return lines
}

// saveBulk saves the change for everybody whom the preview showed it for: all
// of them or nobody.
//
// POST /{institution}/settings/users/bulk/save
func (a *app) saveBulk(w http.ResponseWriter, r *http.Request) error {
	f, caller := web.ReadForm(r), web.CallerOf(r.Context())
	me, mine, err := a.ownAccounts(r)
	if err != nil {
		return err
	}
	change := a.readBulk(r, f, me, &mine)
	if !f.OK() {
		return a.renderBulk(w, r, http.StatusUnprocessableEntity, f)
	}
	previews, err := a.users.PreviewMany(r.Context(), caller, change.edits(me.Organization.ID))
	if err != nil {
		return err
	}
	edits, ok := reviewed(f, previews, me.Organization.ID)
	if !ok {
		return a.reviewBulk(w, r, f, "Somebody else changed some of these people meanwhile. Nothing was saved; look at the changes again.")
	}
	b := baseOf(r)
	ask := func() (proof, error) {
		return proof{Text: "Before this is changed: " + change.sentence(), Cancel: b.users(),
			Crumbs: []ui.Link{{Label: "User management", Href: b.users()}, {Label: "Change several", Href: b.bulk()}}}, nil
	}
	done, err := a.proven(w, r, ask, func() error { return a.users.SaveMany(r.Context(), caller, edits) })
	if kind := fault.KindOf(err); err != nil && (kind == fault.Conflict || kind == fault.Invalid) {
		return a.reviewBulk(w, r, f, web.SentenceOf(err))
	}
	if err != nil || !done {
		return err
	}
	return settled(w, r, nil, "Saved for "+ui.Count(len(edits.Edits), "person", "people"), b.users())
}

// reviewed are the edits of the people that the preview showed as changing, if
// they still are as they were then.
func reviewed(f *web.Form, previews []usermgmt.MemberPreview, organization bank.OrganizationID) (usermgmt.Edits, bool) {
	seen := map[string]bool{}
	for _, one := range f.All("version") {
		seen[one] = true
	}
	edits := usermgmt.Edits{Organization: organization}
	for _, p := range previews {
		if len(p.Preview.Problems()) > 0 || len(p.Preview.Changes) == 0 {
			continue
		}
		if !seen[string(p.Member.ID)+"="+strconv.FormatInt(p.Member.Version, 10)] {
			return edits, false
		}
		edits.Edits = append(edits.Edits, p.Edit)
	}
	return edits, len(edits.Edits) == len(seen) && len(seen) > 0
}
