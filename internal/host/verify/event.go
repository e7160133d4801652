package verify

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/host/protocol"
)

var eventChecks = []Check{
	{Name: "Events", Says: "Every change is told, in versions that rise, and says which order it echoes.", Needs: protocol.People, run: events},
	{Name: "Marks", Says: "From a mark the host goes on, in pages of any size, and tells the same again.", Needs: protocol.People, run: marks},
}

// timeOf is a time for new names: the host's clock is not ours to set.
func timeOf(*probe) time.Time { return time.Now() }

// events reads all events after a mark, in pages of a size.
func (p *probe) events(after string, size int) (all []host.Event) {
	seen := map[string]bool{after: true}
	for {
		page, err := p.People.Events(p.ctx, p.Institution, after, size)
		p.must(err, "read the events")
		if len(page) == 0 {
			return all
		}
		for _, e := range page {
			if seen[e.Mark] || e.Mark == "" || e.ID == "" {
				p.stop("the mark %q is there twice or empty: %+v", e.Mark, e)
			}
			seen[e.Mark] = true
			if e.Unreadable != "" {
				p.wrong("the event %s cannot be read: %s", e.ID, e.Unreadable)
			}
		}
		all, after = append(all, page...), page[len(page)-1].Mark
	}
}

// lastMark is the mark after which nothing has happened yet.
func (p *probe) lastMark() string {
	all := p.events(p.Since, 500)
	if len(all) == 0 {
		return p.Since
	}
	return all[len(all)-1].Mark
}

// told checks that a change of a user by an order was told after a mark.
func (p *probe) told(after string, ref host.Ref, key string, version int64) {
	for _, e := range p.events(after, 500) {
		if e.User == nil || e.User.Ref != ref || e.Order != key {
			continue
		}
		if e.User.Version != version || e.Channel != host.Ordered || e.At.IsZero() {
			p.wrong("the event of %s is %+v of version %d, want version %d of the channel %q", key, e, e.User.Version, version, host.Ordered)
		}
		return
	}
	p.wrong("the change of %s by %s is not told", ref, key)
}

func events(p *probe) {
	mark := p.lastMark()
	u, _, _ := p.made()
	versions := []int64{u.Version}
	for i := range 6 {
		asked := u
		asked.Held = i%2 == 0
		versions = append(versions, p.done(p.userOrder(host.UpdateUser, asked, "held"), "change the hold").Version)
	}
	versions = append(versions, p.done(p.userOrder(host.DeleteUser, u), "delete").Version)
	var told []int64
	last := host.User{}
	for _, e := range p.events(mark, 500) {
		if e.User != nil && e.User.Ref == u.Ref {
			told = append(told, e.User.Version)
			if e.User.Version > last.Version {
				last = *e.User
			}
		}
	}
	slices.Sort(told) // the order does not matter, and once is enough
	if told = slices.Compact(told); !slices.Equal(told, versions) {
		p.wrong("the versions %v are told, want %v", told, versions)
	}
	if !last.Deleted {
		p.wrong("the highest version tells %+v, want that the user is deleted", last)
	}
	if got := p.user(u.Ref); got.Version != last.Version {
		p.wrong("the user is of version %d, and %d was told", got.Version, last.Version)
	}
}

func marks(p *probe) {
	mark := p.lastMark()
	p.made()
	p.made()
	all := p.events(mark, 500)
	if len(all) < 2 {
		p.stop("two new users make %d events", len(all))
	}
	ids := func(all []host.Event) (ids []string) {
		for _, e := range all {
			ids = append(ids, e.ID)
		}
		return ids
	}
	if again := p.events(mark, 1); len(again) < len(all) || !slices.Equal(ids(again)[:len(all)], ids(all)) {
		p.wrong("one by one it tells %q, and at once %q", ids(again), ids(all))
	}
	if rest := p.events(all[0].Mark, 500); len(rest) < len(all)-1 || !slices.Equal(ids(rest)[:len(all)-1], ids(all)[1:]) {
		p.wrong("after the first it tells %q, want %q", ids(rest), ids(all)[1:])
	}
}

var borderChecks = []Check{
	{Name: "Institutions", Says: "Nothing of an institution is seen by another, or can be asked for as another.", With: func(b *Bench) bool { return b.Elsewhere != "" }, run: institutions},
	{Name: "Requests", Says: "A wrong key, and a request that cannot be understood whole, are refused, and nothing is done.", With: func(b *Bench) bool { return b.Raw != nil }, run: requests},
}

func institutions(p *probe) {
	if got, err := p.Host.Balances(p.ctx, p.Elsewhere, []bank.AccountID{p.From}); err == nil && len(got) > 0 {
		p.wrong("%s reads %v", p.Elsewhere, got)
	}
	if got, err := p.Host.Statement(p.ctx, p.Elsewhere, p.From, 5); err == nil && len(got) > 0 {
		p.wrong("%s reads the statement %v", p.Elsewhere, got)
	}
	from := p.balance(p.From)
	o := p.order(host.Move(p.From, p.To, 1)...)
	o.Institution = p.Elsewhere
	if r, err := p.Host.Carry(p.ctx, o); err == nil && r.Done() {
		p.wrong("%s moves money: %+v", p.Elsewhere, r)
	}
	p.moved(p.From, from, 0, 0, "after that")
	if p.People == nil || !slices.Contains(p.Offers, protocol.People) {
		return
	}
	u, _, _ := p.made()
	if got, err := p.People.User(p.ctx, p.Elsewhere, u.Ref); err == nil {
		p.wrong("%s reads the user %+v", p.Elsewhere, got)
	}
	for after := host.Ref(""); ; {
		page, err := p.People.Users(p.ctx, p.Elsewhere, after, 500)
		if err != nil || len(page) == 0 {
			break
		}
		if slices.ContainsFunc(page, func(one host.User) bool { return one.Member == u.Member }) {
			p.wrong("%s lists the user %s", p.Elsewhere, u.Ref)
		}
		after = page[len(page)-1].Ref
	}
	for after := ""; ; {
		page, err := p.People.Events(p.ctx, p.Elsewhere, after, 500)
		if err != nil || len(page) == 0 {
			break
		}
		if slices.ContainsFunc(page, func(e host.Event) bool { return e.User != nil && e.User.Member == u.Member }) {
			p.wrong("%s is told of the user %s", p.Elsewhere, u.Ref)
		}
		after = page[len(page)-1].Mark
	}
}

// requests asks by hand for what must not be done.
func requests(p *probe) {
	from := p.balance(p.From)
	// Each of the refused would move a cent, and all are balanced.
	const legs = `"legs":[{"account":"FROM","cents":-1},{"account":"TO","cents":1}]`
	order := func(text string) string { return fill(text, p) }
	for what, refused := range map[string]struct {
		request Request
		status  int
	}{
		"a wrong key":             {Request{Method: "POST", Name: "orders", IdempotencyKey: p.ref(), Body: order(`{"organization":"ORG",` + legs + `}`), WrongKey: true}, 401},
		"no idempotency key":      {Request{Method: "POST", Name: "orders", Body: order(`{"organization":"ORG",` + legs + `}`)}, 400},
		"a member that is new":    {Request{Method: "POST", Name: "orders", IdempotencyKey: p.ref(), Body: order(`{"organization":"ORG","urgent":true,` + legs + `}`)}, 400},
		"a part of a cent":        {Request{Method: "POST", Name: "orders", IdempotencyKey: p.ref(), Body: order(`{"organization":"ORG","legs":[{"account":"FROM","cents":-1.5},{"account":"TO","cents":1.5}]}`)}, 400},
		"cut off":                 {Request{Method: "POST", Name: "orders", IdempotencyKey: p.ref(), Body: order(`{"organization":"ORG",` + legs)}, 400},
		"an order about nothing":  {Request{Method: "POST", Name: "orders", IdempotencyKey: p.ref(), Body: order(`{"organization":"ORG"}`)}, 400},
		"without an organization": {Request{Method: "POST", Name: "orders", IdempotencyKey: p.ref(), Body: order(`{` + legs + `}`)}, 400},
		"an address that is none": {Request{Method: "GET", Name: "elsewhere"}, 404},
	} {
		status, body, err := p.Raw(p.ctx, refused.request)
		if err != nil || status != refused.status {
			p.wrong("%s: it answers %d %.200s, %v, want %d", what, status, body, err, refused.status)
		}
	}
	p.moved(p.From, from, 0, 0, "after requests that were refused")
}

// fill writes the bench's names into a body.
func fill(body string, p *probe) string {
	quoted := func(ref host.Ref) string {
		text, _ := json.Marshal(ref) // a text can be written
		return string(text)
	}
	return strings.NewReplacer(`"ORG"`, quoted(p.OrganizationRef), `"FROM"`, quoted(p.FromRef), `"TO"`, quoted(p.ToRef)).Replace(body)
}
