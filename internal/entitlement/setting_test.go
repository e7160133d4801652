package entitlement

import (
	"math/rand/v2"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// What a grid shows as on is on, and what it shows as blocked or off is of no
// use: as Decide sees it, in random worlds.
func TestStateOfAgreesWithDecide(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 7))
	allowed, refused := 0, 0
	for range 20_000 {
		p := randomPolicy(r)
		req := randomRequest(r)
		req.Context = plainest(req.Operation)
		info := req.Operation.Info()
		if info.Accounts == catalog.AccountPair || info.EntryFields {
			continue
		}
		account := req.Account
		if info.Accounts != catalog.AccountRequired {
			account, req.Account = "", ""
		}
		if req.Operation == catalog.WiresView && p.Institution.Edition == bank.EditionCreditUnion {
			continue // it names nothing that exists per account
		}
		on := allNamedStand(p, req, account)
		d := Decide(p, req)
		if d.Allowed {
			allowed++
			if !on {
				t.Fatalf("%s is allowed, and what it names does not stand on", req.Operation)
			}
			continue
		}
		refused++
		if on && onlySettingsBlock(d) {
			t.Fatalf("%s is refused for %v, and all that it names stands on", req.Operation, d.Reasons)
		}
	}
	if allowed < 100 || refused < 100 {
		t.Fatalf("only %d allowed and %d refused: the worlds are too one-sided to say anything", allowed, refused)
	}
}

func allNamedStand(p *Policy, req Request, account bank.AccountID) bool {
	if account != "" && StateOf(p, req.Member, account, catalog.AccountAccess) != SettingOn {
		return false
	}
	for _, named := range req.Operation.Info().Named(p.Institution.Edition) {
		if !named.In(p.Institution.Edition) {
			return false
		}
		if named.At(catalog.AtUser) && StateOf(p, req.Member, "", named) != SettingOn {
			return false
		}
		if account != "" && named.At(catalog.AtAccount) && StateOf(p, req.Member, account, named) != SettingOn {
			return false
		}
	}
	return true
}

// onlySettingsBlock reports whether every reason is about switches and what
// stands above them.
func onlySettingsBlock(d Decision) bool {
	for _, r := range d.Reasons {
		if r.Permission == catalog.ACHEditLevel {
			return false // on is not the same as far enough
		}
		switch r.Code {
		case InstitutionOff, OrganizationOff, OrganizationAccountOff, UserOff, AccountOff, AccountAccessOff:
		default:
			return false
		}
	}
	return true
}
