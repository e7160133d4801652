// Package compact holds the facts of decisions in memory, small and quick to
// ask: one immutable Block for each organization, in a Store for each
// institution. It answers as entitlement.Decide does, with every reason; a
// Verdict says them as bits and puts them into words only when asked.
//
// The rules are not written here a second time. What an operation needs is
// compiled from the catalogue when the program starts, and laws_test.go holds
// every answer against entitlement.Decide over random worlds.
package compact

import (
	"math/bits"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// A word of a grant says what a member may do on one account: a bit for each
// switch that exists per account, and whether the account has limits of its own.
type grant uint32

const ownLimits grant = 1 << 31

// bitOf is the bit of a switch in a grant, zero where it has none, and
// switchOf[i] the switch of bit i.
var (
	bitOf    [catalog.PermissionCount]grant
	switchOf []catalog.Permission
)

// A memberWord holds the switches of a member, bit p for permission p, and above
// them what the member is: what keeps them from everything first, and last a bit
// for the role.
type memberWord uint64

const (
	standShift  = 48
	idleBit     = memberWord(1) << standShift // not active
	heldBit     = idleBit << 1
	statusShift = 50
	editShift   = 52
	roleShift   = 56
	switchMask  = idleBit - 1
	twoBits     = 3
)

// It must stay possible to keep all switches below the status.
var _ [standShift - int(catalog.PermissionCount)]struct{}

func init() {
	for p := range catalog.PermissionCount {
		if p.At(catalog.AtAccount) && p.Info().Type == catalog.Switch {
			bitOf[p] = 1 << len(switchOf)
			switchOf = append(switchOf, p)
		}
	}
	if len(switchOf) > 31 {
		panic("compact: more switches per account than a grant has bits")
	}
	for p, bit := range bitOf {
		for value := range grantsOf[p/8] {
			if value>>(p%8)&1 != 0 {
				grantsOf[p/8][value] |= bit
			}
		}
	}
}

func wordOf(m *entitlement.Member) memberWord {
	w := memberWord(m.Settings.On) | memberWord(m.Status)<<statusShift | 1<<(roleShift+m.Role) | memberWord(m.Settings.EditLevel)<<editShift
	if m.Status != bank.StatusActive {
		w |= idleBit
	}
	if m.Held {
		w |= heldBit
	}
	return w
}

// role is the one whose bit is set.
func (w memberWord) role() bank.Role { return bank.Role(bits.TrailingZeros8(uint8(w >> roleShift))) }

// accountLimits are the limits that exist per account; the others are never
// asked for there.
var accountLimits = func() (in []catalog.Limit) {
	for l := range catalog.LimitCount {
		if l.Permission().At(catalog.AtAccount) {
			in = append(in, l)
		}
	}
	return in
}()

// placeOfLimit is where each of them stands among an account's own.
var placeOfLimit = func() (at [catalog.LimitCount]uint8) {
	for i, l := range accountLimits {
		at[l] = uint8(i)
	}
	return at
}()

// grantsOf[i] are the bits of the switches that are in the ith byte of a set, for
// each value that the byte may have.
var grantsOf [standShift / 8][1 << 8]grant

func grantOf(s *entitlement.Settings) (g grant) {
	for i := range grantsOf {
		g |= grantsOf[i][byte(s.On>>(8*i))]
	}
	if limited(&s.Limits) {
		g |= ownLimits
	}
	return g
}

// limited reports whether there are limits among those that exist per account.
func limited(limits *entitlement.Limits) bool {
	for _, l := range accountLimits {
		if _, set := limits.Get(l); set {
			return true
		}
	}
	return false
}
