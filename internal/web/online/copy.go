package online

import (
	"net/http"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

type copyPage struct {
	Shell      ui.Shell
	Member     usermgmt.Member
	Source     string // the colleague's name; empty while none is chosen
	Action     string
	Find       *ui.Field
	Colleague  ui.Field
	Colleagues []ui.Option
	Part       ui.Field
	Parts      []ui.Option
	Dropped    []string
	Effects    []phrase.Effect
	Same       string
	Three      []threeWay
	Alike      int // rows that are equal for both and are not shown
	Empty      bool
	Proof      bool
	Save       string
	Cancel     string
	Carry      carried
}

// A threeWay is one row of the comparison: what the colleague has, what the
// member has now, and what they will have.
type threeWay struct {
	Title, Detail      string
	Source, Now, After []string
	Changes            bool
}

// copyPermissions shows what taking over a colleague's permissions would mean.
// Saving goes the way of every other change of permissions.
//
// GET /{institution}/settings/users/{user}/copy
func (a *app) copyPermissions(w http.ResponseWriter, r *http.Request) error {
	me, profile, err := a.about(r, catalog.EditPermissions)
	if err != nil {
		return err
	}
	q, b, m := r.URL.Query(), baseFor(me.Institution.ID), profile.Member
	colleagues, more, err := a.users.Colleagues(r.Context(), web.CallerOf(r.Context()), person(r), q.Get("find"))
	if err != nil {
		return err
	}
	page := copyPage{
		Shell: a.shell(r, me, "Copy permissions", underUser(b, m)...), Member: m, Action: b.copy(m.ID), Save: b.save(m.ID), Cancel: b.user(m.ID),
		Colleague:  ui.Field{Name: "from", Label: "Colleague", Value: q.Get("from")},
		Colleagues: []ui.Option{{Value: "", Label: "Choose"}},
		Part:       ui.Field{Name: "what", Label: "What to take over", Value: q.Get("what"), Optional: true},
		Parts: []ui.Option{
			{Value: string(usermgmt.CopyAll), Label: "Permissions and accounts"},
			{Value: string(usermgmt.CopyPermissions), Label: "Permissions, and the accounts stay"},
			{Value: string(usermgmt.CopyAccounts), Label: "Accounts, and what may be done on each"},
		},
	}
	for _, c := range colleagues {
		page.Colleagues = append(page.Colleagues, ui.Option{Value: string(c.ID), Label: c.Name + ", " + countLower(c.Accounts)})
	}
	if more || q.Get("find") != "" {
		page.Find = &ui.Field{Name: "find", Label: "Find a colleague", Value: q.Get("find"), Optional: true, Width: "medium", Help: "Any part of a name or an email address."}
	}
	if from := bank.UserID(q.Get("from")); from != "" {
		c, err := a.users.CopyFrom(r.Context(), web.CallerOf(r.Context()), person(r), from, usermgmt.CopyPart(q.Get("what")))
		if err != nil {
			return err
		}
		page.fill(me, &c)
	}
	return web.Render(w, r, http.StatusOK, copyView(page))
}

func (p *copyPage) fill(me usermgmt.Standing, c *usermgmt.Copy) {
	names := c.Target.Names(me.Institution.Name)
	p.Source = c.Source.Member.Name()
	p.listed(c.Source.Member)
	for _, problem := range c.Dropped {
		p.Dropped = append(p.Dropped, problemOn(&c.Target, problem))
	}
	p.Effects, p.Same = phrase.Effects(c.Preview.Before, c.Preview.After, names), sameEffects(&c.Target)
	p.Empty, p.Proof, p.Carry = len(c.Preview.Changes) == 0, c.Preview.Risky, carry(c.Edit)
	p.compareUser(c)
	p.compareAccounts(c)
}

// listed makes sure that the colleague stands in the list, whatever was
// searched for.
func (p *copyPage) listed(m usermgmt.Member) {
	for _, o := range p.Colleagues {
		if o.Value == string(m.ID) {
			return
		}
	}
	p.Colleagues = append(p.Colleagues, ui.Option{Value: string(m.ID), Label: m.Name()})
}

// compareUser sets the user level of both side by side, with what comes of it.
func (p *copyPage) compareUser(c *usermgmt.Copy) {
	after := c.Target
	after.Policy = c.After
	source, now, then := settingsAt(&c.Source, ""), settingsAt(&c.Target, ""), settingsAt(&after, "")
	for _, permission := range permissionsAt(&c.Target, "") {
		if permission == catalog.UserManagementEnabled {
			continue // administration is never copied
		}
		of := func(s entitlement.Settings) []string { return []string{userValue(permission, s)} }
		row := threeWay{Title: permission.Info().Label, Detail: permission.Info().Entitlement.Label(), Source: of(source), Now: of(now), After: of(then)}
		p.add(row)
	}
}

// userValue is a value of the user level in words; a limit that is not set is
// zero there.
func userValue(p catalog.Permission, s entitlement.Settings) string {
	written := usermgmt.WriteValue(p, s)
	if p.IsLimit() && written == "" {
		return bank.Cents(0).Dollars()
	}
	return phrase.Value(p, written)
}

func (p *copyPage) add(row threeWay) {
	same := func(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }
	row.Changes = !same(row.Now, row.After)
	if !row.Changes && same(row.Source, row.Now) {
		p.Alike++
		return
	}
	p.Three = append(p.Three, row)
}

// compareAccounts does the same for accounts; accounts that are alike in all
// three stand in one row.
func (p *copyPage) compareAccounts(c *usermgmt.Copy) {
	type three struct{ source, now, after entitlement.Settings }
	var order []three
	byState := map[three][]usermgmt.MemberAccount{}
	then := c.After.Members[c.Target.Member.ID]
	for i, account := range c.Target.Accounts {
		state := three{c.Source.Accounts[i].Settings, account.Settings, then.Accounts[account.ID]}
		if byState[state] == nil {
			order = append(order, state)
		}
		byState[state] = append(byState[state], account)
	}
	edition := c.Target.Policy.Institution.Edition
	for _, state := range order {
		accounts := byState[state]
		row := threeWay{Title: phrase.GroupTitle(accounts), Detail: phrase.GroupPreview(accounts)}
		row.Source, row.Now, row.After = accessWords(state.source, edition), accessWords(state.now, edition), accessWords(state.after, edition)
		p.add(row)
	}
}

func accessWords(s entitlement.Settings, edition bank.Edition) []string {
	if !s.On.Has(catalog.AccountAccess) {
		return []string{"No access"}
	}
	if lines := phrase.Summary(s, edition); len(lines) > 0 {
		return lines
	}
	return []string{"See the account"}
}
