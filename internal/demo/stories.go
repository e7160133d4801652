package demo

import (
	"time"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/usermgmt"
)

// larkspursPast is a month at Larkspur: somebody in every status, links in every
// state, and a history worth reading. It ends shortly before now.
func larkspursPast(p *past) []occasion {
	users, ctx := p.app.Users, p.ctx
	reset := func(key string) func(bank.Caller) error {
		return func(by bank.Caller) error { return users.SendReset(ctx, by, p.who(key)) }
	}
	hold := func(key, why string) func(bank.Caller) error {
		return func(by bank.Caller) error { return users.Hold(ctx, by, p.who(key), why) }
	}
	return append([]occasion{
		{27 * day, func() error {
			return p.as("ana.ruiz", p.set("dana", map[string]entitlement.Value{catalog.WiresPerWireLimit.ID(): entitlement.LimitTo(20_000_00)}))
		}},
		{24 * day, func() error {
			return p.as("ben.okafor", p.create("jordan", "Jordan", "Pike", "jordan@larkspur.example.com", bank.RoleUser))
		}},
		{24*day - time.Hour, func() error { return p.as("ben.okafor", p.invite("jordan", "yard-south")) }},
		{21*day + 2*time.Hour, func() error { return p.wrongPasswords("lee.tran") }},
		{21 * day, func() error {
			return p.as("ben.okafor", func(by bank.Caller) error { return users.Unlock(ctx, by, p.who("lee")) })
		}},
		{18 * day, func() error { return p.as("ana.ruiz", hold("lee", "On leave until the 20th")) }},
		{16 * day, func() error {
			return p.as("ana.ruiz", func(by bank.Caller) error { return users.Delete(ctx, by, p.who("jordan")) })
		}},
		{15 * day, func() error {
			return p.as("ana.ruiz", func(by bank.Caller) error {
				return users.EditProfile(ctx, by, p.who("dana"), usermgmt.Details{
					FirstName: "Dana", LastName: "Reyes", Email: "dana.reyes@larkspur.example.com", Role: bank.RoleUser})
			})
		}},
		{14 * day, func() error { return p.disabledAtHost("tomas") }},
		{13 * day, func() error { return p.refused("vera.lindqvist", hold("lee", "")) }},
		{12 * day, func() error {
			return p.as("ben.okafor", p.create("sofia", "Sofia", "Marsh", "sofia@larkspur.example.com", bank.RoleViewer))
		}},
		{12*day - 10*time.Minute, func() error { return p.as("ben.okafor", p.invite("sofia", "operating")) }},
		{11 * day, func() error {
			return p.as("ana.ruiz", func(by bank.Caller) error { return users.Release(ctx, by, p.who("lee")) })
		}},
		{10 * day, func() error {
			return p.as("ana.ruiz", p.set("dana", map[string]entitlement.Value{catalog.WiresPerWireLimit.ID(): entitlement.LimitTo(25_000_00)}))
		}},
		{9 * day, func() error { return p.as("ben.okafor", p.invite("priya", "")) }},
		{8 * day, func() error { return p.newAccount(account{"equipment", "Equipment reserve", "4532", "savings"}) }},
		{6 * day, func() error { return p.as("ana.ruiz", hold("ingrid", "Parental leave")) }},
		{6*day - time.Hour, func() error {
			return p.as("lee.tran", p.transfer("operating", "payroll", 640_00, "Petty cash", 1, transfer.Once))
		}},
		{6*day - 2*time.Hour, func() error { return p.as("dana.reyes", p.stop("operating", 2207, 318_40, "Oakline Fencing")) }},
		{6*day - 3*time.Hour, func() error { return p.as("ben.okafor", p.set("lee", allows(false))) }},
		{6*day - 3*time.Hour, p.positivePay},
		{6*day - 4*time.Hour, func() error { return p.as("dana.reyes", p.issuesChecks) }},
		{6*day - 5*time.Hour, p.exceptionsCame},
		{6*day - 6*time.Hour, func() error { return p.as("dana.reyes", p.decidesAll) }},
		{5 * day, func() error {
			return p.as("ben.okafor", p.create("emil", "Emil", "Sørensen", "emil@larkspur.example.com", bank.RoleUser))
		}},
		{5*day - 5*time.Minute, func() error { return p.as("ben.okafor", p.invite("emil", "fleet")) }},
		{4 * day, func() error {
			return p.as("ben.okafor", func(by bank.Caller) error { return users.CancelInvitation(ctx, by, p.who("emil")) })
		}},
		{3 * day, func() error {
			return p.as("ana.ruiz", p.create("hana", "Hana", "Kimura", "hana@larkspur.example.com", bank.RoleUser))
		}},
		{3*day - 5*time.Minute, func() error { return p.as("ana.ruiz", p.invite("hana", "materials")) }},
		{2*day + time.Hour, func() error {
			return p.join("hana", "hana@larkspur.example.com", "hana.kimura", "Hana Kimura", "user, pending: has credentials, and never signed in")
		}},
		{2 * day, func() error { return p.as("ana.ruiz", p.invite("priya", "")) }},
		{day + time.Hour, func() error { return p.as("ben.okafor", reset("dana")) }},
		{day, func() error {
			return p.as("ana.ruiz", p.create("marek", "Marek", "Dvořák", "marek@larkspur.example.com", bank.RoleUser))
		}},
		{9 * time.Hour, func() error { return p.as("ben.okafor", p.set("lee", allows(true))) }}, // what Lee asked for is parked
		{8 * time.Hour, func() error {
			return p.as("dana.reyes", p.transfer("operating", "payroll", 4_200_00, "Overtime", 9, transfer.Once))
		}},
		{7 * time.Hour, func() error {
			return p.as("dana.reyes", p.transfer("operating", "materials", 1_500_00, "Purchasing float", 5, calendar.Monthly))
		}},
		{4 * time.Hour, func() error { return p.as("lee.tran", p.entersChecks) }},
		{3 * time.Hour, func() error { return p.wrongPasswords("omar.haddad") }},
	}, larkspursWires(p)...)
}

// allows switches transfers.
func allows(on bool) map[string]entitlement.Value {
	return map[string]entitlement.Value{catalog.TransfersAllow.ID(): entitlement.SwitchTo(on)}
}

// harborlightsPast is a quiet fortnight at the credit union.
func harborlightsPast(p *past) []occasion {
	users, ctx := p.app.Users, p.ctx
	return []occasion{
		{14 * day, func() error {
			return p.as("noor.siddiqui", func(by bank.Caller) error { return users.Hold(ctx, by, p.who("joel"), "Sick") })
		}},
		{12 * day, func() error {
			return p.as("noor.siddiqui", func(by bank.Caller) error { return users.Release(ctx, by, p.who("joel")) })
		}},
		{5 * day, func() error {
			return p.as("noor.siddiqui", p.set("joel", map[string]entitlement.Value{catalog.TransfersLimit.ID(): entitlement.LimitTo(18_000_00)}))
		}},
	}
}
