package product_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
)

// A guess is a random world, and what is asked of it.
type guess struct {
	*rand.Rand
	p *program
}

func (g guess) settings() entitlement.Settings {
	var s entitlement.Settings
	for one := range catalog.PermissionCount {
		if g.IntN(15) > 0 {
			s.On = s.On.With(one)
		}
	}
	for l := range catalog.LimitCount {
		if g.IntN(10) > 0 {
			s.Limits = s.Limits.With(l, bank.Cents(g.IntN(5)*10_000_00))
		}
	}
	s.EditLevel = catalog.EditLevel(2 - g.IntN(4)/2)
	return s
}

var (
	lawMembers   = []bank.UserID{"ana", "dana", "bea"}
	lawAccounts  = []bank.AccountID{"operating", "payroll", "savings"}
	lawResources = []string{`"type":"account","id":"operating"`, `"type":"account","id":"payroll"`, `"type":"account","id":"savings"`,
		`"type":"organization","id":"acme"`, `"type":"organization","id":"birch"`}
)

func (g guess) change() {
	for _, member := range lawMembers {
		organization, accounts := bank.OrganizationID("acme"), lawAccounts[:2]
		if member == "bea" {
			organization, accounts = "birch", lawAccounts[2:]
		}
		g.p.world.SetMember("first", organization, member, g.settings())
		for _, account := range accounts {
			g.p.world.SetAccount("first", organization, member, account, g.settings())
		}
		g.p.world.SetStanding("first", organization, member, bank.StatusActive, g.IntN(6) == 0)
	}
}

func (g guess) action() string {
	op := catalog.Operations()[g.IntN(len(catalog.Operations()))]
	properties := map[string]string{}
	if len(op.Info().Limits) > 0 && g.IntN(8) > 0 {
		properties["amount"] = []string{"5.00", "10000.00", "10000.01", "30000.01"}[g.IntN(4)]
	}
	if op.Info().Accounts == catalog.AccountPair && g.IntN(8) > 0 {
		properties["to_account"] = string(lawAccounts[g.IntN(3)])
	}
	text, err := json.Marshal(map[string]any{"name": op.ID(), "properties": properties})
	if err != nil {
		g.p.t.Fatal(err)
	}
	return string(text)
}

func evaluationOf(member bank.UserID, action, resource, context string) string {
	return fmt.Sprintf(`{"subject":{"type":"user","id":%q},"action":%s,"resource":{%s},"context":%s}`, member, action, resource, context)
}

// Over random worlds, through the network: a search finds what single
// evaluations permit, neither more nor less, an explanation says what the
// evaluation says and why not, and a batch is its items.
func TestEveryWayOfAskingSaysTheSame(t *testing.T) {
	p, permits := start(t, dbtest.SQLite(t)), 0
	_, key := p.caller("first", "Hub")
	for seed := range dbtest.Rounds(6, 200) {
		g := guess{rand.New(rand.NewPCG(7, uint64(seed))), p}
		g.change()
		dbtest.ClockOf(t, p.world.DB).Advance(10 * time.Second) // so that nobody asks too much at once
		for range 6 {
			permits += g.agree(key, g.action())
		}
		if t.Failed() {
			t.Fatalf("in the world %d", seed)
		}
	}
	if permits < 20 {
		t.Errorf("there are %d permits: the test compares nothing", permits)
	}
}

// agree asks about an action in every way and returns how many permits there are.
func (g guess) agree(key, action string) (permits int) {
	allowed := map[string]bool{}
	var all, explained, alone []string
	for _, member := range lawMembers {
		for _, resource := range lawResources {
			plain, why := evaluationOf(member, action, resource, "{}"), evaluationOf(member, action, resource, `{"explain":"admin"}`)
			says, because := g.p.decision(key, plain), g.p.decision(key, why)
			verdict, reasons, _ := strings.Cut(because, " because")
			if verdict != says || (says == "no") != (reasons != "") {
				g.p.t.Errorf("%s is %s, and explained %s", plain, says, because)
			}
			allowed[string(member)+" "+resource] = says == "yes"
			_, _, answer := g.p.ask(key, "evaluation", why)
			all, explained, alone = append(all, plain), append(explained, why), append(alone, answer)
			if says == "yes" {
				permits++
			}
		}
	}
	if _, _, batch := g.p.ask(key, "evaluations", members(items(explained...))); batch != members(items(alone...)) {
		g.p.t.Errorf("explained in a batch:\n%s\nalone:\n%s", batch, members(items(alone...)))
	}
	for _, resource := range lawResources {
		var want []string
		for _, member := range lawMembers {
			if allowed[string(member)+" "+resource] {
				want = append(want, string(member))
			}
		}
		slices.Sort(want)
		if got := g.p.found(key, "subject", fmt.Sprintf(`{"subject":{"type":"user"},"action":%s,"resource":{%s}}`, action, resource)); got != strings.Join(want, " ") {
			g.p.t.Errorf("who may %s on %s: %q, want %q", action, resource, got, want)
		}
	}
	for _, member := range lawMembers {
		for _, kind := range []string{"account", "organization"} {
			var want []string
			for _, resource := range lawResources {
				if id, ok := strings.CutPrefix(resource, fmt.Sprintf(`"type":%q,"id":`, kind)); ok && allowed[string(member)+" "+resource] {
					want = append(want, strings.Trim(id, `"`))
				}
			}
			slices.Sort(want)
			if got := g.p.found(key, "resource", fmt.Sprintf(`{"subject":{"type":"user","id":%q},"action":%s,"resource":{"type":%q}}`, member, action, kind)); got != strings.Join(want, " ") {
				g.p.t.Errorf("on which %s may %s %s: %q, want %q", kind, member, action, got, want)
			}
		}
		g.actions(key, member)
	}
	return permits
}

// actions holds the search for actions on one account against its evaluations.
func (g guess) actions(key string, member bank.UserID) {
	resource := lawResources[g.IntN(len(lawResources))]
	var batch []string
	for _, op := range catalog.Operations() {
		batch = append(batch, evaluationOf(member, fmt.Sprintf(`{"name":%q}`, op.ID()), resource, "{}"))
	}
	_, _, content := g.p.ask(key, "evaluations", members(items(batch...)))
	var answer struct{ Evaluations []struct{ Decision bool } }
	if err := json.Unmarshal([]byte(content), &answer); err != nil {
		g.p.t.Fatalf("%s: %v", content, err)
	}
	var want []string
	for i, op := range catalog.Operations() {
		if answer.Evaluations[i].Decision {
			want = append(want, op.ID())
		}
	}
	slices.Sort(want)
	if got := g.p.found(key, "action", fmt.Sprintf(`{"subject":{"type":"user","id":%q},"resource":{%s}}`, member, resource)); got != strings.Join(want, " ") {
		g.p.t.Errorf("what may %s on %s: %q, want %q", member, resource, got, want)
	}
}
