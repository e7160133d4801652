package protocol

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// prefix is where the protocol is served, and after it the institution.
const prefix = "/v1/"

// keyHeader carries the key of an order.
const keyHeader = "Idempotency-Key"

// What is asked and answered around the types of this package.
type (
	AccountQuery struct {
		Accounts []host.Ref `json:"accounts" maxItems:"500"`
	}
	BalanceList struct {
		Balances []Balance `json:"balances"`
	}
	NumberList struct {
		Numbers []Number `json:"numbers"`
	}
	LineList struct {
		Lines []Line `json:"lines"`
	}
	CardList struct {
		Cards []Card `json:"cards"`
	}
	PresentedList struct {
		Items []Presented `json:"items"`
	}
	OrganizationList struct {
		Organizations []Organization `json:"organizations"`
	}
	UserList struct {
		Users []User `json:"users"`
	}
	DefaultsList struct {
		Defaults []Defaults `json:"defaults"`
	}
	EventList struct {
		Events []Event `json:"events"`
	}
)

// A call is one request after its key was checked.
type call struct {
	ctx         context.Context
	server      Server
	institution bank.InstitutionID
	query       url.Values
	key         string // of an order
	body        []byte
}

// An endpoint is one address of the protocol.
type endpoint struct {
	method, name string
	id, summary  string
	query        []parameter
	asks         any // what the body is; nil: there is none
	answers      any // nil: a picture
	refuses      []problem
	bound        int64 // bytes of the body
	serve        func(*call) (any, error)
}

// A parameter of the address.
type parameter struct {
	name, doc string
	needed    bool
	page      bool // a number of entries
	words     []string
}

var (
	after = parameter{name: "after", doc: "Begin after this one; absent: at the beginning."}
	most  = parameter{name: "most", doc: "At most so many entries; there may be fewer, and none only at the end.", page: true}
)

// A problem is one of the answers that are none of the usual.
type problem struct {
	status int
	code   string
	err    error
	detail string
}

// The problems that a caller tells apart.
var (
	reused     = problem{http.StatusConflict, "KEY_REUSED", host.ErrReused, "This Idempotency-Key stands for another order."}
	noUser     = problem{http.StatusNotFound, "NO_USER", host.ErrNoUser, "There never was such a user."}
	noImage    = problem{http.StatusNotFound, "NO_IMAGE", host.ErrNoImage, "There is no such picture."}
	noMark     = problem{http.StatusGone, "NO_MARK", host.ErrNoMark, "There is no such mark, or it is too long ago."}
	notOffered = problem{http.StatusNotImplemented, "NOT_OFFERED", host.ErrNotOffered, "This is not offered to the institution."}
)

var problems = []problem{reused, noUser, noImage, noMark, notOffered}

// endpoints are all addresses of the protocol. The description is made of them.
var endpoints = []endpoint{
	{method: "GET", name: "about", id: "about", summary: "Say what the host is and what it offers", answers: About{}, serve: serveAbout},
	{method: "POST", name: "balances", id: "balances", summary: "Read what accounts hold; one that is not there is absent", asks: AccountQuery{}, answers: BalanceList{}, bound: maxAsk, serve: serveBalances},
	{method: "POST", name: "numbers", id: "numbers", summary: "Read the full numbers of accounts; one that has none is absent", asks: AccountQuery{}, answers: NumberList{}, bound: maxAsk, serve: serveNumbers},
	{method: "GET", name: "statement", id: "statement", summary: "List what was posted to an account, the latest first",
		query: []parameter{{name: "account", doc: "The account.", needed: true}, most}, answers: LineList{}, serve: serveStatement},
	{method: "POST", name: "orders", id: "carry", summary: "Carry an order out, all of it or nothing, once for each key",
		asks: Order{}, answers: Receipt{}, refuses: []problem{reused}, bound: maxOrder, serve: serveOrder},
	{method: "GET", name: "cards", id: "cards", summary: "List an organization's cards",
		query: []parameter{{name: "organization", doc: "The organization.", needed: true}}, answers: CardList{}, refuses: []problem{notOffered}, serve: serveCards},
	{method: "GET", name: "items", id: "items", summary: "List what came in against accounts under Positive Pay, in the order in which it came",
		query: []parameter{after, most}, answers: PresentedList{}, refuses: []problem{noMark, notOffered}, serve: servePresented},
	{method: "GET", name: "image", id: "image", summary: "Show one side of a presented check",
		query:   []parameter{{name: "item", doc: "The item.", needed: true}, {name: "side", doc: "Which side.", needed: true, words: []string{"front", "back"}}},
		refuses: []problem{noImage, notOffered}, serve: serveImage},
	{method: "GET", name: "organizations", id: "organizations", summary: "List the organizations with their accounts, in the order of their refs, byte by byte",
		query: []parameter{after, most}, answers: OrganizationList{}, refuses: []problem{notOffered}, serve: serveOrganizations},
	{method: "GET", name: "users", id: "users", summary: "List the users that were not deleted, in the order of their refs, byte by byte",
		query: []parameter{after, most}, answers: UserList{}, refuses: []problem{notOffered}, serve: serveUsers},
	{method: "GET", name: "user", id: "user", summary: "Read one user, deleted or not",
		query: []parameter{{name: "ref", doc: "The user.", needed: true}}, answers: User{}, refuses: []problem{noUser, notOffered}, serve: serveUser},
	{method: "GET", name: "defaults", id: "defaults", summary: "Read what new users get, for each role", answers: DefaultsList{}, refuses: []problem{notOffered}, serve: serveDefaults},
	{method: "GET", name: "events", id: "events", summary: "List what changed, in the order in which it is told",
		query: []parameter{after, most}, answers: EventList{}, refuses: []problem{noMark, notOffered}, serve: serveEvents},
}

// malformed is a request that cannot be understood.
type malformed struct{ problems []string }

func (malformed) Error() string { return "the request cannot be understood" }

// asked reads the body.
func (c *call) asked(into any) error {
	if err := read(c.body, into, true); err != nil {
		return malformed{problemsOf(err)}
	}
	return nil
}

// most is how many entries are asked for.
func (c *call) most() int {
	n, err := strconv.Atoi(c.query.Get("most"))
	if err != nil {
		return maxPage
	}
	return n
}

func serveAbout(c *call) (any, error) { return c.server.About(c.ctx, c.institution) }

func serveBalances(c *call) (any, error) {
	accounts, err := c.accounts()
	if err != nil {
		return nil, err
	}
	all, err := c.server.Balances(c.ctx, c.institution, accounts)
	return BalanceList{some(all)}, err
}

func serveNumbers(c *call) (any, error) {
	accounts, err := c.accounts()
	if err != nil {
		return nil, err
	}
	all, err := c.server.Numbers(c.ctx, c.institution, accounts)
	return NumberList{some(all)}, err
}

func (c *call) accounts() ([]host.Ref, error) {
	var asked AccountQuery
	if err := c.asked(&asked); err != nil {
		return nil, err
	}
	if len(asked.Accounts) > maxPage {
		return nil, malformed{[]string{"accounts: at most " + strconv.Itoa(maxPage)}}
	}
	return asked.Accounts, nil
}

func serveStatement(c *call) (any, error) {
	all, err := c.server.Statement(c.ctx, c.institution, host.Ref(c.query.Get("account")), c.most())
	return LineList{some(all)}, err
}

func serveOrder(c *call) (any, error) {
	o := Order{Key: c.key}
	if err := c.asked(&o); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, malformed{problemsOf(err)}
	}
	receipt, err := c.server.Carry(c.ctx, c.institution, o)
	if err != nil {
		return nil, err
	}
	receipt.Key = o.Key
	if err := receipt.check(&o); err != nil {
		return nil, errors.Join(errors.New("the receipt is not one"), err)
	}
	return receipt, nil
}

func serveCards(c *call) (any, error) {
	all, err := c.server.Cards(c.ctx, c.institution, host.Ref(c.query.Get("organization")))
	return CardList{some(all)}, err
}

func servePresented(c *call) (any, error) {
	all, err := c.server.Presented(c.ctx, c.institution, c.query.Get("after"), c.most())
	return PresentedList{some(all)}, err
}

func serveImage(c *call) (any, error) {
	return c.server.Image(c.ctx, c.institution, c.query.Get("item"), host.Side(c.query.Get("side")))
}

func serveOrganizations(c *call) (any, error) {
	all, err := c.server.Organizations(c.ctx, c.institution, host.Ref(c.query.Get("after")), c.most())
	for i := range all {
		all[i].Accounts = some(all[i].Accounts)
	}
	return OrganizationList{some(all)}, err
}

func serveUsers(c *call) (any, error) {
	all, err := c.server.Users(c.ctx, c.institution, host.Ref(c.query.Get("after")), c.most())
	return UserList{some(all)}, err
}

func serveUser(c *call) (any, error) {
	return c.server.User(c.ctx, c.institution, host.Ref(c.query.Get("ref")))
}

func serveDefaults(c *call) (any, error) {
	all, err := c.server.Defaults(c.ctx, c.institution)
	for i := range all {
		if all[i].Permissions == nil {
			all[i].Permissions = map[string]string{}
		}
	}
	return DefaultsList{some(all)}, err
}

func serveEvents(c *call) (any, error) {
	all, err := c.server.Events(c.ctx, c.institution, c.query.Get("after"), c.most())
	for i := range all {
		if o := all[i].Organization; o != nil {
			o.Accounts = some(o.Accounts)
		}
		if d := all[i].Defaults; d != nil && d.Permissions == nil {
			d.Permissions = map[string]string{}
		}
	}
	return EventList{some(all)}, err
}

// some is a list that is there, be it empty.
func some[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}
