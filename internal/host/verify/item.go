package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/host/protocol"
)

var itemChecks = []Check{
	{Name: "PositivePay", Says: "What fits is paid, what does not waits, and a ruling ends the waiting once.", Needs: protocol.PositivePay, With: presents, run: positivePay},
	{Name: "RaceRulings", Says: "Of several rulings on one item, one counts.", Needs: protocol.PositivePay, With: presents, run: raceRulings},
}

// A Clearing makes items come in. A host of tests offers this besides what rooms
// use.
type Clearing interface {
	Present(ctx context.Context, institution bank.InstitutionID, p host.Presented, front, back []byte) (item string, err error)
}

func presents(b *Bench) bool { return b.Present != nil }

// first is the number of the first check that the run issues.
const first = 880001

func (p *probe) present(item host.Presented, pictures ...[]byte) string {
	item.Day = p.Day
	pictures = append(pictures, nil, nil)
	name, err := p.Present(p.ctx, p.Institution, item, pictures[0], pictures[1])
	p.must(err, fmt.Sprintf("make %+v come in", item))
	return name
}

func (p *probe) incoming(number int64, cents bank.Cents, payee string) host.Presented {
	return host.Presented{Account: p.From, Kind: host.CheckItem, Number: number, Cents: cents, Payee: payee}
}

// underPositivePay enrols From and issues four checks.
func (p *probe) underPositivePay(dear bank.Cents) {
	issued := func() host.Order {
		o := p.order()
		o.Issued = &host.Issued{Account: p.From, Checks: []host.IssuedCheck{
			{Number: first, Cents: 100_00, Payee: "Harbor Supplies"}, {Number: first + 1, Cents: 50_00}, {Number: first + 2, Cents: 60_00}, {Number: first + 2, Void: true}, {Number: first + 3, Cents: dear},
		}}
		return o
	}
	enrol := func(on bool) host.Order {
		o := p.order()
		o.Enrol = &host.Enrolment{Account: p.From, On: on}
		return o
	}
	if r := p.refused(issued(), host.NotEnrolled, "checks of an account that is not enrolled"); r.Account != p.From {
		p.wrong("the account to blame is %q, want %q", r.Account, p.From)
	}
	p.done(enrol(true), "enrol")
	p.after = append(p.after, func() { p.done(enrol(false), "end the enrolment") })
	p.done(issued(), "issue checks")
	if p.Foreign != "" {
		foreign := enrol(true)
		foreign.Enrol.Account = p.Foreign
		p.refused(foreign, host.UnknownAccount, "enrol another organization's account")
	}
}

func (p *probe) ruling(item string, pay bool) host.Order {
	o := p.order()
	o.Ruling = &host.Ruling{Item: item, Pay: pay, Reason: "test"}
	return o
}

// presented reads all items after a mark.
func (p *probe) presented(after string) (all []host.Presented) {
	for {
		page, err := p.Host.Presented(p.ctx, p.Institution, after, 100)
		p.must(err, "list what came in")
		if len(page) == 0 {
			return all
		}
		all, after = append(all, page...), page[len(page)-1].Mark
	}
}

func positivePay(p *probe) {
	from, _ := p.both()
	before := ""
	if all := p.presented(""); len(all) > 0 {
		before = all[len(all)-1].Mark
	}
	dear := from.Available * 2
	p.underPositivePay(dear)
	front := []byte("the front")
	p.present(p.incoming(first, 100_00, "HARBOR SUPPLIES"), front)
	p.present(p.incoming(first, 100_00, ""))
	wrong := p.present(p.incoming(first+1, 55_00, ""), front, []byte("the back"))
	p.present(p.incoming(first+2, 60_00, ""))
	p.present(p.incoming(first+3, dear, ""))
	unknown := p.present(p.incoming(first+9, 1_00, ""))
	ach := p.present(host.Presented{Account: p.From, Kind: host.ACHItem, Cents: 30_00, Company: "Gym", CompanyID: "1234567890", Class: "PPD"})
	p.moved(p.From, from, -100_00, -100_00, "the one check that fits")

	all := p.presented(before)
	var got []string
	for _, i := range all {
		got = append(got, strings.Join(strings.Fields(fmt.Sprint(max(0, i.Number-first+1), " ", i.Mismatch, " ", i.Outcome)), " "))
	}
	want := []string{"1 paid", "1 PAID_BEFORE waiting", "2 WRONG_AMOUNT waiting", "3 VOID waiting", "4 returned", "10 NOT_ISSUED waiting", "0 NOT_AUTHORIZED waiting"}
	if !slices.Equal(got, want) {
		p.stop("presented %q, want %q", got, want)
	}
	if rest, err := p.Host.Presented(p.ctx, p.Institution, all[4].Mark, 1); err != nil || len(rest) != 1 || rest[0].Item != unknown {
		p.wrong("after the fifth: %+v, %v", rest, err)
	}
	if !slices.Equal(all[2].Sides, []host.Side{host.Front, host.Back}) || len(all[6].Sides) != 0 || all[6].Company != "Gym" || all[2].Organization != p.Organization || all[2].Account != p.From {
		p.wrong("the items are %+v and %+v", all[2], all[6])
	}
	p.pictures(wrong, unknown)
	p.rulings(wrong, ach)
}

func (p *probe) pictures(with, without string) {
	if picture, err := p.Host.Image(p.ctx, p.Institution, with, host.Back); err != nil || string(picture) != "the back" {
		p.wrong("the picture is %q, %v", picture, err)
	}
	for _, item := range []string{without, "nonsense"} {
		if _, err := p.Host.Image(p.ctx, p.Institution, item, host.Front); !errors.Is(err, host.ErrNoImage) {
			p.wrong("a picture of %s: %v, want that there is none", item, err)
		}
	}
}

func (p *probe) rulings(check, ach string) {
	if p.Other != "" {
		theirs := p.ruling(check, true)
		theirs.Organization = p.Other
		p.refused(theirs, host.UnknownItem, "another organization rules")
	}
	now := p.balance(p.From)
	p.done(p.ruling(check, true), "pay the check")
	p.moved(p.From, now, -55_00, -55_00, "paid as it came in")
	p.refused(p.ruling(check, false), host.UnknownItem, "rule again")
	p.refused(p.ruling("nonsense", false), host.UnknownItem, "rule on nothing")
	now = p.balance(p.From)
	p.done(p.order(host.Move(p.From, p.To, now.Available-1_00)...), "move nearly everything away")
	if r := p.refused(p.ruling(ach, true), host.NotCovered, "pay without money"); r.Account != p.From {
		p.wrong("the account to blame is %q, want %q", r.Account, p.From)
	}
	p.done(p.ruling(ach, false), "return it then")
}

func raceRulings(p *probe) {
	from, _ := p.both()
	p.underPositivePay(1_00)
	item := p.present(p.incoming(first+9, 10_00, ""))
	if done := p.together(6, func(int) host.Order { return p.ruling(item, true) }); done != 1 {
		p.wrong("%d rulings counted, want 1", done)
	}
	p.moved(p.From, from, -10_00, -10_00, "paid once")
}
