// Package generate makes up institutions: organizations, their accounts, their
// people and what these may do, as the files that an import reads. The same
// options make the same bytes, so that a demo, a test and a benchmark can name
// what they run on. Nobody and nothing in it exists: telephone numbers are of
// the kind kept for fiction, addresses of mail at domains kept for examples.
package generate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// Options say what is made. The zero value makes a small bank.
type Options struct {
	Seed          uint64
	First         int // the number of the first organization: another one makes others
	Organizations int // 0: 12
	Members       int // of an organization; 0: 10
	Accounts      int // of an organization; 0: 8
	Distribution  Distribution
	Edition       bank.Edition
	ID            bank.InstitutionID // empty: by the edition
	Name          string             // empty: by the edition
	TimeZone      string             // empty: America/Chicago
	Accent        string
	JSONLines     bool // instead of CSV
}

// A Distribution says how large organizations are.
type Distribution uint8

const (
	// Varied organizations are small, with few large ones: Members and Accounts
	// are averages. The institution offers everything.
	Varied Distribution = iota

	// Even organizations all have Members and Accounts, and the institution
	// does not offer cards. Benchmarks compare on these.
	Even
)

var distributions = [...]string{Varied: "varied", Even: "even"}

// ParseDistribution reads "varied" or "even".
func ParseDistribution(s string) (Distribution, error) {
	for i, name := range distributions {
		if name == s {
			return Distribution(i), nil
		}
	}
	return 0, fmt.Errorf("%q is not one of %q", s, distributions)
}

// Bounds of what is made, which are those of what is imported.
const (
	maxOrganizations = 1_000_000
	maxMembers       = 10_000
	maxAccounts      = 2_000
	maxAccess        = 250_000 // member accounts of one organization
)

func (o Options) complete() (Options, error) {
	def := func(n *int, otherwise int) {
		if *n == 0 {
			*n = otherwise
		}
	}
	def(&o.Organizations, 12)
	def(&o.Members, 10)
	def(&o.Accounts, 8)
	switch {
	case o.Organizations < 0 || o.Organizations > maxOrganizations:
		return o, fmt.Errorf("generate: Organizations is %d; it can be 1 to %d", o.Organizations, maxOrganizations)
	case o.Members < 0 || o.Members > maxMembers:
		return o, fmt.Errorf("generate: Members is %d; it can be 1 to %d", o.Members, maxMembers)
	case o.Accounts < 0 || o.Accounts > maxAccounts:
		return o, fmt.Errorf("generate: Accounts is %d; it can be 1 to %d", o.Accounts, maxAccounts)
	case o.Members*o.Accounts > maxAccess:
		return o, fmt.Errorf("generate: Members times Accounts is %d; it can be up to %d", o.Members*o.Accounts, maxAccess)
	case int(o.Distribution) >= len(distributions):
		return o, errors.New("generate: Distribution is none of those there are")
	}
	id, name := bank.InstitutionID("marlowick"), "Marlowick Bank & Trust"
	if o.Edition == bank.EditionCreditUnion {
		id, name = "tannery-row", "Tannery Row Credit Union"
	}
	if o.ID == "" {
		o.ID = id
	}
	if o.Name == "" {
		o.Name = name
	}
	if o.TimeZone == "" {
		o.TimeZone = "America/Chicago"
	}
	return o, nil
}

func (o Options) offers() (offers catalog.EntitlementSet) {
	for _, e := range catalog.Entitlements() {
		if e.In(o.Edition) && (e != catalog.Cards || o.Distribution != Even) {
			offers = offers.With(e)
		}
	}
	return offers
}

// Write makes an institution and writes its files into the folder dir, which is
// made where it is missing. Files of an earlier run are replaced.
func Write(dir string, options Options) (err error) {
	o, err := options.complete()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	f, err := createFiles(dir, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if err := writeInstitution(filepath.Join(dir, "institution.json"), o); err != nil {
		return err
	}
	for n := range o.Organizations {
		f.organization(newOrganization(o, o.First+n))
	}
	return nil
}

// random is the source of everything about organization n, so that it does not
// depend on how many there are before it.
func random(o Options, n int) *rand.Rand {
	return rand.New(rand.NewPCG(o.Seed, uint64(n)))
}

// chance is true in percent of all cases.
func chance(r *rand.Rand, percent float64) bool { return r.Float64()*100 < percent }

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
