package demo

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/moneymovement/ach/recipients"
)

// routing is a routing number that no institution has: eight digits, and the
// ninth that checks them.
func routing(first string) string {
	for last := range 10 {
		if number := fmt.Sprintf("%s%d", first, last); bank.IsRouting(number) {
			return number
		}
	}
	return ""
}

// sender says how an institution's ACH files are addressed.
func (b *builder) sender(ctx context.Context, operator bank.Caller, name string) error {
	return b.app.ACH.SetSender(ctx, operator, ach.Sender{
		Routing: routing("07999911"), Name: plain(name, 23), Destination: routing("07999999"), DestinationName: "ACH Operator",
	})
}

// plain is a name as a file can carry it.
func plain(name string, most int) string {
	name = strings.Map(func(r rune) rune {
		if nacha.Plain(string(r)) {
			return r
		}
		return -1
	}, name)
	return strings.TrimSpace(name[:min(len(name), most)])
}

// company sets up who an organization's batches are of.
func (p *past) company(ident, name string, exposure bank.Cents, classes ...string) error {
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Demo", Institution: p.institution, Channel: bank.ChannelCommand}
	return p.app.ACH.SetCompany(p.ctx, operator, p.keys.Organization, ach.Company{Ident: ident, Name: name, Exposure: exposure, Classes: classes})
}

// A payee is a recipient of the demo's batches.
type payee struct {
	name   string
	bank   string // eight digits of a routing number
	number string
	cents  bank.Cents
}

func (r payee) draft() ach.EntryDraft {
	return ach.EntryDraft{Recipient: recipients.Recipient{Name: r.name, Account: r.number, Routing: routing(r.bank), Amount: r.cents, Kind: nacha.Checking, ID: r.number[len(r.number)-4:]}}
}

func drafts(all ...payee) (entries []ach.EntryDraft) {
	for _, r := range all {
		entries = append(entries, r.draft())
	}
	return entries
}

// batch is a new batch of somebody's; it is remembered under its name.
func (p *past) batch(username string, h ach.Header, entries []ach.EntryDraft) func() error {
	return func() error {
		return p.as(username, func(by bank.Caller) error {
			id, err := p.app.ACH.Create(p.ctx, by, h, entries)
			p.batches[h.Name] = id
			return err
		})
	}
}

// send initiates a batch, or submits it, from the operating account.
func (p *past) send(username, name string, submit bool) func() error {
	return func() error {
		return p.as(username, func(by bank.Caller) error {
			d, err := p.app.ACH.Get(p.ctx, by, p.batches[name])
			if err != nil {
				return err
			}
			order := ach.Order{Batch: d.ID, Version: d.Version, Offset: p.keys.Accounts[p.organization.key+"-operating"]}
			if submit {
				_, _, err = p.app.ACH.Submit(p.ctx, by, order)
			} else {
				_, _, err = p.app.ACH.Initiate(p.ctx, by, order)
			}
			return err
		})
	}
}

// reject says no to what waits.
func (p *past) reject(username, name, comment string) func() error {
	return func() error {
		return p.as(username, func(by bank.Caller) error {
			d, err := p.app.ACH.Get(p.ctx, by, p.batches[name])
			if err != nil {
				return err
			}
			item, err := p.app.Approvals.About(p.ctx, by, ach.Room, string(d.Run))
			if err != nil {
				return err
			}
			return p.app.Approvals.Reject(p.ctx, by, item.ID, comment)
		})
	}
}

// hours is what the product does by itself.
func (p *past) hours() error {
	for _, work := range []func(context.Context) (int, error){p.app.ACH.Tick, p.app.Transfers.RunDue, p.app.Wires.RunDue} {
		if _, err := work(p.ctx); err != nil {
			return err
		}
	}
	p.app.Desk.Now(p.ctx)
	return nil
}

// file is a NACHA file of an organization's own program.
func (p *past) file(ident, company string, all ...payee) ([]byte, error) {
	out := nacha.NewBatch(company, "", ident, "PPD", "MEMBERSHIP")
	var sum bank.Cents
	for _, r := range all {
		out.Entries = append(out.Entries, nacha.NewEntry("PPD", 27, routing(r.bank), r.number, r.cents, r.number[len(r.number)-4:], r.name, "", ""))
		sum += r.cents
	}
	out.Entries = append(out.Entries, nacha.NewEntry("PPD", 22, routing("07999911"), "5500004417", sum, "OFFSET", company, "", ""))
	written, err := nacha.Write(nacha.Outgoing{
		Destination: routing("07999911"), DestinationName: "Larkspur's bank", Origin: routing("07999911"), OriginName: company,
		Created: p.clock.Now(), Effective: p.clock.Now().Add(2 * day), Modifier: 'A', Batches: []nacha.Batch{out},
	})
	return written.Bytes, err
}

// upload brings a file in.
func (p *past) upload(username, name, ident, company string, all ...payee) func() error {
	return func() error {
		text, err := p.file(ident, company, all...)
		if err != nil {
			return err
		}
		return p.as(username, func(by bank.Caller) error {
			ids, err := p.app.ACH.UploadFile(p.ctx, by, ach.Upload{Name: name, File: bytes.NewReader(text)})
			if err == nil {
				p.batches[name] = ids[0]
			}
			return err
		})
	}
}

// achPast is what an organization of the cast did with ACH; nothing where it
// does none.
func (p *past) achPast() []occasion {
	switch p.organization.key {
	case "larkspur":
		return p.larkspursACH()
	case "harborlight":
		return p.harborlightsACH()
	}
	return nil
}

var (
	crew = []payee{{"Marisol Vega", "07999922", "4400183", 2_184_50}, {"Theo Brandt", "07999933", "9920041", 1_962_13}, {"Nadia Osei", "07999922", "4400771", 2_410_00},
		{"Pilar Ximenez", "07999944", "100238847", 1_875_40}, {"Gus Andersen", "07999933", "9920512", 2_055_75}, {"Wen Li", "07999955", "70013377", 3_120_00}}
	suppliers = []payee{{"Millbrook Nursery", "07999944", "551200983", 6_240_00}, {"Stonegate Aggregates", "07999955", "80022410", 11_875_50}, {"Baxter Seed and Sod", "07999922", "4419907", 3_308_25}}
	clients   = []payee{{"Orchard Row HOA", "07999933", "7730021", 480_00}, {"Elm Street Dental", "07999944", "100900311", 325_00}, {"Mill Lane Condos", "07999955", "70099120", 760_00}}
)

func (p *past) larkspursACH() []occasion {
	payroll := ach.Header{Name: "Payroll, crews", Company: "1363055500", Class: "PPD", Description: "PAYROLL"}
	vendors := ach.Header{Name: "Vendor payments", Company: "1363055500", Class: "CCD", Description: "VENDORS"}
	fuel := ach.Header{Name: "Fuel cards", Company: "1363055500", Class: "CCD", Description: "FUEL"}
	tax := ach.Header{Name: "State sales tax", Kind: ach.Tax, Company: "1363055500", Class: "CCD", Description: "SALES TAX"}
	rent := ach.Header{Name: "Yard rents", Company: "1363055500", Class: "CCD", Description: "RENT"}
	contractors := ach.Header{Name: "Contractors", Company: "1363055500", Class: "PPD", Description: "CONTRACT"}
	skipped := drafts(payee{"Ida Falk Paving", "07999933", "7712093", 4_100_00}, payee{"Rowan Tree Care", "07999922", "4406612", 2_750_00}, payee{"Brightwater Pumps", "07999944", "100771200", 1_900_00})
	skipped[1].Held, skipped[2].Prenote = true, true
	return []occasion{
		{26 * day, func() error { return p.company("1363055500", "LARKSPUR LANDSC", 120_000_00, "PPD", "CCD") }},
		{25 * day, func() error { return p.company("9363055501", "LARKSPUR GARDEN", 0, "PPD", "WEB") }},
		{22 * day, func() error {
			return p.as("ana.ruiz", func(by bank.Caller) (err error) {
				payroll.Category, err = p.app.ACH.SetCategory(p.ctx, by, ach.Category{Name: "Payroll", Restricted: true})
				return err
			})
		}},
		{22*day - time.Hour, func() error {
			return p.as("ana.ruiz", func(by bank.Caller) (err error) {
				vendors.Category, err = p.app.ACH.SetCategory(p.ctx, by, ach.Category{Name: "Suppliers"})
				return err
			})
		}},
		{20 * day, func() error { return p.batch("ana.ruiz", payroll, drafts(crew...))() }},
		{17 * day, p.send("ben.okafor", "Payroll, crews", false)},
		{12*day + time.Hour, p.hours},
		{11*day + time.Hour, p.hours},
		{11 * day, func() error { return p.batch("dana.reyes", vendors, drafts(suppliers...))() }},
		{10*day + time.Hour, p.upload("dana.reyes", "Garden club dues, last month", "9363055501", "LARKSPUR GARDEN", clients...)},
		{9*day + time.Hour, p.send("ben.okafor", "Garden club dues, last month", false)},
		{8*day + time.Hour, p.batch("lee.tran", fuel, drafts(payee{"Corner Fuel Co", "07999955", "80013370", 1_412_90}))},
		{7*day + time.Hour, p.batch("dana.reyes", contractors, skipped)},
		{4*day + time.Hour, p.hours},
		{4 * day, p.batch("dana.reyes", rent, drafts(payee{"Northfield Holdings", "07999944", "551700222", 3_900_00}, payee{"Quarry Road LLC", "07999933", "7700814", 2_850_00}))},
		{3*day + time.Hour, p.send("dana.reyes", "Yard rents", true)},
		{3 * day, p.reject("ben.okafor", "Yard rents", "Quarry Road has a new account from this month. Please ask them.")},
		{2*day + 2*time.Hour, p.upload("dana.reyes", "Garden club dues", "9363055501", "LARKSPUR GARDEN", clients[1:]...)},
		{2*day + time.Hour, p.batch("ben.okafor", tax, drafts(payee{"State Revenue Office", "07999922", "44000001", 5_212_08}))},
		{day, func() error {
			return p.as("ana.ruiz", func(by bank.Caller) error {
				d, err := p.app.ACH.Get(p.ctx, by, p.batches["Payroll, crews"])
				if err != nil {
					return err
				}
				first := bank.DayOf(p.clock.Now().Add(8*day), time.UTC)
				return p.app.ACH.SetSchedule(p.ctx, by, d.Version, ach.Schedule{Batch: d.ID, Frequency: ach.TwoWeeks, First: first, Offset: p.keys.Accounts["larkspur-payroll"]})
			})
		}},
		{5 * time.Hour, p.send("ben.okafor", "Fuel cards", false)},
		{2 * time.Hour, p.send("dana.reyes", "Vendor payments", true)},
	}
}

func (p *past) harborlightsACH() []occasion {
	dock := ach.Header{Name: "Dock fees", Company: "1911108000", Class: "CCD", Description: "DOCK FEES"}
	return []occasion{
		{26 * day, func() error { return p.company("1911108000", "HARBORLIGHT", 0) }},
		{6 * day, p.batch("noor.siddiqui", dock, drafts(payee{"Port of Tannery Row", "07999966", "3300187", 1_250_00}, payee{"Skagit Ice", "07999977", "9101", 310_40}))},
	}
}
