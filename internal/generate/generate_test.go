package generate

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// digest is the content of a folder.
func digest(t *testing.T, o Options) string {
	t.Helper()
	dir := t.TempDir()
	if err := Write(dir, o); err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, path))
		sum.Write([]byte(path))
		sum.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func TestSameSeedSameBytes(t *testing.T) {
	for _, o := range []Options{{Seed: 1}, {Seed: 2, Edition: bank.EditionCreditUnion, JSONLines: true}, {Seed: 3, Distribution: Even, Organizations: 3}} {
		if a, b := digest(t, o), digest(t, o); a != b {
			t.Errorf("%+v made two different folders", o)
		}
		other := o
		other.Seed += 100
		if digest(t, o) == digest(t, other) {
			t.Errorf("%+v and another seed made the same", o)
		}
	}
}

// An organization is the same however many others there are.
func TestOrganizationsAreIndependent(t *testing.T) {
	o, err := Options{Seed: 4, Organizations: 50}.complete()
	if err != nil {
		t.Fatal(err)
	}
	more := o
	more.Organizations = 5000
	if a, b := newOrganization(o, 17), newOrganization(more, 17); a.name != b.name || len(a.members) != len(b.members) || a.members[0].settings != b.members[0].settings {
		t.Errorf("organization 17 is %s with %d members, among more %s with %d", a.name, len(a.members), b.name, len(b.members))
	}
}

// Generated data is consistent: what it stores needs no warning.
func TestNothingIsInconsistent(t *testing.T) {
	for _, edition := range []bank.Edition{bank.EditionBank, bank.EditionCreditUnion} {
		o, err := Options{Seed: 5, Edition: edition, Members: 12, Accounts: 6}.complete()
		if err != nil {
			t.Fatal(err)
		}
		for n := range 200 {
			org := newOrganization(o, n)
			for i := range org.members {
				m := &org.members[i]
				if unmet := entitlement.Unmet(edition, catalog.AtUser, m.settings, m.settings); len(unmet) > 0 {
					t.Fatalf("%s of %s: %v", m.key, org.name, unmet)
				}
				for j, s := range m.access {
					if unmet := entitlement.Unmet(edition, catalog.AtAccount, m.settings, s); len(unmet) > 0 {
						t.Fatalf("%s on %s of %s: %v", m.key, org.accounts[j].key, org.name, unmet)
					}
				}
				for limit := range catalog.LimitCount {
					amount, _ := m.settings.Limits.Get(limit)
					if ceiling, set := org.ceilings.Get(limit); set && amount > ceiling {
						t.Fatalf("%s of %s: %s is %s, above the ceiling %s", m.key, org.name, limit.Permission(), amount, ceiling)
					}
				}
			}
			if first := org.members[0]; first.role != bank.RoleAdmin || first.status != bank.StatusActive || first.held || !first.settings.On.Has(catalog.UserManagementEnabled) {
				t.Fatalf("the first member of %s is no usable admin: %+v", org.name, first)
			}
		}
	}
}

var (
	fictionalPhone = regexp.MustCompile(`^\(\d{3}\) 555-01\d\d$`)
	exampleMail    = regexp.MustCompile(`^[a-z0-9.]+@[a-z0-9-]+\.example\.com$`)
)

// Names fit, telephone numbers and addresses of mail belong to nobody, keys and
// usernames are unique.
func TestPeopleAreInvented(t *testing.T) {
	o, err := Options{Seed: 6, Members: 30, Accounts: 2, Distribution: Even}.complete()
	if err != nil {
		t.Fatal(err)
	}
	usernames, first, last := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for n := range 200 {
		org := newOrganization(o, n)
		if !fictionalPhone.MatchString(org.phone) || !exampleMail.MatchString(org.email) {
			t.Fatalf("%s: %s, %s", org.name, org.phone, org.email)
		}
		emails := map[string]bool{}
		for _, m := range org.members {
			first[m.first], last[m.last] = true, true
			if utf8.RuneCountInString(m.first+" "+m.last) > bank.MaxName || len(m.email) > bank.MaxEmail || !exampleMail.MatchString(m.email) {
				t.Fatalf("%s %s, %s", m.first, m.last, m.email)
			}
			if emails[m.email] || m.username != "" && usernames[m.username] {
				t.Fatalf("%s or %s is there twice", m.email, m.username)
			}
			if (m.username == "") != (m.status == bank.StatusPending) {
				t.Fatalf("%s is %s and has the username %q", m.key, m.status, m.username)
			}
			emails[m.email], usernames[m.username] = true, true
		}
	}
	if len(first) < len(firstNames)*9/10 || len(last) < len(lastNames)*9/10 {
		t.Errorf("only %d first and %d last names are used", len(first), len(last))
	}
}

// The shares that benchmarks rest on.
func TestEvenShares(t *testing.T) {
	o, err := Options{Seed: 1, Organizations: 500, Members: 10, Accounts: 20, Distribution: Even}.complete()
	if err != nil {
		t.Fatal(err)
	}
	if o.offers().Has(catalog.Cards) || len(catalog.EntitlementsIn(o.offers())) != 6 {
		t.Errorf("the institution offers %v", catalog.EntitlementsIn(o.offers()))
	}
	var members, active, pairs, enabled float64
	for n := range o.Organizations {
		org := newOrganization(o, n)
		if len(org.members) != 10 || len(org.accounts) != 20 {
			t.Fatalf("%d members and %d accounts", len(org.members), len(org.accounts))
		}
		for _, m := range org.members {
			members++
			if m.status == bank.StatusActive {
				active++
			}
			for _, s := range m.access {
				pairs++
				if s.On.Has(catalog.AccountAccess) {
					enabled++
				}
			}
		}
	}
	if share := active / members; share < 0.93 || share > 0.96 {
		t.Errorf("%.3f of the members are active, want about 0.94", share)
	}
	if share := enabled / pairs; share < 0.69 || share > 0.71 {
		t.Errorf("%.3f of the member accounts are enabled, want 0.70", share)
	}
}

// Sizes vary around the average and have a long tail.
func TestVariedSizes(t *testing.T) {
	o, err := Options{Seed: 2, Members: 10, Accounts: 1}.complete()
	if err != nil {
		t.Fatal(err)
	}
	var sum, largest, single int
	for n := range 2000 {
		size := len(newOrganization(o, n).members)
		sum, largest = sum+size, max(largest, size)
		if size == 1 {
			single++
		}
	}
	if mean := float64(sum) / 2000; mean < 8.5 || mean > 11.5 || largest < 100 || single < 20 {
		t.Errorf("mean %.1f, largest %d, %d of one person", mean, largest, single)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{{Organizations: -1}, {Members: maxMembers + 1}, {Accounts: maxAccounts + 1}, {Members: 1000, Accounts: 300}, {Distribution: 9}} {
		if err := Write(t.TempDir(), o); err == nil || !strings.HasPrefix(err.Error(), "generate: ") {
			t.Errorf("%+v: %v, want an error that names the option", o, err)
		}
	}
}

func TestSlug(t *testing.T) {
	for in, want := range map[string]string{"O'Neill": "oneill", "Zoë": "zoe", "Müller": "muller", "Björn": "bjorn", "José": "jose", "Smith-Ortiz": "smithortiz", "De Leon": "deleon"} {
		if got := slug(in); got != want {
			t.Errorf("slug(%q) = %q, want %q", in, got, want)
		}
	}
}
