package client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/usermgmt"
)

// shown is a connection whose other side showed a certificate of these names.
func shown(t *testing.T, now time.Time, vouched bool) *tls.ConnectionState {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	uri, err := url.Parse("spiffe://cedar.example/hub")
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Hub", Organization: []string{"Cedar"}},
		DNSNames: []string{"Hub.cedar.example"}, URIs: []*url.URL{uri}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate}}
	if vouched {
		state.VerifiedChains = [][]*x509.Certificate{{certificate}}
	}
	return state
}

func TestCertificatesProveWhoCalls(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, _ := newService(t, d)
		now := dbtest.ClockOf(t, d).Now()
		mine, vouched := shown(t, now, false), shown(t, now, true)
		made, _, err := s.Create(ctx, operator, Draft{Name: "Hub", Access: Access{Certificates: []string{strings.ToUpper(KeyOf(mine.PeerCertificates[0])[7:13]) + "x"}}})
		if fault.KindOf(err) != fault.Invalid {
			t.Fatalf("a certificate that is none: %v", err)
		}
		made, _, err = s.Create(ctx, operator, Draft{Name: "Hub", Access: Access{Certificates: []string{KeyOf(mine.PeerCertificates[0])}}})
		if err != nil {
			t.Fatal(err)
		}
		is := func(state *tls.ConnectionState, want bank.ClientID) {
			t.Helper()
			c, err := s.ByCertificate(ctx, state)
			if c.ID != want || want == "" && !errors.Is(err, ErrUnknownKey) || want != "" && err != nil {
				t.Errorf("ByCertificate = %s, %v; want %q", c.ID, err, want)
			}
		}
		is(mine, made.ID)
		is(nil, "")
		is(&tls.ConnectionState{}, "")
		is(vouched, "")
		for _, name := range []string{"dns:HUB.cedar.example", "uri:spiffe://cedar.example/hub", "subject:CN=Hub,O=Cedar"} {
			_, err := s.SetAccess(ctx, operator, made.ID, func(a Access) Access { a.Certificates = []string{name}; return a })
			if err != nil {
				t.Fatal(err)
			}
			is(vouched, made.ID)
			is(mine, "") // nobody vouches for the names that it carries
		}
		if _, _, err := s.Create(ctx, operator, Draft{Name: "Other", Access: Access{Certificates: []string{"subject:CN=Hub,O=Cedar"}}}); fields(err) != "certificates" {
			t.Errorf("a certificate of two clients: %v", err)
		}
		late := shown(t, now.Add(-3*time.Hour), true)
		is(late, "") // it has run out
		if err := s.Revoke(ctx, operator, made.ID); err != nil {
			t.Fatal(err)
		}
		is(vouched, "")
		if _, _, err := s.Create(ctx, operator, Draft{Name: "Other", Access: Access{Certificates: []string{"subject:CN=Hub,O=Cedar"}}}); err != nil {
			t.Errorf("a certificate of a client that has ended: %v", err)
		}
	})
}

func fields(err error) string {
	var all []string
	for _, p := range fault.ProblemsOf(err) {
		all = append(all, p.Field)
	}
	return strings.Join(all, " ")
}

func TestTheAccessOfAClientChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, _ := newService(t, d)
		made, key, err := s.Create(ctx, operator, Draft{Name: "Hub", Access: Access{Application: "app_1", Capabilities: []Capability{StepUp, AccessRequests, StepUp}, Rate: 7}})
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Authenticate(ctx, key.Reveal())
		if err != nil || !c.Can(StepUp) || !c.Can(AccessRequests) || len(c.Capabilities) != 2 || c.Rate != 7 {
			t.Errorf("as it was made: %+v, %v", c.Access, err)
		}
		if c, err := s.OfApplication(ctx, "first", "app_1"); err != nil || c.ID != made.ID {
			t.Errorf("of its application: %v, %v", c.ID, err)
		}
		if _, err := s.OfApplication(ctx, "second", "app_1"); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("of a namesake elsewhere: %v", err)
		}
		if _, _, err := s.Create(ctx, operator, Draft{Name: "Other", Access: Access{Application: "app_1"}}); fields(err) != "application" {
			t.Errorf("an application of two clients: %v", err)
		}
		_, err = s.SetAccess(ctx, operator, made.ID, func(Access) Access {
			return Access{Rate: MaxRate + 1, Capabilities: []Capability{"fly"}, Certificates: []string{"x"}, Application: "a\x00"}
		})
		if got := fields(err); got != "capabilities rate application certificates" {
			t.Errorf("problems with %q", got)
		}
		if _, err := s.SetAccess(ctx, operator, made.ID, func(a Access) Access { a.Capabilities, a.Rate = nil, 0; return a }); err != nil {
			t.Fatal(err)
		}
		if c, err := s.Authenticate(ctx, key.Reveal()); err != nil || c.Can(StepUp) || c.Rate != 0 || c.Application != "app_1" {
			t.Errorf("after the change: %+v, %v", c.Access, err)
		}
		before := len(history(t, d))
		if _, err := s.SetAccess(ctx, operator, made.ID, func(a Access) Access { return a }); err != nil || len(history(t, d)) != before {
			t.Errorf("a change that changes nothing: %v, %q", err, history(t, d))
		}
		for _, caller := range []bank.Caller{staffUser("teller"), made.Caller("", "")} {
			if _, err := s.SetAccess(ctx, caller, made.ID, func(a Access) Access { a.Rate = 9; return a }); err == nil {
				t.Errorf("%s changed a client", caller.Kind)
			}
		}
	})
}

// Whom another process lets in is known at once, and whom it sends away is not
// let in any more, though nobody follows the database.
func TestAnotherProcessChangesClients(t *testing.T) {
	d := dbtest.PostgreSQL(t)
	ctx := context.Background()
	s, _ := newService(t, d)
	other := New(d, guard.New(d, usermgmt.LoadPolicy, nil, nil), s.log) // another door, of which ours hears nothing
	made, key, err := other.Create(ctx, operator, Draft{Name: "Hub"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(ctx, key.Reveal()); err != nil {
		t.Errorf("whom another process let in: %v", err)
	}
	if err := other.Revoke(ctx, operator, made.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(ctx, key.Reveal()); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("whom another process sent away: %v", err)
	}
}

// Where somebody follows the database nobody asks it about a caller, and nobody
// is let in by what can no longer be relied on.
func TestWhoFollowsAnswersAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, _ := newService(t, d)
		_, key, err := s.Create(ctx, operator, Draft{Name: "Hub"})
		if err != nil {
			t.Fatal(err)
		}
		late := fault.New(fault.Unavailable, "late")
		var now error
		s.Follow(func() error { return now })
		if _, err := s.Authenticate(ctx, key.Reveal()); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(ctx, key.Reveal()); err != nil {
			t.Errorf("without the database: %v", err)
		}
		if _, err := s.Authenticate(ctx, newKey().Reveal()); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("a stranger, without the database: %v", err)
		}
		now = late
		if _, err := s.Authenticate(ctx, key.Reveal()); !errors.Is(err, late) {
			t.Errorf("when what is known is too old: %v", err)
		}
		now = nil
		s.Stale()
		if _, err := s.Authenticate(ctx, key.Reveal()); err == nil || errors.Is(err, ErrUnknownKey) {
			t.Errorf("what may have changed and cannot be read: %v", err)
		}
	})
}

func TestAKnownKeyCostsNoMemory(t *testing.T) {
	d := dbtest.SQLite(t)
	s, _ := newService(t, d)
	_, key, err := s.Create(context.Background(), operator, Draft{Name: "Hub"})
	if err != nil {
		t.Fatal(err)
	}
	text := key.Reveal()
	if n := testing.AllocsPerRun(100, func() {
		if _, err := s.Authenticate(context.Background(), text); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A client that this process revokes while somebody who follows looks at the
// database from before is unknown at once, whatever that look has seen.
func TestALookFromBeforeBringsNobodyBack(t *testing.T) {
	d := dbtest.SQLite(t)
	ctx := context.Background()
	s, _ := newService(t, d)
	s.Follow(func() error { return nil })
	made, key, err := s.Create(ctx, operator, Draft{Name: "Hub"})
	if err != nil {
		t.Fatal(err)
	}
	said := s.Said()
	err = d.Read(ctx, func(tx *db.Tx) error {
		if _, err := db.One(tx, db.Value[int64], `select count(*) from api_client`); err != nil { // the look begins
			return err
		}
		if err := s.Revoke(ctx, operator, made.ID); err != nil {
			return err
		}
		return s.Renew(tx, said)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(ctx, key.Reveal()); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("a revoked key: %v", err)
	}
}
