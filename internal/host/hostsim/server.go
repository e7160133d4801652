package hostsim

import (
	"context"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/host/protocol"
)

// Server is the simulator as the protocol asks it: by the simulator's names, and
// with the faults that are set.
func (b *Bank) Server() protocol.Server { return server{b} }

type server struct{ bank *Bank }

// asked lets one question through the faults of its institution.
func asked[T any](ctx context.Context, s server, institution bank.InstitutionID, answer func() (T, error)) (T, error) {
	if _, _, err := s.bank.suffer(ctx, institution); err != nil {
		var none T
		return none, err
	}
	return answer()
}

// each writes a list as the protocol has it.
func each[From, To any](all []From, err error, write func(*From) To) ([]To, error) {
	written := make([]To, 0, len(all))
	for i := range all {
		written = append(written, write(&all[i]))
	}
	return written, err
}

func (s server) About(ctx context.Context, institution bank.InstitutionID) (protocol.About, error) {
	return asked(ctx, s, institution, func() (protocol.About, error) {
		return protocol.About{Protocol: protocol.Version, Name: "Simulated core", Offers: protocol.Features}, nil
	})
}

func (s server) Balances(ctx context.Context, institution bank.InstitutionID, accounts []host.Ref) ([]protocol.Balance, error) {
	return asked(ctx, s, institution, func() (all []protocol.Balance, err error) {
		found, err := s.bank.Balances(ctx, institution, named[bank.AccountID](accounts))
		for id, b := range found {
			all = append(all, protocol.Balance{Account: host.Ref(id), Ledger: b.Ledger, Available: b.Available})
		}
		return all, err
	})
}

func (s server) Numbers(ctx context.Context, institution bank.InstitutionID, accounts []host.Ref) ([]protocol.Number, error) {
	return asked(ctx, s, institution, func() (all []protocol.Number, err error) {
		found, err := s.bank.Numbers(ctx, institution, named[bank.AccountID](accounts))
		for id, number := range found {
			all = append(all, protocol.Number{Account: host.Ref(id), Number: number})
		}
		return all, err
	})
}

func named[To, From ~string](names []From) []To {
	all := make([]To, len(names))
	for i, name := range names {
		all[i] = To(name)
	}
	return all
}

func (s server) Statement(ctx context.Context, institution bank.InstitutionID, account host.Ref, most int) ([]protocol.Line, error) {
	return asked(ctx, s, institution, func() ([]protocol.Line, error) {
		lines, err := s.bank.Statement(ctx, institution, bank.AccountID(account), most)
		return each(lines, err, func(l *host.Line) protocol.Line { return protocol.Line(*l) })
	})
}

func (s server) Carry(ctx context.Context, institution bank.InstitutionID, o protocol.Order) (protocol.Receipt, error) {
	f, chance, err := s.bank.suffer(ctx, institution)
	if err != nil {
		return protocol.Receipt{}, err
	}
	r, err := s.bank.Carry(ctx, orderOf(institution, &o))
	if err == nil && chance.IntN(100) < f.Lose {
		err = errLost
	}
	if err != nil {
		return protocol.Receipt{}, err
	}
	outcome := protocol.Done
	if !r.Done() {
		outcome = protocol.Refused
	}
	return protocol.Receipt{
		Key: o.Key, Outcome: outcome, Reference: r.Reference, At: r.At, Code: r.Refused, Account: host.Ref(r.Account), User: r.User, Version: r.Version,
	}, nil
}

func (s server) Cards(ctx context.Context, institution bank.InstitutionID, organization host.Ref) ([]protocol.Card, error) {
	return asked(ctx, s, institution, func() ([]protocol.Card, error) {
		cards, err := s.bank.Cards(ctx, institution, bank.OrganizationID(organization))
		return each(cards, err, func(c *host.Card) protocol.Card {
			return protocol.Card{
				ID: c.ID, Organization: organization, Account: host.Ref(c.Account), Holder: c.Holder, Kind: c.Kind, LastFour: c.LastFour, Expires: c.Expires,
				State: c.State, Changed: c.Changed, Replaces: c.Replaces, Replacement: c.Replacement,
			}
		})
	})
}

func (s server) Presented(ctx context.Context, institution bank.InstitutionID, after string, most int) ([]protocol.Presented, error) {
	return asked(ctx, s, institution, func() ([]protocol.Presented, error) {
		items, err := s.bank.Presented(ctx, institution, after, most)
		return each(items, err, func(p *host.Presented) protocol.Presented {
			return protocol.Presented{
				Mark: p.Mark, Item: p.Item, Organization: host.Ref(p.Organization), Account: host.Ref(p.Account), Kind: p.Kind, Day: p.Day, Number: p.Number,
				Cents: p.Cents, Payee: p.Payee, Mismatch: p.Mismatch, Outcome: p.Outcome, Company: p.Company, CompanyID: p.CompanyID, Class: p.Class,
				Description: p.Description, Trace: p.Trace, Sides: p.Sides, At: p.At,
			}
		})
	})
}

func (s server) Image(ctx context.Context, institution bank.InstitutionID, item string, side host.Side) ([]byte, error) {
	return asked(ctx, s, institution, func() ([]byte, error) { return s.bank.Image(ctx, institution, item, side) })
}

func (s server) Organizations(ctx context.Context, institution bank.InstitutionID, after host.Ref, most int) ([]protocol.Organization, error) {
	return asked(ctx, s, institution, func() ([]protocol.Organization, error) {
		all, err := s.bank.Organizations(ctx, institution, after, most)
		return each(all, err, protocol.OrganizationOf)
	})
}

func (s server) Users(ctx context.Context, institution bank.InstitutionID, after host.Ref, most int) ([]protocol.User, error) {
	return asked(ctx, s, institution, func() ([]protocol.User, error) {
		all, err := s.bank.Users(ctx, institution, after, most)
		return each(all, err, protocol.UserOf)
	})
}

func (s server) User(ctx context.Context, institution bank.InstitutionID, ref host.Ref) (protocol.User, error) {
	return asked(ctx, s, institution, func() (protocol.User, error) {
		u, err := s.bank.User(ctx, institution, ref)
		return protocol.UserOf(&u), err
	})
}

func (s server) Defaults(ctx context.Context, institution bank.InstitutionID) ([]protocol.Defaults, error) {
	return asked(ctx, s, institution, func() ([]protocol.Defaults, error) {
		all, err := s.bank.Defaults(ctx, institution)
		return each(all, err, protocol.DefaultsOf)
	})
}

func (s server) Events(ctx context.Context, institution bank.InstitutionID, after string, most int) ([]protocol.Event, error) {
	return asked(ctx, s, institution, func() ([]protocol.Event, error) {
		all, err := s.bank.Events(ctx, institution, after, most)
		return each(all, err, protocol.EventOf)
	})
}

// orderOf is an order of the protocol as the simulator has it.
func orderOf(institution bank.InstitutionID, o *protocol.Order) host.Order {
	room, ref, two := strings.Cut(o.Key, "/")
	if !two {
		room, ref = "", o.Key
	}
	out := host.Order{
		Institution: institution, Organization: bank.OrganizationID(o.Organization), Room: room, Ref: ref, Day: o.Day, Memo: o.Memo, Free: o.Free, Lift: o.Lift,
		File: (*host.File)(o.File), Ruling: (*host.Ruling)(o.Ruling), Card: (*host.CardOrder)(o.Card),
	}
	for _, leg := range o.Legs {
		account := bank.AccountID(leg.Account)
		switch {
		case leg.Internal != "":
			account = host.Internal(leg.Internal)
		case host.IsInternal(account):
			account = "" // no customer's account is called like that
		}
		out.Legs = append(out.Legs, host.Leg{Account: account, Cents: leg.Cents})
	}
	if h := o.Hold; h != nil {
		out.Hold = &host.Hold{Account: bank.AccountID(h.Account), Cents: h.Cents}
	}
	if s := o.Stop; s != nil {
		out.Stop = &host.Stop{Account: bank.AccountID(s.Account), First: s.First, Last: s.Last, Cents: s.Cents, Until: s.Until}
	}
	if e := o.Enrol; e != nil {
		out.Enrol = &host.Enrolment{Account: bank.AccountID(e.Account), On: e.On}
	}
	if i := o.Issued; i != nil {
		out.Issued = &host.Issued{Account: bank.AccountID(i.Account)}
		for _, check := range i.Checks {
			out.Issued.Checks = append(out.Issued.Checks, host.IssuedCheck(check))
		}
	}
	if u := o.User; u != nil {
		out.User = &host.UserOrder{Step: u.Step, User: userOf(&u.User), Fields: u.Fields}
	}
	return out
}

// userOf is the user of an order. Where its words are none, the zero ones stand:
// they allow least.
func userOf(u *protocol.User) host.User {
	role, _ := bank.ParseRole(u.Role)
	status, _ := bank.ParseStatus(u.Status)
	return host.User{
		Ref: u.Ref, Organization: u.Organization, Member: u.Member, Version: u.Version, FirstName: u.FirstName, LastName: u.LastName, Email: u.Email,
		Username: u.Username, Role: role, Status: status, Held: u.Held, Permissions: u.Permissions, Accounts: u.Accounts,
	}
}
