package matrix_test

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"mandate/internal/db"
	"mandate/internal/host"
	"mandate/internal/moneymovement/ach/recipients"
	"mandate/internal/web/static"
)

// An object is what a route with a name in its pattern is called with: one of
// the organization that the matrix is about. The first that fits is taken.
type object struct {
	in    string // part of the pattern before the name; empty: any
	param string
	is    string // as it stands
	query string // one text, of institution $1 and organization $2
	at    string // "the host": a card there, one that works before others
}

// A route whose pattern has a name that is not here needs a line here.
var objects = []object{
	{param: "task", is: "evl_no-such-task"},
	{param: "ticket", is: "no-such-ticket"},
	{in: "/activity/filters/", param: "name", is: "no-such-filter"},
	{in: "/people/filters/", param: "name", is: "no-such-filter"},
	{param: "token", is: "no-such-token"},
	{param: "factor", is: "no-such-factor"},
	{param: "sign", is: "no-such-sign-in"},
	{param: "message", is: "no-such-message"},
	{in: "/approvals/", param: "item", is: "no-such-item"},
	{param: "request", is: "no-such-request"},
	{in: "/account/products/", param: "application", is: "no-such-application"},
	{param: "webhook", query: `select id from webhook_endpoint where institution_id = $1 and $2 <> '' order by id limit 1`},
	{param: "application", query: `select id from external_application where institution_id = $1 and $2 <> '' order by id limit 1`},
	{in: "/v2/ResourceTypes/", param: "id", is: "User"},
	{in: "/v2/Schemas/", param: "id", is: "urn:ietf:params:scim:schemas:core:2.0:User"},
	{in: "/v2/Users/", param: "id", is: "no-such-user"},
	{in: "/v2/Groups/", param: "id", is: "no-such-group"},
	{in: "/directories/", param: "client", is: "no-such-directory"},
	{param: "ref", is: "matrix-ref"},
	{in: "/messages/", param: "id", is: "1"},
	{param: "account", query: `select a.id from account a join organization o on o.num = a.organization_num where o.institution_id = $1 and o.id = $2 and a.name = 'Operating'`},
	{param: "other", query: `select a.id from account a join organization o on o.num = a.organization_num where o.institution_id = $1 and o.id = $2 and a.name = 'Payroll'`},
	{param: "approval", query: `select id from approval_item where institution_id = $1 and organization_id = $2 and side = 'member' order by case when state = 'waiting' then 0 else 1 end, id limit 1`},
	{in: "/recurring-transfers/", param: "series", query: `select id from transfer_series where institution_id = $1 and organization_id = $2 order by id limit 1`},
	{in: "/recurring-wires/", param: "series", query: `select id from wire_series where institution_id = $1 and organization_id = $2 order by id limit 1`},
	{param: "transfer", query: `select id from transfer where institution_id = $1 and organization_id = $2 order by case when state = 'scheduled' then 0 else 1 end, id limit 1`},
	{param: "stop", query: `select id from stop_payment where institution_id = $1 and organization_id = $2 order by id limit 1`},
	{param: "batch", query: `select id from ach_batch where institution_id = $1 and organization_id = $2 and state <> 'deleted' order by case when state = 'ready' then 0 else 1 end, id limit 1`},
	{param: "run", query: `select r.id from ach_run r join ach_batch b on b.institution_id = r.institution_id and b.organization_id = r.organization_id and b.id = r.batch_id where r.institution_id = $1 and r.organization_id = $2 and b.state <> 'deleted' order by r.id limit 1`},
	{in: "/ach/files/", param: "file", is: "no-such-file"},
	{in: "/ach/layouts/", param: "format", is: string(recipients.CSV)},
	{in: "/positive-pay/layouts/", param: "format", is: "csv"},
	{param: "list", query: `select id from arp_file where institution_id = $1 and organization_id = $2 order by id limit 1`},
	{param: "item", query: `select id from arp_item where institution_id = $1 and organization_id = $2 and kind = 'check' and mismatch <> '' order by case when state = 'open' then 0 else 1 end, id limit 1`},
	{in: "/check-exceptions/", param: "exception", query: `select id from arp_item where institution_id = $1 and organization_id = $2 and kind = 'check' and mismatch <> '' order by case when state = 'open' then 0 else 1 end, id limit 1`},
	{in: "/ach-exceptions/", param: "exception", query: `select id from arp_item where institution_id = $1 and organization_id = $2 and kind = 'ach' and mismatch <> '' order by case when state = 'open' then 0 else 1 end, id limit 1`},
	{param: "case", is: "1"}, // there is none
	{param: "side", is: "front"},
	{param: "wire", query: `select id from wire where institution_id = $1 and organization_id = $2 order by case when state = 'ready' then 0 else 1 end, id limit 1`},
	{in: "/wire-templates/", param: "template", query: `select id from wire_template where institution_id = $1 and organization_id = $2 and not deleted order by id limit 1`},
	{param: "card", at: "the host"},
}

var params = regexp.MustCompile(`\{(\w+)\}`)

// address is a pattern with the objects of the matrix in it.
func (w *world) address(pattern string) string {
	w.t.Helper()
	path := strings.TrimSuffix(pattern, "{$}")
	if path == static.Prefix {
		return static.URL("app.css")
	}
	for {
		at := params.FindStringSubmatchIndex(path)
		if at == nil {
			return path
		}
		path = path[:at[0]] + w.object(pattern, path[:at[0]], path[at[2]:at[3]]) + path[at[1]:]
	}
}

func (w *world) object(pattern, before, param string) string {
	w.t.Helper()
	if strings.Contains(before, "/backoffice/") || strings.Contains(before, "/classic/") {
		if is := w.inCore(param); is != "" {
			return is
		}
	}
	switch param {
	case "institution", "issuer":
		return string(w.institution)
	case "member":
		return string(w.members["colleague"])
	case "organization":
		return string(w.organization.ID)
	case "user":
		if strings.Contains(before, "/settings/") {
			return string(w.members["colleague"])
		}
		return string(w.staff["nothing"])
	case "group":
		return string(w.groups["Nothing"])
	}
	for _, o := range objects {
		if o.param != param || !strings.HasSuffix(before, o.in) {
			continue
		}
		if o.is != "" {
			return o.is
		}
		if o.at != "" {
			return url.PathEscape(w.cards()[0])
		}
		var found string
		err := w.app.DB.Read(w.t.Context(), func(tx *db.Tx) (err error) {
			found, err = db.One(tx, db.Value[string], o.query, w.institution, w.organization.ID)
			return err
		})
		if err != nil {
			w.t.Fatalf("%s: the world has no {%s} for it: %v", pattern, param, err)
		}
		return url.PathEscape(found)
	}
	w.t.Fatalf("%s: say in objects_test.go what {%s} it is called with", pattern, param)
	return ""
}

// cards are the names of the organization's cards, those that work first.
func (w *world) cards() (ids []string) {
	w.t.Helper()
	all, err := w.app.Host.Cards(w.t.Context(), w.institution, w.organization.ID)
	w.must(err)
	slices.SortStableFunc(all, func(a, b host.Card) int {
		return cmp.Compare(strings.TrimPrefix(string(a.State), string(host.CardActive)), strings.TrimPrefix(string(b.State), string(host.CardActive)))
	})
	for _, c := range all {
		ids = append(ids, string(c.ID))
	}
	if len(ids) == 0 {
		w.t.Fatal("the organization has no cards")
	}
	return ids
}

// everyID are the names of all objects that routes are called with.
func (w *world) everyID() (ids []string) {
	w.t.Helper()
	ids = w.cards()
	for _, o := range objects {
		if o.query == "" || strings.Contains(o.query, "from account ") { // a refusal may name an account
			continue
		}
		query, _, _ := strings.Cut(o.query, " limit ")
		w.must(w.app.DB.Read(w.t.Context(), func(tx *db.Tx) error {
			some, err := db.All(tx, db.Value[string], query, w.institution, w.organization.ID)
			ids = append(ids, some...)
			return err
		}))
	}
	return ids
}

// forms are what some routes are sent, because nothing at all would be sent back
// before anybody asks who may: the least that can be read. Nothing of it changes
// anything without a proof, or at all.
var forms = map[string]func(w *world) url.Values{
	"POST /{institution}/settings/users/{user}/save": func(w *world) url.Values {
		return url.Values{"version": {"1"}, "set": {"stops.enabled=off"}}
	},
	"POST /{institution}/settings/users/{user}/edit": func(w *world) url.Values {
		return url.Values{"first_name": {"Matrix"}, "last_name": {"colleague"}, "email": {"colleague@matrix.example"}, "role": {"user"}}
	},
	"POST /{institution}/settings/users/{user}/setup/accounts": func(w *world) url.Values { return url.Values{"do": {"done"}} },
	"POST /{institution}/approvals/{approval}/approve": func(w *world) url.Values {
		return url.Values{"hash": {w.hash()}}
	},
	"POST /{institution}/ach/layouts/{format}": func(w *world) url.Values {
		return url.Values{"name": {"1"}, "routing": {"2"}, "account": {"3"}, "amount": {"4"}, "amounts": {"point"}, "direction": {"credit"}, "kind": {"checking"}}
	},
	"POST /{institution}/ach/several":          severalBatches,
	"POST /{institution}/ach/several/initiate": severalBatches,
	"POST /{institution}/ach/several/delete":   severalBatches,
	"POST /{institution}/positive-pay/review":  oneItem,
	"POST /{institution}/positive-pay/decide":  oneItem,
	"POST /{institution}/positive-pay/entry": func(w *world) url.Values {
		return url.Values{"account": {w.id("account")}, "id": {"arp_0190a5c0-0000-7000-8000-000000000001"}, "number_1": {"1"}, "amount_1": {"1.00"}, "date_1": {"2026-01-05"}}
	},
	"POST /{institution}/users/invite": func(w *world) url.Values {
		return url.Values{"emails": {"newcomer@matrix.example"}, "groups": {string(w.groups["Nothing"])}}
	},
	"POST /{institution}/positive-pay/upload": func(w *world) url.Values {
		return url.Values{"account": {w.id("account")}, "id": {"arp_0190a5c0-0000-7000-8000-000000000002"}, "format": {"csv"}, "file": {"nothing"}}
	},
	"POST /{institution}/settings/terms/save": func(*world) url.Values {
		return url.Values{"name": {"Matrix"}, "edition": {"bank"}, "time_zone": {"America/Chicago"}}
	},
	"POST /{institution}/settings/calendar/day":   func(*world) url.Values { return url.Values{"day": {"2026-12-24"}, "do": {"open"}} },
	"POST /{institution}/settings/calendar/hours": func(*world) url.Values { return url.Values{"line": {"wires"}, "opens": {"07:00"}, "closes": {"16:00"}} },
	"POST /{institution}/settings/payments/ach": func(*world) url.Values {
		return url.Values{"ach_routing": {"021000021"}, "ach_name": {"MATRIX"}, "ach_destination": {"021000021"}, "ach_destination_name": {"OPERATOR"}}
	},
	"POST /{institution}/settings/payments/wires": func(*world) url.Values {
		return url.Values{"wires_routing": {"021000021"}, "wires_name": {"MATRIX"}, "wires_source": {"MATRIX01"}, "wires_format": {"pacs.008"}}
	},
	"POST /{institution}/settings/payments/stops": func(*world) url.Values { return url.Values{"stops_fee": {"1.00"}, "stops_disclaimer": {"Matrix"}} },
	"POST /{institution}/settings/payments/positive-pay": func(*world) url.Values {
		return url.Values{"positive-pay_check": {"return"}, "positive-pay_ach": {"return"}}
	},
	"POST /{institution}/settings/organizations/{organization}/company": func(*world) url.Values {
		return url.Values{"ident": {"MATRIX"}, "name": {"MATRIX"}}
	},
	"POST /{institution}/settings/organizations/{organization}/positive-pay": func(w *world) url.Values {
		return url.Values{"account": {w.id("account")}, "enrol": {"on"}}
	},
	"POST /{issuer}/openid/token":                       func(*world) url.Values { return url.Values{"grant_type": {"client_credentials"}} },
	"POST /{issuer}/openid/revoke":                      func(*world) url.Values { return url.Values{"token": {"none"}} },
	"POST /{institution}/positive-pay/output":           func(w *world) url.Values { return url.Values{"account": {w.id("account")}, "day": {"2030-01-02"}} },
	"POST /{institution}/transfers/{transfer}/review":   oneTransfer,
	"POST /{institution}/positive-pay/layouts/{format}": func(w *world) url.Values { return url.Values{"number": {"1"}, "amount": {"2"}, "date": {"3"}} },
}

func severalBatches(w *world) url.Values { return url.Values{"batch": {w.id("batch") + " 1"}} }

func oneItem(w *world) url.Values {
	return url.Values{"item": {w.id("item") + ":1"}, "verdict": {"pay"}}
}

func oneTransfer(w *world) url.Values {
	return url.Values{"id": {w.id("transfer")}, "from": {w.id("account")}, "to": {w.id("account")}, "amount": {"1.00"}, "on": {"2030-01-02"}}
}

// hash is of what waits, as whoever looks at it is shown it.
func (w *world) hash() string {
	return w.text(`select content_hash from approval_item where institution_id = $1 and organization_id = $2 and id = $3`, w.id("approval"))
}

// id is an object of the organization of the matrix.
func (w *world) id(param string) string {
	w.t.Helper()
	for _, o := range objects {
		if o.param == param && o.query != "" {
			return w.text(o.query)
		}
	}
	w.t.Fatalf("there is no object {%s}", param)
	return ""
}

func (w *world) text(query string, more ...any) (text string) {
	w.t.Helper()
	w.must(w.app.DB.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		text, err = db.One(tx, db.Value[string], query, append([]any{w.institution, w.organization.ID}, more...)...)
		return err
	}))
	return text
}
