package demo

import (
	"context"
	"time"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/moneymovement/wire/message"
)

// wireTerms let an institution send wires.
func (b *builder) wireTerms(ctx context.Context, operator bank.Caller, name string) error {
	terms := wire.Terms{Routing: routing("07999911"), Name: message.Plain(name, message.MaxBankName), Source: "MANDATE1", Format: message.Pacs008}
	return b.app.Wires.SetTerms(ctx, operator, terms)
}

// Whom Larkspur pays by wire.
var (
	quarry = wire.Instruction{
		Payee: message.Party{Name: "Blue Ridge Quarry LLC", Account: "004417820", Street: "900 Quarry Road", Town: "Asheville", State: "NC", PostCode: "28801"},
		Bank:  message.Agent{Routing: "053000196", Name: "Mountain Commerce Bank"}, Remarks: "Crushed stone, account 5512",
	}
	nursery = wire.Instruction{
		Payee: message.Party{Name: "Fernwood Nursery Growers", Account: "7719002346", Street: "12 Greenhouse Lane", Town: "Salem", State: "OR", PostCode: "97301"},
		Bank:  message.Agent{Routing: "123000220", Name: "Willamette Trust"}, Remarks: "Spring stock",
	}
	trucks = wire.Instruction{
		Payee: message.Party{Name: "Prairie Truck Leasing, Inc.", Account: "30011877", Street: "4 Depot Street", Town: "Peoria", State: "IL", PostCode: "61602"},
		Bank:  message.Agent{Routing: "071000013", Name: "Lakeshore National"}, Remarks: "Fleet lease 88-204",
	}
)

// larkspursWires are templates, one wire that waits for a second person, a
// series, one that was saved and some that went out.
func larkspursWires(p *past) []occasion {
	as := func(username string, do func(bank.Caller) error) func() error {
		return func() error { return p.as(username, do) }
	}
	return []occasion{
		{20 * day, as("ana.ruiz", p.wireTemplate("Quarry, stone", "operating", quarry, 0))},
		{20*day - time.Hour, as("ana.ruiz", p.wireTemplate("Truck lease", "operating", trucks, 3_850_00))},
		{p.workday(12), as("dana.reyes", p.wire("operating", nursery, 6_420_00, true, calendar.Once))},
		{p.workday(7), as("ben.okafor", p.wire("operating", quarry, 18_975_50, true, calendar.Once))},
		{6 * time.Hour, as("ben.okafor", p.wire("operating", trucks, 3_850_00, true, calendar.Monthly))},
		{5 * time.Hour, as("lee.tran", p.wire("operating", nursery, 2_310_00, false, calendar.Once))},
		{4 * time.Hour, as("dana.reyes", p.wire("operating", quarry, 14_200_00, true, calendar.Once))},
	}
}

// workday is how long before now the morning of a business day was, so many
// days back or a few more: a wire of that day went out on it.
func (p *past) workday(days int) time.Duration {
	now := p.clock.machine.Now()
	var usual calendar.Calendar // the demo's institutions keep the usual holidays
	on := bank.DayOf(now.AddDate(0, 0, -days), time.UTC)
	for !usual.Open(on) {
		on = calendar.AddDays(on, -1)
	}
	return now.Sub(on.Time(time.UTC).Add(4 * time.Hour))
}

func (p *past) wire(from string, to wire.Instruction, cents bank.Cents, send bool, repeat calendar.Frequency) func(bank.Caller) error {
	var draft wire.Draft
	return func(by bank.Caller) error {
		if draft.ID == "" { // made once: asked for again with its proof, it is the same
			draft = wire.Draft{ID: wire.NewID(p.clock.Now()), Instruction: to, Send: send, Repeat: repeat}
			draft.Account, draft.Cents = p.account(from), cents
		}
		_, err := p.app.Wires.Create(p.ctx, by, draft)
		return err
	}
}

func (p *past) wireTemplate(name, from string, to wire.Instruction, cents bank.Cents) func(bank.Caller) error {
	return func(by bank.Caller) error {
		to.Account, to.Cents = p.account(from), cents
		return p.app.Wires.CreateTemplate(p.ctx, by, wire.TemplateDraft{ID: wire.NewTemplateID(p.clock.Now()), Name: name, Instruction: to})
	}
}
