package usermgmt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// What is kept of the past is packed: a version, then numbers and texts in the
// order of the fields. Nothing that was written is ever written anew, so a
// change of the form gets a version of its own, and the older ones stay readable.
const stateVersion = 1

// A pastMember is a member as they were, with all their accounts.
type pastMember struct {
	id       bank.UserID
	name     string
	role     bank.Role
	status   bank.Status
	held     bool
	settings entitlement.Settings
	accounts []pastAccess
}

// A pastAccess is what a member had on an account.
type pastAccess struct {
	account  int64 // its number
	settings entitlement.Settings
}

type pastAccount struct {
	id    bank.AccountID
	label string
	off   catalog.EntitlementSet
}

type pastOrganization struct {
	entitlements catalog.EntitlementSet
	ceilings     entitlement.Limits
}

type pastInstitution struct {
	edition bank.Edition
	zone    string
	offers  catalog.EntitlementSet
}

func (m *pastMember) pack() []byte {
	p := packing{stateVersion}
	p.text(string(m.id))
	p.text(m.name)
	p.number(uint64(m.role))
	p.number(uint64(m.status))
	p.flag(m.held)
	p.settings(m.settings)
	p.number(uint64(len(m.accounts)))
	for _, a := range m.accounts {
		p.number(uint64(a.account))
		p.settings(a.settings)
	}
	return p
}

func unpackMember(state []byte) (m pastMember, err error) {
	u := unpack(state)
	m = pastMember{
		id: bank.UserID(u.text()), name: u.text(), role: bank.Role(u.number()), status: bank.Status(u.number()), held: u.number() != 0, settings: u.settings(),
	}
	for n := u.number(); n > 0 && !u.bad; n-- {
		m.accounts = append(m.accounts, pastAccess{int64(u.number()), u.settings()})
	}
	return m, u.err()
}

func (a *pastAccount) pack() []byte {
	p := packing{stateVersion}
	p.text(string(a.id))
	p.text(a.label)
	p.number(uint64(a.off))
	return p
}

func unpackAccount(state []byte) (pastAccount, error) {
	u := unpack(state)
	a := pastAccount{bank.AccountID(u.text()), u.text(), catalog.EntitlementSet(u.number())}
	return a, u.err()
}

func (o *pastOrganization) pack() []byte {
	p := packing{stateVersion}
	p.number(uint64(o.entitlements))
	p.limits(o.ceilings)
	return p
}

func unpackOrganization(state []byte) (pastOrganization, error) {
	u := unpack(state)
	o := pastOrganization{catalog.EntitlementSet(u.number()), u.limits()}
	return o, u.err()
}

func (i *pastInstitution) pack() []byte {
	p := packing{stateVersion}
	p.number(uint64(i.edition))
	p.text(i.zone)
	p.number(uint64(i.offers))
	return p
}

func unpackInstitution(state []byte) (pastInstitution, error) {
	u := unpack(state)
	i := pastInstitution{bank.Edition(u.number()), u.text(), catalog.EntitlementSet(u.number())}
	return i, u.err()
}

// packing is a state being written.
type packing []byte

func (p *packing) number(n uint64) { *p = binary.AppendUvarint(*p, n) }

func (p *packing) flag(b bool) {
	n := uint64(0)
	if b {
		n = 1
	}
	p.number(n)
}

func (p *packing) text(s string) {
	p.number(uint64(len(s)))
	*p = append(*p, s...)
}

func (p *packing) settings(s entitlement.Settings) {
	p.number(uint64(s.On))
	p.number(uint64(s.EditLevel))
	p.limits(s.Limits)
}

func (p *packing) limits(l entitlement.Limits) {
	var set uint64
	for limit := range catalog.LimitCount {
		if _, has := l.Get(limit); has {
			set |= 1 << limit
		}
	}
	p.number(set)
	for limit := range catalog.LimitCount {
		if amount, has := l.Get(limit); has {
			p.number(uint64(amount))
		}
	}
}

// unpacking is a state being read. What is not what was written makes it bad.
type unpacking struct {
	rest []byte
	bad  bool
}

func unpack(state []byte) *unpacking {
	if len(state) == 0 || state[0] != stateVersion {
		return &unpacking{bad: true}
	}
	return &unpacking{rest: state[1:]}
}

func (u *unpacking) number() uint64 {
	n, size := binary.Uvarint(u.rest)
	if size <= 0 {
		u.bad, u.rest = true, nil
		return 0
	}
	u.rest = u.rest[size:]
	return n
}

func (u *unpacking) text() string {
	n := u.number()
	if n > uint64(len(u.rest)) {
		u.bad, u.rest = true, nil
		return ""
	}
	s := string(u.rest[:n])
	u.rest = u.rest[n:]
	return s
}

func (u *unpacking) settings() (s entitlement.Settings) {
	s.On, s.EditLevel = catalog.Set(u.number()), catalog.EditLevel(u.number())
	s.Limits = u.limits()
	return s
}

func (u *unpacking) limits() (l entitlement.Limits) {
	set := u.number()
	for limit := range catalog.LimitCount {
		if set&(1<<limit) != 0 {
			l = l.With(limit, bank.Cents(u.number()))
		}
	}
	return l
}

var errState = errors.New("what is kept of the past cannot be read")

func (u *unpacking) err() error {
	if u.bad || len(u.rest) > 0 {
		return errState
	}
	return nil
}

// location is where the institution's day began and ended.
func (i *pastInstitution) location() (*time.Location, error) {
	place, err := time.LoadLocation(i.zone)
	if err != nil {
		return nil, fmt.Errorf("a time zone of the past: %w", err)
	}
	return place, nil
}
