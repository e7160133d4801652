package api_test

import (
	"strings"
	"testing"
	"time"

	"mandate/internal/api"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/pdp/pdptest"
)

// Dana may send wires of up to $25,000 from operating, alone up to $10,000, and
// $60,000 a day; Bo the same up to $2,000, from both accounts.
func reversed(t *testing.T, d *db.DB) *program {
	p := start(t, d)
	p.world.Member("first", "acme", "bo", "Bo", entitlement.Settings{
		On:     catalog.SetOf(catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTransmit),
		Limits: entitlement.Limits{}.With(catalog.LimitPerWire, 2_000_00).With(catalog.LimitWiresDaily, 5_000_00),
	})
	for _, account := range []bank.AccountID{"operating", "payroll"} {
		p.world.SetAccount("first", "acme", "bo", account, pdptest.SenderAccount)
	}
	return p
}

func TestWhoMayAndUpToHowMuch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := reversed(t, d)
		const path = "/organizations/acme/who-may?operation=wires.transmit"
		for query, want := range map[string]string{
			"":                             "dana 25000.00 10000.00 60000.00 60000.00 operating; bo 2000.00 2000.00 5000.00 5000.00 operating,payroll",
			"&account=operating":           "dana 25000.00 10000.00 60000.00 60000.00 operating; bo 2000.00 2000.00 5000.00 5000.00 operating",
			"&account=payroll":             "bo 2000.00 2000.00 5000.00 5000.00 payroll",
			"&account=operating&sort=name": "bo 2000.00 2000.00 5000.00 5000.00 operating; dana 25000.00 10000.00 60000.00 60000.00 operating",
			"&amount=2000.01":              "dana 25000.00 10000.00 60000.00 60000.00 operating",
			"&amount=25000.01":             "",
			"&recurring=true":              "",
			"&effective_date=2026-03-03":   "",
			"&search=REY":                  "dana 25000.00 10000.00 60000.00 60000.00 operating",
			"&size=1&page=2":               "bo 2000.00 2000.00 5000.00 5000.00 operating,payroll",
		} {
			var list api.WhoMayList
			p.do("GET", path+query, "").into(&list)
			var got []string
			for _, m := range list.Members {
				got = append(got, strings.Join([]string{m.Member, m.UpTo, m.Alone, m.Day, m.DayAlone, strings.Join(m.Accounts, ",")}, " "))
			}
			if text := strings.Join(got, "; "); text != want || list.Total != 3 {
				t.Errorf("%q: %s of %d, want %s", query, text, list.Total, want)
			}
		}
		for query, want := range map[string]string{
			"?operation=wires.send": "422", "": "422", "?operation=wires.transmit&amount=-1": "422 query.amount",
			"?operation=wires.transmit&effective_date=soon": "422 query.effective_date", "?operation=wires.transmit&member=dana": "422 query.member",
		} {
			if got := p.do("GET", "/organizations/acme/who-may"+query, "").problem(); got != want {
				t.Errorf("%q: %s, want %s", query, got, want)
			}
		}
	})
}

// What a payment used of the day is not there any more, for anybody who asks.
func TestWhatIsUsedIsNotLeft(t *testing.T) {
	p := reversed(t, dbtest.SQLite(t))
	p.do("POST", "/authorizations", `{"ref":"r1","member":"dana","operation":"wires.transmit","account":"operating","amount":"9000.00"}`, "Idempotency-Key", "k1")
	var list api.WhoMayList
	p.do("GET", "/organizations/acme/who-may?operation=wires.transmit&search=dana", "").into(&list)
	if list.Members[0].Day != "51000.00" {
		t.Errorf("%+v", list.Members[0])
	}
	var alone api.AloneList
	p.do("GET", "/organizations/acme/alone", "").into(&alone)
	if m := alone.Members[0]; m.Member != "dana" || m.Total != "51000.00" || m.Parts[0].Used != "9000.00" || m.Parts[0].One != "10000.00" || m.Parts[0].Bound != "organization_user" ||
		alone.Members[1].Total != "5000.00" || alone.Sum != "56000.00" || alone.Could != 2 {
		t.Errorf("%+v", alone)
	}
}

func TestWhatAPersonMay(t *testing.T) {
	p := reversed(t, dbtest.SQLite(t))
	var r api.Reaching
	p.do("GET", "/organizations/acme/members/bo/may", "").into(&r)
	var got []string
	for _, a := range r.May {
		got = append(got, a.Operation+" "+strings.Join(a.Accounts, ",")+" "+a.UpTo)
	}
	want := "account.view operating,payroll |wires.view operating,payroll |wires.transmit operating,payroll 2000.00|wires.approve operating,payroll 2000.00"
	if text := strings.Join(got, "|"); text != want || r.Accounts != 2 || len(r.MayNot) == 0 {
		t.Errorf("%s of %d accounts, %v not; want %s", text, r.Accounts, r.MayNot, want)
	}
	if got := p.do("GET", "/organizations/acme/members/bea/may", "").problem(); got != "404" {
		t.Errorf("somebody of another organization: %s", got)
	}
}

// A moment in the past is asked about by its time, or by the revision that an
// answer carried then.
func TestAsItWas(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := reversed(t, d)
		clock := dbtest.ClockOf(t, d)
		const path = "/organizations/acme/who-may?operation=wires.transmit&search=dana"
		left := func(at string) string {
			var list api.WhoMayList
			p.do("GET", path+at, "").into(&list)
			if len(list.Members) == 0 {
				return "nobody"
			}
			return list.Members[0].Day
		}
		var e api.Explanation
		p.do("POST", "/explain", question("dana", "operating", "1.00")).into(&e)
		token := e.Revision
		var moments, want []string
		remember := func() {
			moments, want = append(moments, clock.Now().UTC().Format(time.RFC3339Nano)), append(want, left(""))
			clock.Advance(time.Minute)
		}
		remember()
		p.do("POST", "/authorizations", `{"ref":"r1","member":"dana","operation":"wires.transmit","account":"operating","amount":"9000.00"}`, "Idempotency-Key", "k1")
		remember()
		p.do("POST", "/authorizations/r1/void", `{}`, "Idempotency-Key", "k2")
		remember()
		p.world.SetStanding("first", "acme", "dana", bank.StatusLocked, false)
		remember()
		if got := strings.Join(want, " "); got != "60000.00 51000.00 60000.00 nobody" {
			t.Fatalf("then it was %s", got)
		}
		for i, at := range moments {
			if got := left("&at=" + at); got != want[i] {
				t.Errorf("at %s %s was left, and now it is said that it was %s", at, want[i], got)
			}
		}
		if got := left("&at=" + token); got != "60000.00" {
			t.Errorf("at the revision it is said that %s was left", got)
		}
		p.do("POST", "/explain", `{"member":"dana","operation":"wires.transmit","account":"operating","amount":"1.00","at":"`+moments[0]+`"}`).into(&e)
		if !e.Decision || e.Revision != token || e.AsOf != moments[0] {
			t.Errorf("as it was: %+v", e)
		}
		for body, status := range map[string]string{
			`"at":"yesterday"`:            "422 body.at",
			`"at":"2099-01-01T00:00:00Z"`: "422",
			`"at":"2001-01-01T00:00:00Z"`: "404 BEFORE_KNOWN",
		} {
			if got := p.do("POST", "/explain", `{"member":"dana","operation":"account.view","account":"operating",`+body+`}`).problem(); got != status {
				t.Errorf("%s: %s, want %s", body, got, status)
			}
		}
		if got := p.do("POST", "/explain", `{"member":"dana","operation":"account.view","at":"`+moments[0]+`"}`, "Mandate-Revision", token).problem(); got != "422" {
			t.Errorf("both: %s", got)
		}
	})
}
