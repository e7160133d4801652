package verify

import (
	"errors"
	"slices"
	"sync"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/host/protocol"
)

var moneyChecks = []Check{
	{Name: "Balances", Says: "Accounts are read together, and one that is not there is absent.", run: balances},
	{Name: "Numbers", Says: "The full number of an account is told, and none of one that is not there.", With: func(b *Bench) bool { return b.Number != "" }, run: numbers},
	{Name: "Moves", Says: "Money moves, once, and the statement says so.", Needs: protocol.Transfers, run: moves},
	{Name: "SameKey", Says: "Asked again under its key, an order is answered as before and does nothing.", Needs: protocol.Transfers, run: sameKey},
	{Name: "KeyReused", Says: "A key that stands for another order is refused as reused.", Needs: protocol.Transfers, run: keyReused},
	{Name: "RefusesForGood", Says: "What was refused stays refused under its key, whatever came in since.", Needs: protocol.Transfers, run: refusesForGood},
	{Name: "Overdraft", Says: "No account pays more than it has available, in one leg or in several.", Needs: protocol.Transfers, run: overdraft},
	{Name: "Balanced", Says: "Legs that do not add up to nothing are refused.", Needs: protocol.Transfers, run: balanced},
	{Name: "UnknownAccounts", Says: "An account that is not there, or another organization's, is refused.", Needs: protocol.Transfers, run: unknownAccounts},
	{Name: "Holds", Says: "What is set aside cannot be moved until an order frees it, once.", Needs: protocol.Holds, run: holds},
	{Name: "AllOrNothing", Says: "Of an order that is refused for one thing, nothing is done.", Needs: protocol.Compound, With: func(b *Bench) bool { return slices.Contains(b.Offers, protocol.Holds) }, run: allOrNothing},
	{Name: "Stops", Says: "A stop is placed with its fee or not at all, and lifted once.", Needs: protocol.Stops, run: stops},
	{Name: "Files", Says: "A file is taken over or refused, once, and no other goes by its key.", Needs: protocol.Files, run: files},
	{Name: "RaceSameKey", Says: "Of one order asked for eight times at once, one moves money and all hear of it.", Needs: protocol.Transfers, run: raceSameKey},
	{Name: "RaceLastCent", Says: "Of orders at once that an account cannot all pay, as many are done as it can.", Needs: protocol.Transfers, run: raceLastCent},
}

func balances(p *probe) {
	got, err := p.Host.Balances(p.ctx, p.Institution, []bank.AccountID{p.From, p.To, "acc-none", p.From})
	p.must(err, "read the balances")
	if _, ghost := got["acc-none"]; ghost || len(got) != 2 {
		p.wrong("of two accounts and one that is not there it tells %+v", got)
	}
	if got[p.From].Available < Least {
		p.wrong("%s has %s available, and the checks need %s", p.From, got[p.From].Available, Least)
	}
}

func numbers(p *probe) {
	got, err := p.Host.Numbers(p.ctx, p.Institution, []bank.AccountID{p.From, "acc-none"})
	if err != nil || len(got) != 1 || got[p.From] != p.Number {
		p.wrong("Numbers: %v, %v, want %s alone", got, err, p.Number)
	}
}

func moves(p *probe) {
	from, to := p.both()
	receipt := p.done(p.order(host.Move(p.From, p.To, 250_00)...), "move")
	p.moved(p.From, from, -250_00, -250_00, "after it")
	p.moved(p.To, to, 250_00, 250_00, "after it")
	lines, err := p.Host.Statement(p.ctx, p.Institution, p.From, 10)
	p.must(err, "read the statement")
	if len(lines) == 0 || lines[0].Cents != -250_00 || lines[0].After != from.Ledger-250_00 || lines[0].Reference != receipt.Reference || lines[0].Day != p.Day || lines[0].Memo != "Test" {
		p.wrong("the statement is %+v, want the order %s first", lines, receipt.Reference)
	}
	if one, err := p.Host.Statement(p.ctx, p.Institution, p.From, 1); err != nil || len(one) != 1 || len(lines) > 0 && one[0] != lines[0] {
		p.wrong("the latest line alone is %+v, %v", one, err)
	}
}

func sameKey(p *probe) {
	from, to := p.both()
	o := p.order(host.Move(p.From, p.To, 10_00)...)
	first := p.done(o, "move")
	for range 3 {
		if again := p.carry(o); again != first {
			p.wrong("asked again it answers %+v, want %+v", again, first)
		}
	}
	p.moved(p.From, from, -10_00, -10_00, "asked four times")
	p.moved(p.To, to, 10_00, 10_00, "asked four times")
}

func keyReused(p *probe) {
	from, _ := p.both()
	o := p.order(host.Move(p.From, p.To, 10_00)...)
	p.done(o, "move")
	for what, change := range map[string]func(*host.Order){
		"another amount":  func(o *host.Order) { o.Legs = host.Move(p.From, p.To, 10_01) },
		"another account": func(o *host.Order) { o.Legs = host.Move(p.To, p.From, 10_00) },
		"another memo":    func(o *host.Order) { o.Memo = "Another" },
	} {
		other := o
		change(&other)
		if r, err := p.Host.Carry(p.ctx, other); !errors.Is(err, host.ErrReused) {
			p.wrong("%s under the same key: %+v, %v, want that the key is reused", what, r, err)
		}
	}
	p.moved(p.From, from, -10_00, -10_00, "after all")
}

func refusesForGood(p *probe) {
	_, to := p.both()
	o := p.order(host.Move(p.To, p.From, to.Available+1)...)
	refused := p.refused(o, host.NotCovered, "one cent more than there is")
	if refused.Account != p.To {
		p.wrong("the account to blame is %q, want %q", refused.Account, p.To)
	}
	p.done(p.order(host.Move(p.From, p.To, 100_00)...), "money comes in")
	if again := p.carry(o); again != refused {
		p.wrong("asked again it answers %+v, want %+v", again, refused)
	}
	p.moved(p.To, to, 100_00, 100_00, "afterwards")
}

func overdraft(p *probe) {
	from, to := p.both()
	p.refused(p.order(host.Move(p.From, p.To, from.Available+1)...), host.NotCovered, "one cent too much")
	if half := from.Available / 2; p.offers(protocol.Compound) {
		p.refused(p.order(host.Leg{Account: p.From, Cents: -half}, host.Leg{Account: p.From, Cents: half - from.Available - 1}, host.Leg{Account: p.To, Cents: from.Available + 1}), host.NotCovered, "one cent too much in two legs")
	}
	p.moved(p.From, from, 0, 0, "after refusals")
	p.moved(p.To, to, 0, 0, "after refusals")
	p.done(p.order(host.Move(p.From, p.To, from.Available)...), "to the last cent")
}

func balanced(p *probe) {
	from, to := p.both()
	for what, legs := range map[string][]host.Leg{
		"a cent lost":   {{Account: p.From, Cents: -2}, {Account: p.To, Cents: 1}},
		"a cent made":   {{Account: p.From, Cents: -1}, {Account: p.To, Cents: 2}},
		"one leg alone": {{Account: p.To, Cents: 5}},
		"nothing moves": host.Move(p.From, p.To, 0),
	} {
		p.refused(p.order(legs...), host.NotBalanced, what)
	}
	p.moved(p.From, from, 0, 0, "after refusals")
	p.moved(p.To, to, 0, 0, "after refusals")
}

func unknownAccounts(p *probe) {
	from, _ := p.both()
	p.refused(p.order(host.Move(p.From, "acc-none", 1)...), host.UnknownAccount, "to an account that is not there")
	p.refused(p.order(host.Move("acc-none", p.From, 1)...), host.UnknownAccount, "from an account that is not there")
	if p.Foreign != "" {
		foreign := p.balance(p.Foreign)
		p.refused(p.order(host.Move(p.Foreign, p.From, 1)...), host.UnknownAccount, "from another organization's account")
		p.refused(p.order(host.Move(p.From, p.Foreign, 1)...), host.UnknownAccount, "to another organization's account")
		p.moved(p.Foreign, foreign, 0, 0, "after refusals")
	}
	p.moved(p.From, from, 0, 0, "after refusals")
}

func holds(p *probe) {
	from, to := p.both()
	set := p.order()
	set.Hold = &host.Hold{Account: p.From, Cents: from.Available - 100_00}
	first := p.done(set, "set aside")
	if again := p.carry(set); again != first {
		p.wrong("asked again it answers %+v, want %+v", again, first)
	}
	p.moved(p.From, from, 0, 100_00-from.Available, "what is set aside")
	p.refused(p.order(host.Move(p.From, p.To, 100_01)...), host.NotCovered, "move what is set aside")
	if p.Other != "" {
		theirs := p.order()
		theirs.Organization, theirs.Free = p.Other, set.Key()
		p.refused(theirs, host.UnknownHold, "another organization frees it")
	}
	p.endHold(set.Key(), from, to)
	again := p.order()
	again.Free = set.Key()
	p.refused(again, host.UnknownHold, "free it twice")
	none := p.order()
	none.Hold = &host.Hold{Account: p.From}
	p.refused(none, host.NotBalanced, "set nothing aside")
}

// endHold ends a hold with what it was set for, or alone where a host can do no
// more at once.
func (p *probe) endHold(key string, from, to host.Balance) {
	if !p.offers(protocol.Compound) {
		free := p.order()
		free.Free = key
		p.done(free, "free what was set aside")
		p.moved(p.From, from, 0, 0, "freed")
		return
	}
	use := p.order(host.Move(p.From, p.To, from.Available-50_00)...)
	use.Free = key
	p.done(use, "use what was set aside for it")
	p.moved(p.From, from, 50_00-from.Available, 50_00-from.Available, "used")
	p.moved(p.To, to, from.Available-50_00, from.Available-50_00, "used")
}

func allOrNothing(p *probe) {
	from, to := p.both()
	o := p.order(host.Move(p.From, p.To, 20_00)...)
	o.Hold = &host.Hold{Account: p.From, Cents: from.Available} // which the legs do not leave
	p.refused(o, host.NotCovered, "a hold that is not covered beside a transfer that is")
	p.moved(p.From, from, 0, 0, "after it")
	p.moved(p.To, to, 0, 0, "after it")
	set := p.order()
	set.Hold = &host.Hold{Account: p.From, Cents: 10_00}
	p.done(set, "set aside")
	use := p.order(host.Move(p.From, p.To, from.Available+1)...)
	use.Free = set.Key()
	p.refused(use, host.NotCovered, "free a hold and move more than there is")
	p.moved(p.From, from, 0, -10_00, "after it")
	free := p.order()
	free.Free = set.Key()
	p.done(free, "free the hold, which is still there")
	p.moved(p.From, from, 0, 0, "at the end")
}

func stops(p *probe) {
	from, _ := p.both()
	place := func(fee bank.Cents) host.Order {
		o := p.order(host.Move(p.From, host.Internal("fees"), fee)...)
		o.Stop = &host.Stop{Account: p.From, First: 990001, Last: 990005, Until: p.Day}
		return o
	}
	lift := func(key string) host.Order {
		o := p.order()
		o.Lift = key
		return o
	}
	dear := place(from.Available + 1)
	p.refused(dear, host.NotCovered, "a fee that is not covered")
	p.refused(lift(dear.Key()), host.UnknownStop, "lift a stop that was refused")
	set := place(30_00)
	p.done(set, "place a stop")
	p.moved(p.From, from, -30_00, -30_00, "the fee")
	p.done(lift(set.Key()), "lift it")
	p.refused(lift(set.Key()), host.UnknownStop, "lift it twice")
	if p.Foreign != "" {
		theirs := p.order()
		theirs.Stop = &host.Stop{Account: p.Foreign, First: 1, Last: 1}
		p.refused(theirs, host.UnknownAccount, "on another organization's account")
	}
}

func files(p *probe) {
	o := p.order()
	o.File = &host.File{Name: "verify.txt", Kind: "nacha", Body: []byte("101 test\n")}
	first := p.carry(o) // a host that reads files refuses this one
	if again := p.carry(o); again != first {
		p.wrong("asked again it answers %+v, want %+v", again, first)
	}
	o.File = &host.File{Name: "verify.txt", Kind: "nacha", Body: []byte("101 other\n")}
	if r, err := p.Host.Carry(p.ctx, o); !errors.Is(err, host.ErrReused) {
		p.wrong("another file under the same key: %+v, %v, want that the key is reused", r, err)
	}
}

// together carries n orders at once and counts what was done.
func (p *probe) together(n int, ask func(i int) host.Order) (done int) {
	orders := make([]host.Order, n)
	for i := range n {
		orders[i] = ask(i)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, o := range orders {
		wg.Go(func() {
			r, err := p.Host.Carry(p.ctx, o)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				p.wrong("%s: %v", o.Key(), err)
			} else if r.Done() {
				done++
			}
		})
	}
	wg.Wait()
	return done
}

func raceSameKey(p *probe) {
	from, _ := p.both()
	o := p.order(host.Move(p.From, p.To, 30_00)...)
	if done := p.together(8, func(int) host.Order { return o }); done != 8 {
		p.wrong("%d of 8 heard that it was done", done)
	}
	p.moved(p.From, from, -30_00, -30_00, "once")
}

func raceLastCent(p *probe) {
	p.both()
	p.done(p.order(host.Move(p.From, p.To, 100_00)...), "money comes in")
	to := p.balance(p.To)
	third := to.Available / 3
	if done := p.together(12, func(int) host.Order { return p.order(host.Move(p.To, p.From, third)...) }); done != 3 {
		p.wrong("%d of 12 were done, want 3", done)
	}
	p.moved(p.To, to, -3*third, -3*third, "after three")
}
